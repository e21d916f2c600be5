/* SPDX-License-Identifier: MIT */
/*
 * -k: outputs in the order of the inputs, whatever order the jobs end in, and no more begun ahead of the
 * one whose turn it is than the window allows.
 */
#include <sys/resource.h>

#include "capture_jobs.h"
#include "support/random.h"

static const struct map_options ordered = {.buffer = 64 * MEBI, .keep_order = true, .window = 4};

static struct capture *play_number(struct outputs *outputs, uint64_t seq)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%d\n", (int)seq);
    return job_play(outputs, seq, text);
}

/* Do 1 to count, but for some, stand in it, in their order? */
static bool in_order(const char *text, int count, int but_each)
{
    for (int seq = 1; seq <= count; seq++) {
        char line[32];
        if (but_each != 0 && seq % but_each == 0)
            continue;
        int size = snprintf(line, sizeof line, "%d\n", seq);
        if (strncmp(text, line, (size_t)size) != 0)
            return false;
        text += size;
    }
    return *text == '\0';
}

SCENARIO(they_come_in_order_when_they_end_in_any)
{
    (void)arg, (void)result;
    enum { MANY = 300, SKIPPED = 7 };
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    struct random random = {11};
    size_t order[MANY];
    random_permutation(&random, order, MANY);
    for (int i = 0; i < MANY; i++) {
        uint64_t seq = order[i] + 1;
        if (seq % SKIPPED == 0)
            outputs_skip(outputs, seq);
        else
            EXPECT_CODE(capture_deliver(play_number(outputs, seq), false), 0);
    }
    EXPECT(in_order(screen->out.text, MANY, SKIPPED));
    EXPECT(outputs->open == 0 && outputs->held == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* Real programs, ended from the last to the first. */
SCENARIO(programs_come_in_order_when_the_first_ends_last)
{
    (void)arg, (void)result;
    enum { MANY = 5 };
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    struct running jobs[MANY];
    for (int i = 0; i < MANY; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "read x; echo %d; echo %d >&2", i + 1, i + 1);
        EXPECT_CODE(outputs_admit(outputs, (uint64_t)i + 1), 0);
        EXPECT_CODE(job_start(outputs, (uint64_t)i + 1, NULL, line, &jobs[i]), 0);
    }
    for (int i = MANY - 1; i >= 0; i--) {
        EXPECT(screen->out.calls == 0 && screen->err.calls == 0);
        EXPECT_CODE(job_poke(&jobs[i]), 0);
        EXPECT_CODE(job_wait(&jobs[i]), 0);
        EXPECT_CODE(capture_deliver(jobs[i].capture, false), 0);
    }
    EXPECT(in_order(screen->out.text, MANY, 0) && in_order(screen->err.text, MANY, 0));
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(admit_waits_when_the_window_is_full)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    for (uint64_t seq = 1; seq <= 5; seq++)
        EXPECT_CODE(outputs_admit(outputs, seq), 0);
    sil_future *sixth = go_admit(outputs, 6);
    for (uint64_t seq = 5; seq >= 2; seq--)
        EXPECT_CODE(capture_deliver(play_number(outputs, seq), false), 0);
    give_way(5);
    EXPECT(!sil_future_done(sixth) && screen->out.calls == 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 1), false), 0);
    EXPECT_CODE(sil_take(sixth, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(outputs_admit(outputs, 10), 0);
    EXPECT(in_order(screen->out.text, 5, 0));
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(stop_ends_the_wait_to_be_admitted)
{
    (void)arg, (void)result;
    struct outputs *outputs = outputs_create(&ordered, NULL, false);
    sil_future *far = go_admit(outputs, 100), *cancelled = go_admit(outputs, 101);
    give_way(3);
    (void)sil_future_cancel(cancelled);
    EXPECT_CODE(sil_take(cancelled, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_future_done(far) && outputs->waiting == 1);
    outputs_stop(outputs);
    EXPECT_CODE(sil_take(far, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(outputs_admit(outputs, 1), SIL_ECANCELLED);
    outputs_destroy(outputs);
    return 0;
}

SCENARIO(repeated_tries_keep_the_turn)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    capture_discard(job_play(outputs, 1, "bad\n"));
    EXPECT_CODE(capture_deliver(play_number(outputs, 2), false), 0);
    EXPECT(screen->out.calls == 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 1), false), 0);
    EXPECT(in_order(screen->out.text, 2, 0));
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(flush_shows_what_waits_and_the_failed_one_last)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    EXPECT_CODE(capture_deliver(job_play(outputs, 2, "failed\n"), true), 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 1), false), 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 3), false), 0); /* 2 has had its turn */
    EXPECT(strcmp(screen->out.text, "1\n3\n") == 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 7), false), 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 5), false), 0);
    outputs_flush(outputs);
    EXPECT(strcmp(screen->out.text, "1\n3\n5\n7\nfailed\n") == 0);
    EXPECT_CODE(capture_deliver(play_number(outputs, 6), false), 0); /* not to be lost, either */
    EXPECT(strstr(screen->out.text, "failed\n6\n") != NULL);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(skip_does_nothing_to_what_was_delivered)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    EXPECT_CODE(capture_deliver(play_number(outputs, 2), false), 0);
    outputs_skip(outputs, 2);
    outputs_skip(outputs, 3);
    outputs_skip(outputs, 3);
    EXPECT_CODE(capture_deliver(play_number(outputs, 1), false), 0);
    outputs_skip(outputs, 1);
    EXPECT(in_order(screen->out.text, 2, 0) && outputs->order.turn == 4);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(destroy_frees_what_was_never_shown)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    EXPECT_CODE(capture_deliver(play_number(outputs, 3), false), 0);
    outputs_skip(outputs, 2);
    outputs_destroy(outputs);
    outputs_destroy(NULL);
    EXPECT(screen->out.calls == 0);
    screen_destroy(screen);
    return 0;
}

