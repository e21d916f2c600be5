/* SPDX-License-Identifier: MIT */
/*
 * Traces: what the file says of each kind of work, and that it is JSON whatever happens.
 */
#include <sillon/trace.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/tasks.h"
#include "support/test.h"
#include "support/trace_text.h"

static char path[] = "/tmp/trace-XXXXXX";

static void start(const sil_trace_options *options)
{
    assert_false(sil_tracing());
    assert_code(sil_trace_start(path, options), 0);
    assert_true(sil_tracing());
}

/* What is in the file; until the next one. */
static const char *stop(void)
{
    static char *text;
    uint64_t lost = 1;
    assert_code(sil_trace_stop(&lost), 0);
    assert_int_equal(lost, 0);
    assert_false(sil_tracing());
    free(text);
    text = trace_read(path);
    assert_non_null(text);
    if (!json_is_whole(text))
        print_error("%s", text);
    assert_true(json_is_whole(text));
    return text;
}

static void assert_events(const char *text, const char *one, const char *other, size_t count)
{
    if (trace_count(text, one, other) != count)
        print_error("%s with %s:\n%s", one, other, text);
    assert_int_equal(trace_count(text, one, other), count);
}

/* --- beginning and end ---------------------------------------------------------------------- */

static void test_empty_trace_is_json(void **state)
{
    (void)state;
    start(&(sil_trace_options){.process = "my \"program\""});
    const char *text = stop();
    assert_events(text, "process_name", "my \\\"program\\\"", 1);
    assert_events(text, "\"ph\"", "", 1);
    assert_int_equal(strncmp(text, "[\n{", 3), 0);
    assert_string_equal(text + strlen(text) - 4, "}\n]\n");
}

static void test_start_is_refused_when_it_cannot_be(void **state)
{
    (void)state;
    assert_code(sil_trace_start(NULL, NULL), SIL_EINVAL);
    assert_code(sil_trace_start("/no/such/folder/trace", NULL), ENOENT);
    assert_contains(sil_error_message(sil_last_error()), "/no/such/folder/trace");
    assert_code(sil_trace_start("/", NULL), EISDIR);
    assert_false(sil_tracing());
    assert_code(sil_trace_stop(NULL), SIL_EALREADY);
    start(NULL);
    assert_code(sil_trace_start(path, NULL), SIL_EALREADY);
    (void)stop();
    assert_code(sil_trace_stop(NULL), SIL_EALREADY);
}

static void test_full_disk_is_told_at_the_end(void **state)
{
    (void)state;
    assert_code(sil_trace_start("/dev/full", NULL), 0);
    sil_trace_counter("figure", 1);
    assert_code(sil_trace_stop(NULL), ENOSPC);
    start(NULL);
    (void)stop();
}

/* --- what the library tells ----------------------------------------------------------------- */

enum { TASKS = 50 };

static void run_tasks(sil_executor *executor, const char *name)
{
    sil_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++)
        futures[i] = sil_submit_with(executor, &(sil_submit_options){.name = name}, task_int, &i,
                                     sizeof i, sizeof i);
    for (int i = 0; i < TASKS; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
}

static void test_task_of_a_pool_is_a_bar(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2, .name = "mill"});
    start(NULL);
    run_tasks(pool, "grind");
    run_tasks(pool, NULL);
    const char *text = stop();
    assert_code(sil_executor_close(pool), 0);
    assert_events(text, "\"ph\":\"X\"", "\"cat\":\"task\"", 2 * TASKS);
    assert_events(text, "\"ph\":\"X\"", "\"name\":\"grind\"", TASKS);
    assert_events(text, "\"ph\":\"X\"", "\"args\":{\"queued_us\":", 2 * TASKS);
    size_t rows = trace_count(text, "thread_name", "\"mill-0\"") +
                  trace_count(text, "thread_name", "\"mill-1\"");
    assert_true(rows >= 1); /* or the waiter ran all of the other's */
}

