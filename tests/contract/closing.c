/* SPDX-License-Identifier: MIT */
/*
 * Close: shut down, wait, free; from a task of its own too; a second time is caught.
 */
#include <stdatomic.h>

#include "contract.h"
#include "support/self.h"

static void test_close_waits_for_everything(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint *count = contract_count();
    atomic_uint called = 0;
    for (int i = 0; i < CONTRACT_BOUND; i++) {
        sil_future *future = submit_count(executor, count);
        assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
        sil_future_release(future);
    }
    contract_close(executor);
    assert_int_equal(*count, CONTRACT_BOUND);
    assert_int_equal(called, CONTRACT_BOUND);
}

static void test_close_of_an_unused_executor(void **state)
{
    (void)state;
    contract_close(contract_create());
    assert_code(sil_executor_close(NULL), 0);
}

static void test_second_close_is_caught(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    contract_finish(submit_nothing(executor));
    contract_close(executor);
    assert_code(sil_executor_close(executor), SIL_ESHUTDOWN);
    sil_executor *next = contract_create();
    assert_code(sil_executor_close(executor), SIL_ESHUTDOWN);
    contract_finish(submit_nothing(next));
    contract_close(next);
    assert_code(sil_executor_close(executor), SIL_ESHUTDOWN);
}

static void test_submit_to_a_closed_executor_is_caught(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    contract_close(executor);
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    sil_future *futures[2] = {NULL};
    assert_code(sil_submit_many(executor, NULL, task_nothing, NULL, 0, 0, 2, futures),
                SIL_ESHUTDOWN);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), SIL_ESHUTDOWN);
}

static void test_misuse_of_the_last_64_closed_is_caught(void **state)
{
    (void)state;
    sil_executor *executors[64];
    for (int i = 0; i < 64; i++) {
        executors[i] = contract_create();
        contract_close(executors[i]);
    }
    for (int i = 0; i < 64; i++) {
        assert_code(sil_executor_close(executors[i]), SIL_ESHUTDOWN);
        assert_code(sil_take(submit_nothing(executors[i]), NULL, SIL_NOW), SIL_ESHUTDOWN);
    }
}

struct closer {
    sil_executor *executor;
    struct gate *gate;
    atomic_uint *count;
    int code;
};

static int close_own(void *arg, void *result)
{
    struct closer *closer = arg;
    if (closer->gate != NULL)
        gate_wait(closer->gate);
    closer->code = sil_executor_close(closer->executor);
    *(struct closer *)result = *closer;
    return 0;
}

static void test_task_may_close_its_own_executor(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct closer closer = {.executor = executor, .code = 1};
    sil_future *future = sil_submit(executor, close_own, &closer, sizeof closer, sizeof closer);
    assert_code(sil_take(future, &closer, SIL_FOREVER), 0);
    assert_code(closer.code, 0);
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    /* test_end sees its threads go */
}

static void test_task_that_closes_lets_the_pending_ones_run(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    atomic_uint *count = contract_count();
    struct closer closer = {.executor = executor, .gate = gate, .code = 1};
    sil_future *future = sil_submit(executor, close_own, &closer, sizeof closer, sizeof closer);
    gate_wait_for_arrivals(gate, 1);
    struct gate *busy = contract_gate();
    unsigned others = sil_executor_workers(executor) - 1;
    sil_future *blockers[8];
    assert_in_range(others, 0, 8);
    for (unsigned i = 0; i < others; i++)
        blockers[i] = submit_gate(executor, busy);
    gate_wait_for_arrivals(busy, others);
    sil_future *pending[4];
    for (int i = 0; i < 4; i++)
        pending[i] = submit_count(executor, count);
    gate_open(gate);
    assert_code(sil_take(future, &closer, SIL_FOREVER), 0);
    assert_code(closer.code, 0);
    gate_open(busy);
    for (unsigned i = 0; i < others; i++)
        contract_finish(blockers[i]);
    for (int i = 0; i < 4; i++)
        contract_finish(pending[i]);
    assert_int_equal(*count, 4);
}

struct from_callback {
    sil_executor *executor;
    struct latch latch;
    int code;
};

static void close_done(sil_future *future, void *user)
{
    (void)future;
    struct from_callback *seen = user;
    seen->code = sil_executor_close(seen->executor);
    latch_down(&seen->latch);
}

static void test_callback_may_close_the_executor(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    struct from_callback seen = {.executor = executor, .code = 1};
    latch_init(&seen.latch, 1);
    if ((contract_engine()->capabilities & ASYNCHRONOUS) == 0)
        gate_open(gate);
    sil_future *future = submit_gate(executor, gate);
    assert_code(sil_future_add_done_callback(future, close_done, &seen), 0);
    gate_open(gate);
    latch_wait(&seen.latch);
    assert_code(seen.code, 0);
    contract_finish(future);
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    latch_fini(&seen.latch);
}

static void test_many_executors_live_side_by_side(void **state)
{
    (void)state;
    sil_executor *executors[6];
    sil_future *futures[6];
    for (int i = 0; i < 6; i++) {
        executors[i] = contract_create();
        futures[i] = submit_int(executors[i], task_square, i);
    }
    for (int i = 0; i < 6; i++) {
        int value = -1;
        contract_close(executors[(i * 5 + 1) % 6]);
        assert_code(sil_take(futures[i], &value, SIL_FOREVER), 0);
        assert_int_equal(value, i * i);
    }
}

static void test_closed_executors_leave_no_thread(void **state)
{
    (void)state;
    unsigned before = self_threads("");
    for (int i = 0; i < 5; i++) {
        sil_executor *executor = contract_create();
        for (int k = 0; k < CONTRACT_BOUND; k++)
            sil_future_release(submit_nothing(executor));
        contract_close(executor);
    }
    eventually(self_threads("") <= before);
}

const struct contract_test contract_closing[] = {
    PROMISE(test_close_waits_for_everything, 0),
    PROMISE(test_close_of_an_unused_executor, 0),
    PROMISE(test_second_close_is_caught, 0),
    PROMISE(test_submit_to_a_closed_executor_is_caught, 0),
    PROMISE(test_misuse_of_the_last_64_closed_is_caught, 0),
    PROMISE(test_task_may_close_its_own_executor, SHARES_MEMORY),
    PROMISE(test_task_that_closes_lets_the_pending_ones_run, ASYNCHRONOUS | SHARES_MEMORY),
    PROMISE(test_callback_may_close_the_executor, 0),
    PROMISE(test_many_executors_live_side_by_side, 0),
    PROMISE(test_closed_executors_leave_no_thread, 0),
    {0},
};
