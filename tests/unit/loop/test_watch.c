/* SPDX-License-Identifier: MIT */
/*
 * Watches, from coroutines of a loop.
 */
#include "loop/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/coro/scenario.h"

/* Two connected sockets, the first of them watched. */
struct pair {
    int fds[2];
    struct sil__watch *watch;
};

static bool pair_open(struct pair *pair)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair->fds) != 0)
        return false;
    pair->watch = sil__watch_open(pair->fds[0]);
    return pair->watch != NULL;
}

static void pair_close(struct pair *pair)
{
    sil__watch_close(pair->watch);
    (void)close(pair->fds[0]);
    (void)close(pair->fds[1]);
}

static bool put(const struct pair *pair)
{
    return write(pair->fds[1], "x", 1) == 1;
}

static bool get(const struct pair *pair)
{
    char byte;
    return read(pair->fds[0], &byte, 1) == 1;
}

/* --- coroutines ---------------------------------------------------------------------------- */

struct waiter {
    struct sil__watch *watch;
    enum sil__watch_side side;
    sil_deadline until;
};

static int co_wait(void *arg, void *result)
{
    struct waiter *waiter = arg;
    (void)result;
    return sil__watch_wait(waiter->watch, waiter->side, waiter->until, "the test");
}

static sil_future *go_wait(struct sil__watch *watch, enum sil__watch_side side, sil_deadline until)
{
    struct waiter waiter = {watch, side, until};
    return sil_go(co_wait, &waiter, sizeof waiter, 0);
}

static int co_busy(void *arg, void *result)
{
    (void)arg;
    (void)result;
    while (sil_yield() == 0)
        ;
    return SIL_ECANCELLED;
}

/* --- tests --------------------------------------------------------------------------------- */

SCENARIO(waits_until_something_can_be_read)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    EXPECT(!sil__watch_promising(pair.watch, SIL__WATCH_READ));
    sil_future *wait = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
    give_way(3);
    EXPECT(!sil_future_done(wait));
    EXPECT(put(&pair));
    EXPECT_CODE(sil_take(wait, NULL, SIL_FOREVER), 0);
    EXPECT(sil__watch_promising(pair.watch, SIL__WATCH_READ) && get(&pair));
    sil__watch_drained(pair.watch, SIL__WATCH_READ);
    EXPECT(!sil__watch_promising(pair.watch, SIL__WATCH_READ));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_NOW, "it"), SIL_ETIMEDOUT);
    sil__watch_hope(pair.watch, SIL__WATCH_READ);
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_NOW, "it"), 0);
    pair_close(&pair);
    return 0;
}

SCENARIO(goes_round_and_round)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    for (int i = 0; i < 1000; i++) {
        EXPECT(put(&pair));
        EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER, "it"), 0);
        EXPECT(get(&pair));
        sil__watch_drained(pair.watch, SIL__WATCH_READ);
    }
    pair_close(&pair);
    return 0;
}

SCENARIO(writing_is_promising_until_drained)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_WRITE, SIL_NOW, "it"), 0);
    char block[4096] = {0};
    while (write(pair.fds[0], block, sizeof block) > 0)
        ;
    sil__watch_drained(pair.watch, SIL__WATCH_WRITE);
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_WRITE, sil_in(0.001), "it"), SIL_ETIMEDOUT);
    sil_future *wait = go_wait(pair.watch, SIL__WATCH_WRITE, SIL_FOREVER);
    give_way(3);
    while (read(pair.fds[1], block, sizeof block) > 0)
        ;
    EXPECT_CODE(sil_take(wait, NULL, SIL_FOREVER), 0);
    pair_close(&pair);
    return 0;
}

SCENARIO(both_sides_wait_at_once)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    sil__watch_drained(pair.watch, SIL__WATCH_WRITE);
    sil_future *reader = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
    sil_future *writer = go_wait(pair.watch, SIL__WATCH_WRITE, SIL_FOREVER);
    EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), 0);
    EXPECT(!sil_future_done(reader));
    EXPECT(put(&pair));
    EXPECT_CODE(sil_take(reader, NULL, SIL_FOREVER), 0);
    pair_close(&pair);
    return 0;
}

