/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel: what fires, when, and in which order. Time is told to it, so years take no
 * time.
 */
#include "loop/timers.h"

#include <stdlib.h>

#include "support/random.h"
#include "support/test.h"

#define TICK ((int64_t)1 << SIL__TIMER_SHIFT)
#define SECOND INT64_C(1000000000)
#define DAY (24 * 3600 * SECOND)
#define YEAR (365 * DAY)
#define START (INT64_C(123456789) * TICK + 4321)

/* A timer that writes its number down when it fires. */
struct entry {
    struct sil__timer timer;
    int number;
};

static struct {
    int order[64];
    size_t count;
} fired;

static struct sil__timers timers;

static void note(struct sil__timer *timer)
{
    if (fired.count < COUNT_OF(fired.order))
        fired.order[fired.count] = ((struct entry *)timer)->number;
    fired.count++;
}

static void begin(int64_t now)
{
    sil__timers_init(&timers, now);
    fired.count = 0;
}

static struct entry entry(int number)
{
    return (struct entry){.timer.fire = note, .number = number};
}

/* Run at the moments that next gives, up to a limit; how many there were. */
static unsigned follow(int64_t limit)
{
    unsigned runs = 0;
    for (int64_t next; (next = sil__timers_next(&timers)) <= limit; runs++)
        sil__timers_run(&timers, next);
    return runs;
}

static void test_there_is_no_next_without_timers(void **state)
{
    (void)state;
    begin(START);
    assert_true(sil__timers_next(&timers) == INT64_MAX);
    sil__timers_run(&timers, START + YEAR);
    assert_true(sil__timers_next(&timers) == INT64_MAX);
    struct entry one = entry(1);
    sil__timer_set(&timers, &one.timer, START + 2 * YEAR);
    assert_true(sil__timer_is_set(&one.timer));
    sil__timer_cancel(&timers, &one.timer);
    assert_false(sil__timer_is_set(&one.timer));
    sil__timer_cancel(&timers, &one.timer);
    assert_true(sil__timers_next(&timers) == INT64_MAX);
    assert_int_equal(timers.count, 0);
}

static void test_a_timer_fires_once_and_not_early(void **state)
{
    (void)state;
    static const int64_t after[] = {1, TICK - 1, TICK, TICK + 1, 100 * TICK, 3 * SECOND, DAY};
    for (size_t i = 0; i < COUNT_OF(after); i++) {
        begin(START);
        struct entry one = entry(1);
        sil__timer_set(&timers, &one.timer, START + after[i]);
        sil__timers_run(&timers, START + after[i] - 1);
        assert_int_equal(fired.count, 0);
        sil__timers_run(&timers, START + after[i] + TICK - 1);
        assert_int_equal(fired.count, 1);
        assert_false(sil__timer_is_set(&one.timer));
        sil__timers_run(&timers, START + YEAR);
        assert_int_equal(fired.count, 1);
    }
}

static void test_one_of_the_past_fires_at_the_next_run(void **state)
{
    (void)state;
    begin(START);
    struct entry entries[] = {entry(2), entry(1), entry(0)};
    sil__timer_set(&timers, &entries[0].timer, START - TICK);
    sil__timer_set(&timers, &entries[1].timer, START - 3600 * SECOND);
    sil__timer_set(&timers, &entries[2].timer, 0);
    assert_true(sil__timers_next(&timers) <= START);
    sil__timers_run(&timers, START);
    assert_int_equal(fired.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fired.order[i], i);
}

static void test_they_fire_in_the_order_of_moments_then_of_setting(void **state)
{
    (void)state;
    begin(START);
    struct entry entries[40];
    static const int64_t moments[] = {7 * TICK + 5, 7 * TICK + 3, 400 * TICK, 7 * TICK + 4};
    /* What comes out first is named last. */
    static const int rank[] = {2, 0, 3, 1};
    for (int i = 0; i < 40; i++) {
        entries[i] = entry(rank[i % 4] * 10 + i / 4);
        sil__timer_set(&timers, &entries[i].timer, START + moments[i % 4]);
    }
    sil__timers_run(&timers, START + SECOND);
    assert_int_equal(fired.count, 40);
    for (int i = 0; i < 40; i++)
        assert_int_equal(fired.order[i], i);
}

