/* SPDX-License-Identifier: MIT */
/*
 * Going on from a log, whatever has happened to it.
 */
#include <errno.h>
#include <sys/wait.h>

#include "record/log_read.h"
#include "unit/cli/record.h"

/* --- going on ------------------------------------------------------------------------------- */

static void test_resume_skips_what_was_done_well_or_not(void **state)
{
    (void)state;
    struct report_options options = {.log = log_path, .resume = true};
    struct recorder *recorder = open_or_fail(&options, &map); /* which does not exist */
    assert_false(skips(recorder, "ok"));
    assert_int_equal(recorder_close(recorder), 0);
    run_before(log_path);
    recorder = open_or_fail(&options, &map);
    assert_true(skips(recorder, "ok"));
    assert_true(skips(recorder, "skipped"));
    assert_true(skips(recorder, "failed"));
    assert_true(skips(recorder, "timeout"));
    assert_true(skips(recorder, "killed"));
    assert_false(skips(recorder, "stopped"));
    assert_false(skips(recorder, "another"));
    assert_int_equal(recorder_close(recorder), 0);
}

static void test_redo_failed_skips_what_was_done_well(void **state)
{
    (void)state;
    run_before(log_path);
    for (int resume = 0; resume <= 1; resume++) {
        struct report_options options = {
            .log = log_path, .resume = resume != 0, .redo_failed = true};
        struct recorder *recorder = open_or_fail(&options, &map);
        assert_true(skips(recorder, "ok"));
        assert_true(skips(recorder, "skipped"));
        assert_false(skips(recorder, "failed"));
        assert_false(skips(recorder, "timeout"));
        assert_false(skips(recorder, "killed"));
        assert_false(skips(recorder, "stopped"));
        assert_int_equal(before(recorder, "killed"), BEFORE_FAILED);
        assert_int_equal(before(recorder, "stopped"), BEFORE_NOTHING);
        assert_int_equal(recorder_close(recorder), 0);
    }
}

static void test_nothing_is_skipped_when_it_was_not_asked_for(void **state)
{
    (void)state;
    run_before(log_path);
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = log_path}, &map);
    assert_false(skips(recorder, "ok"));
    assert_int_equal(recorder_close(recorder), 0);
}

static void test_last_entry_counts(void **state)
{
    (void)state;
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = log_path}, &map);
    assert_int_equal(write_item(recorder, "a", "failed"), 0);
    assert_int_equal(write_item(recorder, "b", "ok"), 0);
    assert_int_equal(write_item(recorder, "a", "ok"), 0);
    assert_int_equal(write_item(recorder, "b", "timeout"), 0);
    assert_int_equal(recorder_close(recorder), 0);
    recorder = open_or_fail(&(struct report_options){.log = log_path, .resume = true}, &map);
    assert_int_equal(before(recorder, "a"), BEFORE_OK);
    assert_int_equal(before(recorder, "b"), BEFORE_FAILED);
    assert_int_equal(recorder_close(recorder), 0);
}

/* Or --redo-failed would take it for done, the next time. */
static void test_what_was_skipped_for_the_log_is_not_written_to_it(void **state)
{
    (void)state;
    run_before(log_path);
    struct report_options options = {.log = log_path, .json = json_path, .resume = true};
    struct recorder *recorder = open_or_fail(&options, &map);
    assert_int_equal(write_item(recorder, "failed", "skipped"), 0);
    assert_int_equal(write_item(recorder, "new", "skipped"), 0);
    assert_int_equal(recorder_close(recorder), 0);
    assert_lines(text_of(json_path), 2);
    assert_lines(text_of(log_path), 8);
    options.redo_failed = true;
    recorder = open_or_fail(&options, &map);
    assert_false(skips(recorder, "failed"));
    assert_int_equal(recorder_close(recorder), 0);
}

static void test_strange_lines_are_passed_over(void **state)
{
    (void)state;
    run_before(log_path);
    FILE *file = fopen(log_path, "a");
    assert_non_null(file);
    (void)fputs("\n\n[]\nnull\n17\nhello\n{\"id\":7,\"status\":\"ok\"}\n{\"id\":\"x\"}\n", file);
    (void)fputs("{\"id\":\"a3817f04ba25a8e66df67214c7550293\"}\n\xff\xfe\n{\"status\":\"ok\"}\n",
                file);
    (void)fputs("{\"id\":\"a3817f04ba25a8e66df67214c7550293\",\"status\":\"dancing\"}\n", file);
    (void)fputs("{\"id\":\"a3817f04ba25a8e66df67214c7550293\",\"status\":[]}\n{\"id\":\"a3817",
                file);
    assert_int_equal(fclose(file), 0);
    struct report_options options = {.log = log_path, .resume = true};
    struct recorder *recorder = open_or_fail(&options, &map);
    assert_true(skips(recorder, "ok"));
    assert_int_equal(recorder_close(recorder), 0);
}

