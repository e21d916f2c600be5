/* SPDX-License-Identifier: MIT */
/*
 * Memory order, tried out: the store-buffering litmus on the barriers themselves, and the two
 * handshakes built on them, between those who add tasks and those who fall asleep (crew.h, I2) or
 * stop to search (I3). All in both forms of the barrier; what is lost hangs the test.
 */
#include "base/asymmetric.h"

#include <pthread.h>
#include <stdatomic.h>

#include <sillon/sillon.h>

#include "base/futex.h"
#include "support/gate.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

/* Run a check as the library is, then with symmetric barriers: no other thread may be there. */
static void in_both_forms(void (*check)(void))
{
    bool symmetric = sil__barrier_symmetric;
    check();
    if (symmetric)
        return;
    sil__barrier_symmetric = true;
    check();
    sil__barrier_symmetric = false;
}

/* --- store buffering ----------------------------------------------------------------------- */

/*
 * One side counts up x and looks at y, the other counts up y and looks at x, without waiting for
 * each other. A step of x that the other side did not see when it made a step of y must have seen
 * that step: the first such is noted, and looked up afterwards.
 */
enum { STEPS = TEST_SCALE(4000000), ANSWERS = TEST_SCALE(100000) };

static struct {
    _Alignas(128) _Atomic uint32_t x;
    _Alignas(128) _Atomic uint32_t y;
    _Alignas(128) atomic_uint ready;
    uint32_t y_seen[STEPS + 1];   /* by the step of x */
    uint32_t x_seen[ANSWERS + 1]; /* by the step of y */
    uint32_t answers;
    void (*barrier)(void); /* of y's side */
    bool full;             /* of x's side */
} litmus;

static void meet_start(void)
{
    (void)atomic_fetch_add(&litmus.ready, 1);
    while (atomic_load(&litmus.ready) < 2)
        test_yield();
}

static void *step_y(void *unused)
{
    meet_start();
    uint32_t i = 1;
    for (; i <= ANSWERS && atomic_load_explicit(&litmus.x, memory_order_relaxed) < STEPS; i++) {
        atomic_store_explicit(&litmus.y, i, memory_order_relaxed);
        litmus.barrier();
        litmus.x_seen[i] = atomic_load_explicit(&litmus.x, memory_order_relaxed);
    }
    litmus.answers = i - 1;
    return unused;
}

static void *step_x(void *unused)
{
    bool full = litmus.full;
    meet_start();
    for (uint32_t i = 1; i <= STEPS; i++) {
        atomic_store_explicit(&litmus.x, i, memory_order_relaxed);
        if (full)
            sil__barrier_full();
        else
            sil__barrier_light();
        litmus.y_seen[i] = atomic_load_explicit(&litmus.y, memory_order_relaxed);
    }
    return unused;
}

static void check_store_buffering(void (*barrier)(void), bool full)
{
    pthread_t threads[2];
    atomic_store(&litmus.x, 0);
    atomic_store(&litmus.y, 0);
    atomic_store(&litmus.ready, 0);
    litmus.barrier = barrier;
    litmus.full = full;
    assert_int_equal(pthread_create(&threads[0], NULL, step_x, NULL), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, step_y, NULL), 0);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    unsigned missed = 0;
    for (uint32_t i = 1; i <= litmus.answers; i++)
        if (litmus.x_seen[i] < STEPS)
            missed += litmus.y_seen[litmus.x_seen[i] + 1] < i;
    assert_int_equal(missed, 0);
}

static void full_barrier(void)
{
    sil__barrier_full();
}

static void light_against_heavy(void)
{
    check_store_buffering(sil__barrier_heavy, false);
}

static void full_against_full(void)
{
    check_store_buffering(full_barrier, true);
}

static void full_against_heavy(void)
{
    check_store_buffering(sil__barrier_heavy, true);
}

static void test_light_and_heavy_never_both_miss(void **state)
{
    (void)state;
    in_both_forms(light_against_heavy);
    in_both_forms(full_against_heavy);
}

static void test_two_full_barriers_never_both_miss(void **state)
{
    (void)state;
    in_both_forms(full_against_full);
}

/* --- a flag that tasks raise and threads wait for ------------------------------------------ */

struct flag {
    _Atomic uint32_t raised;
};

static void flag_raise(struct flag *flag, uint32_t value)
{
    atomic_store_explicit(&flag->raised, value, memory_order_release);
    sil__futex_wake(&flag->raised, INT_MAX);
}

