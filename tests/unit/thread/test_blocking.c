/* SPDX-License-Identifier: MIT */
/*
 * What happens while a task blocks in an await: a spare worker takes its place, up to a limit,
 * and deadlines are kept.
 */
#include <sillon/thread_pool.h>

#include <stdatomic.h>

#include "support/self.h"
#include "support/slot.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers, unsigned max_threads)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){
        .workers = workers, .max_threads = max_threads, .name = "blocking"});
    assert_non_null(pool);
    return pool;
}

static int resolve_it(void *arg, void *result)
{
    (void)result;
    return sil_promise_resolve(*(sil_promise **)arg, NULL);
}

static void test_blocked_worker_is_replaced(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1, 0);
    for (int i = 0; i < TEST_SCALE(100); i++) {
        sil_promise *promise;
        sil_future *value = promise_int(&promise);
        sil_future *waiter = submit_await(pool, value);
        sil_future *resolver = sil_submit(pool, resolve_it, &promise, sizeof promise, 0);
        assert_code(sil_take(waiter, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(resolver, NULL, SIL_FOREVER), 0);
        sil_promise_destroy(promise);
        sil_future_release(value);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_spare_workers_are_kept_few(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1, 0);
    for (int i = 0; i < TEST_SCALE(1000); i++) {
        sil_promise *promise;
        sil_future *value = promise_int(&promise);
        sil_future *waiter = submit_await(pool, value);
        assert_code(sil_promise_resolve(promise, NULL), 0);
        assert_code(sil_take(waiter, NULL, SIL_FOREVER), 0);
        sil_promise_destroy(promise);
        sil_future_release(value);
    }
    assert_in_range(self_threads("blocking-"), 1, 16);
    assert_code(sil_executor_close(pool), 0);
}

/* Only as many tasks run at a time as there are workers, those that block not counted. */
static void test_blocked_tasks_do_not_count_as_running_at_the_same_time(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2, 0);
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    sil_future *blocked[10];
    for (int i = 0; i < 10; i++)
        blocked[i] = submit_await(pool, value);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.blocked == 10);
    struct gate gate;
    gate_init(&gate);
    sil_future *busy[4];
    for (int i = 0; i < 4; i++)
        busy[i] = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 2);
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    assert_int_equal(stats.running - stats.blocked, 2);
    assert_int_equal(stats.pending, 2);
    assert_int_equal(gate.arrived, 2);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    gate_open(&gate);
    for (int i = 0; i < 10; i++)
        assert_code(sil_take(blocked[i], NULL, SIL_FOREVER), 0);
    for (int i = 0; i < 4; i++)
        assert_code(sil_take(busy[i], NULL, SIL_FOREVER), 0);
    gate_fini(&gate);
    sil_promise_destroy(promise);
    sil_future_release(value);
    assert_code(sil_executor_close(pool), 0);
}

static void test_no_more_threads_than_allowed(void **state)
{
    (void)state;
    enum { MOST = 3, TASKS = 8 };
    sil_executor *pool = create_pool(1, MOST);
    sil_promise *promises[TASKS];
    sil_future *values[TASKS];
    sil_future *waiters[TASKS];
    for (int i = 0; i < TASKS; i++) {
        values[i] = promise_int(&promises[i]);
        waiters[i] = submit_await(pool, values[i]);
    }
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.blocked == MOST);
    for (int i = 0; i < TASKS; i++) {
        assert_in_range(self_threads("blocking-"), 1, MOST);
        assert_code(sil_executor_stats_get(pool, &stats), 0);
        assert_in_range(stats.threads, 1, MOST);
        assert_code(sil_promise_resolve(promises[i], NULL), 0);
    }
    for (int i = 0; i < TASKS; i++) {
        assert_code(sil_take(waiters[i], NULL, SIL_FOREVER), 0);
        sil_promise_destroy(promises[i]);
        sil_future_release(values[i]);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_more_blocked_tasks_than_the_default_limit(void **state)
{
    (void)state;
    enum { TASKS = 400 };
    sil_executor *pool = create_pool(2, 0);
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    static sil_future *waiters[TASKS];
    for (int i = 0; i < TASKS; i++)
        waiters[i] = submit_await(pool, value);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.blocked >= 200);
    assert_in_range(stats.threads, 200, 258);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    for (int i = 0; i < TASKS; i++)
        assert_code(sil_take(waiters[i], NULL, SIL_FOREVER), 0);
    sil_promise_destroy(promise);
    sil_future_release(value);
    assert_code(sil_executor_close(pool), 0);
}

