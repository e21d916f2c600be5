/* SPDX-License-Identifier: MIT */
/*
 * The reactor by itself: turns, timers, kicks, and being woken from other threads; alone, nested, and
 * several on one loop of libuv.
 */
#include "loop/reactor.h"

#include <pthread.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "support/test.h"

/* A driver that counts, and stops after so many turns. */
struct driven {
    struct sil__reactor reactor; /* first */
    int turns;
    int most;
    int more_until; /* it says that there is more, so long */
    atomic_bool left;
    int found; /* how often something had been left */
    struct sil__reactor *seen;
};

static bool turn(struct sil__reactor *reactor)
{
    struct driven *driven = (struct driven *)reactor;
    driven->turns++;
    driven->seen = sil__reactor_current();
    if (atomic_exchange(&driven->left, false))
        driven->found++;
    if (driven->turns >= driven->most)
        sil__reactor_stop(reactor);
    return driven->turns < driven->more_until;
}

static bool awaited(struct sil__reactor *reactor)
{
    return atomic_load(&((struct driven *)reactor)->left);
}

static const struct sil__reactor_driver driver = {.turn = turn, .awaited = awaited};

static void init(struct driven *driven, uv_loop_t *uv)
{
    *driven = (struct driven){.most = 1};
    assert_int_equal(sil__reactor_init(&driven->reactor, uv, &driver), 0);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void test_nothing_is_left_of_it(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct driven driven;
        init(&driven, NULL);
        sil__reactor_fini(&driven.reactor);
        assert_int_equal(driven.turns, driven.found);
    }
    assert_null(sil__reactor_current());
}

static void test_it_goes_on_while_there_is_more(void **state)
{
    (void)state;
    struct driven driven;
    init(&driven, NULL);
    driven.most = driven.more_until = 50;
    sil__reactor_kick(&driven.reactor);
    sil__reactor_run(&driven.reactor);
    assert_int_equal(driven.turns, 50);
    assert_ptr_equal(driven.seen, &driven.reactor);
    assert_null(sil__reactor_current());
    sil__reactor_fini(&driven.reactor);
}

/* --- timers ----------------------------------------------------------------------------------- */

struct alarm {
    struct sil__timer timer; /* first */
    struct driven *driven;
    int64_t rung_at;
};

static void ring(struct sil__timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;
    alarm->rung_at = sil__clock_now();
    alarm->driven->most = 0;
}

static void test_timers_wake_it(void **state)
{
    (void)state;
    struct driven driven;
    init(&driven, NULL);
    for (int i = 0; i < 20; i++) {
        driven.most = INT32_MAX;
        driven.turns = 0;
        struct alarm alarm = {.timer.fire = ring, .driven = &driven};
        int64_t at = sil__clock_now() + i * 300000;
        sil__timer_set(&driven.reactor.timers, &alarm.timer, at);
        sil__reactor_run(&driven.reactor);
        assert_true(alarm.rung_at >= at);
        assert_in_range(driven.turns, 1, 4); /* it slept, and did not look again and again */
    }
    sil__reactor_fini(&driven.reactor);
}

static void test_earlier_timers_count_and_cancelled_ones_do_not(void **state)
{
    (void)state;
    struct driven driven;
    init(&driven, NULL);
    driven.most = INT32_MAX;
    int64_t now = sil__clock_now();
    struct alarm never = {.timer.fire = ring, .driven = &driven};
    struct alarm late = {.timer.fire = ring, .driven = &driven};
    struct alarm soon = {.timer.fire = ring, .driven = &driven};
    sil__timer_set(&driven.reactor.timers, &late.timer, now + 1000 * SIL__SECOND);
    sil__timer_set(&driven.reactor.timers, &never.timer, now);
    sil__timer_set(&driven.reactor.timers, &soon.timer, now + 2000000);
    sil__timer_cancel(&driven.reactor.timers, &never.timer);
    sil__reactor_run(&driven.reactor);
    assert_true(soon.rung_at >= now + 2000000);
    assert_true(late.rung_at == 0 && never.rung_at == 0);
    sil__timer_cancel(&driven.reactor.timers, &late.timer);
    sil__reactor_fini(&driven.reactor);
}

/* --- other threads ---------------------------------------------------------------------------- */

static void leave(struct driven *driven)
{
    sil__reactor_wake_begin(&driven->reactor);
    (void)atomic_exchange(&driven->left, true);
    sil__reactor_wake_end(&driven->reactor);
}

enum { ROUNDS = TEST_SCALE(20000) };

/* Each leaves something when what it left before was found. */
static void *leave_often(void *arg)
{
    struct driven *driven = arg;
    for (int i = 0; i < ROUNDS; i++) {
        while (atomic_load(&driven->left))
            test_yield();
        leave(driven);
    }
    return NULL;
}

static bool turn_until_all(struct sil__reactor *reactor)
{
    struct driven *driven = (struct driven *)reactor;
    if (atomic_exchange(&driven->left, false))
        driven->found++;
    if (driven->found >= ROUNDS)
        sil__reactor_stop(reactor);
    return false;
}

