/* SPDX-License-Identifier: MIT */
/*
 * Groups of coroutines whose opener is cancelled, and groups in groups. The number in a test's
 * comment is that of the test in CPython's test_taskgroups.py which asks for the same.
 */
#include <sillon/group.h>

#include "scenario.h"

/* --- a cancel of the opener ---------------------------------------------------------------- */

/* What the runner of a scenario is to do, and what it saw. */
static struct runner {
    sil_task_fn child;
    bool waits_elsewhere; /* before it waits for the group */
    int body;
    int wait;
    int errors;
    int after;
} runner;

static int co_runner(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("runner");
    for (int i = 0; i < 5; i++)
        (void)group_tally(group, runner.child, &tally);
    if (runner.waits_elsewhere) {
        runner.body = sil_sleep(SIL_FOREVER);
        (void)sil_group_cancel(group);
    }
    runner.wait = sil_group_wait(group, SIL_FOREVER);
    while (sil_group_error(group, (size_t)runner.errors))
        runner.errors++;
    runner.after = sil_yield();
    sil_group_close(group);
    return runner.wait != 0 ? runner.wait : runner.body;
}

/* Start it, let it get to its wait, cancel it; its code. */
static int cancel_runner(struct runner what, int turns)
{
    runner = what;
    sil_future *future = sil_go(co_runner, NULL, 0, 0);
    give_way(turns);
    (void)sil_future_cancel(future);
    int code = sil_await(future, SIL_FOREVER);
    sil_future_release(future);
    return code;
}

SCENARIO(cancelled_opener_cancels_all_and_waits) /* cancellation, 22 */
{
    (void)arg, (void)result;
    EXPECT_CODE(cancel_runner((struct runner){.child = co_forever}, 3), SIL_ECANCELLED);
    EXPECT(tally.cancelled == 5 && runner.wait == SIL_ECANCELLED && runner.after == 0);
    EXPECT_CODE(cancel_runner((struct runner){.child = co_stubborn}, 1), SIL_ECANCELLED);
    EXPECT(runner.wait == SIL_ECANCELLED && runner.after == 0 && tally.begun == tally.ended);
    return 0;
}

SCENARIO(opener_cancelled_elsewhere_hears_of_it_once) /* 07 */
{
    (void)arg, (void)result;
    EXPECT_CODE(cancel_runner((struct runner){.child = co_forever, .waits_elsewhere = true}, 3),
                SIL_ECANCELLED);
    EXPECT(tally.cancelled == 5 && runner.body == SIL_ECANCELLED);
    EXPECT(runner.wait == 0 && runner.after == 0);
    return 0;
}

SCENARIO(cancel_of_the_opener_is_told_before_failures_it_caused) /* 08 */
{
    (void)arg, (void)result;
    EXPECT_CODE(cancel_runner((struct runner){.child = co_fail_when_cancelled}, 3), SIL_ECANCELLED);
    EXPECT(runner.wait == SIL_ECANCELLED && runner.errors == 5);
    EXPECT_CODE(
        cancel_runner((struct runner){.child = co_fail_when_cancelled, .waits_elsewhere = true}, 3),
        EIO);
    EXPECT(runner.body == SIL_ECANCELLED && runner.wait == EIO && runner.errors == 5);
    return 0;
}

static int co_hold(void *arg, void *result)
{
    (void)result;
    int code = co_forever(&(struct tally *){&tally}, NULL);
    return sil_await(*(sil_future **)arg, SIL_FOREVER) == 0 ? code : UNEXPECTED;
}

struct held {
    sil_future *until;
    int wait;
    int after;
    bool waited;
};

static int co_held_runner(void *arg, void *result)
{
    (void)result;
    struct held *held = *(struct held **)arg;
    sil_group *group = sil_group_open("held");
    (void)sil_group_go(group, co_hold, &held->until, sizeof held->until, 0);
    held->wait = sil_group_wait(group, SIL_FOREVER);
    held->waited = true;
    held->after = sil_yield();
    sil_group_close(group);
    return held->wait;
}

SCENARIO(second_cancel_does_not_end_the_wait)
{
    (void)arg, (void)result;
    sil_promise *promise = sil_promise_create(NULL, 0);
    struct held held = {.until = sil_promise_future(promise)};
    sil_future *future = sil_go(co_held_runner, &(struct held *){&held}, sizeof(void *), 0);
    give_way(3);
    (void)sil_future_cancel(future);
    give_way(3);
    EXPECT(tally.cancelled == 1 && !held.waited);
    (void)sil_future_cancel(future);
    give_way(3);
    EXPECT(!held.waited);
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(held.wait == SIL_ECANCELLED && held.after == 0); /* it is told once */
    sil_future_release(future);
    sil_future_release(held.until);
    sil_promise_destroy(promise);
    return 0;
}

/* The opener runs while a child fails and somebody cancels it. */
static int co_cancelled_while_failing(void *arg, void *result)
{
    (void)result;
    sil_future *self = **(sil_future ***)arg;
    sil_group *group = sil_group_open("both");
    sil_promise *failing = sil_promise_create(NULL, 0);
    EXPECT_CODE(sil_group_add(group, sil_promise_future(failing)), 0);
    (void)group_tally(group, co_stubborn, &tally);
    give_way(2);
    EXPECT_CODE(sil_promise_reject(failing, ERANGE, "no"), 0);
    EXPECT_CODE(sil_future_cancel(self), SIL_EINPROGRESS);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_error_code(sil_group_error(group, 0)), ERANGE);
    EXPECT_CODE(sil_yield(), 0);
    sil_group_close(group);
    sil_promise_destroy(failing);
    return 0;
}

