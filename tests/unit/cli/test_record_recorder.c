/* SPDX-License-Identifier: MIT */
/*
 * The recorder: whole lines to whoever wants them, and no word lost of what went wrong.
 */
#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>

#include "unit/cli/record.h"

/* --- what is written ------------------------------------------------------------------------ */

static void test_nothing_is_wanted_when_nothing_was_asked_for(void **state)
{
    (void)state;
    struct recorder *recorder = open_or_fail(&(struct report_options){0}, &map);
    assert_false(recorder_wants(recorder));
    assert_false(recorder_on_stdout(recorder));
    assert_int_equal(write_item(recorder, "a", "ok"), 0);
    assert_false(skips(recorder, "a"));
    assert_int_equal(recorder_close(recorder), 0);
    assert_int_equal(recorder_close(NULL), 0);
}

static void test_members_stay_in_order_and_moment_and_id_follow(void **state)
{
    (void)state;
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = log_path}, &map);
    assert_int_equal(write_item(recorder, "a", "ok"), 0);
    assert_int_equal(recorder_close(recorder), 0);
    const char *text = text_of(log_path);
    assert_lines(text, 1);
    const char *begin =
        "{\"type\":\"job\",\"status\":\"ok\",\"exit\":3,\"wall\":0.25,\"signal\":null,\"ts\":\"20";
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    const char *id = strstr(text, ",\"id\":\"");
    assert_non_null(id);
    assert_string_equal(id + strlen(",\"id\":\"") + 32, "\"}\n");
}

static void test_json_file_is_made_anew_and_log_goes_on(void **state)
{
    (void)state;
    struct report_options options = {.json = json_path, .log = log_path};
    put(json_path, "old");
    for (size_t run = 1; run <= 2; run++) {
        struct recorder *recorder = open_or_fail(&options, &map);
        assert_true(recorder_wants(recorder));
        assert_false(recorder_on_stdout(recorder));
        assert_int_equal(write_item(recorder, "a", "ok"), 0);
        assert_int_equal(
            recorder_write(recorder, json_pack("{ss}", "type", "summary"), NULL, 0, NULL), 0);
        assert_int_equal(recorder_close(recorder), 0);
        assert_lines(text_of(json_path), 2);
        assert_lines(text_of(log_path), 2 * run);
    }
    assert_string_equal(shown, "");
}

static void test_standard_output_alone_gets_what_is_full(void **state)
{
    (void)state;
    char forms[][5] = {"", "-", "full"};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        shown[0] = '\0';
        remove_files();
        struct recorder *recorder =
            open_or_fail(&(struct report_options){.json = forms[i], .log = log_path}, &map);
        recorder_use(recorder, NULL);
        assert_true(recorder_on_stdout(recorder));
        assert_int_equal(recorder_write(recorder, json_pack("{ss}", "status", "ok"), "a", 1,
                                        json_pack("{ss}", "stdout", "hello")),
                         0);
        assert_int_equal(recorder_close(recorder), 0);
        assert_contains(shown, "\"stdout\":\"hello\"}\n");
        assert_lines(shown, 1);
        assert_lines(text_of(log_path), 1);
        assert_null(strstr(text_of(log_path), "hello"));
    }
}

static void test_failure_of_standard_output_is_returned_and_the_log_goes_on(void **state)
{
    (void)state;
    char empty[] = "";
    struct recorder *recorder =
        open_or_fail(&(struct report_options){.json = empty, .log = log_path}, &map);
    screen_code = EPIPE;
    assert_int_equal(write_item(recorder, "a", "ok"), EPIPE);
    assert_int_equal(recorder_error(recorder), 0);
    assert_int_equal(recorder_close(recorder), 0);
    assert_lines(text_of(log_path), 1);
}

static void test_no_object_is_an_error_that_stays(void **state)
{
    (void)state;
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = log_path}, &map);
    assert_int_equal(recorder_write(recorder, NULL, "a", 1, json_object()), ENOMEM);
    assert_int_equal(write_item(recorder, "a", "ok"), 0);
    assert_int_equal(recorder_error(recorder), ENOMEM);
    assert_int_equal(recorder_close(recorder), ENOMEM);
}

static void test_full_disk_is_told_and_stays(void **state)
{
    (void)state;
    char full[] = "/dev/full";
    struct recorder *recorder =
        open_or_fail(&(struct report_options){.json = json_path, .log = full}, &map);
    assert_int_equal(write_item(recorder, "a", "ok"), ENOSPC);
    assert_int_equal(write_item(recorder, "b", "ok"), ENOSPC);
    assert_int_equal(recorder_error(recorder), ENOSPC);
    assert_int_equal(recorder_close(recorder), ENOSPC);
    assert_lines(text_of(json_path), 2); /* which is not full */
}

/* --- what cannot be opened ------------------------------------------------------------------ */

static void assert_refused(const struct report_options *options, const struct syntax *syntax,
                           int expected)
{
    int status = -1;
    assert_null(recorder_open(options, syntax, &status));
    assert_int_equal(status, expected);
}

static void test_file_that_cannot_be_made_is_refused(void **state)
{
    (void)state;
    char nowhere[80];
    path_in(nowhere, sizeof(nowhere), "no/such/folder");
    assert_refused(&(struct report_options){.log = nowhere}, &map, STATUS_BAD_USAGE);
    assert_refused(&(struct report_options){.json = nowhere}, &map, STATUS_BAD_USAGE);
    assert_refused(&(struct report_options){.json = folder}, &map, STATUS_BAD_USAGE);
    assert_refused(&(struct report_options){.log = folder, .resume = true}, &map, STATUS_BAD_USAGE);
}

