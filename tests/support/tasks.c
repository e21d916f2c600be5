/* SPDX-License-Identifier: MIT */
/*
 * The tasks of tasks.h. They see no assert: what goes wrong shows in codes and results.
 */
#include "support/tasks.h"

#include "support/test.h"

int task_nothing(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return 0;
}

int task_int(void *arg, void *result)
{
    *(int *)result = *(int *)arg;
    return 0;
}

int task_square(void *arg, void *result)
{
    int n = *(int *)arg;
    *(int *)result = n * n;
    return 0;
}

int task_fail(void *arg, void *result)
{
    (void)result;
    return *(int *)arg;
}

int task_fail_with_message(void *arg, void *result)
{
    (void)result;
    int code = *(int *)arg;
    return sil_fail(code, "%d is bad", code);
}

int task_count(void *arg, void *result)
{
    (void)result;
    (void)atomic_fetch_add(*(atomic_uint **)arg, 1);
    return 0;
}

int task_gate(void *arg, void *result)
{
    (void)result;
    gate_wait(*(struct gate **)arg);
    return 0;
}

int task_await(void *arg, void *result)
{
    (void)result;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

int task_until_cancelled(void *arg, void *result)
{
    (void)result;
    if (arg != NULL)
        gate_wait(*(struct gate **)arg);
    double start = test_seconds();
    while (!sil_cancelled()) {
        if (test_seconds() - start > TEST_PATIENCE)
            test_hung("nobody cancelled the task", __FILE__, __LINE__);
        test_yield();
    }
    return SIL_ECANCELLED;
}

sil_future *submit_nothing(sil_executor *executor)
{
    return sil_submit(executor, task_nothing, NULL, 0, 0);
}

sil_future *submit_int(sil_executor *executor, sil_task_fn fn, int arg)
{
    return sil_submit(executor, fn, &arg, sizeof arg, sizeof(int));
}

sil_future *submit_count(sil_executor *executor, atomic_uint *count)
{
    return sil_submit(executor, task_count, &count, sizeof count, 0);
}

sil_future *submit_gate(sil_executor *executor, struct gate *gate)
{
    return sil_submit(executor, task_gate, &gate, sizeof gate, 0);
}

sil_future *submit_await(sil_executor *executor, sil_future *future)
{
    return sil_submit(executor, task_await, &future, sizeof future, 0);
}

sil_future *promise_int(sil_promise **out_promise)
{
    *out_promise = sil_promise_create(NULL, sizeof(int));
    return sil_promise_future(*out_promise);
}

void count_done(sil_future *future, void *user)
{
    (void)future;
    atomic_uint *count = user;
    (void)atomic_fetch_add(count, 1);
}

void latch_down_done(sil_future *future, void *user)
{
    (void)future;
    latch_down(user);
}
