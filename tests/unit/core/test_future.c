/* SPDX-License-Identifier: MIT */
/*
 * Futures: every function of future.h, each documented code, and who owns what.
 */
#include <sillon/future.h>

#include <errno.h>
#include <stdatomic.h>

#include "support/tasks.h"
#include "support/test.h"

static void test_functions_accept_null(void **state)
{
    (void)state;
    size_t size = 9;
    uint64_t done = 9;
    uint64_t total = 9;
    assert_code(sil_await(NULL, SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_take(NULL, NULL, SIL_FOREVER), SIL_EINVAL);
    assert_null(sil_future_retain(NULL));
    sil_future_release(NULL);
    assert_int_equal(sil_future_state(NULL), SIL_CANCELLED);
    assert_true(sil_future_done(NULL));
    assert_code(sil_future_code(NULL), SIL_EINVAL);
    assert_null(sil_future_result(NULL, &size));
    assert_int_equal(size, 0);
    assert_null(sil_future_error(NULL));
    assert_null(sil_future_name(NULL));
    sil_future_progress(NULL, &done, &total);
    assert_int_equal(done + total, 0);
    assert_code(sil_future_cancel(NULL), SIL_EINVAL);
    assert_code(sil_future_add_done_callback(NULL, count_done, NULL), SIL_EINVAL);
}

static void test_add_done_callback_refuses_null_function(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_future_add_done_callback(future, NULL, NULL), SIL_EINVAL);
    sil_promise_destroy(promise);
    assert_code(sil_future_add_done_callback(future, NULL, NULL), SIL_EINVAL);
    sil_future_release(future);
}

static void test_retain_returns_its_future(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_ptr_equal(sil_future_retain(future), future);
    sil_future_release(future);
    sil_promise_destroy(promise);
    assert_code(sil_future_code(future), SIL_EBROKEN); /* ours still counts */
    sil_future_release(future);
}

static void test_result_of_a_pending_future_is_null(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    size_t size = 9;
    assert_null(sil_future_result(future, &size));
    assert_int_equal(size, 0);
    assert_null(sil_future_result(future, NULL));
    assert_null(sil_future_error(future));
    assert_code(sil_future_code(future), SIL_EINPROGRESS);
    assert_code(sil_promise_resolve(promise, &(int){4}), 0);
    assert_non_null(sil_future_result(future, NULL));
    assert_int_equal(*(const int *)sil_future_result(future, &size), 4);
    assert_int_equal(size, sizeof(int));
    assert_null(sil_future_error(future));
    sil_promise_destroy(promise);
    assert_int_equal(*(const int *)sil_future_result(future, NULL), 4);
    sil_future_release(future);
}

static void test_await_returns_the_code_and_leaves_the_error(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_await(future, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
    assert_code(sil_promise_reject(promise, ERANGE, "too %s", "large"), 0);
    assert_code(sil_await(future, SIL_FOREVER), ERANGE);
    assert_code(sil_error_code(sil_last_error()), ERANGE);
    assert_string_equal(sil_error_message(sil_last_error()), "too large");
    assert_string_equal(sil_error_message(sil_future_error(future)), "too large");
    sil_promise_destroy(promise);
    sil_future_release(future);
    assert_string_equal(sil_error_message(sil_last_error()), "too large"); /* outlives its future */
}

static void test_take_copies_the_value_and_releases(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_promise_resolve(promise, &(int){11}), 0);
    int value = 0;
    assert_code(sil_take(sil_future_retain(future), &value, SIL_NOW), 0);
    assert_int_equal(value, 11);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    sil_promise_destroy(promise);
}

