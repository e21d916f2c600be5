/* SPDX-License-Identifier: MIT */
/*
 * Shutdown: wait or not, cancel pending or not; idempotent; safe from anywhere.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "contract.h"

static void test_submit_after_shutdown_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    contract_finish(submit_nothing(executor));
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    atomic_uint *count = contract_count();
    sil_future *future = submit_count(executor, count);
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    assert_code(sil_await(future, SIL_FOREVER), SIL_ESHUTDOWN);
    assert_string_not_equal(sil_error_message(sil_future_error(future)), "");
    sil_future_release(future);
    contract_close(executor);
    assert_int_equal(*count, 0);
}

static void test_shutdown_again_and_again_succeeds(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int i = 0; i < 3; i++) {
        assert_code(sil_executor_shutdown(executor, i % 2, SIL_NOW), 0);
        assert_code(sil_executor_shutdown(executor, i % 2, SIL_FOREVER), 0);
    }
    contract_close(executor);
}

static void test_what_is_pending_still_runs(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_future *futures[CONTRACT_BOUND];
    for (int i = 0; i < CONTRACT_BOUND; i++)
        futures[i] = submit_count(executor, count);
    assert_code(sil_executor_shutdown(executor, false, SIL_NOW), 0);
    assert_code(sil_executor_shutdown(executor, false, sil_in(0.02)), SIL_ETIMEDOUT);
    assert_int_equal(*count, 0);
    contract_free(&occupied);
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    assert_int_equal(*count, CONTRACT_BOUND);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), 0);
    contract_close(executor);
}

static void test_what_is_pending_is_cancelled_if_asked(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    atomic_uint called = 0;
    sil_future *futures[CONTRACT_BOUND];
    for (int i = 0; i < CONTRACT_BOUND; i++) {
        futures[i] = submit_count(executor, count);
        assert_code(sil_future_add_done_callback(futures[i], count_done, &called), 0);
    }
    assert_code(sil_executor_shutdown(executor, true, SIL_NOW), 0);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
    contract_free(&occupied); /* what runs is left alone: it must succeed */
    assert_code(sil_executor_shutdown(executor, true, SIL_FOREVER), 0);
    contract_close(executor);
    assert_int_equal(*count, 0);
    assert_int_equal(called, CONTRACT_BOUND);
}

static void test_second_shutdown_may_cancel_what_the_first_let_run(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_future *future = submit_count(executor, count);
    assert_code(sil_executor_shutdown(executor, false, SIL_NOW), 0);
    assert_int_equal(sil_future_state(future), SIL_PENDING);
    assert_code(sil_executor_shutdown(executor, true, SIL_NOW), 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    contract_free(&occupied);
    contract_close(executor);
    assert_int_equal(*count, 0);
}

static void *shut_down(void *arg)
{
    sil_executor *executor = arg;
    return sil_executor_shutdown(executor, false, SIL_FOREVER) == 0 ? NULL : arg;
}

static void test_shutdown_from_several_threads(void **state)
{
    (void)state;
    for (int round = 0; round < contract_rounds(20); round++) {
        sil_executor *executor = contract_create();
        atomic_uint *count = contract_count();
        for (int i = 0; i < CONTRACT_BOUND; i++)
            sil_future_release(submit_count(executor, count));
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, shut_down, executor), 0);
        for (int i = 0; i < 4; i++) {
            void *failure = NULL;
            (void)pthread_join(threads[i], &failure);
            assert_null(failure);
        }
        assert_int_equal(*count, CONTRACT_BOUND);
        contract_close(executor);
        contract_unshare(count);
    }
}

struct insider {
    sil_executor *executor;
    sil_deadline until;
    int shutdown;
    int child;
};

/* Shuts its own executor down, then tries to submit. */
static int shut_down_own(void *arg, void *result)
{
    struct insider *insider = arg;
    insider->shutdown = sil_executor_shutdown(insider->executor, false, insider->until);
    insider->child = sil_take(submit_nothing(insider->executor), NULL, SIL_FOREVER);
    *(struct insider *)result = *insider;
    return 0;
}

static void test_task_may_shut_its_own_executor_down(void **state)
{
    (void)state;
    const sil_deadline untils[] = {SIL_NOW, sil_in(TEST_PATIENCE), SIL_FOREVER};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        sil_executor *executor = contract_create();
        struct insider insider = {executor, untils[i], 1, 1};
        sil_future *future =
            sil_submit(executor, shut_down_own, &insider, sizeof insider, sizeof insider);
        assert_code(sil_take(future, &insider, SIL_FOREVER), 0);
        assert_code(insider.shutdown, untils[i] == SIL_NOW ? 0 : SIL_EDEADLK);
        assert_code(insider.child, SIL_ESHUTDOWN);
        assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
        assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
        contract_close(executor);
    }
}

