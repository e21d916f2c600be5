/* SPDX-License-Identifier: MIT */
/*
 * Cancel: what is pending never runs; what runs is asked, and sees it.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "contract.h"

static void test_cancelled_pending_task_never_runs(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_future *future = submit_count(executor, count);
    sil_future *next = submit_count(executor, count);
    assert_code(sil_future_cancel(future), 0);

    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_future_code(future), SIL_ECANCELLED);
    assert_code(sil_await(future, SIL_NOW), SIL_ECANCELLED);
    assert_code(sil_error_code(sil_future_error(future)), SIL_ECANCELLED);
    assert_null(sil_future_result(future, NULL));
    assert_code(sil_future_cancel(future), 0);

    contract_free(&occupied);
    contract_finish(next);
    contract_close(executor);
    assert_int_equal(*count, 1);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    sil_future_release(future);
}

static void test_cancelled_pending_task_calls_back_once(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint called = 0;
    sil_future *future = submit_nothing(executor);
    assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
    assert_code(sil_future_cancel(future), 0);
    assert_int_equal(called, 1);
    assert_code(sil_future_cancel(future), 0);
    contract_free(&occupied);
    contract_close(executor);
    assert_int_equal(called, 1);
    sil_future_release(future);
}

static void test_running_task_sees_the_request(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    gate_open(gate);
    sil_future *future = sil_submit(executor, task_until_cancelled, &gate, sizeof gate, 0);
    gate_wait_for_arrivals(gate, 1);
    assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
    assert_code(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_future_cancel(future), 0);
    sil_future_release(future);
    contract_close(executor);
}

static int at_gate_seven(void *arg, void *result)
{
    gate_wait(*(struct gate **)arg);
    *(int *)result = 7;
    return 0;
}

static void test_task_that_ignores_the_request_finishes_with_its_value(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    sil_future *future = sil_submit(executor, at_gate_seven, &gate, sizeof gate, sizeof(int));
    gate_wait_for_arrivals(gate, 1);
    assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
    assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
    assert_int_equal(sil_future_state(future), SIL_RUNNING);
    gate_open(gate);
    int value = 0;
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 7);
    contract_close(executor);
}

static void test_kill_is_a_cancel_that_insists(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_future *pending = submit_count(executor, count);
    assert_code(sil_future_kill(pending), 0);
    assert_int_equal(sil_future_state(pending), SIL_CANCELLED);
    assert_code(sil_future_kill(pending), 0);
    assert_code(sil_take(pending, NULL, SIL_FOREVER), SIL_ECANCELLED);
    contract_free(&occupied);

    struct gate *gate = contract_gate();
    gate_open(gate);
    sil_future *running = sil_submit(executor, task_until_cancelled, &gate, sizeof gate, 0);
    gate_wait_for_arrivals(gate, 1);
    assert_code(sil_future_kill(running), SIL_EINPROGRESS);
    assert_code(sil_take(running, NULL, SIL_FOREVER), SIL_ECANCELLED);

    sil_future *finished = submit_int(executor, task_int, 1);
    assert_code(sil_await(finished, SIL_FOREVER), 0);
    assert_code(sil_future_kill(finished), SIL_EALREADY);
    assert_code(sil_take(finished, NULL, SIL_NOW), 0);
    assert_code(sil_future_kill(NULL), SIL_EINVAL);
    contract_close(executor);
    assert_int_equal(*count, 0);
}

static int tell_cancelled(void *arg, void *result)
{
    (void)arg;
    *(bool *)result = sil_cancelled();
    return 0;
}

static void test_request_is_seen_by_its_task_alone(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int i = 0; i < 5; i++) {
        sil_future *future = sil_submit(executor, task_until_cancelled, NULL, 0, 0);
        int code = sil_future_cancel(future);
        assert_true(code == 0 || code == SIL_EINPROGRESS);
        assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
        bool cancelled = true;
        future = sil_submit(executor, tell_cancelled, NULL, 0, sizeof cancelled);
        assert_code(sil_take(future, &cancelled, SIL_FOREVER), 0);
        assert_false(cancelled);
    }
    assert_false(sil_cancelled());
    contract_close(executor);
}

struct victim {
    sil_executor *executor;
    int code;
    int cancel_code;
};

/* Cancels a child that cannot run before, as this task holds the only worker; awaits it. */
static int cancel_child(void *arg, void *result)
{
    struct victim *victim = arg;
    sil_future *child = submit_nothing(victim->executor);
    victim->cancel_code = sil_future_cancel(child);
    victim->code = sil_take(child, NULL, SIL_FOREVER);
    *(struct victim *)result = *victim;
    return 0;
}

static void test_task_may_cancel_and_await_its_child(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct victim victim = {.executor = executor};
    sil_future *future = sil_submit(executor, cancel_child, &victim, sizeof victim, sizeof victim);
    assert_code(sil_take(future, &victim, SIL_FOREVER), 0);
    if (victim.cancel_code == 0)
        assert_code(victim.code, SIL_ECANCELLED);
    else
        assert_true(victim.cancel_code == SIL_EINPROGRESS || victim.cancel_code == SIL_EALREADY);
    contract_close(executor);
}

static void *cancel_it(void *arg)
{
    return sil_future_cancel(arg) == 0 ? NULL : arg;
}

static void test_cancel_from_several_threads_calls_back_once(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int round = 0; round < TEST_SCALE(50); round++) {
        struct occupied occupied;
        contract_occupy(&occupied, executor);
        atomic_uint called = 0;
        sil_future *future = submit_nothing(executor);
        assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
        pthread_t threads[3];
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, cancel_it, future), 0);
        for (int i = 0; i < 3; i++) {
            void *failure = NULL;
            (void)pthread_join(threads[i], &failure);
            assert_null(failure);
        }
        assert_int_equal(called, 1);
        contract_free(&occupied);
        sil_future_release(future);
    }
    contract_close(executor);
}

static void cancel_other(sil_future *future, void *user)
{
    (void)future;
    (void)sil_future_cancel(user);
}

static void test_callback_may_cancel_another_future(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_future *other = submit_count(executor, count);
    assert_code(sil_future_add_done_callback(occupied.futures[0], cancel_other, other), 0);
    sil_future *first = submit_nothing(executor);
    assert_code(sil_future_add_done_callback(first, cancel_other, other), 0);
    assert_code(sil_future_cancel(first), 0);
    assert_code(sil_await(other, SIL_FOREVER), SIL_ECANCELLED);
    contract_free(&occupied);
    sil_future_release(first);
    contract_close(executor);
    assert_int_equal(*count, 0);
    sil_future_release(other);
}

const struct contract_test contract_cancel[] = {
    PROMISE(test_cancelled_pending_task_never_runs, ASYNCHRONOUS),
    PROMISE(test_cancelled_pending_task_calls_back_once, ASYNCHRONOUS),
    PROMISE(test_running_task_sees_the_request, ASYNCHRONOUS),
    PROMISE(test_task_that_ignores_the_request_finishes_with_its_value, ASYNCHRONOUS),
    PROMISE(test_kill_is_a_cancel_that_insists, ASYNCHRONOUS),
    PROMISE(test_request_is_seen_by_its_task_alone, ASYNCHRONOUS),
    PROMISE(test_task_may_cancel_and_await_its_child, SHARES_MEMORY),
    PROMISE(test_cancel_from_several_threads_calls_back_once, ASYNCHRONOUS),
    PROMISE(test_callback_may_cancel_another_future, ASYNCHRONOUS),
    {0},
};