static void test_posted_task_is_a_bar(void **state)
{
    (void)state;
    atomic_uint count = 0;
    atomic_uint *counter = &count;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    start(NULL);
    for (int i = 0; i < TASKS; i++)
        assert_code(sil_post(pool, task_count, (void *)&counter, sizeof counter), 0);
    assert_code(sil_executor_close(pool), 0);
    const char *text = stop();
    assert_int_equal(count, TASKS);
    assert_events(text, "\"ph\":\"X\"", "\"cat\":\"task\"", TASKS);
    assert_events(text, "queued_us", "", 0);
}

static void test_thread_of_its_own_has_a_row_with_its_name(void **state)
{
    (void)state;
    start(NULL);
    for (int i = 0; i < 20; i++)
        assert_code(sil_take(sil_thread_start(&(sil_thread_options){.name = "lonely"}, task_nothing,
                                              NULL, 0, 0),
                             NULL, SIL_FOREVER),
                    0);
    const char *text = stop();
    assert_events(text, "\"ph\":\"X\"", "\"name\":\"lonely\"", 20);
    assert_true(trace_count(text, "thread_name", "\"lonely\"") >= 1);
}

static int twice(void *arg, void *result)
{
    (void)arg, (void)result;
    int code = sil_yield();
    for (int64_t end = sil_clock() + 20000; sil_clock() < end;)
        continue;
    return code ? code : sil_yield();
}

static int run_twice(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *futures[TASKS];
    int code = 0;
    for (int i = 0; i < TASKS; i++)
        futures[i] = sil_go_with(&(sil_go_options){.name = "fiber"}, twice, NULL, 0, 0);
    for (int i = 0; i < TASKS; i++)
        code |= sil_take(futures[i], NULL, SIL_FOREVER);
    return code;
}

static void test_coroutine_is_a_life_and_bars(void **state)
{
    (void)state;
    start(NULL);
    assert_code(sil_run(run_twice, NULL, 0, NULL, 0), 0);
    const char *text = stop();
    assert_events(text, "\"ph\":\"b\"", "\"name\":\"fiber\"", TASKS);
    assert_events(text, "\"ph\":\"e\"", "\"name\":\"fiber\"", TASKS);
    assert_events(text, "\"ph\":\"b\"", "", TASKS + 1);
    assert_events(text, "\"ph\":\"b\"", "\"queued_us\"", TASKS + 1);
    assert_true(trace_count(text, "\"ph\":\"X\"", "\"name\":\"fiber\"") >= TASKS);
}

/* One of several turns: it has begun before the trace does. */
static int start_within(void *arg, void *result)
{
    (void)arg, (void)result;
    int code = sil_trace_start(path, NULL);
    if (code == 0)
        code = run_twice(NULL, NULL);
    return code ? code : sil_trace_stop(NULL);
}

static void test_trace_begins_and_ends_within_a_loop(void **state)
{
    (void)state;
    assert_code(sil_run(start_within, NULL, 0, NULL, 0), 0);
    char *text = trace_read(path);
    assert_non_null(text);
    assert_true(json_is_whole(text));
    assert_events(text, "\"ph\":\"e\"", "\"name\":\"fiber\"", TASKS);
    free(text);
}

static void test_worker_process_has_a_row(void **state)
{
    (void)state;
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 1});
    assert_non_null(pool);
    start(NULL);
    run_tasks(pool, "far");
    int64_t pid = 0;
    assert_int_equal(sil_process_pool_pids(pool, &pid, 1), 1);
    (void)stop();
    start(NULL); /* which must have the name, too */
    run_tasks(pool, "again");
    const char *text = stop();
    assert_code(sil_executor_close(pool), 0);
    char name[40], row[40];
    (void)snprintf(name, sizeof name, "\"worker %lld\"", (long long)pid);
    (void)snprintf(row, sizeof row, "\"tid\":%lld,", (long long)pid);
    assert_events(text, "thread_name", name, 1);
    assert_events(text, row, "\"name\":\"again\"", TASKS);
    assert_events(text, "\"name\":\"again\"", "queued_us", TASKS);
}

static void test_library_is_silent_when_only_own_is_asked_for(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(NULL);
    start(&(sil_trace_options){.only_own = true});
    run_tasks(pool, "silent");
    sil_trace_counter("mine", 2);
    const char *text = stop();
    assert_code(sil_executor_close(pool), 0);
    assert_events(text, "\"ph\":\"X\"", "", 0);
    assert_events(text, "\"ph\":\"C\"", "mine", 1);
}

