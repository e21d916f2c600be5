/* SPDX-License-Identifier: MIT */
/*
 * Errors: sil_fail, the last error of a thread, and what can be asked of an error.
 */
#include <sillon/error.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support/tasks.h"
#include "support/test.h"

static void test_null_error_answers_everything(void **state)
{
    (void)state;
    assert_int_equal(sil_error_code(NULL), 0);
    assert_string_equal(sil_error_message(NULL), "");
    assert_null(sil_error_task(NULL));
    assert_non_null(sil_error_worker(NULL));
    assert_int_equal(sil_error_pid(NULL), 0);
    assert_null(sil_error_host(NULL));
    assert_int_equal(sil_error_signal(NULL), 0);
}

static void test_fail_outside_a_task_becomes_the_last_error(void **state)
{
    (void)state;
    assert_code(sil_fail(ERANGE, "%d is %s", 99, "too large"), ERANGE);
    const sil_error *error = sil_last_error();
    assert_code(sil_error_code(error), ERANGE);
    assert_string_equal(sil_error_message(error), "99 is too large");
    assert_null(sil_error_task(error));
    assert_int_equal(sil_error_pid(error), getpid());
    assert_code(sil_fail(0, "no code"), SIL_EINVAL);
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_string_equal(sil_error_message(sil_last_error()), "no code");
}

static void *look_at_last_error(void *arg)
{
    bool *right = arg;
    right[0] = sil_last_error() == NULL;
    (void)sil_fail(EIO, "of a thread");
    right[1] = strcmp(sil_error_message(sil_last_error()), "of a thread") == 0;
    return NULL;
}

static void test_last_error_is_the_threads_own(void **state)
{
    (void)state;
    (void)sil_fail(EDOM, "mine");
    bool right[2] = {false, false};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, look_at_last_error, right), 0);
    (void)pthread_join(thread, NULL);
    assert_true(right[0]);
    assert_true(right[1]);
    assert_string_equal(sil_error_message(sil_last_error()), "mine");
}

static void test_success_leaves_the_last_error_alone(void **state)
{
    (void)state;
    (void)sil_fail(EDOM, "still here");
    sil_executor *executor = sil_inline_executor();
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), 0);
    assert_code(sil_take(submit_int(executor, task_int, 3), NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(executor), 0);
    assert_string_equal(sil_error_message(sil_last_error()), "still here");
}

struct inside {
    bool none_at_first;
    bool own_message;
    char task[20];
};

static int fail_inside(void *arg, void *result)
{
    (void)arg;
    struct inside *inside = result;
    inside->none_at_first = sil_last_error() == NULL;
    (void)sil_fail(EIO, "inside");
    const sil_error *error = sil_last_error();
    inside->own_message = strcmp(sil_error_message(error), "inside") == 0;
    if (sil_error_task(error) != NULL)
        (void)strncpy(inside->task, sil_error_task(error), sizeof inside->task - 1);
    return 0;
}

static void test_last_error_inside_a_task_is_the_tasks(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    (void)sil_fail(EDOM, "outside");
    struct inside inside;
    sil_future *future = sil_submit_with(executor, &(sil_submit_options){.name = "inner"},
                                         fail_inside, NULL, 0, sizeof inside);
    assert_code(sil_take(future, &inside, SIL_FOREVER), 0);
    assert_true(inside.none_at_first);
    assert_true(inside.own_message);
    assert_string_equal(inside.task, "inner");
    assert_string_equal(sil_error_message(sil_last_error()), "outside");
    assert_code(sil_executor_close(executor), 0);
}

static void test_worker_is_the_name_of_the_thread(void **state)
{
    (void)state;
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .name = "decode"});
    sil_future *future = submit_int(pool, task_fail_with_message, EIO);
    assert_code(sil_await(future, SIL_FOREVER), EIO);
    assert_string_equal(sil_error_worker(sil_future_error(future)), "decode-0");
    assert_code(sil_executor_close(pool), 0);
    assert_string_equal(sil_error_worker(sil_future_error(future)), "decode-0");
    sil_future_release(future);
}

static void test_strerror_knows_its_codes(void **state)
{
    (void)state;
#define SEE(name, number, text)                      \
    assert_string_equal(sil_strerror(number), text); \
    assert_string_equal(sil_status_name(number), "SIL_" #name);
    SIL_STATUS_MAP(SEE)
#undef SEE
    assert_string_equal(sil_status_name(ERANGE), "ERANGE");
    assert_string_equal(sil_status_name(ENOENT), "ENOENT");
    assert_string_equal(sil_strerror(ENOENT), strerror(ENOENT));
    assert_string_equal(sil_strerror(-ENOENT), strerror(ENOENT));
    assert_string_equal(sil_strerror(123456), "error 123456");
    assert_string_equal(sil_strerror(-30000), "error -30000");
    assert_null(sil_status_name(123456));
    assert_null(sil_status_name(INT32_MIN));
    assert_non_null(sil_strerror(INT32_MIN));
    assert_non_null(sil_strerror(0));
}

static void test_long_and_odd_messages(void **state)
{
    (void)state;
    char text[10000];
    (void)memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_code(sil_fail(EIO, "%s", text), EIO);
    assert_true(strlen(sil_error_message(sil_last_error())) >= 100);
    assert_code(sil_fail(EIO, "%s", ""), EIO);
    assert_string_equal(sil_error_message(sil_last_error()), "");
    assert_code(sil_fail(EIO, "100%%"), EIO);
    assert_string_equal(sil_error_message(sil_last_error()), "100%");
    /* a message may hold the former one */
    assert_code(sil_fail(EDOM, "again: %s", sil_error_message(sil_last_error())), EDOM);
    assert_string_equal(sil_error_message(sil_last_error()), "again: 100%");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_null_error_answers_everything),
        TEST(test_fail_outside_a_task_becomes_the_last_error),
        TEST(test_last_error_is_the_threads_own),
        TEST(test_success_leaves_the_last_error_alone),
        TEST(test_last_error_inside_a_task_is_the_tasks),
        TEST(test_worker_is_the_name_of_the_thread),
        TEST(test_strerror_knows_its_codes),
        TEST(test_long_and_odd_messages),
    };
    return test_run("error", tests);
}
