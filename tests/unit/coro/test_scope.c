/* SPDX-License-Identifier: MIT */
/*
 * Scopes of deadlines in coroutines. The names in comments are those of the tests in CPython's
 * test_timeouts.py that ask for the same.
 */
#include <sillon/deadline.h>

#include "scenario.h"

SCENARIO(scope_ends_a_wait) /* test_timeout_basic, test_timeout_at_basic, test_waiter_cancelled */
{
    (void)arg, (void)result;
    sil_deadline end = sil_in(1e-3);
    sil_deadline outer = sil_deadline_scope(end);
    EXPECT(sil_deadline_current() == end);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= end);
    sil_deadline_restore(outer);
    EXPECT(sil_deadline_current() == SIL_FOREVER);
    EXPECT_CODE(sil_sleep(sil_in(1e-6)), 0);
    EXPECT(!sil_cancelled()); /* test_outer_task_is_not_cancelled */
    return 0;
}

SCENARIO(
    scope_that_does_not_end_changes_nothing) /* test_timeout_not_called, test_timeout_disabled */
{
    (void)arg, (void)result;
    static const double seconds[] = {60, 1e300};
    for (int i = 0; i < 2; i++) {
        sil_deadline outer = sil_deadline_scope(sil_in(seconds[i]));
        EXPECT_CODE(sil_sleep(sil_in(1e-6)), 0);
        EXPECT(sil_deadline_current() > sil_clock());
        sil_deadline_restore(outer);
    }
    return 0;
}

/* test_timeout_zero, test_timeout_zero_sleep_zero, test_timeout_in_the_past_sleep_zero */
SCENARIO(scope_that_has_ended_ends_the_first_wait)
{
    (void)arg, (void)result;
    const sil_deadline ends[] = {SIL_NOW, -7, sil_in(-11)};
    for (int i = 0; i < 3; i++) {
        sil_deadline outer = sil_deadline_scope(ends[i]);
        EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
        EXPECT_CODE(sil_sleep(sil_in(60)), SIL_ETIMEDOUT);
        sil_deadline_restore(outer);
    }
    return 0;
}

SCENARIO(scope_in_a_scope_ends_with_it) /* test_nested_timeouts, test_nested_timeouts_loop_busy */
{
    (void)arg, (void)result;
    sil_deadline end = sil_in(2e-3);
    sil_deadline none = sil_deadline_scope(end);
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT(sil_deadline_current() == end);
    outer = sil_deadline_scope(sil_in(60));
    EXPECT(sil_deadline_current() == end);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= end);
    sil_deadline_restore(outer);
    sil_deadline_restore(none);
    return 0;
}

SCENARIO(scope_for_the_clean_up) /* test_nested_timeout_in_finally */
{
    (void)arg, (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    outer = sil_deadline_scope(sil_in(1e-3));
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    return 0;
}

static int co_scope(void *arg, void *result)
{
    (void)arg;
    sil_deadline outer = sil_deadline_scope(sil_in(60));
    int code = sil_sleep(SIL_FOREVER);
    sil_deadline_restore(outer);
    *(int *)result = sil_yield();
    return code;
}

SCENARIO(cancel_is_no_timeout) /* test_foreign_cancel_doesnt_timeout_if_not_expired */
{
    (void)arg, (void)result;
    sil_future *future = sil_go(co_scope, NULL, 0, sizeof(int));
    give_way(2);
    (void)sil_future_cancel(future);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

SCENARIO(what_is_started_in_a_scope_ends_with_it)
{
    (void)arg, (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    sil_future *future = go_tally(co_forever, &tally);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_group *group = sil_group_open("g");
    outer = sil_deadline_scope(sil_in(1e-3));
    sil_future *member = group_tally(group, co_forever, &tally);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_future_code(member), SIL_ETIMEDOUT);
    EXPECT(tally.begun == tally.ended); /* those that came too late did not begin */
    sil_group_close(group);
    return 0;
}

SCENARIO(scope_holds_for_gather_and_the_like)
{
    (void)arg, (void)result;
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *future = sil_promise_future(promise);
    sil_future *shield = sil_shield(future);
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    EXPECT_CODE(sil_await(shield, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_gather(&shield, 1, SIL_GATHER_ALL, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_future_state(shield) == SIL_CANCELLED && !sil_future_done(future));
    EXPECT_CODE(sil_await_or_cancel(future, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_future_state(future) == SIL_CANCELLED);
    sil_deadline_restore(outer);
    sil_future_release(shield);
    sil_future_release(future);
    sil_promise_destroy(promise);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_scope_ends_a_wait),
        TEST(test_scope_that_does_not_end_changes_nothing),
        TEST(test_scope_that_has_ended_ends_the_first_wait),
        TEST(test_scope_in_a_scope_ends_with_it),
        TEST(test_scope_for_the_clean_up),
        TEST(test_cancel_is_no_timeout),
        TEST(test_what_is_started_in_a_scope_ends_with_it),
        TEST(test_scope_holds_for_gather_and_the_like),
    };
    begin_scenarios();
    return test_run("scopes", tests);
}
