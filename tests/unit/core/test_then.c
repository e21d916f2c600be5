/* SPDX-License-Identifier: MIT */
/*
 * sil_then and sil_catch: what follows a future, on success and on failure.
 */
#include <sillon/combine.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "support/tasks.h"
#include "support/test.h"

static int add(sil_future *source, void *arg, void *result)
{
    *(int *)result = *(const int *)sil_future_result(source, NULL) + *(int *)arg;
    return 0;
}

static int refuse(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)result;
    return sil_fail(*(int *)arg, "then refused");
}

/* In place of the error: its code, negated. */
static int replace(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(int *)result = -sil_error_code(sil_future_error(source));
    return 0;
}

static int count_call(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)result;
    (void)atomic_fetch_add(*(atomic_uint **)arg, 1);
    return 0;
}

static sil_future *then_add(sil_future *source, sil_executor *executor, int number)
{
    return sil_then(source, executor, add, &number, sizeof number, sizeof(int));
}

static sil_future *catch_replace(sil_future *source)
{
    return sil_catch(source, NULL, replace, NULL, 0, sizeof(int));
}

static void test_then_runs_after_success(void **state)
{
    (void)state;
    for (int before = 0; before <= 1; before++) {
        sil_promise *promise;
        sil_future *source = promise_int(&promise);
        if (before)
            assert_code(sil_promise_resolve(promise, &(int){10}), 0);
        sil_future *next = then_add(source, NULL, 5);
        assert_non_null(next);
        if (!before) {
            assert_false(sil_future_done(next));
            assert_code(sil_promise_resolve(promise, &(int){10}), 0);
        }
        int value = 0;
        assert_code(sil_take(next, &value, SIL_NOW), 0);
        assert_int_equal(value, 15);
        assert_int_equal(*(const int *)sil_future_result(source, NULL), 10);
        sil_promise_destroy(promise);
        sil_future_release(source);
    }
}

static void test_then_passes_failures_on(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    sil_future *source = sil_submit_with(executor, &(sil_submit_options){.name = "first"},
                                         task_fail_with_message, &(int){ENOENT}, sizeof(int), 4);
    atomic_uint count = 0;
    sil_future *next =
        sil_then(source, NULL, count_call, &(atomic_uint *){&count}, sizeof(atomic_uint *), 4);
    assert_code(sil_await(next, SIL_NOW), ENOENT);
    assert_string_equal(sil_error_message(sil_future_error(next)), "2 is bad");
    assert_string_equal(sil_error_task(sil_future_error(next)), "first");
    assert_int_equal(count, 0);
    sil_future_release(next);
    sil_future_release(source);
    assert_code(sil_executor_close(executor), 0);
}

static void test_then_passes_a_cancelled_source_on(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *next = then_add(source, NULL, 1);
    assert_code(sil_future_cancel(source), 0);
    assert_code(sil_await(next, SIL_NOW), SIL_ECANCELLED);
    assert_int_equal(sil_future_state(next), SIL_CANCELLED);
    sil_future_release(next);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_then_may_fail(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *next = sil_then(source, NULL, refuse, &(int){EDOM}, sizeof(int), sizeof(int));
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_await(next, SIL_NOW), EDOM);
    assert_string_equal(sil_error_message(sil_future_error(next)), "then refused");
    sil_future_release(next);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_catch_replaces_an_error(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        sil_promise *promise;
        sil_future *source = promise_int(&promise);
        sil_future *next = catch_replace(source);
        if (how == 0)
            assert_code(sil_promise_reject(promise, EIO, "x"), 0);
        else
            assert_code(sil_future_cancel(source), 0);
        int value = 0;
        assert_code(sil_take(next, &value, SIL_NOW), 0);
        assert_int_equal(value, how == 0 ? -EIO : -SIL_ECANCELLED);
        sil_promise_destroy(promise);
        sil_future_release(source);
    }
}

static void test_catch_copies_a_value(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *next = catch_replace(source);
    assert_code(sil_promise_resolve(promise, &(int){9}), 0);
    sil_promise_destroy(promise);
    sil_future_release(source);
    int value = 0;
    assert_code(sil_take(next, &value, SIL_NOW), 0);
    assert_int_equal(value, 9);
}

