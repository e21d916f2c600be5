/* SPDX-License-Identifier: MIT */
/*
 * Trees of tasks over loops and pools: each starts children anywhere, waits for them in some way, is
 * cancelled or timed out at any moment by anybody, and gives way whenever it likes. In the end all that
 * began has ended, and all that was accepted is accounted for.
 */
#include <sillon/sillon.h>

#include <stdatomic.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { UNEXPECTED = 40000 };
enum { LOOPS = 3, EXECUTORS = LOOPS + 1, MOST_CHILDREN = 4 };

/* The loops, then a pool. */
static sil_executor *executors[EXECUTORS];
static atomic_ulong begun, ended, started, open_count;
static atomic_int odd; /* a code that nobody may see */

struct node {
    uint64_t seed;
    int depth;
};

static sil_future *start_node(struct random *random, int depth);

/* What may come of a wait: the value, or one of the ends that we bring about ourselves. */
static bool is_usual(int code)
{
    return code == 0 || code == SIL_ECANCELLED || code == SIL_ETIMEDOUT;
}

static void note(int code)
{
    if (!is_usual(code))
        atomic_store(&odd, code);
}

static void give_way(struct random *random)
{
    switch (random_below(random, 4)) {
    case 0:
        note(sil_yield());
        break;
    case 1:
        note(sil_sleep(sil_clock() + (int64_t)random_below(random, 300000)));
        break;
    default:
        random_yield(random);
        break;
    }
}

/* --- ways to wait for children -------------------------------------------------------------------- */

static void await_each(struct random *random, sil_future **futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (random_below(random, 3) == 0 && !sil_future_done(futures[i]))
            note(sil_await(futures[i], sil_clock() + (int64_t)random_below(random, 200000)));
        note(sil_await(futures[i], SIL_FOREVER));
    }
}

static void take_each(struct random *random, sil_future **futures, size_t count)
{
    (void)random;
    for (size_t i = count; i-- > 0;)
        note(sil_take(sil_future_retain(futures[i]), NULL, SIL_FOREVER));
}

static void wait_for_all(struct random *random, sil_future **futures, size_t count)
{
    static const sil_wait_for conditions[] = {SIL_ALL_COMPLETED, SIL_FIRST_COMPLETED,
                                              SIL_FIRST_EXCEPTION};
    note(sil_wait(futures, count, conditions[random_below(random, 3)], SIL_FOREVER, NULL));
    note(sil_wait(futures, count, SIL_ALL_COMPLETED, sil_clock() + 1000000, NULL));
}

static void iterate(struct random *random, sil_future **futures, size_t count)
{
    sil_as_completed *iterator = sil_as_completed_create(futures, count);
    sil_future *future;
    int code;
    while ((code = sil_as_completed_next(iterator, &future, SIL_FOREVER)) == 0)
        give_way(random);
    note(code == SIL_EEND ? 0 : code);
    sil_as_completed_destroy(iterator);
}

static void combine(struct random *random, sil_future **futures, size_t count)
{
    sil_future *(*const ways[])(sil_future *const *futures, size_t count) = {sil_all, sil_any,
                                                                             sil_race};
    note(sil_take(ways[random_below(random, 3)](futures, count), NULL, SIL_FOREVER));
}

static void (*const waits[])(struct random *random, sil_future **futures, size_t count) = {
    await_each, take_each, wait_for_all, iterate, combine,
};

/* --- a node --------------------------------------------------------------------------------------- */

static int cancel_it(void *arg, void *result)
{
    (void)result;
    sil_future *future = *(sil_future **)arg;
    (void)sil_future_cancel(future);
    sil_future_release(future);
    return 0;
}

/* By ourselves, or by a task elsewhere, which may come too late. */
static void cancel_some(struct random *random, sil_future **futures, size_t count)
{
    size_t which = random_below(random, count);
    if (random_below(random, 2)) {
        (void)sil_future_cancel(futures[which]);
        return;
    }
    sil_future *future = sil_future_retain(futures[which]);
    sil_executor *executor = executors[random_below(random, EXECUTORS)];
    if (sil_post(executor, cancel_it, (void *)&future, sizeof future) != 0)
        sil_future_release(future);
}

static int run_node(void *arg, void *result)
{
    (void)result;
    const struct node *node = arg;
    struct random random = {node->seed};
    atomic_fetch_add(&begun, 1);
    give_way(&random);
    if (node->depth > 0) {
        sil_future *futures[MOST_CHILDREN];
        size_t count = 1 + random_below(&random, MOST_CHILDREN);
        for (size_t i = 0; i < count; i++)
            futures[i] = start_node(&random, node->depth - 1);
        if (random_below(&random, 3) == 0)
            cancel_some(&random, futures, count);
        give_way(&random);
        waits[random_below(&random, COUNT_OF(waits))](&random, futures, count);
        for (size_t i = 0; i < count; i++)
            sil_future_release(futures[i]); /* those that go on, go on unheld */
    }
    give_way(&random);
    atomic_fetch_add(&ended, 1);
    return sil_cancelled() ? SIL_ECANCELLED : 0;
}

static void count_down(sil_future *future, void *user)
{
    (void)user;
    int code = sil_future_code(future);
    note(code);
    atomic_fetch_sub(&open_count, 1);
}

static sil_future *start_node(struct random *random, int depth)
{
    struct node node = {random_next(random), depth};
    sil_submit_options options = {
        .priority = (sil_priority)((int)random_below(random, 3) - 1),
        .deadline =
            random_below(random, 4) ? 0 : sil_clock() + (int64_t)random_below(random, 3000000),
    };
    atomic_fetch_add(&started, 1);
    atomic_fetch_add(&open_count, 1);
    sil_future *future = sil_submit_with(executors[random_below(random, EXECUTORS)], &options,
                                         run_node, &node, sizeof node, 0);
    note(sil_future_add_done_callback(future, count_down, NULL));
    return future;
}