/* --- what a program adds -------------------------------------------------------------------- */

static void test_own_rows_have_bars_moments_and_figures(void **state)
{
    (void)state;
    start(NULL);
    sil_track slot = sil_trace_track("slot 1"), other = sil_trace_track("slot 2");
    assert_true(slot != 0 && other != 0 && slot != other);
    int64_t now = sil_clock();
    sil_trace_span(slot, "phase", "work", now, now + 1234567, "{\"bytes\":17,\n\"a\":[1]}");
    sil_trace_span(slot, "backwards", NULL, now, now - 5, NULL);
    sil_trace_span(other, "before", NULL, now - 1000000000, now, NULL);
    sil_trace_mark(other, "moment", "marks");
    sil_trace_counter("rate", 2.5);
    sil_trace_counter("rate", 1e300 * 1e300);
    const char *text = stop();
    assert_events(text, "thread_name", "\"slot 1\"", 1);
    assert_events(text, "thread_sort_index", "", 3); /* ours, too */
    assert_events(text, "\"name\":\"phase\"",
                  "\"dur\":1234.567,\"args\":{\"bytes\":17, \"a\":[1]}}", 1);
    assert_events(text, "\"name\":\"backwards\"", "\"dur\":0.000", 1);
    assert_events(text, "\"name\":\"before\"", "\"ts\":0.000", 1);
    assert_events(text, "\"ph\":\"i\"", "\"cat\":\"marks\",\"name\":\"moment\"", 1);
    assert_events(text, "\"ph\":\"C\"", "\"args\":{\"value\":2.5}", 1);
    assert_events(text, "\"ph\":\"C\"", "\"args\":{\"value\":0}", 1);
}

static void test_names_of_any_bytes_are_json(void **state)
{
    (void)state;
    char *large = malloc(40000);
    assert_non_null(large);
    memset(large, 'x', 40000);
    large[39999] = '\0';
    start(NULL);
    sil_track row = sil_trace_track("\x01\"\\\n\xff\xc3\xa9\xed\xa0\x80\xf0\x9f\x99\x82\xc3");
    sil_trace_span(row, large, large, 0, 1, NULL);
    sil_trace_span(row, "too much", NULL, 0, 1, large);
    sil_trace_span(row, NULL, NULL, 0, 1, NULL);
    sil_trace_counter(NULL, 0);
    (void)sil_trace_track(NULL);
    const char *text = stop();
    free(large);
    assert_events(text, "thread_name", "\"\\u0001\\\"\\\\\\u000a?\xc3\xa9???\xf0\x9f\x99\x82?\"",
                  1);
    assert_events(text, "\"name\":\"xxx", "", 1);
    assert_events(text, "too much", "args", 0);
}

static void test_row_is_ignored_when_it_is_of_no_trace(void **state)
{
    (void)state;
    assert_true(sil_trace_track("none") == 0);
    sil_trace_span(0, "a", NULL, 0, 1, NULL);
    sil_trace_counter("a", 1);
    start(NULL);
    sil_track old = sil_trace_track("old");
    (void)stop();
    sil_trace_mark(old, "between", NULL);
    start(NULL);
    sil_trace_span(old, "late", NULL, 0, 1, NULL);
    sil_trace_mark(old, "late", NULL);
    sil_trace_mark(0, "nowhere", NULL);
    const char *text = stop();
    assert_events(text, "\"ph\"", "", 1); /* the program's name */
}

/* --- trouble -------------------------------------------------------------------------------- */

enum { MANY = 20000 };

static int drain(void *arg, void *result)
{
    int fd = *(int *)arg;
    size_t size = 0, room = (size_t)MANY * 200;
    char *text = malloc(room);
    for (ssize_t got = 1; text && got > 0; size += got > 0 ? (size_t)got : 0)
        got = read(fd, text + size, room - 1 - size);
    if (text)
        text[size] = '\0';
    *(char **)result = text;
    return 0;
}

