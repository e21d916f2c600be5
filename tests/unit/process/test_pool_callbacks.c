/* SPDX-License-Identifier: MIT */
/*
 * Callbacks of a process pool's tasks that wait for more of the pool: they have threads of their
 * own, so that what they wait for comes; and no task pays for a callback that takes its time, nor
 * the close of a pool for a thread that waits for something else besides.
 */
#include <sillon/sillon.h>

#include <pthread.h>

#include "support/gate.h"
#include "support/leftovers.h"
#include "support/tasks.h"
#include "support/test.h"

enum { TASKS = 4 };

/* What a callback is given, and what it saw. */
struct inside {
    sil_executor *pool, *other;
    struct gate *gate; /* of the tasks it submits */
    struct gate ended;
    int code;
    int codes[TASKS];
};

static sil_executor *open_pool(sil_process_pool_options options)
{
    sil_executor *pool = sil_process_pool(&options);
    assert_non_null(pool);
    assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
    return pool;
}

static void close_pool(sil_executor *pool)
{
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
}

static struct gate *shared_gate(void)
{
    struct gate *gate = sil_shared_alloc(sizeof *gate);
    assert_non_null(gate);
    gate_init(gate);
    return gate;
}

static sil_deadline soon(void)
{
    return sil_in(TEST_PATIENCE / 3.0);
}

/* Has the callback run by the pool, and waits for its end. A task of its own that comes to the gate
 * is let through. */
static void run_callback(struct inside *inside, sil_done_fn callback, unsigned arrivals)
{
    struct gate *first = shared_gate();
    inside->gate = shared_gate();
    inside->code = -1;
    gate_init(&inside->ended);
    sil_future *future = submit_gate(inside->pool, first);
    assert_code(sil_future_add_done_callback(future, callback, inside), 0);
    gate_open(first);
    gate_wait_for_arrivals(inside->gate, arrivals);
    gate_open(inside->gate);
    gate_wait(&inside->ended);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    sil_shared_free(inside->gate);
    sil_shared_free(first);
}

/* --- callbacks that wait ------------------------------------------------------------------- */

static void await_all_of_two(sil_future *future, void *user)
{
    (void)future;
    struct inside *inside = user;
    sil_future *two[2];
    for (size_t i = 0; i < COUNT_OF(two); i++)
        two[i] = submit_gate(inside->pool, inside->gate);
    sil_future *all = sil_all(two, COUNT_OF(two));
    inside->code = sil_take(all, NULL, soon());
    for (size_t i = 0; i < COUNT_OF(two); i++)
        inside->codes[i] = sil_take(two[i], NULL, soon());
    gate_open(&inside->ended);
}

static void test_callback_awaits_a_combination(void **state)
{
    (void)state;
    struct inside inside = {.pool = open_pool((sil_process_pool_options){.workers = 2})};
    run_callback(&inside, await_all_of_two, 1);
    assert_code(inside.code, 0);
    assert_code(inside.codes[0], 0);
    assert_code(inside.codes[1], 0);
    close_pool(inside.pool);
}

static void await_the_queued(sil_future *future, void *user)
{
    (void)future;
    struct inside *inside = user;
    sil_future *first = submit_gate(inside->pool, inside->gate);
    sil_future *second = submit_nothing(inside->pool);
    inside->code = sil_take(second, NULL, soon());
    inside->codes[0] = sil_take(first, NULL, soon());
    gate_open(&inside->ended);
}

static void test_callback_awaits_a_task_behind_another(void **state)
{
    (void)state;
    for (size_t max_pending = 0; max_pending <= 10; max_pending += 10) {
        sil_process_pool_options options = {.workers = 1, .max_pending = max_pending};
        struct inside inside = {.pool = open_pool(options)};
        run_callback(&inside, await_the_queued, 1);
        assert_code(inside.code, 0);
        assert_code(inside.codes[0], 0);
        close_pool(inside.pool);
    }
}

static void submit_until_full(sil_future *future, void *user)
{
    (void)future;
    struct inside *inside = user;
    sil_future *futures[TASKS];
    for (size_t i = 0; i < TASKS; i++) {
        sil_submit_options options = {.deadline = soon()};
        futures[i] = sil_submit_with(inside->pool, &options, task_nothing, NULL, 0, 0);
    }
    for (size_t i = 0; i < TASKS; i++)
        inside->codes[i] = sil_take(futures[i], NULL, soon());
    gate_open(&inside->ended);
}

static void test_callback_submits_to_a_full_queue(void **state)
{
    (void)state;
    sil_process_pool_options options = {
        .workers = 1, .max_pending = 1, .when_full = SIL_FULL_BLOCK};
    struct inside inside = {.pool = open_pool(options)};
    run_callback(&inside, submit_until_full, 0);
    for (size_t i = 0; i < TASKS; i++)
        assert_code(inside.codes[i], 0);
    close_pool(inside.pool);
}