static void flag_wait(struct flag *flag, uint32_t value)
{
    uint32_t now;
    while ((now = atomic_load_explicit(&flag->raised, memory_order_acquire)) < value)
        (void)sil__futex_wait(&flag->raised, now, INT64_MAX);
}

/* The time in which a worker searches, spins, gives up, and falls asleep: somewhere in there. */
static void pass_some_time(struct random *random)
{
    static const size_t most[] = {1, 100, 1000, 10000, 100000};
    for (volatile size_t n = random_below(random, most[random_below(random, 5)]); n > 0; n--) {
    }
}

/* --- I2: a task arrives while workers fall asleep ------------------------------------------ */

struct ping {
    struct flag *flag;
    uint32_t value; /* 0: says nothing */
};

static int answer(void *arg, void *result)
{
    (void)result;
    struct ping *ping = arg;
    if (ping->value != 0)
        flag_raise(ping->flag, ping->value);
    return 0;
}

enum { PINGS = TEST_SCALE(200000) };

static void ping(unsigned workers, uint32_t pings)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    struct random random = {workers};
    struct flag flag = {0};
    unsigned refused = 0;
    for (uint32_t i = 1; i <= pings; i++) {
        struct ping next = {&flag, i};
        refused += sil_post(pool, answer, &next, sizeof next) != 0;
        flag_wait(&flag, i);
        pass_some_time(&random);
    }
    assert_int_equal(refused, 0);
    assert_code(sil_executor_close(pool), 0);
}

static void ping_each(void)
{
    for (unsigned workers = 1; workers <= 4; workers++)
        ping(workers, PINGS / 8);
}

static void test_no_task_is_left_to_sleeping_workers(void **state)
{
    (void)state;
    in_both_forms(ping_each);
}

/* Two threads, each with its own intake, that ping the same pool without regard for each other. */
struct pinger {
    sil_executor *pool;
    uint64_t seed;
    unsigned refused;
};

static void *ping_on(void *arg)
{
    struct pinger *pinger = arg;
    struct random random = {pinger->seed};
    struct flag flag = {0};
    for (uint32_t i = 1; i <= PINGS / 8; i++) {
        struct ping next = {&flag, i};
        pinger->refused += sil_post(pinger->pool, answer, &next, sizeof next) != 0;
        flag_wait(&flag, i);
        pass_some_time(&random);
    }
    return NULL;
}

static void ping_together(void)
{
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        struct pinger pingers[2] = {{pool, 1, 0}, {pool, 2, 0}};
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, ping_on, &pingers[i]), 0);
        for (int i = 0; i < 2; i++)
            (void)pthread_join(threads[i], NULL);
        assert_int_equal(pingers[0].refused + pingers[1].refused, 0);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_no_task_of_several_threads_is_left_to_sleeping_workers(void **state)
{
    (void)state;
    in_both_forms(ping_together);
}

/* --- I2: a task arrives while the only worker blocks ---------------------------------------- */

