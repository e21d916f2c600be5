/* SPDX-License-Identifier: MIT */
/*
 * Errors are values: a code, a message and the origin, kept as they pass from task to task.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"

static sil_future *submit_named(sil_executor *executor, const char *name, sil_task_fn fn,
                                const void *arg, size_t arg_size)
{
    return sil_submit_with(executor, &(sil_submit_options){.name = name}, fn, arg, arg_size,
                           sizeof(int));
}

static void test_error_has_code_message_and_origin(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future =
        submit_named(executor, "decode", task_fail_with_message, &(int){ERANGE}, sizeof(int));
    assert_code(sil_await(future, SIL_FOREVER), ERANGE);
    const sil_error *error = sil_future_error(future);
    assert_code(sil_error_code(error), ERANGE);
    assert_string_equal(sil_error_message(error), "34 is bad");
    assert_string_equal(sil_error_task(error), "decode");
    assert_non_null(sil_error_worker(error));
    assert_string_not_equal(sil_error_worker(error), "");
    assert_true(sil_error_pid(error) > 0);
    if ((contract_engine()->capabilities & PROCESSES) != 0)
        assert_int_not_equal(sil_error_pid(error), getpid());
    else
        assert_int_equal(sil_error_pid(error), getpid());
    assert_null(sil_error_host(error));
    assert_int_equal(sil_error_signal(error), 0);
    sil_future_release(future);
    contract_close(executor);
}

static void test_awaiting_a_failure_makes_it_the_last_error(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = submit_int(executor, task_fail_with_message, EDOM);
    assert_code(sil_take(future, NULL, SIL_FOREVER), EDOM);
    assert_code(sil_error_code(sil_last_error()), EDOM);
    assert_string_equal(sil_error_message(sil_last_error()), "33 is bad");
    contract_finish(submit_nothing(executor)); /* success leaves it alone */
    assert_string_equal(sil_error_message(sil_last_error()), "33 is bad");
    contract_close(executor);
}

static void test_code_without_a_message_gets_a_plain_one(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const int codes[] = {ERANGE, -ERANGE, 12345, -1, SIL_EBROKEN, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        sil_future *future = submit_named(executor, "plain", task_fail, &codes[i], sizeof(int));
        assert_code(sil_await(future, SIL_FOREVER), codes[i]);
        const sil_error *error = sil_future_error(future);
        assert_code(sil_error_code(error), codes[i]);
        assert_string_equal(sil_error_message(error), sil_strerror(codes[i]));
        assert_string_equal(sil_error_task(error), "plain");
        sil_future_release(future);
    }
    contract_close(executor);
}

static void test_error_of_a_task_without_a_name_names_none(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = submit_int(executor, task_fail_with_message, EIO);
    assert_code(sil_await(future, SIL_FOREVER), EIO);
    assert_null(sil_error_task(sil_future_error(future)));
    sil_future_release(future);
    contract_close(executor);
}

/* Awaits a child that fails and returns its code. */
static int pass_on(void *arg, void *result)
{
    (void)result;
    sil_executor *executor = *(sil_executor **)arg;
    return sil_take(
        submit_named(executor, "inner", task_fail_with_message, &(int){ENOENT}, sizeof(int)), NULL,
        SIL_FOREVER);
}

static void test_error_passed_on_keeps_its_origin(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = submit_named(executor, "outer", pass_on, &executor, sizeof executor);
    assert_code(sil_await(future, SIL_FOREVER), ENOENT);
    const sil_error *error = sil_future_error(future);
    assert_string_equal(sil_error_message(error), "2 is bad");
    assert_string_equal(sil_error_task(error), "inner");
    sil_future_release(future);
    contract_close(executor);
}

static int complain_and_succeed(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)sil_fail(EIO, "nothing serious");
    return 0;
}

static void test_message_of_another_task_is_not_mixed_in(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int i = 0; i < 8; i++)
        contract_finish(sil_submit(executor, complain_and_succeed, NULL, 0, 0));
    for (int i = 0; i < 8; i++) {
        sil_future *future = submit_int(executor, task_fail, EIO);
        assert_code(sil_await(future, SIL_FOREVER), EIO);
        assert_string_equal(sil_error_message(sil_future_error(future)), sil_strerror(EIO));
        sil_future_release(future);
    }
    contract_close(executor);
}

/* What the child says stays the child's, even where the parent runs it itself. */
static int keep_own_message(void *arg, void *result)
{
    (void)result;
    sil_executor *executor = *(sil_executor **)arg;
    sil_future *child = sil_submit(executor, complain_and_succeed, NULL, 0, 0);
    int code = sil_fail(EACCES, "mine");
    (void)sil_take(child, NULL, SIL_FOREVER);
    return code;
}

static void test_message_of_an_awaited_child_is_not_mixed_in(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int i = 0; i < 8; i++) {
        sil_future *future = sil_submit(executor, keep_own_message, &executor, sizeof executor, 0);
        assert_code(sil_await(future, SIL_FOREVER), EACCES);
        assert_string_equal(sil_error_message(sil_future_error(future)), "mine");
        sil_future_release(future);
    }
    contract_close(executor);
}

static int change_code(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)sil_fail(EIO, "the disk is gone");
    return ENOENT;
}

static void test_message_of_another_code_is_not_used(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = sil_submit(executor, change_code, NULL, 0, 0);
    assert_code(sil_await(future, SIL_FOREVER), ENOENT);
    assert_string_equal(sil_error_message(sil_future_error(future)), sil_strerror(ENOENT));
    sil_future_release(future);
    contract_close(executor);
}

static int talk_long(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char text[3000];
    (void)memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return sil_fail(EIO, "%s", text);
}

static void test_long_messages_do_no_harm(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = sil_submit(executor, talk_long, NULL, 0, 0);
    assert_code(sil_await(future, SIL_FOREVER), EIO);
    const char *message = sil_error_message(sil_future_error(future));
    assert_true(strlen(message) >= 100);
    assert_int_equal(strspn(message, "x") >= 100, true);
    sil_future_release(future);
    contract_close(executor);
}

const struct contract_test contract_errors[] = {
    PROMISE(test_error_has_code_message_and_origin, 0),
    PROMISE(test_awaiting_a_failure_makes_it_the_last_error, 0),
    PROMISE(test_code_without_a_message_gets_a_plain_one, 0),
    PROMISE(test_error_of_a_task_without_a_name_names_none, 0),
    PROMISE(test_error_passed_on_keeps_its_origin, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_message_of_another_task_is_not_mixed_in, 0),
    PROMISE(test_message_of_an_awaited_child_is_not_mixed_in, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_message_of_another_code_is_not_used, 0),
    PROMISE(test_long_messages_do_no_harm, 0),
    {0},
};