static void test_take_releases_whatever_happens(void **state)
{
    (void)state;
    int value = 3;
    sil_promise *promise;
    sil_future *pending = promise_int(&promise);
    assert_code(sil_take(pending, &value, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_promise_reject(promise, EIO, NULL), 0);
    assert_code(sil_take(sil_promise_future(promise), &value, SIL_NOW), EIO);
    sil_promise_destroy(promise);

    pending = promise_int(&promise);
    assert_code(sil_future_cancel(pending), 0);
    assert_code(sil_take(pending, &value, SIL_FOREVER), SIL_ECANCELLED);
    sil_promise_destroy(promise);
    assert_int_equal(value, 3); /* LeakSanitizer sees the rest */
}

/* Fills a block larger and one smaller than the result bytes. */
static int own_size(void *arg, void *result)
{
    (void)result;
    size_t size = *(size_t *)arg;
    unsigned char *block = sil_result_alloc(size);
    for (size_t i = 0; i < size; i++)
        block[i] = 7;
    return 0;
}

static void test_take_copies_as_many_bytes_as_were_asked_for(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    unsigned char out[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    sil_future *larger = sil_submit(executor, own_size, &(size_t){100}, sizeof(size_t), 4);
    size_t size = 0;
    assert_non_null(sil_future_result(larger, &size));
    assert_int_equal(size, 100);
    assert_code(sil_take(larger, out, SIL_NOW), 0);
    static const unsigned char expected[8] = {7, 7, 7, 7, 1, 1, 1, 1};
    assert_memory_equal(out, expected, sizeof out);

    sil_future *smaller = sil_submit(executor, own_size, &(size_t){2}, sizeof(size_t), 6);
    assert_non_null(sil_future_result(smaller, &size));
    assert_int_equal(size, 2);
    unsigned char small[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    assert_code(sil_take(smaller, small, SIL_NOW), 0);
    assert_int_equal(small[0], 7);
    assert_int_equal(small[1], 7);
    assert_int_equal(small[6], 1);
    assert_int_equal(small[7], 1);
    assert_code(sil_executor_close(executor), 0);
}

static void test_cancel_gives_each_documented_code(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_future_cancel(future), 0);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_future_cancel(future), 0);
    assert_string_not_equal(sil_error_message(sil_future_error(future)), "");
    sil_promise_destroy(promise);
    sil_future_release(future);

    future = promise_int(&promise);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_future_cancel(future), SIL_EALREADY);
    assert_code(sil_future_code(future), 0);
    sil_promise_destroy(promise);
    sil_future_release(future);

    future = sil_submit(NULL, task_nothing, NULL, 0, 0);
    assert_code(sil_future_cancel(future), SIL_EALREADY);
    assert_code(sil_future_code(future), SIL_EINVAL);
    sil_future_release(future);
}

static int report(void *arg, void *result)
{
    (void)arg;
    (void)result;
    for (uint64_t i = 1; i <= 5; i++)
        sil_progress(i, 7);
    return 0;
}

static void test_progress_stays_after_the_end(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    sil_future *future = sil_submit(executor, report, NULL, 0, 0);
    uint64_t done = 0;
    uint64_t total = 0;
    sil_future_progress(future, &done, NULL);
    sil_future_progress(future, NULL, &total);
    sil_future_progress(future, NULL, NULL);
    assert_int_equal(done, 5);
    assert_int_equal(total, 7);
    sil_future_release(future);

    future = submit_nothing(executor);
    sil_future_progress(future, &done, &total);
    assert_int_equal(done, 0);
    assert_int_equal(total, 0);
    sil_future_release(future);
    assert_code(sil_executor_close(executor), 0);
}

static void test_ambient_calls_do_no_harm_outside_a_task(void **state)
{
    (void)state;
    assert_false(sil_cancelled());
    sil_progress(1, 2);
    assert_null(sil_result_alloc(10));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOTASK);
    assert_non_null(sil_current_name());
    assert_string_not_equal(sil_current_name(), "");
}

static void release_both(sil_future *future, void *user)
{
    sil_future_release(future);
    sil_future_release(user);
}

static void test_callback_may_release_on_any_path(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        sil_promise *promise;
        sil_future *future = promise_int(&promise);
        sil_future *again = sil_promise_future(promise);
        assert_code(sil_future_add_done_callback(future, release_both, again), 0);
        if (how == 0)
            assert_code(sil_promise_resolve(promise, NULL), 0);
        else if (how == 1)
            assert_code(sil_promise_reject(promise, EIO, "broken"), 0);
        else if (how == 2)
            assert_code(sil_future_cancel(future), 0);
        sil_promise_destroy(promise);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_functions_accept_null),
        TEST(test_add_done_callback_refuses_null_function),
        TEST(test_retain_returns_its_future),
        TEST(test_result_of_a_pending_future_is_null),
        TEST(test_await_returns_the_code_and_leaves_the_error),
        TEST(test_take_copies_the_value_and_releases),
        TEST(test_take_releases_whatever_happens),
        TEST(test_take_copies_as_many_bytes_as_were_asked_for),
        TEST(test_cancel_gives_each_documented_code),
        TEST(test_progress_stays_after_the_end),
        TEST(test_ambient_calls_do_no_harm_outside_a_task),
        TEST(test_callback_may_release_on_any_path),
    };
    return test_run("future", tests);
}
