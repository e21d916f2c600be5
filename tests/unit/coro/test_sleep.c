/* SPDX-License-Identifier: MIT */
/*
 * sil_sleep in coroutines: in the order of the moments, never early, and ended by a cancel.
 */
#include <sillon/deadline.h>

#include <string.h>

#include <sillon/executor_impl.h>

#include "base/clock.h"
#include "scenario.h"
#include "support/random.h"

#define MILLI INT64_C(1000000)

/* --- with a clock that stands still -------------------------------------------------------- */

static int fake(int (*scenario)(void *arg, void *result))
{
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(scenario);
    sil__clock_fake_stop();
    return 0;
}

struct nap {
    int number;
    sil_deadline until;
};

enum { NAPS = 2000 };
static int woken[NAPS];
static int woken_count;

static int nap(void *arg, void *result)
{
    (void)result;
    const struct nap *self = arg;
    int code = sil_sleep(self->until);
    EXPECT(sil_clock() >= self->until);
    woken[woken_count++] = self->number;
    return code;
}

static sil_future *go_nap(int number, sil_deadline until)
{
    return sil_go(nap, &(struct nap){number, until}, sizeof(struct nap), 0);
}

static int wake_in_order(void *arg, void *result)
{
    (void)arg, (void)result;
    struct random random = {17};
    size_t order[NAPS];
    random_permutation(&random, order, NAPS);
    sil_deadline begun = sil_clock();
    sil_future *futures[NAPS];
    woken_count = 0;
    /* Two of each moment, in the order of their numbers. */
    for (int i = 0; i < NAPS; i++)
        futures[order[i]] =
            go_nap((int)order[i], begun + MILLI * (1 + (int64_t)order[i] / 2 % (NAPS / 4)));
    for (int i = 0; i < NAPS / 4; i++) {
        give_way(3);
        sil__clock_fake_advance(MILLI);
    }
    sil__clock_fake_advance(MILLI); /* timers may be a quarter of that late */
    for (int i = 0; i < NAPS; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    EXPECT(woken_count == NAPS);
    for (int i = 1; i < NAPS; i++)
        EXPECT(woken[i - 1] / 2 % (NAPS / 4) <= woken[i] / 2 % (NAPS / 4));
    return 0;
}

static void test_they_wake_in_the_order_of_their_moments(void **state)
{
    (void)state;
    (void)fake(wake_in_order);
}

static int wake_at_once(void *arg, void *result)
{
    (void)arg, (void)result;
    woken_count = 0;
    sil_future *futures[100];
    for (int i = 0; i < 100; i++)
        futures[i] = go_nap(i, sil_clock() + 5 * MILLI);
    EXPECT_CODE(sil_yield(), 0);
    sil__clock_fake_advance(100 * MILLI);
    for (int i = 0; i < 100; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    for (int i = 0; i < 100; i++)
        EXPECT(woken[i] == i);
    return 0;
}

static void test_those_of_one_moment_wake_as_they_fell_asleep(void **state)
{
    (void)state;
    (void)fake(wake_at_once);
}

static int sleep_in_the_past(void *arg, void *result)
{
    (void)arg, (void)result;
    int64_t before = sil_clock();
    EXPECT_CODE(sil_sleep(SIL_NOW), 0);
    EXPECT_CODE(sil_sleep(1), 0);
    EXPECT_CODE(sil_sleep(-5), 0);
    EXPECT_CODE(sil_sleep(before), 0);
    EXPECT(sil_clock() == before);
    return 0;
}

static void test_moments_that_have_passed_are_not_waited_for(void **state)
{
    (void)state;
    (void)fake(sleep_in_the_past);
}

/* --- with the real one --------------------------------------------------------------------- */

SCENARIO(nobody_wakes_early)
{
    (void)arg, (void)result;
    struct random random = {4};
    sil_future *futures[200];
    woken_count = 0;
    for (int i = 0; i < 200; i++)
        futures[i] = go_nap(i, sil_clock() + (int64_t)random_below(&random, 20 * MILLI));
    for (int i = 0; i < 200; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    return 0;
}

static int mark(void *arg, void *result)
{
    (void)result;
    **(bool **)arg = true;
    return 0;
}

/* Not with SIL_NOW, which never waits. */
SCENARIO(who_hardly_sleeps_lets_others_run)
{
    (void)arg, (void)result;
    bool ran = false;
    bool *told = &ran;
    sil_future_release(sil_go(mark, (void *)&told, sizeof told, 0));
    for (int i = 0; !ran && i < 1000; i++)
        EXPECT_CODE(sil_sleep(sil_in(0)), 0);
    EXPECT(ran);
    ran = false;
    sil_future *thread = sil_thread_start(NULL, task_nothing, NULL, 0, 0);
    sil_future *waiter = sil_go(task_await, (void *)&thread, sizeof thread, 0);
    while (!sil_future_done(waiter))
        EXPECT_CODE(sil_sleep(sil_in(0)), 0);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_NOW), 0);
    sil_future_release(thread);
    return 0;
}

/* --- ended --------------------------------------------------------------------------------- */

SCENARIO(cancel_ends_it)
{
    (void)arg, (void)result;
    sil_future *future = go_tally(co_forever, &tally);
    sil_future *long_one = go_nap(0, sil_in(1e6));
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(tally.cancelled == 1);
    EXPECT(strstr(sil_error_message(sil_last_error()), "sil_sleep"));
    EXPECT_CODE(sil_future_cancel(long_one), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(long_one, NULL, SIL_FOREVER), UNEXPECTED); /* it looks at the clock */
    return 0;
}

static int cancelled_while_it_runs(void *arg, void *result)
{
    (void)result;
    EXPECT_CODE(sil_future_cancel(*(sil_future **)arg), SIL_EINPROGRESS);
    EXPECT(sil_cancelled());
    EXPECT_CODE(sil_sleep(SIL_NOW), SIL_ECANCELLED);
    EXPECT(sil_cancelled());
    EXPECT_CODE(sil_sleep(SIL_NOW), 0);
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    return 0;
}

SCENARIO(cancel_that_is_due_ends_the_next)
{
    (void)arg, (void)result;
    sil_future *self = NULL;
    sil_future *slot = sil_go(cancelled_while_it_runs, (void *)&self, sizeof self, 0);
    *(sil_future **)sil_task_arg(slot, NULL) = slot;
    EXPECT_CODE(sil_take(slot, NULL, SIL_FOREVER), 0);
    return 0;
}

static int sleep_in_scope(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_deadline end = sil_clock() + 5 * MILLI;
    sil_deadline outer = sil_deadline_scope(end);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= end);
    EXPECT_CODE(sil_sleep(end), 0);
    EXPECT_CODE(sil_sleep(end + 1), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_sleep(sil_clock() + MILLI), 0);
    return 0;
}

static void test_scope_ends_it(void **state)
{
    (void)state;
    run_scenario(sleep_in_scope);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_they_wake_in_the_order_of_their_moments),
        TEST(test_those_of_one_moment_wake_as_they_fell_asleep),
        TEST(test_moments_that_have_passed_are_not_waited_for),
        TEST(test_nobody_wakes_early),
        TEST(test_who_hardly_sleeps_lets_others_run),
        TEST(test_cancel_ends_it),
        TEST(test_cancel_that_is_due_ends_the_next),
        TEST(test_scope_ends_it),
    };
    begin_scenarios();
    return test_run("sil_sleep in coroutines", tests);
}