/* What came while nobody waited is not asked for again. */
SCENARIO(an_event_without_a_waiter_is_remembered)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_NOW, "it"), SIL_ETIMEDOUT);
    EXPECT(put(&pair));
    EXPECT_CODE(sil_sleep(sil_in(0.002)), 0);
    EXPECT(sil__watch_promising(pair.watch, SIL__WATCH_READ));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_NOW, "it"), 0);
    EXPECT(get(&pair));
    sil__watch_drained(pair.watch, SIL__WATCH_READ);
    /* It was disarmed, and is armed again. */
    sil_future *wait = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
    give_way(3);
    EXPECT(put(&pair));
    EXPECT_CODE(sil_take(wait, NULL, SIL_FOREVER), 0);
    pair_close(&pair);
    return 0;
}

SCENARIO(a_wait_ends_by_deadline_and_by_cancel)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, sil_in(0.001), "it"), SIL_ETIMEDOUT);
    sil_deadline outer = sil_deadline_scope(sil_in(0.001));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER, "it"), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    sil_future *wait = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
    give_way(3);
    EXPECT_CODE(sil_future_cancel(wait), SIL_EINPROGRESS);
    EXPECT_CODE(sil_await(wait, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(strstr(sil_error_message(sil_future_error(wait)), "the test") != NULL);
    sil_future_release(wait);
    EXPECT(put(&pair));
    EXPECT_CODE(sil__watch_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER, "it"), 0);
    pair_close(&pair);
    return 0;
}