static void test_resuming_is_refused_when_there_is_no_log(void **state)
{
    (void)state;
    assert_refused(&(struct report_options){.resume = true}, &map, STATUS_BAD_USAGE);
    assert_refused(&(struct report_options){.redo_failed = true}, &get, STATUS_BAD_USAGE);
}

static void test_joblog_is_refused_when_it_is_not_map(void **state)
{
    (void)state;
    assert_refused(&(struct report_options){.log = tsv_path}, &get, STATUS_BAD_USAGE);
    assert_string_equal(text_of(tsv_path), "none");
}

static void test_one_file_for_both_is_refused_and_left_as_it_is(void **state)
{
    (void)state;
    run_before(log_path);
    assert_refused(&(struct report_options){.log = log_path, .json = log_path}, &map,
                   STATUS_BAD_USAGE);
    assert_lines(text_of(log_path), 7);
    assert_refused(&(struct report_options){.log = tsv_path, .json = tsv_path}, &map,
                   STATUS_BAD_USAGE);
}

static void test_dry_run_writes_nothing_and_knows_what_is_done(void **state)
{
    (void)state;
    run_before(log_path);
    put(json_path, "old");
    struct report_options options = {
        .log = log_path, .json = json_path, .resume = true, .dry_run = true};
    struct recorder *recorder = open_or_fail(&options, &map);
    assert_false(recorder_wants(recorder));
    assert_int_equal(write_item(recorder, "new", "ok"), 0);
    assert_true(skips(recorder, "ok"));
    assert_int_equal(recorder_close(recorder), 0);
    assert_lines(text_of(log_path), 7);
    assert_string_equal(text_of(json_path), "old");
}

/* --- files that let one wait ---------------------------------------------------------------- */

static int write_many(void *arg, void *result)
{
    (void)result;
    struct recorder *recorder = *(struct recorder **)arg;
    char large[3000];
    memset(large, 'x', sizeof(large));
    for (int i = 0; i < 100; i++) {
        json_t *object = json_pack("{ss ss#}", "status", "ok", "large", large, sizeof(large));
        EXPECT(recorder_write(recorder, object, "a", 1, NULL) == 0);
    }
    return 0;
}

/* The reader does not read before all that can be written without it has been. */
SCENARIO(lines_to_a_pipe_stay_whole_and_hold_up_only_their_coroutines)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
    char path[64];
    (void)snprintf(path, sizeof(path), "/dev/fd/%d", fds[1]);
    int status;
    struct recorder *recorder =
        recorder_open(&(struct report_options){.json = path}, &map, &status);
    EXPECT(recorder != NULL);
    (void)close(fds[1]);
    enum { WRITERS = 3 };
    sil_future *writers[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        writers[i] = sil_go(write_many, (void *)&recorder, sizeof recorder, 0);
    give_way(20);
    (void)sil_future_cancel(writers[0]); /* not within a line */
    static char text[4000 * 100 * WRITERS];
    size_t size = 0;
    for (int done = 0; done < WRITERS;) {
        ssize_t got = read(fds[0], text + size, sizeof(text) - 1 - size);
        size += got > 0 ? (size_t)got : 0;
        (void)sil_yield();
        done = 0;
        for (int i = 0; i < WRITERS; i++)
            done += sil_future_done(writers[i]);
    }
    for (int i = 0; i < WRITERS; i++)
        (void)sil_take(writers[i], NULL, SIL_NOW);
    EXPECT(recorder_close(recorder) == 0);
    ssize_t got;
    while ((got = read(fds[0], text + size, sizeof(text) - 1 - size)) > 0)
        size += (size_t)got;
    (void)close(fds[0]);
    text[size] = '\0';
    EXPECT(count_lines(text) == WRITERS * 100);
    return 0;
}

SCENARIO(pipe_without_a_reader_is_an_error)
{
    (void)arg, (void)result;
    int fds[2], status;
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    char path[64];
    (void)snprintf(path, sizeof(path), "/dev/fd/%d", fds[1]);
    struct recorder *recorder =
        recorder_open(&(struct report_options){.json = path}, &map, &status);
    EXPECT(recorder != NULL);
    (void)close(fds[1]);
    (void)close(fds[0]);
    EXPECT(write_item(recorder, "a", "ok") == EPIPE);
    EXPECT(recorder_error(recorder) == EPIPE);
    EXPECT(recorder_close(recorder) == EPIPE);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RECORD_TEST(test_nothing_is_wanted_when_nothing_was_asked_for),
        RECORD_TEST(test_members_stay_in_order_and_moment_and_id_follow),
        RECORD_TEST(test_json_file_is_made_anew_and_log_goes_on),
        RECORD_TEST(test_standard_output_alone_gets_what_is_full),
        RECORD_TEST(test_failure_of_standard_output_is_returned_and_the_log_goes_on),
        RECORD_TEST(test_no_object_is_an_error_that_stays),
        RECORD_TEST(test_full_disk_is_told_and_stays),
        RECORD_TEST(test_file_that_cannot_be_made_is_refused),
        RECORD_TEST(test_resuming_is_refused_when_there_is_no_log),
        RECORD_TEST(test_joblog_is_refused_when_it_is_not_map),
        RECORD_TEST(test_one_file_for_both_is_refused_and_left_as_it_is),
        RECORD_TEST(test_dry_run_writes_nothing_and_knows_what_is_done),
        RECORD_TEST(test_lines_to_a_pipe_stay_whole_and_hold_up_only_their_coroutines),
        RECORD_TEST(test_pipe_without_a_reader_is_an_error),
    };
    return record_main("the recorder", tests, COUNT_OF(tests));
}