/* The same as a parser says, for lines of others, too. */
static void test_members_are_found_wherever_they_are(void **state)
{
    (void)state;
#define ID "a3817f04ba25a8e66df67214c7550293"
    static const struct {
        const char *line;
        bool found;
    } lines[] = {
        {"{\"id\":\"" ID "\",\"status\":\"ok\"}", true},
        {"{ \"status\" : \"ok\" , \"a\" : [ \"id\" , {} ], \"id\" : \"" ID "\" }", true},
        {"{\"input\":\"\\\"}{\\\\\",\"id\":\"" ID "\",\"status\":\"ok\"}", true},
        {"{\"id\":7,\"status\":\"ok\",\"id\":\"" ID "\"}", true},
        {"{\"id\":7,\"status\":\"" ID "\"}", false},
        {"{\"a\":{\"id\":\"" ID "\",\"status\":\"ok\"}}", false},
        {"{\"a\":\"id\",\"b\":\"" ID "\",\"status\":\"ok\"}", false},
        {"[\"id\",\"" ID "\",\"status\",\"ok\"]", false},
        {"{\"id\":\"" ID "\",\"status\":\"ok\"}}", false},
        {"{\"id\":\"" ID "\",\"status\":\"ok\"", false},
        {"{\"id\":\"" ID "\",\"status\":\"ok\",\"input\":\"}", false},
        {"{\"id\":\"" ID "\",\"status\":\"ok\",\"input\":\"\\\"}", false},
        {" {\"id\":\"" ID "\",\"status\":\"ok\"}", false},
        {"}{\"id\":\"" ID "\",\"status\":\"ok\"}", false},
        {"{\"ID\":\"" ID "\",\"status\":\"ok\"}", false},
        {"\"", false},
        {"{", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct identity identity;
        enum record_before what;
        bool found = log_read_object(lines[i].line, strlen(lines[i].line), &identity, &what);
        if (found != lines[i].found)
            print_error("%s\n", lines[i].line);
        assert_int_equal(found, lines[i].found);
    }
}

static void test_broken_last_line_is_ended_before_ours(void **state)
{
    (void)state;
    put(log_path, "{\"type\":\"job\",\"status\":\"o");
    struct report_options options = {.log = log_path, .resume = true};
    struct recorder *recorder = open_or_fail(&options, &map);
    assert_int_equal(write_item(recorder, "a", "ok"), 0);
    assert_int_equal(recorder_close(recorder), 0);
    const char *rest = strchr(text_of(log_path), '\n');
    assert_non_null(rest);
    assert_lines(rest + 1, 1);
    recorder = open_or_fail(&options, &map);
    assert_true(skips(recorder, "a"));
    assert_int_equal(recorder_close(recorder), 0);
}

/* Lines that begin in one block of the reader and end in another; one is larger than a block. */
static void test_long_log_is_read_whole(void **state)
{
    (void)state;
    enum { ITEMS = 3000, LARGE = 300000 };
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = log_path}, &map);
    char *large = calloc(1, LARGE + 1);
    assert_non_null(large);
    memset(large, 'x', LARGE);
    for (int i = 0; i < ITEMS; i++) {
        json_t *item = json_pack("{ss si}", "status", i % 2 != 0 ? "ok" : "failed", "seq", i);
        if (i % 1000 == 500)
            (void)json_object_set_new(item, "input", record_text(large, LARGE));
        assert_int_equal(recorder_write(recorder, item, &i, sizeof(i), NULL), 0);
    }
    free(large);
    assert_int_equal(recorder_close(recorder), 0);
    recorder = open_or_fail(&(struct report_options){.log = log_path, .resume = true}, &map);
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(recorder_before(recorder, &i, sizeof(i)),
                         i % 2 != 0 ? BEFORE_OK : BEFORE_FAILED);
    assert_int_equal(recorder_close(recorder), 0);
}

static void test_two_runs_do_not_cut_each_others_lines(void **state)
{
    (void)state;
    enum { LINES = 300 };
    struct report_options options = {.log = log_path};
    pid_t child = fork();
    assert_true(child >= 0);
    struct recorder *recorder = open_or_fail(&options, &map);
    for (int i = 0; i < LINES; i++)
        assert_int_equal(write_item(recorder, "the same item in both of them", "ok"), 0);
    assert_int_equal(recorder_close(recorder), 0);
    if (child == 0)
        _exit(0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    FILE *file = fopen(log_path, "r");
    assert_non_null(file);
    char line[512];
    int lines = 0;
    for (; fgets(line, sizeof(line), file) != NULL; lines++) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_decref(object);
    }
    (void)fclose(file);
    assert_int_equal(lines, 2 * LINES);
}

/* --- a joblog ------------------------------------------------------------------------------- */

static int write_job(struct recorder *recorder, const char *command, const char *status, int code,
                     int signal)
{
    return recorder_write(recorder,
                          json_pack("{si ss si si sf sf si}", "seq", 7, "status", status, "exit",
                                    code, "signal", signal, "start", 1.5, "wall", 0.25,
                                    "stdout_bytes", 12),
                          command, strlen(command), NULL);
}