struct from_callback {
    sil_executor *executor;
    struct latch latch;
    int code;
};

static void shut_down_done(sil_future *future, void *user)
{
    (void)future;
    struct from_callback *seen = user;
    seen->code = sil_executor_shutdown(seen->executor, true, SIL_NOW);
    latch_down(&seen->latch);
}

static void test_callback_may_shut_the_executor_down(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct from_callback seen = {.executor = executor, .code = 1};
    latch_init(&seen.latch, 1);
    sil_future *future = submit_nothing(executor);
    assert_code(sil_future_add_done_callback(future, shut_down_done, &seen), 0);
    latch_wait(&seen.latch);
    assert_code(seen.code, 0);
    sil_future_release(future);
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    contract_close(executor);
    latch_fini(&seen.latch);
}

static void test_shutdown_while_a_task_waits_inside(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    sil_future *waiter = submit_await(executor, value);
    assert_code(sil_executor_shutdown(executor, false, SIL_NOW), 0);
    assert_code(sil_executor_shutdown(executor, false, sil_in(0.02)), SIL_ETIMEDOUT);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    assert_code(sil_take(waiter, NULL, SIL_NOW), 0);
    contract_close(executor);
    sil_promise_destroy(promise);
    sil_future_release(value);
}

/* A task that awaits a child which is still pending when the shutdown begins. */
struct family {
    sil_executor *executor;
    struct gate *gate;
};

static int await_child_after_gate(void *arg, void *result)
{
    struct family *family = arg;
    sil_future *child = submit_int(family->executor, task_int, 6);
    gate_wait(family->gate);
    return sil_take(child, result, SIL_FOREVER);
}

static void test_children_pending_at_shutdown_are_still_awaited(void **state)
{
    (void)state;
    for (int cancel = 0; cancel <= 1; cancel++) {
        sil_executor *executor = contract_create();
        struct gate gate;
        gate_init(&gate);
        struct family family = {executor, &gate};
        sil_future *future =
            sil_submit(executor, await_child_after_gate, &family, sizeof family, sizeof(int));
        gate_wait_for_arrivals(&gate, 1);
        assert_code(sil_executor_shutdown(executor, cancel, SIL_NOW), 0);
        gate_open(&gate);
        int value = 6;
        int code = sil_take(future, &value, SIL_FOREVER);
        if (!cancel)
            assert_code(code, 0);
        else
            assert_true(code == SIL_ECANCELLED || code == 0); /* the child may have run before */
        assert_int_equal(value, 6);
        contract_close(executor);
        gate_fini(&gate);
    }
}

static void test_stats_add_up_after_shutdown(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int i = 0; i < CONTRACT_BOUND; i++)
        sil_future_release(submit_int(executor, task_fail, i));
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    sil_future_release(submit_nothing(executor));
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(executor, &stats), 0);
    assert_int_equal(stats.submitted, CONTRACT_BOUND);
    assert_int_equal(stats.done, CONTRACT_BOUND);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.running, 0);
    assert_int_equal(stats.blocked, 0);
    assert_int_equal(stats.workers, sil_executor_workers(executor));
    contract_close(executor);
}

const struct contract_test contract_shutdown[] = {
    PROMISE(test_submit_after_shutdown_fails, 0),
    PROMISE(test_shutdown_again_and_again_succeeds, 0),
    PROMISE(test_what_is_pending_still_runs, ASYNCHRONOUS),
    PROMISE(test_what_is_pending_is_cancelled_if_asked, ASYNCHRONOUS),
    PROMISE(test_second_shutdown_may_cancel_what_the_first_let_run, ASYNCHRONOUS),
    PROMISE(test_shutdown_from_several_threads, 0),
    PROMISE(test_task_may_shut_its_own_executor_down, SHARES_MEMORY),
    PROMISE(test_callback_may_shut_the_executor_down, 0),
    PROMISE(test_shutdown_while_a_task_waits_inside, ASYNCHRONOUS | SHARES_MEMORY),
    PROMISE(test_children_pending_at_shutdown_are_still_awaited,
            ASYNCHRONOUS | SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_stats_add_up_after_shutdown, 0),
    {0},
};