/* A word that is missed is waited for in vain: so this ends only if none is. */
static void test_nothing_left_is_missed(void **state)
{
    (void)state;
    static const struct sil__reactor_driver until_all = {.turn = turn_until_all,
                                                         .awaited = awaited};
    struct driven driven = {0};
    assert_int_equal(sil__reactor_init(&driven.reactor, NULL, &until_all), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, leave_often, &driven), 0);
    sil__reactor_run(&driven.reactor);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(driven.found, ROUNDS);
    sil__reactor_fini(&driven.reactor);
}

static void test_what_was_left_before_it_runs_is_found(void **state)
{
    (void)state;
    struct driven driven;
    init(&driven, NULL);
    leave(&driven);
    sil__reactor_run(&driven.reactor);
    assert_int_equal(driven.found, 1);
    sil__reactor_fini(&driven.reactor);
}

/* --- several ---------------------------------------------------------------------------------- */

static bool turn_and_look(struct sil__reactor *reactor)
{
    struct driven *driven = (struct driven *)reactor;
    driven->turns++;
    driven->found += sil__reactor_current() == reactor;
    return driven->turns < driven->more_until;
}

static const struct sil__reactor_driver looking = {.turn = turn_and_look, .awaited = awaited};

static void test_each_turn_is_its_own_on_one_loop_of_libuv(void **state)
{
    (void)state;
    uv_loop_t uv;
    assert_int_equal(uv_loop_init(&uv), 0);
    struct driven driven[4];
    for (int count = 1; count <= 4; count++) {
        for (int i = 0; i < count; i++) {
            driven[i] = (struct driven){.more_until = 5 + i};
            assert_int_equal(sil__reactor_init(&driven[i].reactor, &uv, &looking), 0);
            sil__reactor_keep(&driven[i].reactor);
            sil__reactor_kick(&driven[i].reactor);
        }
        for (int round = 0; round < 20; round++) {
            (void)uv_run(&uv, UV_RUN_NOWAIT);
            assert_null(sil__reactor_current());
        }
        for (int i = 0; i < count; i++) {
            assert_true(driven[i].turns >= 5 + i);
            assert_int_equal(driven[i].found, driven[i].turns);
            sil__reactor_let_go(&driven[i].reactor);
        }
        /* In an order that is neither that of init nor the reverse. */
        for (int i = 0; i < count; i++)
            sil__reactor_fini(&driven[(i + 1) % count].reactor);
        assert_null(sil__reactor_current());
    }
    assert_int_equal(uv_loop_close(&uv), 0);
}

/* From a turn of one a loop of its own is run. */
static struct driven inner;

static bool turn_and_nest(struct sil__reactor *reactor)
{
    struct driven *driven = (struct driven *)reactor;
    driven->turns++;
    inner.turns = inner.found = 0;
    inner.more_until = 3;
    sil__reactor_kick(&inner.reactor);
    while (inner.turns < 3)
        (void)uv_run(inner.reactor.uv, UV_RUN_NOWAIT);
    driven->found += inner.found == inner.turns && sil__reactor_current() == reactor;
    if (driven->turns == 3)
        sil__reactor_stop(reactor);
    return true;
}

static void test_turns_may_nest(void **state)
{
    (void)state;
    static const struct sil__reactor_driver nesting = {.turn = turn_and_nest, .awaited = awaited};
    struct driven driven = {0};
    assert_int_equal(sil__reactor_init(&driven.reactor, NULL, &nesting), 0);
    inner = (struct driven){0};
    assert_int_equal(sil__reactor_init(&inner.reactor, NULL, &looking), 0);
    sil__reactor_keep(&inner.reactor);
    sil__reactor_kick(&driven.reactor);
    sil__reactor_run(&driven.reactor);
    assert_int_equal(driven.found, 3);
    assert_null(sil__reactor_current());
    sil__reactor_fini(&inner.reactor);
    sil__reactor_fini(&driven.reactor);
}

/* --- keeping ---------------------------------------------------------------------------------- */

static void test_it_keeps_libuv_going_only_when_told(void **state)
{
    (void)state;
    uv_loop_t uv;
    assert_int_equal(uv_loop_init(&uv), 0);
    struct driven driven;
    init(&driven, &uv);
    assert_false(uv_loop_alive(&uv));
    sil__reactor_keep(&driven.reactor);
    sil__reactor_keep(&driven.reactor);
    assert_true(uv_loop_alive(&uv));
    sil__reactor_let_go(&driven.reactor);
    assert_true(uv_loop_alive(&uv));
    sil__reactor_let_go(&driven.reactor);
    assert_false(uv_loop_alive(&uv));
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    sil__reactor_fini(&driven.reactor);
    assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_left_of_it),
        TEST(test_it_goes_on_while_there_is_more),
        TEST(test_timers_wake_it),
        TEST(test_earlier_timers_count_and_cancelled_ones_do_not),
        TEST(test_nothing_left_is_missed),
        TEST(test_what_was_left_before_it_runs_is_found),
        TEST(test_each_turn_is_its_own_on_one_loop_of_libuv),
        TEST(test_turns_may_nest),
        TEST(test_it_keeps_libuv_going_only_when_told),
    };
    uv_loop_t first; /* libuv keeps two descriptors from then on */
    if (uv_loop_init(&first) == 0)
        (void)uv_loop_close(&first);
    return test_run("the reactor", tests);
}
