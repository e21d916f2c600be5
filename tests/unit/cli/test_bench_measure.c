/* SPDX-License-Identifier: MIT */
/*
 * Figures of runs, and what others used of the machine meanwhile.
 */
#include "bench/measure.h"

#include "bench/noise.h"
#include "support/test.h"

static void test_median_is_the_middle_or_between_two(void **state)
{
    (void)state;
    struct measure measure = {0};
    assert_true(measure_median(&measure) == 0);
    measure_add(&measure, 3);
    measure_add(&measure, 1);
    assert_true(measure_median(&measure) == 2);
    measure_add(&measure, 10);
    assert_true(measure_median(&measure) == 3);
    assert_true(measure_least(&measure) == 1 && measure_most(&measure) == 10);
    assert_true(measure_spread(&measure) == 3);
}

static void test_spread_is_none_without_runs(void **state)
{
    (void)state;
    const struct measure measure = {0};
    assert_true(measure_spread(&measure) == 0);
}

static void test_measure_ignores_what_is_too_much(void **state)
{
    (void)state;
    static struct measure measure;
    for (int i = 0; i < MEASURE_RUNS + 5; i++)
        measure_add(&measure, 1);
    assert_int_equal(measure.count, MEASURE_RUNS);
}

static void test_noise_counts_programs_and_no_interrupts(void **state)
{
    (void)state;
    uint64_t busy = 0, all = 0;
    assert_true(noise_parse("cpu  10 20 30 400 50 6 7 8 0 0\n", &busy, &all));
    assert_int_equal(busy, 10 + 20 + 30 + 8);
    assert_int_equal(all, 10 + 20 + 30 + 400 + 50 + 6 + 7 + 8);
    assert_true(noise_parse("cpu 1 2 3 4", &busy, &all));
    assert_int_equal(all, 10);
    assert_false(noise_parse("cpu0", &busy, &all));
    assert_false(noise_parse("", &busy, &all));
}

static void test_noise_is_what_is_not_ours(void **state)
{
    (void)state;
    const struct noise before = {.busy = 1000, .all = 10000, .own = 1};
    struct noise after = {.busy = 1300, .all = 11000, .own = 2};
    /* Of 10 s of processors 3 s were used, 1 s by us. */
    double share = noise_share(&before, &after, 100);
    assert_true(share > 0.199 && share < 0.201);
    after.own = 9; /* ticks are coarse: never less than none */
    assert_true(noise_share(&before, &after, 100) == 0);
    assert_true(noise_share(&before, &before, 100) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_median_is_the_middle_or_between_two),
        TEST(test_spread_is_none_without_runs),
        TEST(test_measure_ignores_what_is_too_much),
        TEST(test_noise_counts_programs_and_no_interrupts),
        TEST(test_noise_is_what_is_not_ours),
    };
    return test_run("bench measure", tests);
}
