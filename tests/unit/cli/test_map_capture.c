/* SPDX-License-Identifier: MIT */
/*
 * What a job writes is kept, and shown whole when it has ended: real programs, a screen that remembers.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "capture_jobs.h"

static const struct map_options plain = {.buffer = 64 * MEBI};

static const char *link_of(const struct capture *capture, char out[256])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", capture_descriptor(capture, 1));
    ssize_t size = readlink(path, out, 255);
    out[size > 0 ? size : 0] = '\0';
    return out;
}

static bool in_memory(const struct capture *capture)
{
    char link[256];
    return strstr(link_of(capture, link), "memfd:") != NULL;
}

/* --- group ----------------------------------------------------------------------------------- */

SCENARIO(group_shows_both_apart_when_it_has_ended)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    struct running job;
    EXPECT_CODE(
        job_start(outputs, 1, NULL, "echo a; echo x >&2; read x; echo b; printf y >&2", &job), 0);
    EXPECT_CODE(job_poke(&job), 0);
    EXPECT_CODE(job_wait(&job), 0);
    EXPECT(screen->out.size == 0 && screen->err.size == 0);
    EXPECT(capture_size(job.capture, 1) == 4 && capture_size(job.capture, 2) == 3);
    EXPECT_CODE(capture_deliver(job.capture, false), 0);
    EXPECT(strcmp(screen->out.text, "a\nb\n") == 0 && screen->out.calls == 1);
    EXPECT(strcmp(screen->err.text, "x\ny") == 0 && screen->err.calls == 1);
    EXPECT(screen->misuses == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(group_writes_nothing_for_who_wrote_nothing)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    struct capture *capture;
    EXPECT_CODE(job_do(outputs, 1, "tag", ":", &capture), 0);
    EXPECT(capture_size(capture, 1) == 0 && capture_size(capture, 2) == 0);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(screen->out.calls == 0 && screen->err.calls == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* A process left behind holds the file open; it is not waited for, and no other job has its words. */
SCENARIO(group_is_not_held_up_by_who_was_left_behind)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    int gate[2], done[2];
    EXPECT(pipe2(gate, 0) == 0 && pipe2(done, O_CLOEXEC) == 0);
    struct running job;
    job.capture = capture_begin(outputs, 1, NULL);
    EXPECT(job.capture != NULL);
    job.program = sil_program_start(&(sil_program_options){
        .arguments =
            (const char *const[]){"/bin/sh", "-c",
                                  "exec 3<&0 4>&2 2>&1; { read x <&3; echo late; echo . >&4; } &"
                                  " echo done",
                                  NULL},
        .input = gate[0],
        .output = capture_descriptor(job.capture, 1),
        .error = done[1],
    });
    EXPECT(job.program != NULL);
    capture_started(job.capture);
    EXPECT_CODE(job_wait(&job), 0);
    EXPECT_CODE(capture_deliver(job.capture, false), 0);
    EXPECT(strcmp(screen->out.text, "done\n") == 0);
    struct capture *next = capture_begin(outputs, 2, NULL);
    char dot;
    EXPECT(write(gate[1], "\n", 1) == 1 && read(done[0], &dot, 1) == 1);
    capture_ended(next);
    EXPECT(capture_size(next, 1) == 0);
    EXPECT_CODE(capture_deliver(next, false), 0);
    for (int i = 0; i < 2; i++)
        EXPECT(close(gate[i]) == 0 && close(done[i]) == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* As with any file, what is there is cut off; but no hole is left. */
SCENARIO(group_has_no_hole_when_a_job_opens_it_anew)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    struct capture *capture;
    EXPECT_CODE(job_do(outputs, 1, NULL,
                       "echo lost; echo a >/dev/stdout; echo b; echo c >>/dev/stdout", &capture),
                0);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(strcmp(screen->out.text, "a\nb\nc\n") == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* By a process left behind, between the job's end and the moment its output is written. */
SCENARIO(group_shows_what_is_left_when_it_was_cut_off)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    struct capture *capture = job_play(outputs, 1, "0123456789");
    EXPECT(ftruncate(capture_descriptor(capture, 1), 4) == 0);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(strcmp(screen->out.text, "0123") == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(discard_shows_nothing_of_a_try)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    struct capture *capture;
    EXPECT_CODE(job_do(outputs, 1, NULL, "echo bad; exit 1", &capture), 0);
    capture_discard(capture);
    capture_discard(NULL);
    EXPECT_CODE(job_do(outputs, 1, NULL, "echo good", &capture), 0);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(strcmp(screen->out.text, "good\n") == 0);
    capture_discard(capture_begin(outputs, 2, NULL)); /* one that was never started */
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(last_is_shown_by_flush)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    EXPECT_CODE(capture_deliver(job_play(outputs, 1, "failed\n"), true), 0);
    EXPECT_CODE(capture_deliver(job_play(outputs, 2, "ok\n"), false), 0);
    EXPECT(strcmp(screen->out.text, "ok\n") == 0);
    outputs_flush(outputs);
    EXPECT(strcmp(screen->out.text, "ok\nfailed\n") == 0);
    EXPECT_CODE(capture_deliver(job_play(outputs, 3, "never\n"), true), 0);
    outputs_destroy(outputs);
    EXPECT(strcmp(screen->out.text, "ok\nfailed\n") == 0);
    screen_destroy(screen);
    return 0;
}

SCENARIO(deliver_says_why_when_our_output_fails)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    screen->error = EPIPE;
    EXPECT_CODE(capture_deliver(job_play(outputs, 1, "a"), false), EPIPE);
    screen->error = ENOSPC;
    EXPECT_CODE(capture_deliver(job_play(outputs, 2, "a"), false), ENOSPC);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(deliver_waits_in_its_own_coroutine_when_nobody_reads)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    (void)sil_event_clear(screen->open);
    int error[2];
    sil_future *first = go_deliver(job_play(outputs, 1, "1\n"), &error[0]);
    sil_future *second = go_deliver(job_play(outputs, 2, "2\n"), &error[1]);
    give_way(10);
    EXPECT(!sil_future_done(first) && !sil_future_done(second));
    struct capture *third;
    EXPECT_CODE(job_do(outputs, 3, NULL, "echo 3", &third), 0);
    (void)sil_event_set(screen->open);
    EXPECT_CODE(capture_deliver(third, false), 0);
    EXPECT_CODE(sil_take(first, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(second, NULL, SIL_FOREVER), 0);
    EXPECT(error[0] == 0 && error[1] == 0 && screen->misuses == 0);
    EXPECT(strcmp(screen->out.text, "1\n2\n3\n") == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(raw_inherits)
{
    (void)arg, (void)result;
    struct map_options options = plain;
    options.output = OUTPUT_RAW;
    options.keep_order = true;
    struct outputs *outputs = outputs_create(&options, NULL, false);
    EXPECT_CODE(outputs_admit(outputs, 1000000), 0);
    struct capture *capture = capture_begin(outputs, 5, "tag");
    EXPECT(capture_descriptor(capture, 1) == SIL_INHERIT);
    EXPECT(capture_descriptor(capture, 2) == SIL_INHERIT);
    capture_started(capture);
    capture_ended(capture);
    json_t *none = capture_json(capture, 1);
    EXPECT(json_is_null(none));
    json_decref(none);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    outputs_destroy(outputs);
    return 0;
}

/* --- labels ---------------------------------------------------------------------------------- */

SCENARIO(tag_stands_before_each_line)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    struct capture *capture;
    char tag[] = "T 1";
    EXPECT_CODE(job_do(outputs, 1, tag, "echo a; echo; printf b; printf 'x\\ny\\n' >&2", &capture),
                0);
    memset(tag, 'z', 3); /* it was copied */
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(strcmp(screen->out.text, "T 1\ta\nT 1\t\nT 1\tb\n") == 0);
    EXPECT(strcmp(screen->err.text, "T 1\tx\nT 1\ty\n") == 0);
    EXPECT_CODE(job_do(outputs, 2, "", "echo c", &capture), 0);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(strstr(screen->out.text, "b\n\tc\n") != NULL);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* Longer than the buffers, with lines longer than they are; two jobs at the same time. */
SCENARIO(tag_keeps_a_large_output_in_one_piece)
{
    (void)arg, (void)result;
    enum { SIZE = 300000 };
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&plain, screen, false);
    char *text[2], *at;
    struct capture *captures[2];
    int error[2];
    sil_future *futures[2];
    for (int i = 0; i < 2; i++) {
        text[i] = at = malloc(SIZE);
        EXPECT(at != NULL);
        memset(at, 'a' + i, SIZE);
        for (int end = 3000; end < 100000; end += 3001)
            at[end] = '\n';
        at[SIZE - 1] = '\n';
        captures[i] = capture_begin(outputs, (uint64_t)i + 1, i == 0 ? "0" : "1");
        EXPECT(write(capture_descriptor(captures[i], 1), at, SIZE) == SIZE);
        EXPECT(write(capture_descriptor(captures[i], 2), at, SIZE) == SIZE);
        capture_ended(captures[i]);
        futures[i] = go_deliver(captures[i], &error[i]);
    }
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    const struct seen *seen[2] = {&screen->out, &screen->err};
    for (int k = 0; k < 2; k++) {
        const char *read = seen[k]->text;
        for (int i = 0; i < 2; i++) {
            for (int from = 0; from < SIZE; from++) {
                if (from == 0 || text[i][from - 1] == '\n') {
                    EXPECT(read[0] == '0' + i && read[1] == '\t');
                    read += 2;
                }
                EXPECT(*read++ == text[i][from]);
            }
        }
        EXPECT(*read == '\0');
    }
    free(text[0]);
    free(text[1]);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* --- the budget ------------------------------------------------------------------------------ */

SCENARIO(beyond_the_budget_files_are_used)
{
    (void)arg, (void)result;
    struct map_options options = {.buffer = 10};
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&options, screen, false);
    struct capture *first = capture_begin(outputs, 1, NULL);
    struct capture *second = capture_begin(outputs, 2, NULL);
    EXPECT(in_memory(first) && in_memory(second));
    EXPECT(write(capture_descriptor(first, 1), "0123456789", 10) == 10); /* it still runs */
    struct capture *third = capture_begin(outputs, 3, NULL);
    char link[256];
    EXPECT(!in_memory(third) && strstr(link_of(third, link), "(deleted)") != NULL);
    EXPECT(write(capture_descriptor(third, 1), "third", 5) == 5);
    capture_discard(first);
    struct capture *fourth = capture_begin(outputs, 4, NULL);
    EXPECT(in_memory(fourth));
    EXPECT_CODE(capture_deliver(third, false), 0);
    EXPECT(strcmp(screen->out.text, "third") == 0);
    capture_discard(second);
    capture_discard(fourth);
    EXPECT(outputs->held == 0 && outputs->open == 0 && outputs->running == NULL);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(running_ones_are_looked_at_in_turns)
{
    (void)arg, (void)result;
    enum { MANY = 100 };
    struct map_options options = {.buffer = MANY};
    struct outputs *outputs = outputs_create(&options, NULL, false);
    struct capture *captures[MANY];
    for (int i = 0; i < MANY; i++) {
        captures[i] = capture_begin(outputs, (uint64_t)i + 1, NULL);
        EXPECT(captures[i] != NULL && in_memory(captures[i]));
    }
    for (int i = 0; i < MANY; i++)
        EXPECT(write(capture_descriptor(captures[i], 2), "12", 2) == 2);
    for (int i = 0; i < MANY / 2; i++)
        capture_discard(capture_begin(outputs, MANY + 1, NULL));
    EXPECT(outputs->held == 2 * MANY);
    for (int i = 0; i < MANY; i++)
        capture_discard(captures[i]);
    EXPECT(outputs->held == 0);
    outputs_destroy(outputs);
    return 0;
}

SCENARIO(begin_fails_when_there_is_no_tmpdir)
{
    (void)arg, (void)result;
    struct map_options options = {.buffer = 0};
    EXPECT(setenv("TMPDIR", "/nonexistent/folder", 1) == 0);
    struct outputs *outputs = outputs_create(&options, NULL, false);
    EXPECT(unsetenv("TMPDIR") == 0);
    EXPECT(capture_begin(outputs, 1, NULL) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), ENOENT);
    EXPECT(strstr(sil_error_message(sil_last_error()), "/nonexistent/folder") != NULL);
    EXPECT(outputs->open == 0);
    outputs_destroy(outputs);
    return 0;
}

SCENARIO(admit_waits_when_tmpdir_is_nearly_full)
{
    (void)arg, (void)result;
    struct map_options options = {.buffer = 0};
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&options, screen, false);
    outputs->reserve = UINT64_MAX;
    EXPECT_CODE(outputs_admit(outputs, 1), 0); /* nobody else could make room */
    struct capture *capture = job_play(outputs, 1, "a");
    sil_future *second = go_admit(outputs, 2);
    give_way(5);
    EXPECT(!sil_future_done(second));
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT_CODE(sil_take(second, NULL, SIL_FOREVER), 0);
    capture = job_play(outputs, 2, "b");
    EXPECT_CODE(capture_deliver(capture, true), 0); /* until the end of the run */
    EXPECT_CODE(outputs_admit(outputs, 3), 0);
    outputs_flush(outputs);
    EXPECT(strcmp(screen->out.text, "ab") == 0 && outputs->open == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* --- saved ----------------------------------------------------------------------------------- */

static bool holds(const char *folder, const char *name, const char *text)
{
    char path[256], read[64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    size_t size = file != NULL ? fread(read, 1, sizeof read - 1, file) : 0;
    read[size] = '\0';
    return file != NULL && fclose(file) == 0 && strcmp(read, text) == 0 && unlink(path) == 0;
}

SCENARIO(save_writes_files_and_shows_nothing)
{
    (void)arg, (void)result;
    char top[] = "/tmp/sillon-test-XXXXXX", folder[64], refused[96];
    EXPECT(mkdtemp(top) != NULL);
    (void)snprintf(folder, sizeof folder, "%s/a/b", top);
    struct map_options options = plain;
    options.save = folder;
    options.output = OUTPUT_LINE;
    options.keep_order = true;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&options, screen, false);
    EXPECT(outputs != NULL);
    struct capture *capture;
    EXPECT_CODE(job_do(outputs, 12, NULL, "echo bad", &capture), 0);
    capture_discard(capture);
    EXPECT_CODE(job_do(outputs, 12, "tag", "echo a; echo b >&2", &capture), 0);
    EXPECT(capture_size(capture, 1) == 2);
    json_t *text = capture_json(capture, 2);
    EXPECT(json_is_string(text) && strcmp(json_string_value(text), "b\n") == 0);
    json_decref(text);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(screen->out.calls == 0 && screen->err.calls == 0);
    EXPECT(holds(folder, "12.out", "a\n") && holds(folder, "12.err", "b\n"));
    outputs_destroy(outputs);

    (void)snprintf(refused, sizeof refused, "%s/file", folder);
    FILE *file = fopen(refused, "w");
    EXPECT(file != NULL && fclose(file) == 0);
    (void)snprintf(refused, sizeof refused, "%s/file/c", folder);
    options.save = refused;
    EXPECT(outputs_create(&options, screen, false) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), ENOTDIR);
    EXPECT(holds(folder, "file", "") && rmdir(folder) == 0);
    (void)snprintf(folder, sizeof folder, "%s/a", top);
    EXPECT(rmdir(folder) == 0 && rmdir(top) == 0);
    screen_destroy(screen);
    return 0;
}

/* --- objects --------------------------------------------------------------------------------- */

SCENARIO(json_has_text_or_base64)
{
    (void)arg, (void)result;
    struct map_options options = plain;
    options.output = OUTPUT_LINE;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&options, screen, true);
    struct capture *capture;
    EXPECT_CODE(
        job_do(outputs, 1, NULL, "printf 'a\\303\\251\\n'; printf '\\377\\n' >&2", &capture), 0);
    json_t *text = capture_json(capture, 1), *bytes = capture_json(capture, 2);
    EXPECT(json_is_string(text) && strcmp(json_string_value(text), "a\303\251\n") == 0);
    EXPECT(strcmp(json_string_value(json_object_get(bytes, "base64")), "/wo=") == 0);
    json_decref(text);
    json_decref(bytes);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT_CODE(job_do(outputs, 2, NULL, ":", &capture), 0);
    text = capture_json(capture, 1);
    EXPECT(json_is_string(text) && json_string_length(text) == 0);
    json_decref(text);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(screen->out.calls == 0 && screen->err.calls == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* The limit cuts through a character of two bytes. */
SCENARIO(json_has_the_beginning_when_it_is_too_large)
{
    (void)arg, (void)result;
    struct outputs *outputs = outputs_create(&plain, NULL, true);
    struct capture *capture = capture_begin(outputs, 1, NULL);
    int fd = capture_descriptor(capture, 1);
    EXPECT(write(fd, "a", 1) == 1);
    static char block[1 << 16];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i % 2 == 0 ? 0xC3 : 0xA9);
    for (size_t size = 0; size <= 16 * MEBI; size += sizeof block)
        EXPECT(write(fd, block, sizeof block) == (ssize_t)sizeof block);
    capture_ended(capture);
    json_t *object = capture_json(capture, 1);
    EXPECT(json_is_true(json_object_get(object, "truncated")));
    EXPECT(json_string_length(json_object_get(object, "head")) == 16 * MEBI - 1);
    json_decref(object);
    capture_discard(capture);
    outputs_destroy(outputs);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_group_shows_both_apart_when_it_has_ended),
        TEST(test_group_writes_nothing_for_who_wrote_nothing),
        TEST(test_group_is_not_held_up_by_who_was_left_behind),
        TEST(test_group_has_no_hole_when_a_job_opens_it_anew),
        TEST(test_group_shows_what_is_left_when_it_was_cut_off),
        TEST(test_discard_shows_nothing_of_a_try),
        TEST(test_last_is_shown_by_flush),
        TEST(test_deliver_says_why_when_our_output_fails),
        TEST(test_deliver_waits_in_its_own_coroutine_when_nobody_reads),
        TEST(test_raw_inherits),
        TEST(test_tag_stands_before_each_line),
        TEST(test_tag_keeps_a_large_output_in_one_piece),
        TEST(test_beyond_the_budget_files_are_used),
        TEST(test_running_ones_are_looked_at_in_turns),
        TEST(test_begin_fails_when_there_is_no_tmpdir),
        TEST(test_admit_waits_when_tmpdir_is_nearly_full),
        TEST(test_save_writes_files_and_shows_nothing),
        TEST(test_json_has_text_or_base64),
        TEST(test_json_has_the_beginning_when_it_is_too_large),
    };
    begin_scenarios();
    return test_run("what jobs write", tests);
}