static void test_catch_may_fail_itself(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *next = sil_catch(source, NULL, refuse, &(int){EDOM}, sizeof(int), 0);
    assert_code(sil_promise_reject(promise, EIO, "x"), 0);
    assert_code(sil_take(next, NULL, SIL_NOW), EDOM);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_chain_of_then_and_catch(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *f[6];
    f[0] = promise_int(&promise);
    f[1] = then_add(f[0], NULL, 1);
    f[2] = sil_then(f[1], NULL, refuse, &(int){EDOM}, sizeof(int), sizeof(int));
    f[3] = then_add(f[2], NULL, 100);
    f[4] = catch_replace(f[3]);
    f[5] = then_add(f[4], NULL, 1000);
    assert_code(sil_promise_resolve(promise, &(int){0}), 0);
    int value = 0;
    assert_code(sil_await(f[3], SIL_NOW), EDOM);
    assert_code(sil_take(f[5], &value, SIL_NOW), 0);
    assert_int_equal(value, 1000 - EDOM);
    for (int i = 0; i < 5; i++)
        sil_future_release(f[i]);
    sil_promise_destroy(promise);
}

static int tell_thread(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    *(pid_t *)result = gettid();
    return 0;
}

static void test_then_runs_where_it_is_told(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *here = sil_then(source, NULL, tell_thread, NULL, 0, sizeof(pid_t));
    sil_future *there = sil_then(source, pool, tell_thread, NULL, 0, sizeof(pid_t));
    assert_code(sil_promise_resolve(promise, NULL), 0);
    sil_future *after = sil_then(source, pool, tell_thread, NULL, 0, sizeof(pid_t));
    pid_t thread = 0;
    assert_code(sil_take(here, &thread, SIL_NOW), 0);
    assert_int_equal(thread, gettid());
    assert_code(sil_take(there, &thread, SIL_FOREVER), 0);
    assert_int_not_equal(thread, gettid());
    assert_code(sil_take(after, &thread, SIL_FOREVER), 0);
    assert_int_not_equal(thread, gettid());
    sil_promise_destroy(promise);
    sil_future_release(source);
    assert_code(sil_executor_close(pool), 0);
}

static void test_then_on_a_shut_down_executor_fails(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *next = then_add(source, pool, 1);
    sil_future *caught = sil_catch(source, pool, replace, NULL, 0, sizeof(int));
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    assert_code(sil_promise_resolve(promise, &(int){3}), 0);
    assert_code(sil_take(next, NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    int value = 0;
    assert_code(sil_take(caught, &value, SIL_FOREVER), 0); /* nothing to run */
    assert_int_equal(value, 3);
    sil_promise_destroy(promise);
    sil_future_release(source);
    assert_code(sil_executor_close(pool), 0);
}

static void test_cancel_asks_the_source(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *next = then_add(source, NULL, 1);
    sil_future *last = catch_replace(next);
    assert_code(sil_future_cancel(last), 0);
    assert_int_equal(sil_future_state(last), SIL_CANCELLED);
    assert_int_equal(sil_future_state(next), SIL_CANCELLED);
    assert_int_equal(sil_future_state(source), SIL_CANCELLED);
    assert_code(sil_promise_resolve(promise, NULL), SIL_EALREADY);
    sil_future_release(last);
    sil_future_release(next);
    sil_future_release(source);
    sil_promise_destroy(promise);
}

static void test_cancel_of_a_running_source_is_a_request(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    sil_future *source = sil_submit(pool, task_until_cancelled, &(struct gate *){&gate},
                                    sizeof(struct gate *), sizeof(int));
    gate_wait_for_arrivals(&gate, 1);
    sil_future *next = then_add(source, NULL, 1);
    assert_code(sil_future_cancel(next), 0);
    assert_code(sil_await(source, SIL_FOREVER), SIL_ECANCELLED);
    assert_code(sil_take(next, NULL, SIL_FOREVER), SIL_ECANCELLED);
    sil_future_release(source);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

static void test_released_then_still_runs(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    atomic_uint count = 0;
    sil_future_release(
        sil_then(source, NULL, count_call, &(atomic_uint *){&count}, sizeof(atomic_uint *), 0));
    sil_future_release(source);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_int_equal(count, 1);
    sil_promise_destroy(promise);
}

static void test_bad_input_gives_a_failed_future(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    assert_code(sil_take(sil_then(NULL, NULL, add, NULL, 0, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_catch(NULL, NULL, replace, NULL, 0, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_then(source, NULL, NULL, NULL, 0, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_then(source, NULL, add, NULL, 4, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_then(source, NULL, add, "x", SIZE_MAX, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_then(source, NULL, add, NULL, 0, SIZE_MAX), NULL, SIL_NOW),
                SIL_EINVAL);
    assert_code(sil_take(sil_catch(source, NULL, replace, NULL, 0, SIZE_MAX), NULL, SIL_NOW),
                SIL_EINVAL);
    assert_int_equal(sil_future_state(source), SIL_PENDING);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_then_runs_after_success),
        TEST(test_then_passes_failures_on),
        TEST(test_then_passes_a_cancelled_source_on),
        TEST(test_then_may_fail),
        TEST(test_catch_replaces_an_error),
        TEST(test_catch_copies_a_value),
        TEST(test_catch_may_fail_itself),
        TEST(test_chain_of_then_and_catch),
        TEST(test_then_runs_where_it_is_told),
        TEST(test_then_on_a_shut_down_executor_fails),
        TEST(test_cancel_asks_the_source),
        TEST(test_cancel_of_a_running_source_is_a_request),
        TEST(test_released_then_still_runs),
        TEST(test_bad_input_gives_a_failed_future),
    };
    return test_run("then and catch", tests);
}