/* Awaits a child that blocks at a gate, but only for a moment. */
struct hasty {
    sil_executor *pool;
    struct gate *gate;
    sil_future **out_child;
};

static int await_for_a_moment(void *arg, void *result)
{
    (void)result;
    struct hasty *hasty = arg;
    *hasty->out_child = submit_gate(hasty->pool, hasty->gate);
    sil_deadline until = sil_in(0.03);
    int code = sil_await(*hasty->out_child, until);
    return sil_clock() < until && code == SIL_ETIMEDOUT ? -1 : code;
}

static void test_await_with_a_deadline_returns_in_time(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        sil_executor *pool = create_pool(workers, 0);
        struct gate gate;
        gate_init(&gate);
        sil_future *child = NULL;
        struct hasty hasty = {pool, &gate, &child};
        sil_future *parent = sil_submit(pool, await_for_a_moment, &hasty, sizeof hasty, 0);
        /* the child is held at its gate until the parent has ended */
        assert_code(sil_take(parent, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
        gate_open(&gate);
        assert_code(sil_take(child, NULL, SIL_FOREVER), 0);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* Waits now for ever, now for a moment, on what others of the pool resolve. */
struct relay {
    sil_promise **promises;
    sil_future **futures;
    int number;
};

static int await_and_pass_on(void *arg, void *result)
{
    (void)result;
    struct relay *relay = arg;
    int code = sil_await(relay->futures[relay->number], SIL_FOREVER);
    return code != 0 ? code : sil_promise_resolve(relay->promises[relay->number + 1], NULL);
}

static void test_relay_in_the_wrong_order_finishes(void **state)
{
    (void)state;
    enum { LENGTH = 60 };
    sil_executor *pool = create_pool(1, 0);
    sil_promise *promises[LENGTH + 1];
    sil_future *futures[LENGTH + 1];
    sil_future *runners[LENGTH];
    for (int i = 0; i <= LENGTH; i++)
        futures[i] = promise_int(&promises[i]);
    for (int i = LENGTH - 1; i >= 0; i--) {
        struct relay relay = {promises, futures, i};
        runners[i] = sil_submit(pool, await_and_pass_on, &relay, sizeof relay, 0);
    }
    assert_code(sil_promise_resolve(promises[0], NULL), 0);
    assert_code(sil_await(futures[LENGTH], SIL_FOREVER), 0);
    for (int i = 0; i < LENGTH; i++)
        assert_code(sil_take(runners[i], NULL, SIL_FOREVER), 0);
    for (int i = 0; i <= LENGTH; i++) {
        sil_promise_destroy(promises[i]);
        sil_future_release(futures[i]);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* Sleeping is no waiting: the worker is not replaced, as sil_sleep says. */
static int sleep_until_cancelled(void *arg, void *result)
{
    (void)result;
    gate_wait(*(struct gate **)arg);
    return sil_sleep(SIL_FOREVER);
}

static void test_sleeping_worker_is_not_replaced(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1, 0);
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    gate_open(&gate);
    sil_future *sleeper = sil_submit(pool, sleep_until_cancelled, &arg, sizeof arg, 0);
    sil_future *next = submit_nothing(pool);
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_await(next, sil_in(0.02)), SIL_ETIMEDOUT);
    assert_int_equal(self_threads("blocking-"), 1);
    assert_code(sil_future_cancel(sleeper), SIL_EINPROGRESS);
    assert_code(sil_take(sleeper, NULL, SIL_FOREVER), SIL_ECANCELLED);
    assert_code(sil_take(next, NULL, SIL_FOREVER), 0);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_blocked_worker_is_replaced),
        TEST(test_spare_workers_are_kept_few),
        TEST(test_blocked_tasks_do_not_count_as_running_at_the_same_time),
        TEST(test_no_more_threads_than_allowed),
        TEST(test_more_blocked_tasks_than_the_default_limit),
        TEST(test_await_with_a_deadline_returns_in_time),
        TEST(test_relay_in_the_wrong_order_finishes),
        TEST(test_sleeping_worker_is_not_replaced),
    };
    return test_run("blocking", tests);
}
