/* SPDX-License-Identifier: MIT */
/*
 * Who fetches which bytes: ranges touch each other and cover the file once, whatever fails and
 * whoever is slow; the slowest is helped; nothing gets too far ahead.
 */
#include "get/ranges.h"

#include "support/random.h"
#include "support/test.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define SECOND INT64_C(1000000000)

static enum range_claim claim(struct ranges *ranges, struct fetcher *fetcher, int64_t now)
{
    struct fetcher *slow;
    return ranges_claim(ranges, fetcher, false, now, &slow);
}

/* Gets some of its range, ahead or at the front. */
static void get(struct ranges *ranges, struct fetcher *fetcher, uint64_t count)
{
    struct range *range = fetcher->range;
    bool front = ranges_is_front(ranges, range);
    range->got += count;
    range->ready += count;
    if (front)
        ranges_pass(ranges, count);
}

static void get_all(struct ranges *ranges, struct fetcher *fetcher)
{
    get(ranges, fetcher, fetcher->range->end - fetcher->range->got);
    ranges_release(ranges, fetcher);
}

/* I1 and I2. */
static void assert_sound(const struct ranges *ranges)
{
    uint64_t at = ranges->first != NULL ? ranges->first->begin : ranges->fresh;
    assert_true(at <= ranges->front);
    for (const struct range *range = ranges->first; range != NULL; range = range->next) {
        assert_true(range->begin == at);
        assert_true(range->begin <= range->ready && range->ready <= range->got &&
                    range->got <= range->end);
        assert_true(range->owner == NULL || range->owner->range == range);
        at = range->end;
    }
    assert_true(at == ranges->fresh && ranges->fresh <= ranges->end);
    assert_true(ranges->fresh <= ranges->front + ranges->window);
}

static struct fetcher with_rate(double rate)
{
    return (struct fetcher){.rate = rate};
}

static void test_claims_follow_each_other_when_all_is_fresh(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(0), b = with_rate(0);
    ranges_init(&ranges, 1000, 100 * MIB, 2);
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_GOT);
    assert_true(a.range->begin == 1000 && b.range->begin == a.range->end);
    assert_sound(&ranges);
    ranges_fini(&ranges);
}

static void test_claim_goes_on_with_its_answer_when_that_brings_what_is_next(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(0), b = with_rate(0), *slow;
    ranges_init(&ranges, 0, 100 * MIB, 2);
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_GOT);
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    uint64_t next = a.range->end;
    get_all(&ranges, &a);
    ranges_release(&ranges, &b); /* it failed: the lowest that is nobody's is b's */
    a.answer_at = next;
    a.answer_end = 100 * MIB;
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    assert_true(a.range->begin == next);
    /* And it takes nothing else as long as it is to stay. */
    get_all(&ranges, &a);
    a.answer_at = 5;
    assert_int_equal(ranges_claim(&ranges, &a, true, 0, &slow), CLAIM_LATER);
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    assert_true(a.range->begin == 0);
    assert_sound(&ranges);
    ranges_fini(&ranges);
}

static void test_failed_range_is_claimed_from_where_it_was_ready(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(0), b = with_rate(0);
    ranges_init(&ranges, 0, 100 * MIB, 2);
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_GOT);
    struct range *range = b.range;
    get(&ranges, &b, 1000);
    range->got += 77; /* in its buffer, and lost with it */
    ranges_release(&ranges, &b);
    assert_null(b.range);
    get_all(&ranges, &a);
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    assert_ptr_equal(a.range, range);
    assert_true(range->got == range->begin + 1000);
    assert_true(ranges_ready(&ranges) == 1000);
    assert_sound(&ranges);
    ranges_fini(&ranges);
}

static void test_fresh_is_held_back_when_the_window_is_full(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(0), b = with_rate(0);
    ranges_init(&ranges, 0, 1000 * MIB, 2);
    assert_int_equal(claim(&ranges, &a, 0),
                     CLAIM_GOT); /* holds the front, and how fast it is nobody
                                                           knows */
    uint64_t got = a.range->end;
    while (claim(&ranges, &b, 0) == CLAIM_GOT) {
        got = b.range->end;
        get_all(&ranges, &b);
        assert_sound(&ranges);
        assert_true(got <= ranges.window);
    }
    assert_true(got + ranges.least > ranges.window);
    get_all(&ranges, &a);
    ranges_pass(&ranges, ranges_ready(&ranges));
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_GOT);
    assert_true(b.range->begin == got);
    ranges_fini(&ranges);
}

static void test_only_the_front_is_given_when_there_is_no_place(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(0), b = with_rate(0);
    ranges_init(&ranges, 0, 100 * MIB, 2);
    ranges.tight = true;
    assert_int_equal(claim(&ranges, &a, 0), CLAIM_GOT);
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_LATER);
    get_all(&ranges, &a);
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_GOT);
    ranges_fini(&ranges);
}

/* Both have half of the last MiB left; b has nothing to do. */
static void begin_tail(struct ranges *ranges, struct fetcher *a)
{
    ranges_init(ranges, 0, MIB, 1);
    assert_int_equal(claim(ranges, a, 0), CLAIM_GOT);
    while (ranges->fresh < MIB) {
        get_all(ranges, a);
        assert_int_equal(claim(ranges, a, 0), CLAIM_GOT);
    }
}

