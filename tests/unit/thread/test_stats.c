/* SPDX-License-Identifier: MIT */
/*
 * The pool's statistics: readable at any time, and they add up.
 */
#include <sillon/thread_pool.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor_stats stats_of(sil_executor *pool)
{
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    return stats;
}

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "stats"});
}

static void test_of_an_unused_pool_are_zero(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(3);
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted + stats.done + stats.stolen + stats.helped, 0);
    assert_int_equal(stats.pending + stats.running + stats.blocked, 0);
    assert_int_equal(stats.sleeping + stats.threads, 0);
    assert_int_equal(stats.workers, 3);
    assert_code(sil_executor_close(pool), 0);
}

static void test_show_what_runs_and_what_is_pending(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct gate gate;
    gate_init(&gate);
    sil_future *running[2];
    for (int i = 0; i < 2; i++)
        running[i] = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 2);
    sil_future *pending[5];
    for (int i = 0; i < 5; i++)
        pending[i] = submit_nothing(pool);

    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted, 7);
    assert_int_equal(stats.done, 0);
    assert_int_equal(stats.running, 2);
    assert_int_equal(stats.pending, 5);
    assert_int_equal(stats.blocked, 0);
    assert_int_equal(stats.threads, 2);
    assert_int_equal(stats.sleeping, 0);
    assert_int_equal(self_threads("stats-"), 2);

    gate_open(&gate);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(running[i], NULL, SIL_FOREVER), 0);
    for (int i = 0; i < 5; i++)
        assert_code(sil_take(pending[i], NULL, SIL_FOREVER), 0);
    eventually(stats_of(pool).done == 7);
    eventually(stats_of(pool).sleeping == 2);
    stats = stats_of(pool);
    assert_int_equal(stats.pending + stats.running + stats.blocked, 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_count_cancelled_failed_and_refused_tasks(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    sil_future *blocker = submit_gate(pool, &gate);
    sil_future *cancelled = submit_nothing(pool);
    sil_future *failed = submit_int(pool, task_fail, EIO);
    assert_code(sil_future_cancel(cancelled), 0);
    gate_open(&gate);
    assert_code(sil_take(blocker, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(failed, NULL, SIL_FOREVER), EIO);
    sil_future_release(cancelled);
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    sil_future_release(submit_nothing(pool)); /* refused: was never accepted */
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted, 3);
    assert_int_equal(stats.done, 3);
    assert_int_equal(stats.pending + stats.running + stats.blocked, 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_show_blocked_tasks_and_spare_workers(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    enum { BLOCKED = 5 };
    sil_future *blocked[BLOCKED];
    for (int i = 0; i < BLOCKED; i++)
        blocked[i] = submit_await(pool, value);
    eventually(stats_of(pool).blocked == BLOCKED);
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.running, BLOCKED);
    assert_int_equal(stats.pending, 0);
    assert_in_range(stats.threads, BLOCKED, BLOCKED + 1);
    assert_int_equal(stats.workers, 1);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    for (int i = 0; i < BLOCKED; i++)
        assert_code(sil_take(blocked[i], NULL, SIL_FOREVER), 0);
    eventually(stats_of(pool).done == BLOCKED);
    stats = stats_of(pool);
    assert_int_equal(stats.blocked + stats.running, 0);
    sil_promise_destroy(promise);
    sil_future_release(value);
    assert_code(sil_executor_close(pool), 0);
}

static int await_child(void *arg, void *result)
{
    (void)result;
    sil_executor *pool = *(sil_executor **)arg;
    return sil_take(submit_nothing(pool), NULL, SIL_FOREVER);
}

static void test_count_what_waiters_run_themselves(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    for (int i = 0; i < 10; i++)
        assert_code(
            sil_take(sil_submit(pool, await_child, &pool, sizeof pool, 0), NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted, 20);
    assert_int_equal(stats.done, 20);
    assert_int_equal(stats.helped, 10);
    assert_int_equal(stats.stolen, 0);
    assert_code(sil_executor_close(pool), 0);
}

struct burst {
    sil_executor *pool;
    struct gate *gate;
};

/* Fills the queue of its own worker, then waits until another worker has come to the gate. */
static int submit_to_steal(void *arg, void *result)
{
    (void)result;
    struct burst *burst = arg;
    sil_future *child = submit_gate(burst->pool, burst->gate);
    gate_wait_for_arrivals(burst->gate, 1);
    gate_open(burst->gate);
    return sil_take(child, NULL, SIL_FOREVER);
}

static void test_count_what_is_stolen(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    for (int i = 0; i < 20; i++) {
        struct gate gate;
        gate_init(&gate);
        struct burst burst = {pool, &gate};
        assert_code(
            sil_take(sil_submit(pool, submit_to_steal, &burst, sizeof burst, 0), NULL, SIL_FOREVER),
            0);
        gate_fini(&gate);
    }
    assert_int_equal(stats_of(pool).stolen, 20);
    assert_code(sil_executor_close(pool), 0);
}

/* A thread that reads the statistics all the time. */
struct reader {
    sil_executor *pool;
    atomic_bool stop;
    bool wrong;
};

static void *read_all_the_time(void *arg)
{
    struct reader *reader = arg;
    uint64_t last_done = 0;
    uint64_t last_submitted = 0;
    while (!reader->stop) {
        sil_executor_stats stats;
        reader->wrong |= sil_executor_stats_get(reader->pool, &stats) != 0;
        reader->wrong |= stats.done < last_done || stats.submitted < last_submitted;
        reader->wrong |= stats.threads > 300 || stats.sleeping > 300 || stats.blocked > 300;
        reader->wrong |= stats.running > 300 || stats.pending > 1000000;
        last_done = stats.done;
        last_submitted = stats.submitted;
    }
    return NULL;
}

static void test_are_sane_at_any_time(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct reader reader = {.pool = pool};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_all_the_time, &reader), 0);
    uint64_t count = TEST_SCALE(20000);
    for (uint64_t i = 0; i < count; i++) {
        sil_future *future = sil_submit(pool, await_child, &pool, sizeof pool, 0);
        if (i % 16 == 0)
            (void)sil_await(future, SIL_FOREVER);
        sil_future_release(future);
    }
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    reader.stop = true;
    (void)pthread_join(thread, NULL);
    assert_false(reader.wrong);
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.done, stats.submitted);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_of_an_unused_pool_are_zero),
        TEST(test_show_what_runs_and_what_is_pending),
        TEST(test_count_cancelled_failed_and_refused_tasks),
        TEST(test_show_blocked_tasks_and_spare_workers),
        TEST(test_count_what_waiters_run_themselves),
        TEST(test_count_what_is_stolen),
        TEST(test_are_sane_at_any_time),
    };
    return test_run("statistics", tests);
}