/* Only who writes waits; the others leave theirs, and what waits for the turn goes on waiting. */
SCENARIO(one_waits_for_the_reader_and_the_others_go_on)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    (void)sil_event_clear(screen->open);
    int error;
    sil_future *first = go_deliver(play_number(outputs, 1), &error);
    give_way(3);
    for (uint64_t seq = 5; seq >= 2; seq--)
        EXPECT_CODE(capture_deliver(play_number(outputs, seq), false), 0);
    sil_future *sixth = go_admit(outputs, 6);
    give_way(5);
    EXPECT(!sil_future_done(first) && !sil_future_done(sixth));
    (void)sil_event_set(screen->open);
    EXPECT_CODE(sil_take(first, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(sixth, NULL, SIL_FOREVER), 0);
    EXPECT(error == 0 && in_order(screen->out.text, 5, 0));
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(error_of_the_screen_is_told_and_nothing_is_stuck)
{
    (void)arg, (void)result;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&ordered, screen, false);
    EXPECT_CODE(capture_deliver(play_number(outputs, 2), false), 0);
    screen->error = EPIPE;
    EXPECT_CODE(capture_deliver(play_number(outputs, 1), false), EPIPE);
    EXPECT_CODE(capture_deliver(play_number(outputs, 3), false), EPIPE);
    EXPECT(outputs->open == 0 && outputs->order.turn == 4);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

/* Lines cannot be shown before their turn, so they are kept. */
SCENARIO(lines_are_kept_when_they_have_an_order)
{
    (void)arg, (void)result;
    struct map_options options = ordered;
    options.output = OUTPUT_LINE;
    struct screen *screen = screen_create(NULL);
    struct outputs *outputs = outputs_create(&options, screen, false);
    struct capture *second, *first;
    EXPECT_CODE(job_do(outputs, 2, "t", "echo 2", &second), 0);
    EXPECT_CODE(capture_deliver(second, false), 0);
    EXPECT_CODE(job_do(outputs, 1, "t", "printf 1", &first), 0);
    EXPECT(screen->out.calls == 0);
    EXPECT_CODE(capture_deliver(first, false), 0);
    EXPECT(strcmp(screen->out.text, "t\t1\nt\t2\n") == 0);
    outputs_destroy(outputs);
    screen_destroy(screen);
    return 0;
}

SCENARIO(window_follows_the_slots_and_the_descriptors)
{
    (void)arg, (void)result;
    struct map_options options = {.keep_order = true};
    struct rlimit before, few;
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = (struct rlimit){1024, before.rlim_max};
    EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    struct outputs *outputs = outputs_create(&options, NULL, false);
    uint64_t by_slots[3] = {outputs->ahead};
    outputs_set_slots(outputs, 4);
    by_slots[1] = outputs->ahead;
    outputs_set_slots(outputs, 64);
    by_slots[2] = outputs->ahead;
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    EXPECT(by_slots[0] == 16 && by_slots[1] == 64);
    EXPECT(by_slots[2] >= 64 && by_slots[2] < 512);
    outputs_destroy(outputs);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_they_come_in_order_when_they_end_in_any),
        TEST(test_programs_come_in_order_when_the_first_ends_last),
        TEST(test_admit_waits_when_the_window_is_full),
        TEST(test_stop_ends_the_wait_to_be_admitted),
        TEST(test_repeated_tries_keep_the_turn),
        TEST(test_flush_shows_what_waits_and_the_failed_one_last),
        TEST(test_skip_does_nothing_to_what_was_delivered),
        TEST(test_destroy_frees_what_was_never_shown),
        TEST(test_one_waits_for_the_reader_and_the_others_go_on),
        TEST(test_error_of_the_screen_is_told_and_nothing_is_stuck),
        TEST(test_lines_are_kept_when_they_have_an_order),
        TEST(test_window_follows_the_slots_and_the_descriptors),
    };
    begin_scenarios();
    return test_run("outputs in order", tests);
}
