/* SPDX-License-Identifier: MIT */
/*
 * Spinning: how the last waits decide whether the next one spins, and that each spin ends.
 */
#include "base/spin.h"

#include <sched.h>

#include "support/test.h"

static int credit_after(int credit, enum sil__spin_wait wait, int times)
{
    for (int i = 0; i < times; i++)
        credit = sil__spin_credit(credit, wait);
    return credit;
}

static void test_short_waits_give_credit_and_long_ones_take_it(void **state)
{
    (void)state;
    assert_true(credit_after(0, SIL__SPIN_SHORT, 1) > 0);
    assert_int_equal(credit_after(credit_after(0, SIL__SPIN_SHORT, 3), SIL__SPIN_LONG, 3), 0);
    assert_true(credit_after(1, SIL__SPIN_LONG, 1) <= 0);
}

/* However long it went well or badly, a few waits of the other kind turn it. */
static void test_credit_is_bounded_on_both_sides(void **state)
{
    (void)state;
    int most = credit_after(0, SIL__SPIN_SHORT, 1000);
    int least = credit_after(0, SIL__SPIN_LONG, 1000);
    assert_true(most > 0 && most <= 16);
    assert_true(least < 0 && least >= -32);
    assert_int_equal(credit_after(most, SIL__SPIN_SHORT, 1), most);
    assert_int_equal(credit_after(least, SIL__SPIN_LONG, 1), least);
    assert_true(credit_after(least, SIL__SPIN_VAIN, 10) >= least);
    assert_true(credit_after(least, SIL__SPIN_SHORT, -least + 1) > 0);
    assert_true(credit_after(most, SIL__SPIN_LONG, most) <= 0);
}

static void test_a_spin_in_vain_costs_a_number_of_short_waits(void **state)
{
    (void)state;
    for (int credit = 1; credit <= credit_after(0, SIL__SPIN_SHORT, 1000); credit++)
        assert_true(credit_after(credit, SIL__SPIN_VAIN, 1) <= 0);
    int after = credit_after(1, SIL__SPIN_VAIN, 1);
    assert_true(credit_after(after, SIL__SPIN_SHORT, 3) <= 0);
    assert_true(credit_after(after, SIL__SPIN_SHORT, 20) > 0);
}

static void test_spin_lasts_so_long_and_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct sil__spin spin;
        int64_t begin = sil__spin_now();
        unsigned looks = 0;
        sil__spin_begin(&spin);
        while (sil__spin_again(&spin))
            looks++;
        assert_true(sil__spin_now() - begin >= SIL__SPIN_TIME);
        assert_true(looks >= SIL__SPIN_TIGHT);
    }
}

static void test_first_looks_are_without_the_clock(void **state)
{
    (void)state;
    struct sil__spin spin;
    sil__spin_begin(&spin);
    for (int i = 0; i < SIL__SPIN_TIGHT; i++)
        assert_true(sil__spin_again(&spin));
    assert_int_equal(spin.end, 0);
}

static void test_clock_goes_forward(void **state)
{
    (void)state;
    int64_t last = sil__spin_now();
    for (int i = 0; i < 10000; i++) {
        int64_t now = sil__spin_now();
        assert_true(now >= last);
        last = now;
    }
}

static void test_spinning_pays_where_there_is_a_second_cpu(void **state)
{
    (void)state;
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    assert_int_equal(sil__spin_pays, CPU_COUNT(&set) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_short_waits_give_credit_and_long_ones_take_it),
        TEST(test_credit_is_bounded_on_both_sides),
        TEST(test_a_spin_in_vain_costs_a_number_of_short_waits),
        TEST(test_spin_lasts_so_long_and_ends),
        TEST(test_first_looks_are_without_the_clock),
        TEST(test_clock_goes_forward),
        TEST(test_spinning_pays_where_there_is_a_second_cpu),
    };
    return test_run("spin", tests);
}
