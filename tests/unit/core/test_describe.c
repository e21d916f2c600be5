/* SPDX-License-Identifier: MIT */
/*
 * sil_future_describe: one line for each state, cut as snprintf cuts.
 */
#include <sillon/future.h>

#include <errno.h>
#include <string.h>

#include "support/tasks.h"
#include "support/test.h"

/* The future, which is released, describes itself with this line. */
static void assert_line(sil_future *future, const char *expected)
{
    char line[300];
    int length = sil_future_describe(future, line, sizeof line);
    assert_string_equal(line, expected);
    assert_int_equal(length, strlen(expected));
    sil_future_release(future);
}

static sil_future *submit(sil_executor *executor, const char *name, sil_task_fn fn, int arg,
                          size_t result_size)
{
    return sil_submit_with(executor, &(sil_submit_options){.name = name}, fn, &arg, sizeof arg,
                           result_size);
}

static void test_pending(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create("answer", 0);
    assert_line(sil_promise_future(promise), "<sil_future 'answer' pending>");
    sil_promise_destroy(promise);
    promise = sil_promise_create(NULL, 0);
    assert_line(sil_promise_future(promise), "<sil_future pending>");
    sil_promise_destroy(promise);
}

/* Describes its own future, which the test puts there before it opens the gate. */
struct mirror {
    struct gate gate;
    sil_future *future;
    char before[100];
    char after[100];
    char unknown_total[100];
};

static int look_at_self(void *arg, void *result)
{
    (void)result;
    struct mirror *mirror = *(struct mirror **)arg;
    gate_wait(&mirror->gate);
    (void)sil_future_describe(mirror->future, mirror->before, sizeof mirror->before);
    sil_progress(3, 10);
    (void)sil_future_describe(mirror->future, mirror->after, sizeof mirror->after);
    sil_progress(4, 0);
    (void)sil_future_describe(mirror->future, mirror->unknown_total, sizeof mirror->unknown_total);
    return 0;
}

static void test_running_with_and_without_progress(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct mirror mirror = {.future = NULL};
    gate_init(&mirror.gate);
    mirror.future = sil_submit_with(pool, &(sil_submit_options){.name = "decode"}, look_at_self,
                                    &(struct mirror *){&mirror}, sizeof(struct mirror *), 0);
    gate_open(&mirror.gate);
    assert_code(sil_take(mirror.future, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    assert_string_equal(mirror.before, "<sil_future 'decode' running>");
    assert_string_equal(mirror.after, "<sil_future 'decode' running 3/10>");
    assert_string_equal(mirror.unknown_total, "<sil_future 'decode' running 4>");
    gate_fini(&mirror.gate);
}

static int fill_eight(void *arg, void *result)
{
    (void)arg;
    (void)memset(result, 1, 8);
    return 0;
}

static int fail_decode(void *arg, void *result)
{
    (void)result;
    return sil_fail(ERANGE, "%d is too large", *(int *)arg);
}

static int fail_two_lines(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return sil_fail(EIO, "first line\nsecond line");
}

static void test_final_states(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    assert_line(submit(executor, "x", fill_eight, 0, 8), "<sil_future 'x' finished: 8 bytes>");
    assert_line(submit(executor, NULL, fill_eight, 0, 8), "<sil_future finished: 8 bytes>");
    assert_line(submit(executor, "x", task_nothing, 0, 0), "<sil_future 'x' finished: 0 bytes>");
    assert_line(submit(executor, "x", task_nothing, 0, 1), "<sil_future 'x' finished: 1 byte>");
    assert_line(submit(executor, "decode", fail_decode, 99, 0),
                "<sil_future 'decode' failed: ERANGE (99 is too large)>");
    assert_line(submit(executor, NULL, fail_decode, 99, 0),
                "<sil_future failed: ERANGE (99 is too large)>");
    assert_line(
        submit(executor, "x", task_fail, SIL_EBROKEN, 0),
        "<sil_future 'x' failed: SIL_EBROKEN (broken: what it depends on failed for good)>");
    assert_line(submit(executor, "x", task_fail, 54321, 0),
                "<sil_future 'x' failed: 54321 (error 54321)>");
    assert_line(submit(executor, "x", task_fail, SIL_ECANCELLED, 0), "<sil_future 'x' cancelled>");
    assert_line(submit(executor, "x", fail_two_lines, 0, 0),
                "<sil_future 'x' failed: EIO (first line)>");
    assert_code(sil_executor_close(executor), 0);

    sil_promise *promise = sil_promise_create("x", 0);
    sil_future *future = sil_promise_future(promise);
    assert_code(sil_future_cancel(future), 0);
    assert_line(future, "<sil_future 'x' cancelled>");
    sil_promise_destroy(promise);
}

static void test_line_is_cut_as_snprintf_cuts(void **state)
{
    (void)state;
    static const char whole[] = "<sil_future 'answer' pending>";
    sil_promise *promise = sil_promise_create("answer", 0);
    sil_future *future = sil_promise_future(promise);
    for (size_t size = 0; size <= sizeof whole + 1; size++) {
        char line[sizeof whole + 2];
        (void)memset(line, '#', sizeof line);
        assert_int_equal(sil_future_describe(future, line, size), sizeof whole - 1);
        size_t kept = size == 0 ? 0 : size < sizeof whole ? size - 1 : sizeof whole - 1;
        assert_memory_equal(line, whole, kept);
        if (size > 0)
            assert_int_equal(line[kept], '\0');
        assert_int_equal(line[size > kept ? size : kept], '#');
    }
    assert_int_equal(sil_future_describe(future, NULL, 0), sizeof whole - 1);
    sil_future_release(future);
    sil_promise_destroy(promise);
}

static void test_long_names_do_no_harm(void **state)
{
    (void)state;
    char name[5000];
    (void)memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    sil_promise *promise = sil_promise_create(name, 0);
    sil_future *future = sil_promise_future(promise);
    assert_int_equal(strlen(sil_future_name(future)), sizeof name - 1);
    char line[50];
    assert_true(sil_future_describe(future, line, sizeof line) > 4999);
    assert_int_equal(strlen(line), sizeof line - 1);
    sil_future_release(future);
    sil_promise_destroy(promise);
}

static void test_null_future_and_null_buffer_do_no_harm(void **state)
{
    (void)state;
    char line[50] = "untouched";
    (void)sil_future_describe(NULL, line, sizeof line);
    assert_non_null(memchr(line, '\0', sizeof line));
    assert_string_not_equal(line, "untouched");
    sil_promise *promise = sil_promise_create("answer", 0);
    sil_future *future = sil_promise_future(promise);
    assert_int_equal(sil_future_describe(future, NULL, 50),
                     strlen("<sil_future 'answer' pending>"));
    sil_future_release(future);
    sil_promise_destroy(promise);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_pending),
        TEST(test_running_with_and_without_progress),
        TEST(test_final_states),
        TEST(test_line_is_cut_as_snprintf_cuts),
        TEST(test_long_names_do_no_harm),
        TEST(test_null_future_and_null_buffer_do_no_harm),
    };
    return test_run("describe", tests);
}
