/* SPDX-License-Identifier: MIT */
/*
 * --load and --memfree. What the machine does at the moment no test can say: only what follows from it.
 */
#include "map/limits.h"

#include <sillon/deadline.h>
#include <sillon/thread_pool.h>

#include "support/test.h"

static void test_load_is_a_number_or_a_share_of_the_cpus(void **state)
{
    (void)state;
    struct limits limits;
    assert_true(limits_read(&limits, "4", 0));
    assert_true(limits.load > 3.99 && limits.load < 4.01);
    assert_true(limits_read(&limits, "150%", 0));
    double wanted = 1.5 * (double)sil_process_cpu_count();
    assert_true(limits.load > wanted - 0.01 && limits.load < wanted + 0.01);
    static const char *const wrong[] = {"", "x", "0", "-1", "4x", "4%%", "%", "nan", "inf", "+2"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(limits_read(&limits, wrong[i], 0));
}

static void test_nothing_is_limited_when_nothing_was_asked_for(void **state)
{
    (void)state;
    struct limits limits;
    assert_true(limits_read(&limits, NULL, 0));
    for (int i = 0; i < 1000; i++)
        assert_true(limits_may_start(&limits, 1) <= 0);
    assert_int_equal(limits.looked_at, 0);
}

static void test_what_was_started_counts_until_the_next_look(void **state)
{
    (void)state;
    struct limits limits;
    assert_true(limits_read(&limits, "3", 0));
    limits.looked_at = INT64_MAX / 2; /* no look is due */
    limits.wanting = 1;
    assert_true(limits_may_start(&limits, 1) <= 0);
    assert_true(limits_may_start(&limits, 1) <= 0);
    assert_true(limits_may_start(&limits, 1) > 0);
    assert_true(limits_may_start(&limits, 0) <= 0);
    limits.wanting = 0;
    limits.load = 0.5;
    limits.pressure = 0.9;
    assert_true(limits_may_start(&limits, 1) > 0);
    limits.pressure = 0;
    assert_true(limits_may_start(&limits, 1) <= 0);
}

static void test_memory_must_be_available(void **state)
{
    (void)state;
    struct limits limits;
    assert_true(limits_read(&limits, NULL, UINT64_MAX / 2));
    assert_true(limits_may_start(&limits, 1) > 0);
    assert_true(limits.available > 0 && limits.looked_at > 0);
    assert_true(limits_read(&limits, NULL, 1));
    assert_true(limits_may_start(&limits, 1) <= 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_load_is_a_number_or_a_share_of_the_cpus),
        TEST(test_nothing_is_limited_when_nothing_was_asked_for),
        TEST(test_what_was_started_counts_until_the_next_look),
        TEST(test_memory_must_be_available),
    };
    return test_run("limits", tests);
}