static void test_slowest_is_split_by_what_both_bring(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(10e3), b = with_rate(30e3);
    begin_tail(&ranges, &a);
    uint64_t left = a.range->end - a.range->got;
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_GOT);
    assert_true(b.range->begin == a.range->end && b.range->end == MIB);
    double share = (double)(b.range->end - b.range->got) / (double)left;
    assert_true(share > 0.74 && share < 0.76);
    assert_sound(&ranges);
    ranges_fini(&ranges);
}

static void test_nobody_is_split_when_it_will_soon_be_there(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(1e9), b = with_rate(1e9), c = with_rate(1e6);
    begin_tail(&ranges, &a);
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_LATER);
    ranges_fini(&ranges);
    /* Nor when a request costs more than it brings. */
    begin_tail(&ranges, &c);
    b.cost = 1;
    assert_int_equal(claim(&ranges, &b, 0), CLAIM_LATER);
    ranges_fini(&ranges);
}

static void test_stalled_one_is_named(void **state)
{
    (void)state;
    struct ranges ranges;
    struct fetcher a = with_rate(1e6), b = with_rate(1e6), *slow = NULL;
    begin_tail(&ranges, &a);
    /* Nothing has come for half a minute: all but a little goes to another. */
    int64_t now = 30 * SECOND;
    assert_int_equal(claim(&ranges, &b, now), CLAIM_GOT);
    get_all(&ranges, &b);
    assert_true(a.range->end - a.range->got < 64 * KIB);
    assert_int_equal(ranges_claim(&ranges, &b, false, now, &slow), CLAIM_SLOW);
    assert_ptr_equal(slow, &a);
    ranges_release(&ranges, &a);
    assert_int_equal(claim(&ranges, &b, now), CLAIM_GOT);
    get_all(&ranges, &b);
    assert_true(ranges.front + ranges_ready(&ranges) == MIB || ranges.front == MIB);
    ranges_fini(&ranges);
}

static void test_rate_is_what_came_lately(void **state)
{
    (void)state;
    struct fetcher fetcher = {0};
    assert_true(fetcher_rate(&fetcher, 0) == 0);
    fetcher_asks(&fetcher, 0);
    assert_true(fetcher_rate(&fetcher, SECOND) == 0); /* servers may think for a moment */
    assert_true(fetcher_rate(&fetcher, 60 * SECOND) > 0 && fetcher_rate(&fetcher, 60 * SECOND) < 1);
    fetcher_hears(&fetcher, SECOND / 10);
    assert_true(fetcher.cost > 0.09 && fetcher.cost < 0.11);
    int64_t now = SECOND / 10;
    for (int i = 0; i < 100; i++)
        fetcher_gets(&fetcher, 10000, now += SECOND / 100);
    assert_true(fetcher_rate(&fetcher, now) > 0.9e6 && fetcher_rate(&fetcher, now) < 1.1e6);
    assert_true(fetcher_rate(&fetcher, now + 10 * SECOND) < 1e5);
}

/* Whatever happens, in whatever order: all comes once, and in the end all is there. */
static void test_file_is_covered_once_when_all_goes_wrong(void **state)
{
    (void)state;
    enum { FETCHERS = 5, STEPS = 200000 };
    struct random dice = {.state = 42};
    struct ranges ranges;
    struct fetcher fetchers[FETCHERS] = {{0}};
    uint64_t end = 30 * MIB + 12345;
    int64_t now = 0;
    ranges_init(&ranges, 4711, end, FETCHERS);
    int steps = 0;
    for (; ranges.front < end && steps < STEPS; steps++) {
        struct fetcher *fetcher = &fetchers[random_below(&dice, FETCHERS)], *slow = NULL;
        now += (int64_t)random_below(&dice, SECOND / 20);
        if (fetcher->range == NULL) {
            if (ranges_claim(&ranges, fetcher, false, now, &slow) == CLAIM_SLOW)
                ranges_release(&ranges, slow);
        } else if (fetcher->range->got == fetcher->range->end || random_below(&dice, 50) == 0) {
            ranges_release(&ranges, fetcher);
        } else {
            uint64_t left = fetcher->range->end - fetcher->range->got;
            uint64_t count = 1 + random_below(&dice, left < 300000 ? left : 300000);
            get(&ranges, fetcher, count);
            fetcher_gets(fetcher, count, now);
        }
        uint64_t ready = ranges_ready(&ranges);
        if (ready > 0)
            ranges_pass(&ranges, ready);
        if (steps % 16 == 0)
            assert_sound(&ranges);
    }
    assert_true(ranges.front == end);
    ranges_fini(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_claims_follow_each_other_when_all_is_fresh),
        TEST(test_claim_goes_on_with_its_answer_when_that_brings_what_is_next),
        TEST(test_failed_range_is_claimed_from_where_it_was_ready),
        TEST(test_fresh_is_held_back_when_the_window_is_full),
        TEST(test_only_the_front_is_given_when_there_is_no_place),
        TEST(test_slowest_is_split_by_what_both_bring),
        TEST(test_nobody_is_split_when_it_will_soon_be_there),
        TEST(test_stalled_one_is_named),
        TEST(test_rate_is_what_came_lately),
        TEST(test_file_is_covered_once_when_all_goes_wrong),
    };
    return test_run("segments", tests);
}