static void wait_for_two_pools(sil_future *future, void *user)
{
    (void)future;
    struct inside *inside = user;
    sil_future *two[2] = {submit_gate(inside->other, inside->gate),
                          submit_gate(inside->pool, inside->gate)};
    inside->code = sil_wait(two, COUNT_OF(two), SIL_ALL_COMPLETED, soon(), NULL);
    for (size_t i = 0; i < COUNT_OF(two); i++)
        inside->codes[i] = sil_take(two[i], NULL, soon());
    gate_open(&inside->ended);
}

static void test_callback_waits_for_two_pools(void **state)
{
    (void)state;
    struct inside inside = {
        .pool = open_pool((sil_process_pool_options){.workers = 1}),
        .other = open_pool((sil_process_pool_options){.workers = 1}),
    };
    run_callback(&inside, wait_for_two_pools, 2);
    assert_code(inside.code, 0);
    assert_code(inside.codes[0], 0);
    assert_code(inside.codes[1], 0);
    assert_code(sil_executor_close(inside.other), 0);
    close_pool(inside.pool);
}

/* --- others are not made to wait, or to blame ---------------------------------------------- */

static void callback_at_gate(sil_future *future, void *user)
{
    (void)future;
    gate_wait(user);
}

/* A task whose callback stays at the gate, in which it is already. */
static sil_future *submit_with_callback_at(sil_executor *pool, struct gate *gate)
{
    struct gate *first = shared_gate();
    sil_future *future = submit_gate(pool, first);
    assert_code(sil_future_add_done_callback(future, callback_at_gate, gate), 0);
    gate_open(first);
    gate_wait_for_arrivals(gate, 1);
    sil_shared_free(first);
    return future;
}

static void test_timeout_of_a_task_that_ended_spares_the_next(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    struct gate slow;
    gate_init(&slow);
    struct gate *gate = shared_gate();
    sil_future *future = submit_with_callback_at(pool, &slow);
    sil_submit_options options = {.timeout = 0.1 * TEST_SLOWNESS};
    sil_future *timed = sil_submit_with(pool, &options, task_nothing, NULL, 0, 0);
    sil_future *next = submit_gate(pool, gate);
    gate_wait_for_arrivals(gate, 1);
    sil_deadline later = sil_in(0.2 * TEST_SLOWNESS);
    eventually(sil_clock() > later);
    gate_open(gate);
    assert_code(sil_take(next, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(timed, NULL, SIL_FOREVER), 0);
    gate_open(&slow);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    close_pool(pool);
    sil_shared_free(gate);
}

static void test_kill_of_a_task_that_ended_spares_the_next(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    struct gate slow;
    gate_init(&slow);
    sil_future *future = submit_with_callback_at(pool, &slow);
    for (int i = 0; i < 20; i++) {
        struct gate *gate = shared_gate();
        sil_submit_options options = {.retries = 2};
        sil_future *ended = submit_nothing(pool);
        sil_future *next = sil_submit_with(pool, &options, task_gate, &gate, sizeof gate, 0);
        gate_wait_for_arrivals(gate, 1);
        (void)sil_future_kill(ended);
        gate_open(gate);
        assert_code(sil_take(next, NULL, SIL_FOREVER), 0);
        (void)sil_take(ended, NULL, SIL_FOREVER);
        sil_shared_free(gate);
    }
    gate_open(&slow);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    close_pool(pool);
}

/* --- closing ------------------------------------------------------------------------------- */

struct waiter {
    sil_future *futures[2];
    struct gate *started;
    int code;
};

static void *wait_for_both(void *arg)
{
    struct waiter *waiter = arg;
    gate_wait(waiter->started);
    waiter->code = sil_wait(waiter->futures, 2, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
    return NULL;
}

static void test_close_does_not_wait_for_a_waiters_other_future(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
        struct gate *gate = shared_gate();
        struct gate started;
        gate_init(&started);
        gate_open(&started);
        sil_promise *promise = NULL;
        sil_future *other = promise_int(&promise);
        struct waiter waiter = {{submit_gate(pool, gate), other}, &started, -1};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wait_for_both, &waiter), 0);
        gate_wait_for_arrivals(gate, 1);
        gate_wait_for_arrivals(&started, 1);
        assert_code(sil_executor_shutdown(pool, false, SIL_NOW), 0);
        gate_open(gate);
        close_pool(pool);
        assert_code(sil_promise_resolve(promise, &i), 0);
        (void)pthread_join(thread, NULL);
        assert_code(waiter.code, 0);
        assert_code(sil_take(waiter.futures[0], NULL, SIL_FOREVER), 0);
        assert_code(sil_take(other, NULL, SIL_FOREVER), 0);
        sil_promise_destroy(promise);
        sil_shared_free(gate);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_callback_awaits_a_combination),
        TEST(test_callback_awaits_a_task_behind_another),
        TEST(test_callback_submits_to_a_full_queue),
        TEST(test_callback_waits_for_two_pools),
        TEST(test_timeout_of_a_task_that_ended_spares_the_next),
        TEST(test_kill_of_a_task_that_ended_spares_the_next),
        TEST(test_close_does_not_wait_for_a_waiters_other_future),
    };
    return test_run("process pool, callbacks", tests);
}