SCENARIO(several_wait_for_the_same)
{
    (void)arg, (void)result;
    struct pair pair;
    sil_future *waits[4];
    EXPECT(pair_open(&pair));
    for (size_t i = 0; i < COUNT_OF(waits); i++)
        waits[i] = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
    give_way(3);
    (void)sil_future_cancel(waits[1]);
    EXPECT_CODE(sil_take(waits[1], NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(put(&pair));
    for (size_t i = 0; i < COUNT_OF(waits); i++)
        if (i != 1)
            EXPECT_CODE(sil_take(waits[i], NULL, SIL_FOREVER), 0);
    pair_close(&pair);
    return 0;
}

SCENARIO(closing_ends_the_waits)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT(pair_open(&pair));
    sil__watch_drained(pair.watch, SIL__WATCH_WRITE);
    sil_future *reader = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
    sil_future *timed = go_wait(pair.watch, SIL__WATCH_WRITE, sil_in(1000));
    (void)sil_yield();
    pair_close(&pair);
    EXPECT_CODE(sil_take(reader, NULL, SIL_FOREVER), SIL_ECLOSED);
    int code = sil_take(timed, NULL, SIL_FOREVER); /* it may have had its event */
    EXPECT(code == SIL_ECLOSED || code == 0);
    return 0;
}

static int co_close_when_promising(void *arg, void *result)
{
    struct pair *pair = *(struct pair **)arg;
    (void)result;
    while (!sil__watch_promising(pair->watch, SIL__WATCH_READ))
        (void)sil_yield();
    pair_close(pair);
    return 0;
}

/* It has been told, and another closes the watch before it gets to run. */
SCENARIO(closing_reaches_who_was_told_but_has_not_run)
{
    (void)arg, (void)result;
    struct pair pair;
    struct pair *the_pair = &pair;
    int closed = 0;
    for (int i = 0; i < 100; i++) {
        EXPECT(pair_open(&pair));
        /* Busy ones, so that the loop looks around while others are still ready. */
        sil_future *closer = sil_go(co_close_when_promising, &the_pair, sizeof the_pair, 0);
        sil_future *wait = go_wait(pair.watch, SIL__WATCH_READ, SIL_FOREVER);
        give_way(2);
        EXPECT(put(&pair));
        int code = sil_take(wait, NULL, SIL_FOREVER);
        EXPECT(code == 0 || code == SIL_ECLOSED);
        closed += code == SIL_ECLOSED;
        EXPECT_CODE(sil_take(closer, NULL, SIL_FOREVER), 0);
    }
    EXPECT(closed > 0);
    return 0;
}

/* The loop polls again and again before all who were told have run. */
SCENARIO(events_in_a_crowd)
{
    (void)arg, (void)result;
    enum { CROWD = 50 };
    static struct pair pairs[CROWD];
    sil_future *waits[CROWD];
    sil_future *busy[4];
    for (size_t i = 0; i < COUNT_OF(busy); i++)
        busy[i] = sil_go(co_busy, NULL, 0, 0);
    for (int i = 0; i < CROWD; i++)
        EXPECT(pair_open(&pairs[i]));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < CROWD; i++)
            waits[i] = go_wait(pairs[i].watch, SIL__WATCH_READ, SIL_FOREVER);
        (void)sil_yield();
        for (int i = 0; i < CROWD; i++)
            EXPECT(put(&pairs[i]));
        for (int i = 0; i < CROWD; i++) {
            EXPECT_CODE(sil_take(waits[i], NULL, SIL_FOREVER), 0);
            EXPECT(get(&pairs[i]));
            sil__watch_drained(pairs[i].watch, SIL__WATCH_READ);
        }
    }
    for (int i = 0; i < CROWD; i++)
        pair_close(&pairs[i]);
    for (size_t i = 0; i < COUNT_OF(busy); i++) {
        (void)sil_future_cancel(busy[i]);
        EXPECT_CODE(sil_take(busy[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    return 0;
}

SCENARIO(a_failure_is_told_to_both_sides)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    struct sil__watch *watch = sil__watch_open(fds[1]);
    EXPECT(watch != NULL);
    sil__watch_drained(watch, SIL__WATCH_WRITE);
    char block[4096] = {0};
    while (write(fds[1], block, sizeof block) > 0)
        ;
    sil_future *wait = go_wait(watch, SIL__WATCH_WRITE, SIL_FOREVER);
    give_way(3);
    (void)close(fds[0]);
    EXPECT_CODE(sil_take(wait, NULL, SIL_FOREVER), 0);
    EXPECT(write(fds[1], block, 1) == -1 && errno == EPIPE);
    sil__watch_close(watch);
    (void)close(fds[1]);
    return 0;
}

SCENARIO(a_number_that_is_used_again)
{
    (void)arg, (void)result;
    struct pair first;
    struct pair second;
    for (int i = 0; i < 100; i++) {
        EXPECT(pair_open(&first));
        EXPECT_CODE(sil__watch_wait(first.watch, SIL__WATCH_READ, SIL_NOW, "it"), SIL_ETIMEDOUT);
        EXPECT(put(&first));
        pair_close(&first);
        EXPECT(pair_open(&second));
        EXPECT(second.fds[0] == first.fds[0]);
        EXPECT_CODE(sil__watch_wait(second.watch, SIL__WATCH_READ, sil_in(0.0005), "it"),
                    SIL_ETIMEDOUT);
        pair_close(&second);
    }
    return 0;
}

SCENARIO(waits_for_any_of_several)
{
    (void)arg, (void)result;
    struct pair pairs[3];
    struct sil__watch *watches[3];
    size_t index = 9;
    for (int i = 0; i < 3; i++) {
        EXPECT(pair_open(&pairs[i]));
        watches[i] = pairs[i].watch;
    }
    EXPECT_CODE(sil__watch_wait_any(watches, 3, SIL__WATCH_READ, sil_in(0.001), "it", &index),
                SIL_ETIMEDOUT);
    EXPECT(put(&pairs[1]) && put(&pairs[2]));
    EXPECT_CODE(sil__watch_wait_any(watches, 3, SIL__WATCH_READ, SIL_FOREVER, "it", &index), 0);
    EXPECT(index == 1);
    EXPECT(get(&pairs[1]) && get(&pairs[2]));
    for (int i = 0; i < 3; i++)
        sil__watch_drained(watches[i], SIL__WATCH_READ);
    EXPECT(put(&pairs[2]));
    EXPECT_CODE(sil__watch_wait_any(watches, 3, SIL__WATCH_READ, SIL_FOREVER, "it", &index), 0);
    EXPECT(index == 2);
    EXPECT_CODE(sil__watch_wait_any(watches, 3, SIL__WATCH_READ, SIL_FOREVER, "it", &index), 0);
    EXPECT(index == 2); /* still promising */
    for (int i = 0; i < 3; i++)
        pair_close(&pairs[i]);
    return 0;
}

static int co_wait_any(void *arg, void *result)
{
    struct pair *pairs = *(struct pair **)arg;
    struct sil__watch *watches[2] = {pairs[0].watch, pairs[1].watch};
    size_t index;
    (void)result;
    return sil__watch_wait_any(watches, 2, SIL__WATCH_READ, SIL_FOREVER, "the test", &index);
}

SCENARIO(a_wait_for_any_ends_by_cancel_and_close)
{
    (void)arg, (void)result;
    struct pair pairs[2];
    struct pair *both = pairs;
    EXPECT(pair_open(&pairs[0]) && pair_open(&pairs[1]));
    sil_future *wait = sil_go(co_wait_any, &both, sizeof both, 0);
    give_way(3);
    (void)sil_future_cancel(wait);
    EXPECT_CODE(sil_take(wait, NULL, SIL_FOREVER), SIL_ECANCELLED);
    wait = sil_go(co_wait_any, &both, sizeof both, 0);
    give_way(3);
    pair_close(&pairs[1]);
    EXPECT_CODE(sil_take(wait, NULL, SIL_FOREVER), SIL_ECLOSED);
    EXPECT_CODE(sil__watch_wait(pairs[0].watch, SIL__WATCH_READ, SIL_NOW, "it"), SIL_ETIMEDOUT);
    pair_close(&pairs[0]);
    return 0;
}

/* As if the loop had ended: its owner closes it later. */
SCENARIO(an_abandoned_watch_is_closed_later)
{
    (void)arg, (void)result;
    struct pair early;
    struct pair late;
    EXPECT(pair_open(&early) && pair_open(&late));
    sil__watch_abandon_all(sil__reactor_current());
    EXPECT_CODE(sil__watch_wait(late.watch, SIL__WATCH_READ, SIL_FOREVER, "it"), SIL_ECLOSED);
    pair_close(&early);
    EXPECT_CODE(sil_sleep(sil_in(0.002)), 0);
    pair_close(&late);
    return 0;
}

/* Also while nobody waits for it. The numbers are so far apart that the table grows. */
SCENARIO(a_descriptor_has_one_watch)
{
    (void)arg, (void)result;
    enum { COUNT = 4 };
    static const int numbers[COUNT] = {100, 300, 301, 700};
    struct sil__watch *watches[COUNT];
    struct pair pair;
    EXPECT(pair_open(&pair));
    for (int i = 0; i < COUNT; i++) {
        EXPECT(fcntl(pair.fds[0], F_DUPFD_CLOEXEC, numbers[i]) == numbers[i]);
        watches[i] = sil__watch_open(numbers[i]);
        EXPECT(watches[i]);
    }
    EXPECT(!sil__watch_open(pair.fds[0]));
    EXPECT_CODE(sil_error_code(sil_last_error()), EEXIST);
    for (int i = 0; i < COUNT; i++) {
        EXPECT(!sil__watch_open(numbers[i]));
        EXPECT_CODE(sil_error_code(sil_last_error()), EEXIST);
    }
    /* Closing one leaves the others alone, and its number free. */
    sil__watch_close(watches[1]);
    EXPECT(!sil__watch_open(numbers[2]));
    watches[1] = sil__watch_open(numbers[1]);
    EXPECT(watches[1] && put(&pair));
    for (int i = 0; i < COUNT; i++) {
        EXPECT_CODE(sil__watch_wait(watches[i], SIL__WATCH_READ, SIL_FOREVER, "it"), 0);
        sil__watch_close(watches[i]);
        (void)close(numbers[i]);
    }
    pair_close(&pair);
    return 0;
}

SCENARIO(what_cannot_be_watched)
{
    (void)arg, (void)result;
    char name[] = "/tmp/sillon-watch-XXXXXX";
    int file = mkstemp(name);
    EXPECT(file >= 0);
    (void)unlink(name);
    EXPECT(!sil__watch_open(file));
    EXPECT_CODE(sil_error_code(sil_last_error()), EPERM);
    (void)close(file);
    EXPECT(!sil__watch_open(file));
    EXPECT_CODE(sil_error_code(sil_last_error()), EBADF);
    sil__watch_close(NULL);
    return 0;
}

static void test_no_watch_without_a_loop(void **state)
{
    (void)state;
    assert_null(sil__watch_open(0));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOTASK);
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_waits_until_something_can_be_read),
        TEST(test_goes_round_and_round),
        TEST(test_writing_is_promising_until_drained),
        TEST(test_both_sides_wait_at_once),
        TEST(test_an_event_without_a_waiter_is_remembered),
        TEST(test_a_wait_ends_by_deadline_and_by_cancel),
        TEST(test_several_wait_for_the_same),
        TEST(test_closing_ends_the_waits),
        TEST(test_closing_reaches_who_was_told_but_has_not_run),
        TEST(test_events_in_a_crowd),
        TEST(test_a_failure_is_told_to_both_sides),
        TEST(test_a_number_that_is_used_again),
        TEST(test_waits_for_any_of_several),
        TEST(test_a_wait_for_any_ends_by_cancel_and_close),
        TEST(test_an_abandoned_watch_is_closed_later),
        TEST(test_a_descriptor_has_one_watch),
        TEST(test_what_cannot_be_watched),
        TEST(test_no_watch_without_a_loop),
    };
    return test_run("loop.watch", tests);
}
