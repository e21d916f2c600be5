/* SPDX-License-Identifier: MIT */
/*
 * Submitting while memory or threads run out: each future ends, with its value or with the reason.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "every_point.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(
        &(sil_thread_pool_options){.workers = workers, .name = "a name to be copied"});
}

static void submit_and_take(sil_executor *executor)
{
    sil_submit_options options = {.name = "a task", .priority = SIL_PRIORITY_HIGH};
    for (int i = 0; i < 6; i++) {
        int value = -1;
        sil_future *future =
            sil_submit_with(executor, &options, task_square, &i, sizeof i, sizeof i);
        assert_non_null(future);
        if (take_allowed(future, &value) == 0)
            assert_int_equal(value, i * i);
    }
}

static void one_by_one(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    submit_and_take(pool);
    assert_code(sil_executor_close(pool), 0);
}

static void inline_one_by_one(void)
{
    sil_executor *executor = sil_inline_executor();
    if (!was_made(executor))
        return;
    submit_and_take(executor);
    assert_code(sil_executor_close(executor), 0);
}

static void many_at_once(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    enum { MANY = 40 };
    int args[MANY];
    sil_future *futures[MANY] = {NULL};
    for (int i = 0; i < MANY; i++)
        args[i] = i;
    int code =
        sil_submit_many(pool, NULL, task_square, args, sizeof(int), sizeof(int), MANY, futures);
    assert_allowed(code);
    int first_failure = 0;
    for (int i = 0; i < MANY; i++) {
        int value = -1;
        int one = take_allowed(futures[i], &value);
        if (one == 0)
            assert_int_equal(value, i * i);
        else if (first_failure == 0)
            first_failure = one;
    }
    assert_true(code == 0 || first_failure == code);
    assert_code(sil_executor_close(pool), 0);
}

static void through_a_bound(void)
{
    for (int policy = SIL_FULL_BLOCK; policy <= SIL_FULL_CALLER; policy += 2) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){
            .workers = 1, .max_pending = 2, .when_full = (sil_when_full)policy});
        if (!was_made(pool))
            return;
        sil_future *futures[10];
        for (int i = 0; i < 10; i++)
            futures[i] = submit_int(pool, task_int, i);
        for (int i = 0; i < 10; i++)
            (void)take_allowed(futures[i], NULL);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* Each callback that was accepted runs, once. */
static void with_callbacks(void)
{
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    unsigned accepted = 0;
    atomic_uint called = 0;
    for (int i = 0; i < 5; i++) {
        sil_future *future = submit_nothing(pool);
        for (int k = 0; k < 3; k++) {
            int code = sil_future_add_done_callback(future, count_done, &called);
            assert_allowed(code);
            accepted += code == 0;
        }
        (void)take_allowed(future, NULL);
    }
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(called, accepted);
}

static int own_result(void *arg, void *result)
{
    (void)arg;
    (void)result;
    for (size_t size = 10; size <= 1000; size *= 10) {
        char *block = sil_result_alloc(size);
        if (block == NULL)
            return sil_error_code(sil_last_error());
        (void)memset(block, 'x', size);
    }
    return 0;
}

static void with_results_of_own_size(void)
{
    sil_executor *executor = sil_inline_executor();
    if (!was_made(executor))
        return;
    sil_future *future = sil_submit(executor, own_result, NULL, 0, 4);
    size_t size = 0;
    const char *bytes = sil_future_result(future, &size);
    if (sil_future_code(future) == 0) {
        assert_int_equal(size, 1000);
        assert_int_equal(bytes[999], 'x');
    }
    (void)take_allowed(future, NULL);
    assert_code(sil_executor_close(executor), 0);
}

/* Memory running out may cost the message, never the code. */
static void with_messages(void)
{
    sil_executor *executor = sil_inline_executor();
    if (!was_made(executor))
        return;
    for (int i = 0; i < 3; i++) {
        sil_future *future = submit_int(executor, task_fail_with_message, ERANGE);
        int code = sil_await(future, SIL_FOREVER);
        assert_true(code == ERANGE || is_allowed(code));
        const sil_error *error = sil_future_error(future);
        assert_code(sil_error_code(error), code);
        assert_non_null(sil_error_message(error));
        assert_non_null(sil_error_worker(error));
        assert_code(sil_error_code(sil_last_error()), code);
        char line[200];
        assert_true(sil_future_describe(future, line, sizeof line) > 0);
        sil_future_release(future);
    }
    assert_code(sil_fail(EDOM, "outside %s", "a task"), EDOM);
    assert_code(sil_error_code(sil_last_error()), EDOM);
    assert_code(sil_executor_close(executor), 0);
}

static void cancelled(void)
{
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    sil_future *futures[8];
    for (int i = 0; i < 8; i++)
        futures[i] = submit_int(pool, task_int, i);
    for (int i = 0; i < 8; i += 2)
        (void)sil_future_cancel(futures[i]);
    assert_allowed(sil_executor_shutdown(pool, true, SIL_FOREVER));
    for (int i = 0; i < 8; i++) {
        int code = sil_take(futures[i], NULL, SIL_NOW);
        assert_true(is_allowed(code) || code == SIL_ECANCELLED);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_one_by_one(void **state)
{
    (void)state;
    survive(one_by_one);
    survive(inline_one_by_one);
}

static void test_many_at_once(void **state)
{
    (void)state;
    survive(many_at_once);
}

static void test_through_a_bound(void **state)
{
    (void)state;
    survive(through_a_bound);
}

static void test_with_callbacks(void **state)
{
    (void)state;
    survive(with_callbacks);
}

static void test_with_results_and_messages(void **state)
{
    (void)state;
    survive(with_results_of_own_size);
    survive(with_messages);
}

static void test_cancelled(void **state)
{
    (void)state;
    survive(cancelled);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_one_by_one),
        TEST(test_many_at_once),
        TEST(test_through_a_bound),
        TEST(test_with_callbacks),
        TEST(test_with_results_and_messages),
        TEST(test_cancelled),
    };
    return test_run("faults in submit", tests);
}
