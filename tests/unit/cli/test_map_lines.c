/* SPDX-License-Identifier: MIT */
/*
 * --output=line: lines are shown as they come, whole, whoever else writes.
 */
#include <fcntl.h>

#include "capture_jobs.h"

static const struct map_options by_line = {.buffer = 64 * MEBI, .output = OUTPUT_LINE};

SCENARIO(lines_are_shown_while_the_job_runs)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    struct running job;
    EXPECT_CODE(
        job_start(outputs, 1, NULL,
                  "echo a; printf half; echo x >&2; read x; echo ' rest'; read x; printf end;"
                  " printf y >&2",
                  &job),
        0);
    EXPECT(fake_wait_for(screen, &screen->out, "a\n") &&
           fake_wait_for(screen, &screen->err, "x\n"));
    EXPECT_CODE(job_poke(&job), 0);
    EXPECT(fake_wait_for(screen, &screen->out, "half rest\n"));
    EXPECT(strcmp(screen->out.text, "a\nhalf rest\n") == 0);
    EXPECT_CODE(job_poke(&job), 0);
    EXPECT_CODE(job_wait(&job), 0);
    EXPECT(strcmp(screen->out.text, "a\nhalf rest\nend\n") == 0);
    EXPECT(strcmp(screen->err.text, "x\ny\n") == 0);
    EXPECT(capture_size(job.capture, 1) == 15 && capture_size(job.capture, 2) == 3);
    EXPECT_CODE(capture_deliver(job.capture, false), 0);
    EXPECT(screen->misuses == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* Each has written half a line before any writes the other half. */
SCENARIO(lines_of_many_are_not_cut_into_each_other)
{
    (void)arg, (void)result;
    enum { MANY = 40 };
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    struct running jobs[MANY];
    char expected[64], tag[16];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(tag, sizeof tag, "t%d", i);
        EXPECT_CODE(job_start(outputs, (uint64_t)i + 1, tag,
                              "printf 'be'; echo up >&2; read x; printf 'gin'; read x; echo 'ning';"
                              " printf 'two\\nthree\\n'",
                              &jobs[i]),
                    0);
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(expected, sizeof expected, "t%d\tup\n", i);
        EXPECT(fake_wait_for(screen, &screen->err, expected));
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            EXPECT_CODE(job_poke(&jobs[i]), 0);
    }
    size_t size = 0;
    for (int i = 0; i < MANY; i++) {
        EXPECT_CODE(job_wait(&jobs[i]), 0);
        EXPECT_CODE(capture_deliver(jobs[i].capture, false), 0);
        const char *const lines[] = {"beginning", "two", "three"};
        for (int k = 0; k < 3; k++) {
            size += (size_t)snprintf(expected, sizeof expected, "t%d\t%s\n", i, lines[k]);
            EXPECT(strstr(screen->out.text, expected) != NULL);
        }
    }
    EXPECT(screen->out.size == size && screen->misuses == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* Of the reader's buffer, of the pipe, of more than both; with and without an end. */
static int long_lines(size_t length, const struct map_options *options, const char *tag, bool cut)
{
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(options, screen, false);
    struct running jobs[2];
    char line[256];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(line, sizeof line,
                       "read x; head -c %zu /dev/zero | tr '\\0' %c; echo; echo end; head -c %zu "
                       "/dev/zero | tr '\\0' %c",
                       length, 'a' + i, length, 'a' + i);
        EXPECT_CODE(job_start(outputs, (uint64_t)i + 1, tag, line, &jobs[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(job_poke(&jobs[i]), 0);
    for (int i = 0; i < 2; i++) {
        EXPECT_CODE(job_wait(&jobs[i]), 0);
        EXPECT_CODE(capture_deliver(jobs[i].capture, false), 0);
    }
    size_t tag_size = tag != NULL ? strlen(tag) + 1 : 0;
    EXPECT(screen->out.size == 4 * (length + 1 + tag_size) + 2 * (4 + tag_size));
    int lines[2] = {0};
    const char *at = screen->out.text;
    for (const char *end; !cut && (end = strchr(at, '\n')) != NULL; at = end + 1) {
        at += tag_size;
        size_t same = strspn(at, *at == 'a' ? "a" : "b");
        if (strncmp(at, "end\n", 4) == 0)
            continue;
        EXPECT(same == length && at + same == end);
        lines[*at - 'a']++;
    }
    EXPECT(cut || (lines[0] == 2 && lines[1] == 2));
    EXPECT(outputs->held == 0 && outputs->open == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(lines_stay_whole_when_they_are_long)
{
    (void)arg, (void)result;
    static const size_t lengths[] = {65534, 65535, 65536, 65537, 131072, 200000, 3000000};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        EXPECT_CODE(long_lines(lengths[i], &by_line, NULL, false), 0);
        EXPECT_CODE(long_lines(lengths[i], &by_line, "label", false), 0);
    }
    struct map_options files = by_line;
    files.buffer = 0;
    return long_lines(200000, &files, "label", false);
}

/* Then all that can be done is to pass on what there is. */
SCENARIO(long_lines_come_in_parts_when_they_cannot_be_kept)
{
    (void)arg, (void)result;
    struct map_options files = by_line;
    files.buffer = 0;
    EXPECT(setenv("TMPDIR", "/nonexistent/folder", 1) == 0);
    int plain = long_lines(200000, &files, NULL, true);
    EXPECT(unsetenv("TMPDIR") == 0);
    return plain;
}

SCENARIO(who_was_left_behind_is_not_waited_for)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    int gate[2];
    EXPECT(pipe2(gate, O_CLOEXEC) == 0);
    struct running job = {.capture = capture_begin(outputs, 1, NULL)};
    job.program = sil_program_start(&(sil_program_options){
        .arguments =
            (const char *const[]){"/bin/sh", "-c",
                                  "exec 3<&0; { read x <&3; echo late; } & echo done", NULL},
        .input = gate[0],
        .output = capture_descriptor(job.capture, 1),
        .error = capture_descriptor(job.capture, 2),
    });
    EXPECT(job.program != NULL);
    capture_started(job.capture);
    EXPECT_CODE(job_wait(&job), 0);
    EXPECT(strcmp(screen->out.text, "done\n") == 0);
    EXPECT_CODE(capture_deliver(job.capture, false), 0);
    EXPECT(close(gate[0]) == 0 && close(gate[1]) == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* One that always has something more to say, too. It ends by SIGPIPE. */
SCENARIO(who_was_left_behind_and_never_stops_is_not_waited_for)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    struct capture *capture;
    EXPECT_CODE(job_do(outputs, 1, NULL, "yes & exit 0", &capture), 0);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(outputs->open == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(all_is_shown_when_nobody_reads_for_a_while)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    (void)sil_event_clear(screen->open);
    struct running job, other;
    EXPECT_CODE(job_start(outputs, 1, NULL, "echo a; read x; echo b; printf c; echo d >&2", &job),
                0);
    EXPECT_CODE(job_start(outputs, 2, NULL, ":", &other), 0);
    EXPECT_CODE(job_poke(&job), 0);
    EXPECT_CODE(sil_program_wait(job.program, NULL, sil_in(TEST_PATIENCE)), 0);
    EXPECT_CODE(job_wait(&other), 0); /* it is not held up */
    EXPECT_CODE(capture_deliver(other.capture, false), 0);
    int error;
    sil_future *delivery = go_deliver(job.capture, &error);
    give_way(10);
    EXPECT(!sil_future_done(delivery) && screen->out.calls == 0);
    (void)sil_event_set(screen->open);
    EXPECT_CODE(sil_take(delivery, NULL, SIL_FOREVER), 0);
    sil_program_close(job.program);
    EXPECT(error == 0 && strcmp(screen->out.text, "a\nb\nc\n") == 0);
    EXPECT(strcmp(screen->err.text, "d\n") == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(deliver_says_why_when_a_line_could_not_be_written)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    screen->error = EPIPE;
    struct capture *capture;
    EXPECT_CODE(job_do(outputs, 1, NULL, "head -c 1000000 /dev/zero | tr '\\0' '\\n'", &capture),
                0);
    EXPECT(capture_size(capture, 1) == 1000000); /* and the job was not stuck */
    json_t *none = capture_json(capture, 1);
    EXPECT(json_is_null(none));
    json_decref(none);
    EXPECT_CODE(capture_deliver(capture, true), EPIPE);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(nothing_is_left_of_one_that_was_not_started)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    capture_discard(capture_begin(outputs, 1, NULL)); /* its readers have not begun */
    struct capture *capture = capture_begin(outputs, 1, NULL);
    give_way(3);
    EXPECT_CODE(capture_deliver(capture, false), 0);
    EXPECT(outputs->open == 0 && screen->out.calls == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

static int end_it(void *arg, void *result)
{
    (void)result;
    capture_ended(*(struct capture **)arg);
    return 0;
}

/* A cancel of who ends the job loses no lines. */
SCENARIO(ended_takes_all_when_the_caller_is_cancelled)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&by_line, screen, false);
    struct running job;
    (void)sil_event_clear(screen->open);
    EXPECT_CODE(job_start(outputs, 1, NULL, "echo a", &job), 0);
    EXPECT_CODE(sil_program_wait(job.program, NULL, sil_in(TEST_PATIENCE)), 0);
    sil_future *future = sil_go(end_it, (void *)&job.capture, sizeof job.capture, 0);
    give_way(3);
    (void)sil_future_cancel(future);
    give_way(3);
    EXPECT(!sil_future_done(future));
    (void)sil_event_set(screen->open);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT(strcmp(screen->out.text, "a\n") == 0);
    sil_program_close(job.program);
    EXPECT_CODE(capture_deliver(job.capture, false), 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_lines_are_shown_while_the_job_runs),
        TEST(test_lines_of_many_are_not_cut_into_each_other),
        TEST(test_lines_stay_whole_when_they_are_long),
        TEST(test_long_lines_come_in_parts_when_they_cannot_be_kept),
        TEST(test_who_was_left_behind_is_not_waited_for),
        TEST(test_who_was_left_behind_and_never_stops_is_not_waited_for),
        TEST(test_all_is_shown_when_nobody_reads_for_a_while),
        TEST(test_deliver_says_why_when_a_line_could_not_be_written),
        TEST(test_nothing_is_left_of_one_that_was_not_started),
        TEST(test_ended_takes_all_when_the_caller_is_cancelled),
    };
    begin_scenarios();
    return test_run("lines of jobs", tests);
}