/* The same moment, set from years away, and again each time it is nearer. */
static void test_equal_moments_keep_their_order_through_all_levels(void **state)
{
    (void)state;
    static const int64_t before[] = {9 * YEAR,      8 * YEAR + 1, YEAR,   13 * DAY,  12 * DAY, DAY,
                                     3600 * SECOND, 30 * SECOND,  SECOND, 70 * TICK, 3 * TICK, 2};
    enum { COUNT = COUNT_OF(before) };
    int64_t moment = START + 10 * YEAR + 77;
    struct entry entries[COUNT];
    begin(START);
    for (int i = 0; i < COUNT; i++) {
        (void)follow(moment - before[i]);
        sil__timers_run(&timers, moment - before[i]);
        entries[i] = entry(i);
        sil__timer_set(&timers, &entries[i].timer, moment);
    }
    sil__timers_run(&timers, moment + TICK);
    assert_int_equal(fired.count, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(fired.order[i], i);
}

static void test_next_is_exact_when_near_and_seldom_early_when_far(void **state)
{
    (void)state;
    static const struct {
        int64_t after;
        unsigned runs; /* at most */
    } cases[] = {{1, 1},        {5 * TICK, 1},        {255 * TICK, 2},
                 {SECOND, 2},   {3 * DAY, 4},         {12 * DAY, 4},
                 {14 * DAY, 5}, {YEAR, 4 + 366 / 13}, {10 * YEAR, 4 + 3651 / 13}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin(START);
        struct entry one = entry(1);
        int64_t moment = START + cases[i].after;
        sil__timer_set(&timers, &one.timer, moment);
        assert_true(sil__timers_next(&timers) < moment + TICK);
        assert_in_range(follow(moment + TICK - 1), 1, cases[i].runs);
        assert_int_equal(fired.count, 1);
        assert_true(sil__timers_next(&timers) == INT64_MAX);
    }
}

static void test_for_ever_never_comes(void **state)
{
    (void)state;
    begin(START);
    struct entry one = entry(1);
    sil__timer_set(&timers, &one.timer, INT64_MAX);
    assert_true(follow(START + 200 * YEAR) <= 200 * 366 / 13 + 4);
    assert_int_equal(fired.count, 0);
    sil__timers_run(&timers, INT64_MAX);
    assert_int_equal(fired.count, 0);
    assert_true(sil__timer_is_set(&one.timer));
    assert_true(sil__timers_next(&timers) == INT64_MAX);
    sil__timer_cancel(&timers, &one.timer);
}

static void test_time_that_stands_still_or_goes_back_fires_nothing(void **state)
{
    (void)state;
    begin(START);
    struct entry one = entry(1);
    sil__timer_set(&timers, &one.timer, START + 10 * TICK);
    sil__timers_run(&timers, START + 5 * TICK);
    sil__timers_run(&timers, START + 5 * TICK);
    sil__timers_run(&timers, START - DAY);
    assert_int_equal(fired.count, 0);
    sil__timers_run(&timers, START + 11 * TICK);
    assert_int_equal(fired.count, 1);
}

/* --- from within a fire -------------------------------------------------------------------- */

static struct entry others[4];

static void cancel_others(struct sil__timer *timer)
{
    note(timer);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        sil__timer_cancel(&timers, &others[i].timer);
}

static void test_a_fire_may_cancel_those_that_are_due(void **state)
{
    (void)state;
    begin(START);
    struct entry first = entry(10);
    first.timer.fire = cancel_others;
    struct entry kept[] = {entry(11), entry(12)};
    for (int i = 0; i < 4; i++)
        others[i] = entry(i);
    sil__timer_set(&timers, &first.timer, START + 1);
    sil__timer_set(&timers, &others[0].timer, START + 1); /* just behind */
    sil__timer_set(&timers, &kept[0].timer, START + 2);
    sil__timer_set(&timers, &others[1].timer, START + 3); /* in the midst */
    sil__timer_set(&timers, &kept[1].timer, START + 4);
    sil__timer_set(&timers, &others[2].timer, START + 9 * TICK); /* the last */
    sil__timer_set(&timers, &others[3].timer, START + DAY);      /* not due */
    sil__timers_run(&timers, START + SECOND);
    assert_int_equal(fired.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fired.order[i], 10 + i);
    assert_int_equal(timers.count, 0);
    assert_true(sil__timers_next(&timers) == INT64_MAX);
}

static void set_again(struct sil__timer *timer)
{
    note(timer);
    sil__timer_set(&timers, timer, timer->at);
}

static void test_one_set_for_now_in_a_fire_fires_at_the_next_run(void **state)
{
    (void)state;
    begin(START);
    struct entry one = entry(1);
    one.timer.fire = set_again;
    sil__timer_set(&timers, &one.timer, START + TICK);
    for (unsigned i = 1; i <= 5; i++) {
        sil__timers_run(&timers, START + 2 * TICK); /* time stands still */
        assert_int_equal(fired.count, i);
        assert_true(sil__timers_next(&timers) <= START + 2 * TICK);
    }
    sil__timer_cancel(&timers, &one.timer);
}

static void move_others(struct sil__timer *timer)
{
    note(timer);
    sil__timer_cancel(&timers, &others[0].timer);
    sil__timer_set(&timers, &others[0].timer, START + DAY);
    sil__timer_cancel(&timers, &others[1].timer);
    sil__timer_set(&timers, &others[1].timer, START);
}

static void test_a_fire_may_move_one_that_is_due(void **state)
{
    (void)state;
    begin(START);
    struct entry first = entry(10);
    first.timer.fire = move_others;
    sil__timer_set(&timers, &first.timer, START + 1);
    for (int i = 0; i < 2; i++) {
        others[i] = entry(i);
        sil__timer_set(&timers, &others[i].timer, START + 2 + i);
    }
    sil__timers_run(&timers, START + TICK);
    assert_int_equal(fired.count, 1);
    sil__timers_run(&timers, START + TICK);
    assert_int_equal(fired.count, 2);
    assert_int_equal(fired.order[1], 1);
    sil__timers_run(&timers, START + DAY + TICK);
    assert_int_equal(fired.count, 3);
}

/* --- many ---------------------------------------------------------------------------------- */

static int64_t last_at;
static size_t out_of_order;

static void check_order(struct sil__timer *timer)
{
    fired.count++;
    out_of_order += timer->at < last_at;
    last_at = timer->at;
}

/* How far apart the moments are, up or down; 0: all equal. Down is the worst for sorting. */
static void many(int64_t step, size_t count)
{
    begin(START);
    struct sil__timer *all = calloc(count, sizeof *all);
    assert_non_null(all);
    int64_t from = START + SECOND + (step < 0 ? -step * (int64_t)count : 0);
    for (size_t i = 0; i < count; i++) {
        all[i].fire = check_order;
        sil__timer_set(&timers, &all[i], from + step * (int64_t)i);
    }
    last_at = 0;
    out_of_order = 0;
    sil__timers_run(&timers, START + DAY);
    assert_int_equal(fired.count, count);
    assert_int_equal(out_of_order, 0);
    free(all);
}

static void test_a_hundred_thousand_fire_in_order(void **state)
{
    (void)state;
    many(0, 100000);
    many(1, 100000);
    many(-1, 100000);
    many(20000, 100000);
    many(-20000, 100000);
}

/* --- compared with an array ---------------------------------------------------------------- */

enum { MODEL = 200 };

/* What the wheel is to do, done by looking at all. */
static struct model {
    struct sil__timer timers[MODEL];
    uint64_t set[MODEL]; /* the how-manieth setting it was; 0: it is not set */
    uint64_t settings;
    uint64_t before_run; /* the settings before this run began */
    int64_t now;
    int64_t scale;
    struct random random;
    size_t wrong;
    size_t fires;
    bool in_run;
} model;

static int64_t first_tick(int64_t at)
{
    return at / TICK + (at % TICK != 0);
}

/* Is to fire in this run? */
static bool model_due(size_t i)
{
    return model.set[i] != 0 && model.set[i] <= model.before_run &&
           first_tick(model.timers[i].at) <= model.now / TICK;
}

static size_t model_first_due(void)
{
    size_t first = MODEL;
    for (size_t i = 0; i < MODEL; i++) {
        if (!model_due(i))
            continue;
        int64_t at = model.timers[i].at;
        if (first == MODEL || at < model.timers[first].at ||
            (at == model.timers[first].at && model.set[i] < model.set[first]))
            first = i;
    }
    return first;
}

/* Near, far, past; many of them equal. */
static int64_t model_moment(void)
{
    int64_t scale = model.scale >> random_below(&model.random, 40);
    int64_t after = scale > 0 ? (int64_t)random_below(&model.random, (size_t)scale) : 0;
    int64_t at = model.now + after - (random_below(&model.random, 8) == 0 ? after * 2 : 0);
    if (random_below(&model.random, 4) == 0)
        at -= at % (64 * TICK);
    return at > 0 ? at : 0;
}

static void model_set_or_cancel(void)
{
    size_t i = random_below(&model.random, MODEL);
    if (model.set[i]) {
        sil__timer_cancel(&timers, &model.timers[i]);
        model.set[i] = 0;
    } else {
        sil__timer_set(&timers, &model.timers[i], model_moment());
        model.set[i] = ++model.settings;
    }
}

static void model_fire(struct sil__timer *timer)
{
    size_t i = (size_t)(timer - model.timers);
    model.wrong += model_first_due() != i;
    model.set[i] = 0;
    model.fires++;
    while (random_below(&model.random, 3) != 0)
        model_set_or_cancel();
}

static void model_run(void)
{
    model.before_run = model.settings;
    sil__timers_run(&timers, model.now);
    assert_int_equal(model.wrong, 0);
    assert_int_equal(model_first_due(), MODEL); /* all that were due have fired */
}

static void model_check_next(void)
{
    int64_t first = INT64_MAX;
    size_t count = 0;
    for (size_t i = 0; i < MODEL; i++) {
        count += model.set[i] != 0;
        if (model.set[i] && first_tick(model.timers[i].at) < first)
            first = first_tick(model.timers[i].at);
        assert_true(sil__timer_is_set(&model.timers[i]) == (model.set[i] != 0));
    }
    assert_int_equal(timers.count, count);
    int64_t next = sil__timers_next(&timers);
    if (count == 0)
        assert_true(next == INT64_MAX);
    else if (first * TICK > model.now)
        assert_true(next <= first * TICK && next > model.now - TICK);
    else
        assert_true(next <= model.now);
}

static void model_play(uint64_t seed, int64_t scale, int rounds)
{
    model = (struct model){.random.state = seed, .scale = scale, .now = START};
    for (size_t i = 0; i < MODEL; i++)
        model.timers[i].fire = model_fire;
    begin(START);
    for (int round = 0; round < rounds; round++) {
        for (size_t i = random_below(&model.random, 10); i > 0; i--)
            model_set_or_cancel();
        model_check_next();
        int64_t next = sil__timers_next(&timers);
        if (random_below(&model.random, 3) != 0 && next != INT64_MAX)
            model.now = next > model.now ? next : model.now;
        else if (scale >> random_below(&model.random, 40) > 0)
            model.now += (int64_t)random_below(&model.random, (size_t)scale) >>
                         random_below(&model.random, 40);
        model_run();
    }
}

static void test_it_does_what_an_array_would_do(void **state)
{
    (void)state;
    static const int64_t scales[] = {100 * TICK, SECOND,   60 * SECOND, 3600 * SECOND,
                                     DAY,        30 * DAY, YEAR,        5 * YEAR};
    size_t fires = 0;
    for (uint64_t seed = 1; seed <= TEST_SCALE(8); seed++) {
        for (size_t i = 0; i < COUNT_OF(scales); i++) {
            int rounds =
                scales[i] > YEAR ? 100 : 2000; /* the clock is at its end after 292 years */
            model_play(seed * 100 + i, scales[i], rounds);
            fires += model.fires;
        }
    }
    assert_true(fires > 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_there_is_no_next_without_timers),
        TEST(test_a_timer_fires_once_and_not_early),
        TEST(test_one_of_the_past_fires_at_the_next_run),
        TEST(test_they_fire_in_the_order_of_moments_then_of_setting),
        TEST(test_equal_moments_keep_their_order_through_all_levels),
        TEST(test_next_is_exact_when_near_and_seldom_early_when_far),
        TEST(test_for_ever_never_comes),
        TEST(test_time_that_stands_still_or_goes_back_fires_nothing),
        TEST(test_a_fire_may_cancel_those_that_are_due),
        TEST(test_one_set_for_now_in_a_fire_fires_at_the_next_run),
        TEST(test_a_fire_may_move_one_that_is_due),
        TEST(test_a_hundred_thousand_fire_in_order),
        TEST(test_it_does_what_an_array_would_do),
    };
    return test_run("timers", tests);
}
