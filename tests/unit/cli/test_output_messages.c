/* SPDX-License-Identifier: MIT */
/*
 * Messages are whole lines, and who speaks does not wait for a reader that does not read.
 */
#include "screen_rig.h"

static struct rig rig;
static int fds[2];

static int open_pipe(bool out_too)
{
    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    rig_init(&rig, out_too ? fds[1] : 1, fds[1]);
    return rig_open(&rig);
}

static void close_pipe(void)
{
    rig_close(&rig);
    close_both(fds);
}

SCENARIO(message_is_a_line_that_begins_with_the_command)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    char large[5000];
    memset(large, 'l', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    EXPECT_CODE(open_pipe(false), 0);
    screen_say(rig.screen, "%d of %s", 3, "four");
    screen_say(rig.screen, "%s", large);
    seen_read(&seen, fds[0]);
    static const char first[] = "sillon test: 3 of four\nsillon test: ";
    EXPECT(strncmp(seen.text, first, strlen(first)) == 0);
    EXPECT(seen.size == strlen(first) + sizeof large);
    EXPECT(strspn(seen.text + strlen(first), "l") == sizeof large - 1);
    EXPECT(seen.text[seen.size - 1] == '\n');
    close_pipe();
    seen_fini(&seen);
    return 0;
}

SCENARIO(nothing_is_said_when_quiet_twice)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT_CODE(open_pipe(false), 0);
    rig.options.quiet = 1;
    screen_say(rig.screen, "a");
    rig.options.quiet = 2;
    screen_say(rig.screen, "b");
    EXPECT_CODE(screen_err(rig.screen, "c", 1), 0); /* a job's own */
    seen_read(&seen, fds[0]);
    EXPECT(strcmp(seen.text, "sillon test: a\nc") == 0);
    close_pipe();
    seen_fini(&seen);
    return 0;
}

/* Numbered lines, and what errors jobs wrote among them. */
static bool is_in_order(const char *text, int count)
{
    for (int i = 0; i < count; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "sillon test: number %d\n", i);
        if (strncmp(text, line, strlen(line)) != 0)
            return false;
        text += strlen(line);
    }
    return *text == '\0';
}

SCENARIO(who_speaks_does_not_wait_when_nobody_reads)
{
    (void)arg, (void)result;
    enum { MESSAGES = 4500 }; /* more than the pipe takes, by less than 64 KiB */
    struct seen seen = {0};
    EXPECT_CODE(open_pipe(false), 0);
    sil_future *other = sil_go(task_nothing, NULL, 0, 0);
    for (int i = 0; i < MESSAGES; i++)
        screen_say(rig.screen, "number %d", i);
    EXPECT(!sil_future_done(other)); /* nobody has waited */
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    SOON((seen_read(&seen, fds[0]), is_in_order(seen.text, MESSAGES)));
    close_pipe();
    seen_fini(&seen);
    return 0;
}

static int say_much(void *arg, void *result)
{
    (void)result;
    for (int i = 0; i < *(int *)arg; i++)
        screen_say(rig.screen, "number %d", i);
    return 0;
}

SCENARIO(memory_is_bounded_when_very_much_is_said)
{
    (void)arg, (void)result;
    int messages = 20000;
    struct seen seen = {0};
    EXPECT_CODE(open_pipe(false), 0);
    sil_future *speaker = sil_go(say_much, &messages, sizeof messages, 0);
    give_way(20);
    EXPECT(!sil_future_done(speaker));
    EXPECT(rig.screen->said.size < 100000);
    SOON((seen_read(&seen, fds[0]), sil_future_done(speaker)));
    SOON((seen_read(&seen, fds[0]), is_in_order(seen.text, messages)));
    EXPECT_CODE(sil_take(speaker, NULL, SIL_FOREVER), 0);
    close_pipe();
    seen_fini(&seen);
    return 0;
}

static int write_large(void *arg, void *result)
{
    (void)arg, (void)result;
    enum { LARGE = 300000 };
    char *bytes = malloc(LARGE);
    memset(bytes, 'x', LARGE);
    int error = screen_out(rig.screen, bytes, LARGE);
    free(bytes);
    return error;
}

SCENARIO(message_follows_the_result_when_both_go_the_same_way)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT_CODE(open_pipe(true), 0);
    sil_future *writer = sil_go(write_large, NULL, 0, 0);
    give_way(5);
    screen_say(rig.screen, "number 0");
    screen_say(rig.screen, "number 1");
    SOON((seen_read(&seen, fds[0]), sil_future_done(writer)));
    EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), 0);
    seen_read(&seen, fds[0]);
    EXPECT(strspn(seen.text, "x") == 300000 && is_in_order(seen.text + 300000, 2));
    close_pipe();
    seen_fini(&seen);
    return 0;
}

/* The first half of a line that did not fit is never followed by something else. */
SCENARIO(what_is_written_next_comes_behind_what_was_said)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT_CODE(open_pipe(false), 0);
    for (int i = 0; i < 4000; i++)
        screen_say(rig.screen, "number %d", i);
    EXPECT(rig.screen->said.size > 0);
    sil_future *speaker = sil_go(say_much, &(int){1}, sizeof(int), 0);
    give_way(3);
    SOON((seen_read(&seen, fds[0]), rig.screen->said.size == 0));
    EXPECT_CODE(screen_err(rig.screen, "job's", 5), 0);
    EXPECT_CODE(sil_take(speaker, NULL, SIL_FOREVER), 0);
    seen_read(&seen, fds[0]);
    static const char last[] = "sillon test: number 0\njob's";
    EXPECT(seen.size > strlen(last));
    EXPECT(strcmp(seen.text + seen.size - strlen(last), last) == 0);
    seen.text[seen.size - strlen(last)] = '\0';
    EXPECT(is_in_order(seen.text, 4000));
    close_pipe();
    seen_fini(&seen);
    return 0;
}

SCENARIO(nobody_fails_when_the_reader_of_errors_goes)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_pipe(false), 0);
    for (int i = 0; i < 4000; i++)
        screen_say(rig.screen, "number %d", i);
    (void)close(fds[0]);
    give_way(3);
    for (int i = 0; i < 4000; i++)
        screen_say(rig.screen, "number %d", i);
    EXPECT_CODE(screen_err(rig.screen, "a", 1), EPIPE);
    EXPECT_CODE(screen_error(rig.screen), 0); /* it is standard output's */
    rig_close(&rig);
    (void)close(fds[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_message_is_a_line_that_begins_with_the_command),
        TEST(test_nothing_is_said_when_quiet_twice),
        TEST(test_who_speaks_does_not_wait_when_nobody_reads),
        TEST(test_memory_is_bounded_when_very_much_is_said),
        TEST(test_message_follows_the_result_when_both_go_the_same_way),
        TEST(test_what_is_written_next_comes_behind_what_was_said),
        TEST(test_nobody_fails_when_the_reader_of_errors_goes),
    };
    begin_scenarios();
    return test_run("output messages", tests);
}
