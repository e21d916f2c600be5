/* SPDX-License-Identifier: MIT */
/*
 * States: PENDING -> RUNNING -> FINISHED, or PENDING/RUNNING -> CANCELLED; final is final.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "contract.h"

static void test_future_is_pending_then_running_then_finished(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    struct gate *gate = contract_gate();

    sil_future *future = submit_gate(executor, gate);
    assert_int_equal(sil_future_state(future), SIL_PENDING);
    assert_false(sil_future_done(future));
    assert_code(sil_future_code(future), SIL_EINPROGRESS);

    contract_free(&occupied);
    gate_wait_for_arrivals(gate, 1);
    assert_int_equal(sil_future_state(future), SIL_RUNNING);
    assert_false(sil_future_done(future));
    assert_code(sil_future_code(future), SIL_EINPROGRESS);
    assert_null(sil_future_result(future, NULL));
    assert_null(sil_future_error(future));

    gate_open(gate);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    assert_true(sil_future_done(future));
    assert_code(sil_future_code(future), 0);
    sil_future_release(future);
    contract_close(executor);
}

static void test_finished_future_has_its_value_for_good(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = submit_int(executor, task_square, 12);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    for (int i = 0; i < 2; i++) {
        size_t size = 0;
        const int *value = sil_future_result(future, &size);
        assert_int_equal(size, sizeof(int));
        assert_int_equal(*value, 144);
        assert_null(sil_future_error(future));
        assert_int_equal(sil_future_state(future), SIL_FINISHED);
        assert_code(sil_future_cancel(future), SIL_EALREADY);
    }
    sil_future_release(future);
    contract_close(executor);
}

static void test_failed_future_is_finished_with_an_error(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = submit_int(executor, task_fail, ERANGE);
    for (int i = 0; i < 2; i++) {
        size_t size = 99;
        assert_code(sil_await(future, SIL_FOREVER), ERANGE);
        assert_int_equal(sil_future_state(future), SIL_FINISHED);
        assert_code(sil_future_code(future), ERANGE);
        assert_code(sil_error_code(sil_future_error(future)), ERANGE);
        assert_null(sil_future_result(future, &size));
        assert_int_equal(size, 0);
        assert_code(sil_future_cancel(future), SIL_EALREADY);
    }
    sil_future_release(future);
    contract_close(executor);
}

static void test_task_that_returns_ecancelled_is_cancelled(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = submit_int(executor, task_fail, SIL_ECANCELLED);
    assert_code(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_error_code(sil_future_error(future)), SIL_ECANCELLED);
    assert_code(sil_future_cancel(future), 0);
    sil_future_release(future);
    contract_close(executor);
}

/* A thread that looks at a future until it is final, and notes a step back. */
struct watcher {
    sil_future *future;
    bool stepped_back;
};

static void *watch(void *arg)
{
    struct watcher *watcher = arg;
    sil_state last = SIL_PENDING;
    while (last != SIL_FINISHED && last != SIL_CANCELLED) {
        sil_state now = sil_future_state(watcher->future);
        watcher->stepped_back |= now < last;
        last = now;
        test_yield();
    }
    return NULL;
}

static void test_state_never_goes_back(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int round = 0; round < TEST_SCALE(200); round++) {
        sil_future *future = submit_int(executor, task_int, round);
        struct watcher watcher = {.future = future};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, watch, &watcher), 0);
        (void)pthread_join(thread, NULL);
        assert_false(watcher.stepped_back);
        contract_finish(future);
    }
    contract_close(executor);
}

static void test_task_whose_future_nobody_holds_still_runs(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint *count = contract_count();
    for (int i = 0; i < 5; i++)
        sil_future_release(submit_count(executor, count));
    contract_close(executor);
    assert_int_equal(*count, 5);
}

static void test_future_outlives_its_executor(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *good = submit_int(executor, task_int, 42);
    sil_future *bad = submit_int(executor, task_fail_with_message, ERANGE);
    contract_close(executor);

    int value = 0;
    assert_code(sil_take(sil_future_retain(good), &value, SIL_NOW), 0);
    assert_int_equal(value, 42);
    assert_code(sil_future_cancel(good), SIL_EALREADY);
    sil_future_release(good);
    assert_code(sil_await(bad, SIL_NOW), ERANGE);
    assert_string_equal(sil_error_message(sil_future_error(bad)), "34 is bad");
    sil_future_release(bad);
}

static int report_progress(void *arg, void *result)
{
    (void)result;
    sil_progress(3, 10);
    gate_wait(*(struct gate **)arg);
    return 0;
}

static uint64_t done_of(const sil_future *future)
{
    uint64_t done = 0;
    sil_future_progress(future, &done, NULL);
    return done;
}

static void test_progress_of_a_running_task_is_seen(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    sil_future *future = sil_submit(executor, report_progress, &gate, sizeof gate, 0);
    gate_wait_for_arrivals(gate, 1);
    if ((contract_engine()->capabilities & PROCESSES) != 0)
        eventually(done_of(future) != 0); /* it is some time on its way */
    uint64_t done = 0;
    uint64_t total = 0;
    sil_future_progress(future, &done, &total);
    assert_int_equal(done, 3);
    assert_int_equal(total, 10);
    gate_open(gate);
    contract_finish(future);
    contract_close(executor);
}

const struct contract_test contract_states[] = {
    PROMISE(test_future_is_pending_then_running_then_finished, ASYNCHRONOUS),
    PROMISE(test_finished_future_has_its_value_for_good, 0),
    PROMISE(test_failed_future_is_finished_with_an_error, 0),
    PROMISE(test_task_that_returns_ecancelled_is_cancelled, 0),
    PROMISE(test_state_never_goes_back, 0),
    PROMISE(test_task_whose_future_nobody_holds_still_runs, 0),
    PROMISE(test_future_outlives_its_executor, 0),
    PROMISE(test_progress_of_a_running_task_is_seen, ASYNCHRONOUS),
    {0},
};
