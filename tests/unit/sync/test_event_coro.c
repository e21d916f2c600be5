/* SPDX-License-Identifier: MIT */
/*
 * Events between coroutines, and set from other threads.
 */
#include "unit/sync/coroutines.h"

struct start {
    sil_event *event;
    int order[3];
    int count;
};

struct runner {
    struct start *start;
    int number;
};

static int run_off(void *arg, void *result)
{
    (void)result;
    struct runner *self = *(struct runner **)arg;
    int code = sil_event_wait(self->start->event, SIL_FOREVER);
    if (code == 0)
        self->start->order[self->start->count++] = self->number;
    return code;
}

SCENARIO(event_wait)
{
    (void)arg, (void)result;
    struct start start = {.event = sil_event_create(NULL)};
    struct runner runners[3] = {{&start, 0}, {&start, 1}, {&start, 2}};
    sil_future *futures[3];
    futures[0] = go(run_off, &runners[0]);
    futures[1] = go(run_off, &runners[1]);
    settle();
    EXPECT(start.count == 0);
    futures[2] = go(run_off, &runners[2]); /* it begins after the event was set, and never waits */
    EXPECT_CODE(sil_event_set(start.event), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(start.count == 3);
    sil_event_destroy(start.event);
    return 0;
}

SCENARIO(event_wait_cancel)
{
    (void)arg, (void)result;
    struct start start = {.event = sil_event_create(NULL)};
    struct runner runner = {&start, 0};
    sil_future *future = go(run_off, &runner);
    settle();
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT_CODE(sil_event_set(start.event), 0);
    EXPECT(start.count == 0);
    sil_event_destroy(start.event);
    return 0;
}

SCENARIO(event_clear_with_waiters)
{
    (void)arg, (void)result;
    struct start start = {.event = sil_event_create(NULL)};
    struct runner runner = {&start, 0};
    sil_future *future = go(run_off, &runner);
    settle();
    EXPECT_CODE(sil_event_set(start.event), 0);
    EXPECT_CODE(sil_event_clear(start.event), 0);
    EXPECT(!sil_event_is_set(start.event));
    EXPECT_CODE(sil_event_wait(start.event, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(finish(future), 0);
    EXPECT(start.count == 1);
    sil_event_destroy(start.event);
    return 0;
}

SCENARIO(event_wait_times_out)
{
    (void)arg, (void)result;
    sil_event *event = sil_event_create("e");
    sil_deadline until = sil_in(0.005);
    EXPECT_CODE(sil_event_wait(event, until), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= until);
    sil_deadline outer = sil_deadline_scope(sil_in(0.005));
    EXPECT_CODE(sil_event_wait(event, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    sil_event_destroy(event);
    return 0;
}

/* Who waits for an event that is set gives way to others now and then. */
static int count_turns(void *arg, void *result)
{
    (void)result;
    int *turns = *(int **)arg;
    while (sil_yield() == 0)
        (*turns)++;
    return 0;
}

SCENARIO(event_that_is_set_does_not_starve_others)
{
    (void)arg, (void)result;
    sil_event *event = sil_event_create(NULL);
    int turns = 0;
    sil_future *other = go(count_turns, &turns);
    EXPECT_CODE(sil_event_set(event), 0);
    for (int i = 0; i < 10000; i++)
        EXPECT_CODE(sil_event_wait(event, SIL_FOREVER), 0);
    EXPECT(turns > 10);
    (void)sil_future_cancel(other);
    EXPECT_CODE(finish(other), 0);
    sil_event_destroy(event);
    return 0;
}

static int set_it(void *arg, void *result)
{
    (void)result;
    return sil_event_set(*(sil_event **)arg);
}

SCENARIO(event_set_by_another_thread)
{
    (void)arg, (void)result;
    for (int i = 0; i < TEST_SCALE(200); i++) {
        sil_event *event = sil_event_create(NULL);
        sil_future *setter = sil_thread_start(NULL, set_it, &event, sizeof event, 0);
        EXPECT_CODE(sil_event_wait(event, i % 2 ? SIL_FOREVER : sil_in(1000)), 0);
        EXPECT_CODE(finish(setter), 0);
        sil_event_destroy(event);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_event_wait),
        TEST(test_event_wait_cancel),
        TEST(test_event_clear_with_waiters),
        TEST(test_event_wait_times_out),
        TEST(test_event_that_is_set_does_not_starve_others),
        TEST(test_event_set_by_another_thread),
    };
    begin_scenarios();
    return test_run("event_coro", tests);
}
