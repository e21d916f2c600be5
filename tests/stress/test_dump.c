/* SPDX-License-Identifier: MIT */
/*
 * Dumps again and again while all that can be seen comes and goes: tasks that nest, coroutines that
 * await each other and other threads', objects that are destroyed as soon as they may be, loops, pools
 * and threads. What a dump says is not looked at: that it touches nothing that is gone is seen by the
 * sanitizers.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdio.h>

#include "support/tasks.h"
#include "support/test.h"

static sil_executor *pool;
static atomic_bool ends;
static atomic_uint failures;

static void expect(bool ok)
{
    if (!ok)
        atomic_fetch_add(&failures, 1);
}

static int take(sil_future *future)
{
    return sil_take(future, NULL, SIL_FOREVER);
}

/* --- what is seen -------------------------------------------------------------------------------- */

static int short_nap(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(sil_in(0.0002));
}

static int nests(void *arg, void *result)
{
    (void)result;
    int depth = *(int *)arg - 1;
    if (depth < 0)
        return 0;
    sil_future *inner = sil_submit_with(pool, &(sil_submit_options){.name = "nested"}, nests,
                                        &depth, sizeof depth, 0);
    return take(inner);
}

struct meeting {
    sil_barrier *barrier;
    atomic_bool over;
};

/* Whoever goes on first destroys it: the others were let go, too, and do not look at it any more. */
static int meets(void *arg, void *result)
{
    (void)result;
    struct meeting *meeting = *(struct meeting **)arg;
    int code = sil_barrier_wait(meeting->barrier, NULL, SIL_FOREVER);
    if (!atomic_exchange(&meeting->over, true))
        sil_barrier_destroy(meeting->barrier);
    return code;
}

static int barrier_lives_shortly(void *arg, void *result)
{
    (void)arg, (void)result;
    struct meeting meeting = {.barrier = sil_barrier_create("meeting", 4)};
    struct meeting *at = &meeting;
    sil_future *parties[4] = {
        sil_submit(pool, meets, &at, sizeof at, 0),
        sil_go(meets, &at, sizeof at, 0),
        sil_go(meets, &at, sizeof at, 0),
        sil_submit(pool, meets, &at, sizeof at, 0),
    };
    int code = 0;
    for (int i = 0; i < 4; i++)
        code |= take(parties[i]);
    return code;
}

static int locks(void *arg, void *result)
{
    (void)result;
    sil_mutex *mutex = *(sil_mutex **)arg;
    for (int i = 0; i < 5; i++) {
        expect(sil_mutex_lock(mutex, SIL_FOREVER) == 0);
        (void)sil_yield();
        expect(sil_mutex_unlock(mutex) == 0);
    }
    return 0;
}

static int mutex_lives_shortly(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_mutex *mutex = sil_mutex_create("fork");
    sil_future *tasks[3] = {
        sil_go(locks, &mutex, sizeof mutex, 0),
        sil_submit(pool, locks, &mutex, sizeof mutex, 0),
        sil_go(locks, &mutex, sizeof mutex, 0),
    };
    int code = 0;
    for (int i = 0; i < 3; i++)
        code |= take(tasks[i]);
    sil_mutex_destroy(mutex);
    return code;
}

static int groups(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("few");
    for (int i = 0; i < 5; i++)
        (void)sil_group_go(group, short_nap, NULL, 0, 0);
    (void)sil_group_submit(group, pool, NULL, nests, &(int){2}, sizeof(int), 0);
    int code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

static int combines(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *parts[2] = {sil_go(short_nap, NULL, 0, 0), sil_submit(pool, short_nap, NULL, 0, 0)};
    sil_future *all = sil_all(parts, 2);
    int code = take(all);
    sil_future_release(parts[0]);
    sil_future_release(parts[1]);
    return code;
}

static int posts(void *arg, void *result)
{
    static atomic_uint count;
    atomic_uint *at = &count;
    (void)arg, (void)result;
    for (int i = 0; i < 20; i++)
        expect(sil_post(pool, task_count, &at, sizeof at) == 0);
    return 0;
}

static int busy_main(void *arg, void *result)
{
    (void)arg, (void)result;
    static const sil_task_fn fns[] = {barrier_lives_shortly, mutex_lives_shortly, groups, combines,
                                      posts};
    int code = 0;
    while (!atomic_load(&ends) && code == 0) {
        sil_future *tasks[COUNT_OF(fns)];
        for (size_t i = 0; i < COUNT_OF(fns); i++)
            tasks[i] = sil_go_with(&(sil_go_options){.name = "one of many"}, fns[i], NULL, 0, 0);
        for (size_t i = 0; i < COUNT_OF(fns); i++)
            code |= take(tasks[i]);
    }
    return code;
}

/* --- what comes and goes ------------------------------------------------------------------------ */

static void *short_thread(void *arg)
{
    (void)arg;
    expect(take(sil_submit(pool, nests, &(int){3}, sizeof(int), 0)) == 0);
    return NULL;
}

static void *churn(void *arg)
{
    (void)arg;
    while (!atomic_load(&ends)) {
        pthread_t thread;
        expect(pthread_create(&thread, NULL, short_thread, NULL) == 0);
        sil_executor *loop = sil_loop_thread(&(sil_loop_options){.name = "fleeting"});
        sil_executor *other = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
        expect(take(sil_submit(loop, groups, NULL, 0, 0)) == 0);
        expect(take(sil_submit(other, short_nap, NULL, 0, 0)) == 0);
        expect(sil_executor_close(loop) == 0);
        expect(sil_executor_close(other) == 0);
        expect(pthread_join(thread, NULL) == 0);
    }
    return NULL;
}

static void *dumps(void *arg)
{
    FILE *out = fopen("/dev/null", "w");
    expect(out != NULL);
    for (int i = 0; i < *(int *)arg; i++)
        expect(sil_dump(out) == 0);
    (void)fclose(out);
    return NULL;
}

static int dumps_inside(void *arg, void *result)
{
    (void)result;
    (void)dumps(arg);
    return 0;
}

static void test_dumps_of_a_busy_program(void **state)
{
    (void)state;
    int times = TEST_SCALE(1000);
    pthread_t dumper;
    pthread_t churner;
    atomic_store(&ends, false);
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    sil_executor *loops[2] = {sil_loop_thread(&(sil_loop_options){.name = "left"}),
                              sil_loop_thread(&(sil_loop_options){.name = "right"})};
    sil_future *mains[2];
    for (int i = 0; i < 2; i++)
        mains[i] = sil_submit(loops[i], busy_main, NULL, 0, 0);
    assert_int_equal(pthread_create(&churner, NULL, churn, NULL), 0);
    assert_int_equal(pthread_create(&dumper, NULL, dumps, &times), 0);
    sil_future *inside = sil_submit(loops[0], dumps_inside, &times, sizeof times, 0);
    assert_code(take(inside), 0);
    assert_int_equal(pthread_join(dumper, NULL), 0);
    atomic_store(&ends, true);
    assert_int_equal(pthread_join(churner, NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_code(take(mains[i]), 0);
        assert_code(sil_executor_close(loops[i]), 0);
    }
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(atomic_load(&failures), 0);
}

int main(void)
{
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv's descriptors */
    const struct CMUnitTest tests[] = {
        TEST(test_dumps_of_a_busy_program),
    };
    return test_run("stress.dump", tests);
}
