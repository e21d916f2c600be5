/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: sil_in at every edge of its range, the clock, and sleeping until a moment.
 */
#include <sillon/deadline.h>

#include <math.h>
#include <time.h>

#include "support/tasks.h"
#include "support/test.h"

static int64_t monotonic(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void test_clock_is_the_monotonic_one(void **state)
{
    (void)state;
    int64_t before = monotonic();
    int64_t now = sil_clock();
    int64_t after = monotonic();
    assert_true(before <= now);
    assert_true(now <= after);
}

static void test_in_is_so_many_seconds_from_now(void **state)
{
    (void)state;
    static const double seconds[] = {1e-9, 0.25, 1.0, 2.5, 86400.0, 1e9};
    struct timespec tick;
    assert_int_equal(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        int64_t before = sil_clock();
        sil_deadline deadline = sil_in(seconds[i]);
        int64_t after = sil_clock();
        int64_t nanoseconds = (int64_t)(seconds[i] * 1e9);
        assert_true(deadline >= before + nanoseconds - 1);
        /* What is far away may be two ticks late. */
        int64_t late = seconds[i] < 0.5 ? 1 : 2 * tick.tv_nsec;
        assert_true(deadline <= after + nanoseconds + late);
    }
}

static void test_in_at_the_edges(void **state)
{
    (void)state;
    static const double past[] = {0.0, -0.0, -1.0, -1e300, (double)-INFINITY, (double)NAN};
    for (size_t i = 0; i < COUNT_OF(past); i++) {
        assert_true(sil_in(past[i]) <= sil_clock());
        assert_true(sil_in(past[i]) > 0); /* 0 would be no deadline, as an option */
    }
    assert_true(sil_in((double)INFINITY) == SIL_FOREVER);
    assert_true(sil_in(1e300) == SIL_FOREVER);
    assert_true(sil_in(9.3e9) == SIL_FOREVER); /* just beyond 2^63 nanoseconds */
    assert_true(sil_in(9.22e9) > sil_clock()); /* close below it */
    assert_true(sil_in(5e-324) > 0);
}

static void test_sleep_ends_at_its_deadline(void **state)
{
    (void)state;
    sil_deadline until = sil_in(0.02);
    assert_code(sil_sleep(until), 0);
    assert_true(sil_clock() >= until);
    assert_code(sil_sleep(until), 0);
    assert_code(sil_sleep(SIL_NOW), 0);
    assert_code(sil_sleep(-77), 0);
}

static void test_sleep_for_ever_is_refused_outside_a_task(void **state)
{
    (void)state;
    assert_code(sil_sleep(SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
}

/* arg: how to sleep; comes to the gate first. */
struct sleeper {
    struct gate *gate;
    sil_deadline until;
};

static int go_to_sleep(void *arg, void *result)
{
    (void)result;
    struct sleeper *sleeper = arg;
    gate_wait(sleeper->gate);
    return sil_sleep(sleeper->until);
}

static void test_cancel_ends_a_sleep(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    const sil_deadline untils[] = {SIL_FOREVER, sil_in(1e6)};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        struct gate gate;
        gate_init(&gate);
        gate_open(&gate);
        struct sleeper sleeper = {&gate, untils[i]};
        sil_future *future = sil_submit(pool, go_to_sleep, &sleeper, sizeof sleeper, 0);
        gate_wait_for_arrivals(&gate, 1);
        assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
        assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
        gate_fini(&gate);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_deadline_of_the_task_ends_its_sleep(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    struct sleeper sleeper = {&gate, SIL_FOREVER};
    sil_submit_options options = {.deadline = sil_in(0.03)};
    sil_future *future = sil_submit_with(pool, &options, go_to_sleep, &sleeper, sizeof sleeper, 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= options.deadline);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_clock_is_the_monotonic_one),
        TEST(test_in_is_so_many_seconds_from_now),
        TEST(test_in_at_the_edges),
        TEST(test_sleep_ends_at_its_deadline),
        TEST(test_sleep_for_ever_is_refused_outside_a_task),
        TEST(test_cancel_ends_a_sleep),
        TEST(test_deadline_of_the_task_ends_its_sleep),
    };
    return test_run("deadline", tests);
}