static void test_joblog_has_parallels_columns(void **state)
{
    (void)state;
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = tsv_path}, &map);
    assert_int_equal(write_job(recorder, "gzip\t'a b'", "ok", 0, 0), 0);
    assert_int_equal(write_job(recorder, "late", "timeout", 0, 0), 0);
    assert_int_equal(write_job(recorder, "never", "stopped", 0, 0), 0);
    assert_int_equal(write_job(recorder, "before", "skipped", 0, 0), 0);
    assert_int_equal(recorder_write(recorder, json_object(), NULL, 0, NULL), 0);
    assert_int_equal(recorder_close(recorder), 0);
    char *text = (char *)text_of(tsv_path);
    static const char header[] =
        "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n7\t:\t";
    assert_int_equal(strncmp(text, header, sizeof(header) - 1), 0);
    double start = strtod(text + sizeof(header) - 1, NULL);
    assert_true(start > 1e9);
    assert_contains(text, "\t     0.250\t0\t12\t0\t0\tgzip\t'a b'\n7\t:\t");
    assert_contains(text, "\t-1\t0\tlate\n");
    assert_null(strstr(text, "never"));
    assert_null(strstr(text, "before"));
}

static void test_joblog_is_gone_on_from(void **state)
{
    (void)state;
    static const char *const well[] = {"gzip 'a b'", "echo 'two\nlines'", "a\tb"};
    static const char *const badly[] = {"false", "kill -9 $$"};
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = tsv_path}, &map);
    for (size_t i = 0; i < COUNT_OF(well); i++)
        assert_int_equal(write_job(recorder, well[i], "ok", 0, 0), 0);
    assert_int_equal(write_job(recorder, badly[0], "failed", 1, 0), 0);
    assert_int_equal(write_job(recorder, badly[1], "killed", 0, 9), 0);
    assert_int_equal(recorder_close(recorder), 0);
    FILE *file = fopen(tsv_path, "a"); /* a broken line: not all of the command, perhaps */
    assert_non_null(file);
    (void)fputs("8\t:\t1\t1\t0\t0\t0\t0\tgzip", file);
    assert_int_equal(fclose(file), 0);

    struct report_options options = {.log = tsv_path, .resume = true, .redo_failed = true};
    recorder = open_or_fail(&options, &map);
    for (size_t i = 0; i < COUNT_OF(well); i++)
        assert_true(skips(recorder, well[i]));
    for (size_t i = 0; i < COUNT_OF(badly); i++) {
        assert_int_equal(before(recorder, badly[i]), BEFORE_FAILED);
        assert_false(skips(recorder, badly[i]));
    }
    assert_false(skips(recorder, "gzip"));
    assert_false(skips(recorder, "Command"));
    assert_int_equal(write_job(recorder, "false", "ok", 0, 0), 0);
    assert_int_equal(recorder_close(recorder), 0);
    options.redo_failed = false;
    recorder = open_or_fail(&options, &map);
    assert_int_equal(before(recorder, "false"), BEFORE_OK);
    assert_true(skips(recorder, "kill -9 $$"));
    assert_int_equal(recorder_close(recorder), 0);
}

/* As GNU parallel 20221122 writes them. */
static void test_parallels_own_joblog_is_read(void **state)
{
    (void)state;
    put(tsv_path, "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
                  "1\t:\t1700000000.123\t     0.001\t0\t2\t0\t0\techo 1\n"
                  "2\t:\t1700000000.124\t     0.002\t0\t0\t1\t0\tfalse\n"
                  "3\t:\t1700000000.124\t     0.002\t0\t0\tx\t0\tno number\n");
    struct report_options options = {.log = tsv_path, .resume = true};
    struct recorder *recorder = open_or_fail(&options, &map);
    assert_int_equal(before(recorder, "echo 1"), BEFORE_OK);
    assert_int_equal(before(recorder, "false"), BEFORE_FAILED);
    assert_int_equal(before(recorder, "no number"), BEFORE_NOTHING);
    assert_int_equal(recorder_close(recorder), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RECORD_TEST(test_resume_skips_what_was_done_well_or_not),
        RECORD_TEST(test_redo_failed_skips_what_was_done_well),
        RECORD_TEST(test_nothing_is_skipped_when_it_was_not_asked_for),
        RECORD_TEST(test_last_entry_counts),
        RECORD_TEST(test_what_was_skipped_for_the_log_is_not_written_to_it),
        RECORD_TEST(test_strange_lines_are_passed_over),
        RECORD_TEST(test_members_are_found_wherever_they_are),
        RECORD_TEST(test_broken_last_line_is_ended_before_ours),
        RECORD_TEST(test_long_log_is_read_whole),
        RECORD_TEST(test_two_runs_do_not_cut_each_others_lines),
        RECORD_TEST(test_joblog_has_parallels_columns),
        RECORD_TEST(test_joblog_is_gone_on_from),
        RECORD_TEST(test_parallels_own_joblog_is_read),
    };
    return record_main("going on from a log", tests, COUNT_OF(tests));
}
