/* SPDX-License-Identifier: MIT */
/*
 * Traces while memory, threads or descriptors run out: a trace that cannot begin says why, one that
 * has begun counts what it loses, and the work goes on as without.
 */
#include <errno.h>
#include <unistd.h>

#include "every_point.h"
#include "support/trace_text.h"

static char path[] = "/tmp/trace-XXXXXX";

static void test_start_fails_when_there_is_no_descriptor(void **state)
{
    (void)state;
    sil__fault_arm(SIL__FAULT_SYSTEM, 1, false);
    assert_code(sil_trace_start(path, NULL), EMFILE);
    sil__fault_reset();
    assert_false(sil_tracing());
    assert_code(sil_trace_start(path, NULL), 0);
    assert_code(sil_trace_stop(NULL), 0);
}

static void test_start_fails_when_there_is_no_thread(void **state)
{
    (void)state;
    sil__fault_arm(SIL__FAULT_THREAD, 1, false);
    assert_code(sil_trace_start(path, NULL), SIL_EAGAIN);
    sil__fault_reset();
    assert_false(sil_tracing());
    assert_code(sil_trace_start(path, NULL), 0);
    assert_code(sil_trace_stop(NULL), 0);
}

static void tasks(void)
{
    int code = sil_trace_start(path, NULL);
    assert_true(is_allowed(code) || code == EMFILE);
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_trace_counter("figure", 1);
    if (was_made(pool)) {
        for (int i = 0; i < 10; i++)
            (void)take_allowed(sil_submit(pool, task_int, &i, sizeof i, sizeof i), NULL);
        assert_code(sil_executor_close(pool), 0);
    }
    uint64_t lost;
    assert_code(sil_trace_stop(&lost), code == 0 ? 0 : SIL_EALREADY);
    if (code != 0)
        return;
    char *text = trace_read(path);
    assert_non_null(text);
    assert_true(json_is_whole(text));
    free(text);
}

static void test_nothing_breaks_when_memory_runs_out(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_ALLOC, tasks);
}

static void test_nothing_breaks_when_threads_run_out(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_THREAD, tasks);
}

static void test_nothing_breaks_when_descriptors_run_out(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_SYSTEM, tasks);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    static const struct CMUnitTest tests[] = {
        TEST(test_start_fails_when_there_is_no_descriptor),
        TEST(test_start_fails_when_there_is_no_thread),
        TEST(test_nothing_breaks_when_memory_runs_out),
        TEST(test_nothing_breaks_when_threads_run_out),
        TEST(test_nothing_breaks_when_descriptors_run_out),
    };
    int failed = test_run_group("traces while things run out", tests, COUNT_OF(tests));
    (void)unlink(path);
    return test_exit(failed);
}
