/* SPDX-License-Identifier: MIT */
/*
 * The fake clock: time stands still until it is moved, for everything that has a deadline.
 */
#include "base/clock.h"

#include <sillon/deadline.h>
#include <sillon/executor.h>
#include <sillon/status.h>
#include <sillon/thread_pool.h>

#include "support/tasks.h"
#include "support/test.h"

#define START (1000 * SIL__SECOND)

static int start_fake(void **state)
{
    (void)state;
    sil__clock_fake_start(START);
    return 0;
}

static int stop_fake(void **state)
{
    (void)state;
    sil__clock_fake_stop();
    return 0;
}

static void test_real_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t before = sil_clock();
    for (int i = 0; i < 1000; i++) {
        int64_t now = sil_clock();
        assert_true(now >= before);
        before = now;
    }
    assert_false(sil__clock_is_fake());
}

static void test_fake_clock_stands_still_and_moves(void **state)
{
    (void)state;
    assert_int_equal(sil_clock(), START);
    assert_int_equal(sil_in(2.5), START + 5 * SIL__SECOND / 2);
    sil__clock_fake_advance(SIL__SECOND);
    assert_int_equal(sil_clock(), START + SIL__SECOND);
}

static int sleep_an_hour(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return sil_sleep(START + 3600 * SIL__SECOND);
}

static void test_sleep_of_an_hour_ends_when_the_clock_says_so(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *sleeper = sil_submit(pool, sleep_an_hour, NULL, 0, 0);
    sil__clock_fake_advance(3599 * SIL__SECOND);
    assert_int_equal(sil_await(sleeper, SIL_NOW), SIL_ETIMEDOUT);
    sil__clock_fake_advance(SIL__SECOND);
    assert_int_equal(sil_take(sleeper, NULL, SIL_FOREVER), 0);
    assert_int_equal(sil_executor_close(pool), 0);
}

static void test_deadline_of_a_queued_task_passes_by_the_clock(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *sleeper = sil_submit(pool, sleep_an_hour, NULL, 0, 0);
    sil_submit_options options = {.deadline = sil_in(60)};
    sil_future *late = sil_submit_with(pool, &options, task_nothing, NULL, 0, 0);
    sil__clock_fake_advance(3600 * SIL__SECOND);
    assert_int_equal(sil_take(sleeper, NULL, SIL_FOREVER), 0);
    assert_int_equal(sil_take(late, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_int_equal(sil_executor_close(pool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_real_clock_never_goes_back),
        cmocka_unit_test_setup_teardown(test_fake_clock_stands_still_and_moves, start_fake,
                                        stop_fake),
        cmocka_unit_test_setup_teardown(test_sleep_of_an_hour_ends_when_the_clock_says_so,
                                        start_fake, stop_fake),
        cmocka_unit_test_setup_teardown(test_deadline_of_a_queued_task_passes_by_the_clock,
                                        start_fake, stop_fake),
    };
    return test_run("clock", tests);
}
