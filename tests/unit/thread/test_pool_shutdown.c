/* SPDX-License-Identifier: MIT */
/*
 * The pool's end: from callbacks, from tasks, while tasks wait, and at exit of the program.
 */
#include <sillon/thread_pool.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/child.h"
#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "ending"});
    assert_non_null(pool);
    return pool;
}

static void close_it(sil_future *future, void *user)
{
    (void)future;
    (void)sil_executor_close(user);
}

static void test_done_callback_closes_the_pool(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(100); round++) {
        sil_executor *pool = create_pool(1 + (unsigned)round % 3);
        struct gate gate;
        gate_init(&gate);
        atomic_uint count = 0;
        sil_future *future = submit_gate(pool, &gate);
        sil_future *others[4];
        for (int i = 0; i < 4; i++)
            others[i] = submit_count(pool, &count);
        assert_code(sil_future_add_done_callback(future, close_it, pool), 0);
        gate_open(&gate);
        assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
        for (int i = 0; i < 4; i++)
            assert_code(sil_take(others[i], NULL, SIL_FOREVER), 0);
        assert_int_equal(count, 4);
        eventually(self_threads("ending-") == 0);
        gate_fini(&gate);
    }
}

static int close_and_work_on(void *arg, void *result)
{
    sil_executor *pool = *(sil_executor **)arg;
    sil_future *child = submit_int(pool, task_square, 7);
    int code = sil_executor_close(pool);
    return code != 0 ? code : sil_take(child, result, SIL_FOREVER);
}

static void test_task_closes_its_pool_and_still_awaits_its_child(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(100); round++) {
        sil_executor *pool = create_pool(1 + (unsigned)round % 3);
        int value = 0;
        sil_future *future = sil_submit(pool, close_and_work_on, &pool, sizeof pool, sizeof value);
        assert_code(sil_take(future, &value, SIL_FOREVER), 0);
        assert_int_equal(value, 49);
        eventually(self_threads("ending-") == 0);
    }
}

static void test_shutdown_with_blocked_tasks(void **state)
{
    (void)state;
    for (int cancel = 0; cancel <= 1; cancel++) {
        sil_executor *pool = create_pool(2);
        sil_promise *promise;
        sil_future *value = promise_int(&promise);
        sil_future *blocked[6];
        sil_executor_stats stats;
        for (int i = 0; i < 6; i++)
            blocked[i] = submit_await(pool, value);
        eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.blocked == 6);
        assert_code(sil_executor_shutdown(pool, cancel, SIL_NOW), 0);
        assert_code(sil_executor_shutdown(pool, cancel, sil_in(0.01)), SIL_ETIMEDOUT);
        assert_code(sil_promise_reject(promise, EIO, "x"), 0);
        assert_code(sil_executor_shutdown(pool, cancel, SIL_FOREVER), 0);
        for (int i = 0; i < 6; i++)
            assert_code(sil_take(blocked[i], NULL, SIL_NOW), EIO);
        sil_promise_destroy(promise);
        sil_future_release(value);
        assert_code(sil_executor_close(pool), 0);
    }
}

static int shut_down_other(void *arg, void *result)
{
    (void)result;
    return sil_executor_shutdown(*(sil_executor **)arg, false, SIL_FOREVER);
}

static void test_task_of_one_pool_ends_another(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    sil_executor *other = create_pool(1);
    atomic_uint count = 0;
    for (int i = 0; i < 50; i++)
        sil_future_release(submit_count(other, &count));
    assert_code(
        sil_take(sil_submit(pool, shut_down_other, &other, sizeof other, 0), NULL, SIL_FOREVER), 0);
    assert_int_equal(count, 50);
    assert_code(sil_executor_close(other), 0);
    assert_code(sil_executor_close(pool), 0);
}

static void test_threads_are_gone_after_close(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(50); round++) {
        sil_executor *pool = create_pool(4);
        for (int i = 0; i < round; i++)
            sil_future_release(submit_nothing(pool));
        assert_code(sil_executor_close(pool), 0);
        eventually(self_threads("ending-") == 0);
    }
}

/* In a child process: leaves main with a pool that is busy, idle, or never used. */
static atomic_uint ran;

static int count_ran(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)atomic_fetch_add(&ran, 1);
    return 0;
}

static int exit_with_a_pool(void *arg)
{
    sil_executor *pool = create_pool(2);
    int how = *(int *)arg;
    for (int i = 0; how > 0 && i < 10; i++) {
        sil_future *future = sil_submit(pool, count_ran, NULL, 0, 0);
        if (how > 1)
            (void)sil_await(future, SIL_FOREVER);
        sil_future_release(future);
    }
    exit(how > 1 && ran != 10 ? 1 : 0);
}

static void test_exit_with_an_open_pool_does_not_hang(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++)
        assert_int_equal(child_run(exit_with_a_pool, &how), 0);
}

static sil_executor *global_pool;

static void close_global_pool(void)
{
    (void)sil_executor_close(global_pool);
}

static int close_at_exit(void *arg)
{
    (void)arg;
    global_pool = create_pool(2);
    (void)atexit(close_global_pool);
    for (int i = 0; i < 10; i++)
        sil_future_release(sil_submit(global_pool, count_ran, NULL, 0, 0));
    exit(0);
}

static void test_pool_may_be_closed_at_exit(void **state)
{
    (void)state;
    assert_int_equal(child_run(close_at_exit, NULL), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_done_callback_closes_the_pool),
        TEST(test_task_closes_its_pool_and_still_awaits_its_child),
        TEST(test_shutdown_with_blocked_tasks),
        TEST(test_task_of_one_pool_ends_another),
        TEST(test_threads_are_gone_after_close),
        TEST(test_exit_with_an_open_pool_does_not_hang),
        TEST(test_pool_may_be_closed_at_exit),
    };
    return test_run("end of a pool", tests);
}
