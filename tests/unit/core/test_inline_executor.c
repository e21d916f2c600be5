/* SPDX-License-Identifier: MIT */
/*
 * The inline executor: each task at once, in the thread that submits it.
 */
#include <sillon/executor.h>

#include <pthread.h>
#include <unistd.h>

#include "support/tasks.h"
#include "support/test.h"

static int tell_thread(void *arg, void *result)
{
    (void)arg;
    *(pid_t *)result = gettid();
    return 0;
}

static void test_task_has_run_when_submit_returns(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    sil_future *future = sil_submit(executor, tell_thread, NULL, 0, sizeof(pid_t));
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    pid_t thread = 0;
    assert_code(sil_take(future, &thread, SIL_NOW), 0);
    assert_int_equal(thread, gettid());
    assert_string_equal(sil_executor_kind(executor), "inline");
    assert_int_equal(sil_executor_workers(executor), 1);
    assert_code(sil_executor_close(executor), 0);
}

struct nested {
    sil_executor *executor;
    int depth;
};

static int nest(void *arg, void *result)
{
    struct nested nested = *(struct nested *)arg;
    if (nested.depth-- == 0)
        return 0;
    int below = 0;
    int code = sil_take(sil_submit(nested.executor, nest, &nested, sizeof nested, sizeof below),
                        &below, SIL_FOREVER);
    *(int *)result = below + 1;
    return code;
}

static void test_tasks_nest_on_the_stack(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    struct nested nested = {executor, 500};
    int depth = 0;
    assert_code(
        sil_take(sil_submit(executor, nest, &nested, sizeof nested, sizeof depth), &depth, SIL_NOW),
        0);
    assert_int_equal(depth, 500);
    assert_code(sil_executor_close(executor), 0);
}

/* Another thread in the middle of a task. */
struct busy {
    sil_executor *executor;
    struct gate gate;
};

static void *be_busy(void *arg)
{
    struct busy *busy = arg;
    sil_future_release(submit_gate(busy->executor, &busy->gate));
    return NULL;
}

static void test_shutdown_waits_for_tasks_of_other_threads(void **state)
{
    (void)state;
    struct busy busy = {.executor = sil_inline_executor()};
    gate_init(&busy.gate);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, be_busy, &busy), 0);
    gate_wait_for_arrivals(&busy.gate, 1);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(busy.executor, &stats), 0);
    assert_int_equal(stats.running, 1);
    assert_int_equal(stats.submitted, 1);
    assert_int_equal(stats.done, 0);
    assert_code(sil_executor_shutdown(busy.executor, true, SIL_NOW), 0);
    assert_code(sil_executor_shutdown(busy.executor, true, sil_in(0.01)), SIL_ETIMEDOUT);
    gate_open(&busy.gate);
    assert_code(sil_executor_shutdown(busy.executor, true, SIL_FOREVER), 0);
    (void)pthread_join(thread, NULL);
    assert_code(sil_executor_close(busy.executor), 0);
    gate_fini(&busy.gate);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_task_has_run_when_submit_returns),
        TEST(test_tasks_nest_on_the_stack),
        TEST(test_shutdown_waits_for_tasks_of_other_threads),
    };
    return test_run("inline executor", tests);
}