SCENARIO(real_cancel_is_not_taken_for_that_of_a_failure)
{
    (void)arg, (void)result;
    sil_future *future = NULL;
    sil_future **slot = &future;
    future = sil_go(co_cancelled_while_failing, &slot, sizeof slot, 0);
    int code = sil_await(future, SIL_FOREVER);
    sil_error *const error = (sil_error *)sil_future_error(future);
    if (code != 0)
        code = sil_fail(UNEXPECTED, "%s", sil_error_message(error));
    sil_future_release(future);
    return code;
}

static int co_cleans_up(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("cleans up");
    sil_promise *promise = sil_promise_create(NULL, 0);
    (void)sil_group_add(group, sil_promise_future(promise));
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_promise_reject(promise, ERANGE, "crashed meanwhile"), 0);
    EXPECT_CODE(sil_yield(), SIL_ECANCELLED);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    sil_group_close(group);
    sil_promise_destroy(promise);
    return 0;
}

SCENARIO(failure_during_the_clean_up_ends_that_too) /* 15, 16 */
{
    (void)arg, (void)result;
    sil_future *future = sil_go(co_cleans_up, NULL, 0, 0);
    give_way(2);
    (void)sil_future_cancel(future);
    return sil_take(future, NULL, SIL_FOREVER);
}

/* --- groups in groups ---------------------------------------------------------------------- */

SCENARIO(failure_in_the_outer_group_ends_the_wait_for_the_inner) /* 13 */
{
    (void)arg, (void)result;
    sil_group *outer = sil_group_open("outer");
    (void)group_int(outer, co_fail, ERANGE);
    sil_group *inner = sil_group_open("inner");
    (void)group_tally(inner, co_forever, &tally);
    EXPECT_CODE(sil_group_wait(inner, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(tally.cancelled == 1);
    sil_group_close(inner);
    EXPECT_CODE(sil_group_wait(outer, SIL_FOREVER), ERANGE);
    sil_group_close(outer);
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

SCENARIO(failure_in_the_inner_group_is_the_inner_ones) /* 14 */
{
    (void)arg, (void)result;
    sil_group *outer = sil_group_open("outer");
    (void)group_tally(outer, co_forever, &tally);
    sil_group *inner = sil_group_open("inner");
    (void)group_int(inner, co_fail, ERANGE);
    EXPECT_CODE(sil_group_wait(inner, SIL_FOREVER), ERANGE);
    sil_group_close(inner);
    EXPECT(tally.cancelled == 0);
    sil_group_close(outer);
    EXPECT(tally.cancelled == 1);
    return 0;
}

SCENARIO(failures_in_both_groups_are_told_one_by_one)
{
    (void)arg, (void)result;
    sil_group *outer = sil_group_open("outer");
    sil_group *inner = sil_group_open("inner");
    sil_promise *promises[2] = {sil_promise_create(NULL, 0), sil_promise_create(NULL, 0)};
    (void)sil_group_add(outer, sil_promise_future(promises[0]));
    (void)sil_group_add(inner, sil_promise_future(promises[1]));
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(sil_promise_reject(promises[i], ERANGE + i, "no"), 0);
    EXPECT_CODE(sil_group_wait(inner, SIL_FOREVER), ERANGE + 1);
    sil_group_close(inner);
    EXPECT_CODE(sil_yield(), SIL_ECANCELLED); /* the outer's, which is not forgotten */
    EXPECT_CODE(sil_group_wait(outer, SIL_FOREVER), ERANGE);
    sil_group_close(outer);
    EXPECT_CODE(sil_yield(), 0);
    for (int i = 0; i < 2; i++)
        sil_promise_destroy(promises[i]);
    return 0;
}

static int co_nested(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_group *outer = sil_group_open("outer");
    (void)group_tally(outer, co_forever, &tally);
    sil_group *inner = sil_group_open("inner");
    for (int i = 0; i < 5; i++)
        (void)group_tally(inner, co_fail_when_cancelled, &tally);
    int code = sil_group_wait(inner, SIL_FOREVER);
    sil_group_close(inner);
    sil_group_close(outer);
    return code;
}

SCENARIO(cancel_goes_through_groups_in_groups) /* 11, 12 */
{
    (void)arg, (void)result;
    sil_future *future = sil_go(co_nested, NULL, 0, 0);
    give_way(3);
    (void)sil_future_cancel(future);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(tally.begun == 6 && tally.ended == 6);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_cancelled_opener_cancels_all_and_waits),
        TEST(test_opener_cancelled_elsewhere_hears_of_it_once),
        TEST(test_cancel_of_the_opener_is_told_before_failures_it_caused),
        TEST(test_second_cancel_does_not_end_the_wait),
        TEST(test_real_cancel_is_not_taken_for_that_of_a_failure),
        TEST(test_failure_during_the_clean_up_ends_that_too),
        TEST(test_failure_in_the_outer_group_ends_the_wait_for_the_inner),
        TEST(test_failure_in_the_inner_group_is_the_inner_ones),
        TEST(test_failures_in_both_groups_are_told_one_by_one),
        TEST(test_cancel_goes_through_groups_in_groups),
    };
    begin_scenarios();
    return test_run("cancelled groups of coroutines", tests);
}