/* --- the whole ------------------------------------------------------------------------------------ */

enum { THREADS = 2, ROOTS = TEST_SCALE(400), DEPTH = 4 };

static int grow_trees(void *arg, void *result)
{
    (void)result;
    struct random random = {*(uint64_t *)arg};
    for (int i = 0; i < ROOTS; i++) {
        sil_future *root = start_node(&random, DEPTH);
        if (random_below(&random, 5) == 0)
            (void)sil_future_cancel(root);
        int code = sil_take(root, NULL, SIL_FOREVER);
        if (!is_usual(code))
            return code;
    }
    return 0;
}

static void make_executors(void)
{
    for (int i = 0; i < LOOPS; i++)
        executors[i] =
            sil_loop_thread(&(sil_loop_options){.stack_size = (size_t)(16 << 10) << 2 * i});
    executors[LOOPS] = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int i = 0; i < EXECUTORS; i++)
        assert_non_null(executors[i]);
    atomic_store(&begun, 0);
    atomic_store(&ended, 0);
    atomic_store(&started, 0);
    atomic_store(&open_count, 0);
    atomic_store(&odd, 0);
}

/* What is accepted by one may come from another that is still at it: so until all are done. */
static void close_executors(void)
{
    sil_executor_stats stats[EXECUTORS];
    for (bool quiet = false; !quiet;) {
        quiet = true;
        for (int i = 0; i < EXECUTORS; i++) {
            assert_code(sil_executor_stats_get(executors[i], &stats[i]), 0);
            quiet &= stats[i].submitted == stats[i].done;
        }
        test_yield();
    }
    for (int i = 0; i < EXECUTORS; i++) {
        assert_code(sil_executor_shutdown(executors[i], false, SIL_FOREVER), 0);
        assert_code(sil_executor_stats_get(executors[i], &stats[i]), 0);
        assert_int_equal(stats[i].submitted, stats[i].done);
        assert_int_equal(stats[i].pending + stats[i].running, 0);
        assert_code(sil_executor_close(executors[i]), 0);
    }
    assert_int_equal(atomic_load(&begun), atomic_load(&ended));
    assert_int_equal(atomic_load(&open_count), 0);
    assert_true(atomic_load(&begun) <= atomic_load(&started));
    assert_code(atomic_load(&odd), 0);
}

static void test_trees_over_loops_and_pools(void **state)
{
    (void)state;
    make_executors();
    sil_future *threads[THREADS];
    for (uint64_t i = 0; i < THREADS; i++)
        threads[i] = sil_thread_start(NULL, grow_trees, &i, sizeof i, 0);
    for (int i = 0; i < THREADS; i++)
        assert_code(sil_take(threads[i], NULL, SIL_FOREVER), 0);
    close_executors();
}

/* The same from coroutines, with the loop of sil_run in place of the first one. */
static int grow_inside(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_executor *first = executors[0];
    executors[0] = sil_loop_current();
    sil_future *growers[THREADS];
    for (uint64_t i = 0; i < THREADS; i++) {
        uint64_t seed = i + 77;
        growers[i] = sil_go(grow_trees, &seed, sizeof seed, 0);
    }
    int failed = 0;
    for (int i = 0; i < THREADS; i++) {
        int code = sil_take(growers[i], NULL, SIL_FOREVER);
        failed = failed ? failed : code;
    }
    while (atomic_load(&open_count) > 0) /* those that nobody waits for */
        note(sil_sleep(sil_clock() + 500000));
    executors[0] = first;
    return failed;
}

static void test_trees_in_sil_run(void **state)
{
    (void)state;
    make_executors();
    assert_code(sil_run(grow_inside, NULL, 0, NULL, 0), 0);
    close_executors();
}

/* --- loops that come and go --------------------------------------------------------------------- */

static int live_shortly(void *arg, void *result)
{
    (void)result;
    struct random random = {*(uint64_t *)arg};
    for (int i = 0; i < TEST_SCALE(200); i++) {
        sil_executor *loop = sil_loop_thread(NULL);
        if (!loop)
            return UNEXPECTED;
        sil_future *futures[8];
        for (int j = 0; j < 8; j++)
            futures[j] = submit_int(loop, task_square, j);
        if (random_below(&random, 3) == 0)
            (void)sil_executor_shutdown(loop, random_below(&random, 2), SIL_NOW);
        if (random_below(&random, 3) == 0)
            give_way(&random);
        int code = sil_executor_close(loop);
        if (code != 0)
            return code;
        for (int j = 0; j < 8; j++) {
            int value = j * j;
            code = sil_take(futures[j], &value, SIL_NOW);
            if (!is_usual(code) || value != j * j)
                return UNEXPECTED;
        }
    }
    return 0;
}

static void test_loops_come_and_go(void **state)
{
    (void)state;
    make_executors();
    sil_future *futures[EXECUTORS];
    for (uint64_t i = 0; i < EXECUTORS; i++)
        futures[i] = sil_submit(executors[i], live_shortly, &i, sizeof i, 0);
    for (int i = 0; i < EXECUTORS; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    close_executors();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_trees_over_loops_and_pools),
        TEST(test_trees_in_sil_run),
        TEST(test_loops_come_and_go),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv keeps two descriptors from then on */
    return test_run("loops under stress", tests);
}