/* The writer waits for a reader, so that what it cannot take is lost, and counted. */
static void test_events_are_counted_when_there_is_no_room(void **state)
{
    (void)state;
    char pipe_path[64];
    (void)snprintf(pipe_path, sizeof pipe_path, "%s.pipe", path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    int fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    assert_code(sil_trace_start(pipe_path, &(sil_trace_options){.buffer_size = 1}), 0);
    for (int i = 0; i < MANY; i++)
        sil_trace_counter("figure", i);
    char *text = NULL;
    sil_future *reader = sil_thread_start(NULL, drain, &fd, sizeof fd, sizeof text);
    uint64_t lost = 0;
    assert_code(sil_trace_stop(&lost), 0);
    assert_code(sil_take(reader, (void *)&text, SIL_FOREVER), 0);
    assert_non_null(text);
    assert_true(json_is_whole(text));
    assert_true(lost > 0);
    assert_int_equal(trace_count(text, "figure", "") + lost, MANY);
    free(text);
    (void)close(fd);
    (void)unlink(pipe_path);
}

/* A trace of its own, which the parent's has nothing to do with. */
static int trace_in_child(const char *parents)
{
    char child_path[64];
    (void)snprintf(child_path, sizeof child_path, "%s.child", parents);
    CHECK(sil_trace_start(child_path, NULL) == 0);
    sil_trace_counter("of the child", 2);
    CHECK(sil_trace_stop(NULL) == 0);
    char *text = trace_read(child_path);
    CHECK(text && json_is_whole(text));
    CHECK(trace_count(text, "of the child", "") == 1);
    free(text);
    return unlink(child_path) == 0 ? 0 : 1;
}

static int in_child(void *arg)
{
    CHECK(!sil_tracing());
    CHECK(sil_trace_stop(NULL) == SIL_EALREADY);
    sil_trace_counter("of the child", 1);
#ifdef TEST_TSAN /* which knows no threads in the child of a program with threads */
    (void)trace_in_child, (void)arg;
    return 0;
#else
    return trace_in_child(arg);
#endif
}

static void test_child_of_a_fork_is_not_in_the_trace(void **state)
{
    (void)state;
    start(NULL);
    sil_trace_counter("of the parent", 1);
    assert_int_equal(child_run(in_child, path), 0);
    sil_trace_counter("of the parent", 2);
    const char *text = stop();
    assert_events(text, "of the child", "", 0);
    assert_events(text, "of the parent", "", 2);
}

/* Killed in the middle: what is there needs but an end. */
static void test_file_is_readable_when_the_program_ends_without_stop(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (sil_trace_start(path, NULL) != 0)
            _exit(1);
        struct stat about = {0};
        for (int i = 0; about.st_size < 100000; i++) {
            sil_trace_counter("figure", i);
            (void)stat(path, &about);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char *text = trace_read(path);
    assert_non_null(text);
    char *last = strrchr(text, ',');
    while (last && last[1] != '\n')
        last = memrchr(text, ',', (size_t)(last - text));
    assert_non_null(last); /* at worst the last line is not whole */
    (void)snprintf(last, 3, "\n]");
    assert_true(json_is_whole(text));
    free(text);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv opens two descriptors, once */
    static const struct CMUnitTest tests[] = {
        TEST(test_empty_trace_is_json),
        TEST(test_start_is_refused_when_it_cannot_be),
        TEST(test_full_disk_is_told_at_the_end),
        TEST(test_task_of_a_pool_is_a_bar),
        TEST(test_posted_task_is_a_bar),
        TEST(test_thread_of_its_own_has_a_row_with_its_name),
        TEST(test_coroutine_is_a_life_and_bars),
        TEST(test_trace_begins_and_ends_within_a_loop),
        TEST(test_worker_process_has_a_row),
        TEST(test_library_is_silent_when_only_own_is_asked_for),
        TEST(test_own_rows_have_bars_moments_and_figures),
        TEST(test_names_of_any_bytes_are_json),
        TEST(test_row_is_ignored_when_it_is_of_no_trace),
        TEST(test_events_are_counted_when_there_is_no_room),
        TEST(test_child_of_a_fork_is_not_in_the_trace),
        TEST(test_file_is_readable_when_the_program_ends_without_stop),
    };
    int failed = test_run_group("traces", tests, COUNT_OF(tests));
    (void)unlink(path);
    return test_exit(failed);
}