static int await_future(void *arg, void *result)
{
    (void)result;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

struct resolution {
    sil_promise *promise;
    struct flag *flag; /* when it has let go of the promise */
    uint32_t value;
};

static int resolve_it(void *arg, void *result)
{
    (void)result;
    struct resolution *resolution = arg;
    int code = sil_promise_resolve(resolution->promise, NULL);
    flag_raise(resolution->flag, resolution->value);
    return code;
}

static void block_and_resolve(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct random random = {3};
    struct flag flag = {0};
    for (uint32_t i = 1; i <= PINGS / 8; i++) {
        sil_promise *promise = sil_promise_create(NULL, 0);
        sil_future *value = sil_promise_future(promise);
        sil_future *waiter = sil_submit(pool, await_future, &value, sizeof(sil_future *), 0);
        pass_some_time(&random);
        struct resolution resolution = {promise, &flag, i};
        assert_code(sil_post(pool, resolve_it, &resolution, sizeof resolution), 0);
        assert_code(sil_take(waiter, NULL, SIL_FOREVER), 0);
        flag_wait(&flag, i);
        sil_future_release(value);
        sil_promise_destroy(promise);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_no_task_is_left_to_a_worker_that_blocks(void **state)
{
    (void)state;
    in_both_forms(block_and_resolve);
}

/* --- I3: a task is left to a searcher that finds another one ------------------------------- */

static int await_flag(void *arg, void *result)
{
    (void)result;
    struct ping *ping = arg;
    flag_wait(ping->flag, ping->value);
    return 0;
}

/*
 * The first task of each pair keeps its worker until the second has run. So two workers must
 * always get going for two tasks, whichever of them was searching, spinning or asleep.
 */
static void run_pairs(unsigned workers, uint32_t pairs)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    struct random random = {workers};
    struct flag flag = {0};
    unsigned refused = 0;
    for (uint32_t i = 1; i <= pairs; i++) {
        struct ping next = {&flag, i};
        refused += sil_post(pool, await_flag, &next, sizeof next) != 0;
        if (random_below(&random, 4) == 0)
            pass_some_time(&random);
        refused += sil_post(pool, answer, &next, sizeof next) != 0;
        flag_wait(&flag, i);
        if (random_below(&random, 4) == 0)
            pass_some_time(&random);
    }
    assert_int_equal(refused, 0);
    assert_code(sil_executor_close(pool), 0);
}

static void pairs_for_two(void)
{
    run_pairs(2, PINGS / 4);
}

static void pairs_for_three(void)
{
    run_pairs(3, PINGS / 8);
}

static void test_no_task_is_left_to_a_searcher_that_found_another(void **state)
{
    (void)state;
    in_both_forms(pairs_for_two);
    in_both_forms(pairs_for_three);
}

/*
 * The same with many tasks between the two, so that both may be in one batch: it is for others as
 * soon as its first task keeps the worker, though nobody added anything by then.
 */
static void run_batches(uint32_t batches)
{
    enum { MOST = 24 };
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    struct random random = {17};
    struct flag flag = {0};
    struct ping pings[MOST];
    for (uint32_t i = 1; i <= batches; i++) {
        size_t count = random_below(&random, MOST) + 1;
        struct ping next = {&flag, i};
        for (size_t k = 0; k < COUNT_OF(pings); k++)
            pings[k] = (struct ping){&flag, 0};
        pings[random_below(&random, count)].value = i;
        for (size_t before = random_below(&random, 8); before > 0; before--)
            assert_code(sil_post(pool, task_nothing, NULL, 0), 0);
        assert_code(sil_post(pool, await_flag, &next, sizeof next), 0);
        assert_code(sil_post_many(pool, answer, pings, sizeof pings[0], count), 0);
        flag_wait(&flag, i);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void batches_for_two(void)
{
    run_batches(PINGS / 8);
}

static void test_no_task_of_a_batch_is_left_to_a_worker_that_is_kept(void **state)
{
    (void)state;
    in_both_forms(batches_for_two);
}

/* The same from a worker's own queue: the child can only be run by another worker. */
struct family {
    sil_executor *pool;
    struct flag *child;
    struct flag *parent;
    uint32_t value;
};

static int wait_for_child(void *arg, void *result)
{
    (void)result;
    struct family *family = arg;
    struct ping child = {family->child, family->value};
    if (sil_post(family->pool, answer, &child, sizeof child) != 0)
        test_hung("a child was refused", __FILE__, __LINE__);
    flag_wait(family->child, family->value);
    flag_raise(family->parent, family->value);
    return 0;
}

static void children_for_two(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    struct random random = {5};
    struct flag child = {0}, parent = {0};
    for (uint32_t i = 1; i <= PINGS / 4; i++) {
        struct family family = {pool, &child, &parent, i};
        assert_code(sil_post(pool, wait_for_child, &family, sizeof family), 0);
        if (random_below(&random, 2) == 0)
            assert_code(sil_post(pool, task_nothing, NULL, 0), 0);
        flag_wait(&parent, i);
        if (random_below(&random, 4) == 0)
            pass_some_time(&random);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_no_child_is_left_to_a_searcher_that_found_another(void **state)
{
    (void)state;
    in_both_forms(children_for_two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_light_and_heavy_never_both_miss),
        TEST(test_two_full_barriers_never_both_miss),
        TEST(test_no_task_is_left_to_sleeping_workers),
        TEST(test_no_task_of_several_threads_is_left_to_sleeping_workers),
        TEST(test_no_task_is_left_to_a_worker_that_blocks),
        TEST(test_no_task_is_left_to_a_searcher_that_found_another),
        TEST(test_no_task_of_a_batch_is_left_to_a_worker_that_is_kept),
        TEST(test_no_child_is_left_to_a_searcher_that_found_another),
    };
    return test_run("litmus", tests);
}
