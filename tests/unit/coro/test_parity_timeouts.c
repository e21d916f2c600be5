/* SPDX-License-Identifier: MIT */
/*
 * Deadlines, as asyncio's tests of timeout and wait_for ask for them (docs/asyncio-parity.md). The
 * names in comments are those of the tests in CPython's test_timeouts.py and test_waitfor.py.
 */
#include <sillon/group.h>

#include "scenario.h"

/* --- scopes ---------------------------------------------------------------------------------- */

SCENARIO(scope_that_ends_leaves_nothing) /* test_outer_task_is_not_cancelled */
{
    (void)arg, (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT(!sil_cancelled() && sil_deadline_current() == SIL_FOREVER);
    EXPECT_CODE(sil_sleep(sil_in(1e-6)), 0);
    return 0;
}

/* test_timeout_not_called, test_timeout_disabled, test_timeout_at_disabled */
SCENARIO(scope_that_does_not_end_changes_nothing)
{
    (void)arg, (void)result;
    const sil_deadline ends[] = {sil_in(60), sil_in(1e300), SIL_FOREVER};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        sil_deadline outer = sil_deadline_scope(ends[i]);
        EXPECT(sil_deadline_current() == ends[i]);
        EXPECT_CODE(sil_sleep(sil_in(1e-6)), 0);
        sil_deadline_restore(outer);
    }
    return 0;
}

SCENARIO(scope_that_has_ended_ends_the_first_wait) /* test_timeout_zero */
{
    (void)arg, (void)result;
    const sil_deadline ends[] = {SIL_NOW, -7, sil_in(-11)};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        sil_deadline outer = sil_deadline_scope(ends[i]);
        EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
        EXPECT_CODE(sil_sleep(sil_in(60)), SIL_ETIMEDOUT);
        sil_deadline_restore(outer);
    }
    return 0;
}

SCENARIO(scope_for_the_clean_up) /* test_nested_timeout_in_finally */
{
    (void)arg, (void)result;
    for (int i = 0; i < 2; i++) {
        sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
        EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
        sil_deadline_restore(outer);
    }
    return 0;
}

static int sleep_in_scope(void *arg, void *result)
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
    sil_future *future = sil_go(sleep_in_scope, NULL, 0, sizeof(int));
    give_way(2);
    (void)sil_future_cancel(future);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

SCENARIO(scope_holds_for_what_waits_to_the_end)
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
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

static int fail_in_scope(void *arg, void *result)
{
    (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(*(double *)arg));
    int code = sil_sleep(sil_in(1e-3));
    code = sil_fail(ERANGE, "failed, whatever the wait said: %d", code);
    sil_deadline_restore(outer);
    return code;
}

/* test_foreign_exception_passed, test_foreign_exception_on_timeout */
SCENARIO(failure_in_a_scope_is_what_it_is)
{
    (void)arg, (void)result;
    static const double seconds[] = {60, 1e-6};
    for (int i = 0; i < 2; i++) {
        sil_future *future = sil_go(fail_in_scope, &seconds[i], sizeof seconds[i], 0);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), ERANGE);
    }
    return 0;
}

static void hold_the_loop(sil_deadline until)
{
    while (sil_clock() < until)
        ;
}

/* test_nested_timeouts_loop_busy, test_nested_timeouts_concurrent: both have ended by the time the
 * loop can look, and each is told where it belongs. */
SCENARIO(scopes_end_though_the_loop_was_held)
{
    (void)arg, (void)result;
    sil_deadline late = sil_in(2e-3);
    sil_deadline none = sil_deadline_scope(late);
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    hold_the_loop(late + 1);
    EXPECT_CODE(sil_sleep(sil_in(60)), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT(sil_deadline_current() == late);
    EXPECT_CODE(sil_sleep(sil_in(60)), SIL_ETIMEDOUT);
    sil_deadline_restore(none);
    EXPECT_CODE(sil_sleep(sil_in(1e-6)), 0);
    return 0;
}

/* test_timeout_zero_sleep_zero, test_timeout_in_the_past_sleep_zero, where asyncio's raises */
SCENARIO(ended_scope_leaves_alone_what_need_not_wait)
{
    (void)arg, (void)result;
    sil_future *future = go_int(task_int, 42);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
    sil_deadline outer = sil_deadline_scope(sil_in(-11));
    EXPECT_CODE(sil_sleep(SIL_NOW), 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
    EXPECT_CODE(sil_sleep(sil_in(1)), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    sil_future_release(future);
    return 0;
}

/* test_reschedule, as far as a deadline is a value: the one that set it may set another. */
SCENARIO(scope_may_be_put_off_by_its_owner)
{
    (void)arg, (void)result;
    sil_deadline first = sil_in(1e-3);
    sil_deadline outer = sil_deadline_scope(first);
    sil_deadline_restore(outer);
    outer = sil_deadline_scope(sil_in(60));
    EXPECT_CODE(sil_sleep(first + 1000000), 0);
    sil_deadline_restore(outer);
    return 0;
}

/* --- sil_await_or_cancel --------------------------------------------------------------------- */

static int wait_for_the_gate_when_cancelled(void *arg, void *result)
{
    (void)result;
    tally.cancelled += sil_sleep(SIL_FOREVER) == SIL_ECANCELLED;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

struct outcome {
    int code;  /* of sil_await_or_cancel */
    int after; /* of the wait that followed */
};

static int wait_for_inner(void *arg, void *result)
{
    struct outcome *outcome = result;
    outcome->code = sil_await_or_cancel(*(sil_future **)arg, sil_in(1e-3));
    outcome->after = sil_yield();
    return 0;
}

/* test_wait_for_self_cancellation: asyncio's lets go of it then; ours waits until it has ended, and
 * the cancel is not lost. */
SCENARIO(cancel_while_the_end_is_waited_for)
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *gate = promise_int(&promise);
    sil_future *inner = sil_go(wait_for_the_gate_when_cancelled, &gate, sizeof gate, 0);
    struct outcome outcome = {0};
    sil_future *outer = sil_go(wait_for_inner, &inner, sizeof inner, sizeof outcome);
    while (tally.cancelled == 0) /* the deadline has not come */
        EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(outer), SIL_EINPROGRESS);
    give_way(3);
    EXPECT(!sil_future_done(outer));
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    EXPECT_CODE(sil_take(outer, &outcome, SIL_FOREVER), 0);
    EXPECT(outcome.code == 0 && outcome.after == SIL_ECANCELLED);
    EXPECT_CODE(sil_take(inner, NULL, SIL_FOREVER), 0);
    sil_future_release(gate);
    sil_promise_destroy(promise);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_scope_that_ends_leaves_nothing),
        TEST(test_scope_that_does_not_end_changes_nothing),
        TEST(test_scope_that_has_ended_ends_the_first_wait),
        TEST(test_scope_for_the_clean_up),
        TEST(test_cancel_is_no_timeout),
        TEST(test_scope_holds_for_what_waits_to_the_end),
        TEST(test_failure_in_a_scope_is_what_it_is),
        TEST(test_scopes_end_though_the_loop_was_held),
        TEST(test_ended_scope_leaves_alone_what_need_not_wait),
        TEST(test_scope_may_be_put_off_by_its_owner),
        TEST(test_cancel_while_the_end_is_waited_for),
    };
    begin_scenarios();
    return test_run("parity: timeouts", tests);
}
