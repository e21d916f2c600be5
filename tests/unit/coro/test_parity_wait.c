/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many in coroutines, as asyncio's tests of wait and as_completed ask for it
 * (docs/asyncio-parity.md). The names in comments are those of the tests in test_tasks.py.
 */
#include <sillon/wait.h>

#include "base/clock.h"
#include "scenario.h"

static void release_all(sil_future **futures, int count)
{
    for (int i = 0; i < count; i++)
        sil_future_release(futures[i]);
}

/* --- sil_wait -------------------------------------------------------------------------------- */

SCENARIO(wait_for_all) /* test_wait, test_wait_duplicate_coroutines, test_wait_with_exception */
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_int(co_int, 1), go_int(co_fail, ERANGE), go_int(co_int, 3), NULL};
    futures[3] = futures[0];
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to wait for */
        size_t done = 0;
        EXPECT_CODE(sil_wait(futures, 4, SIL_ALL_COMPLETED, SIL_FOREVER, &done), 0);
        EXPECT(done == 4);
    }
    EXPECT(int_of(futures[0]) == 1 && int_of(futures[2]) == 3);
    EXPECT_CODE(sil_future_code(futures[1]), ERANGE);
    release_all(futures, 3);
    return 0;
}

SCENARIO(wait_for_the_first) /* test_wait_first_completed */
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_tally(co_forever, &tally), go_int(co_int, 2)};
    size_t done = 0;
    EXPECT_CODE(sil_wait(futures, 2, SIL_FIRST_COMPLETED, SIL_FOREVER, &done), 0);
    EXPECT(done == 1 && int_of(futures[1]) == 2 && !sil_future_done(futures[0]));
    (void)sil_future_cancel(futures[0]);
    EXPECT_CODE(sil_wait(futures, 2, SIL_ALL_COMPLETED, SIL_FOREVER, &done), 0);
    EXPECT(done == 2);
    release_all(futures, 2);
    return 0;
}

SCENARIO(those_count_that_ended_before_the_waiter_ran) /* test_wait_really_done */
{
    (void)arg, (void)result;
    sil_promise *promises[2];
    sil_future *futures[] = {promise_int(&promises[0]), promise_int(&promises[1])};
    sil_future *keeper = sil_go(task_await, &futures[1], sizeof(sil_future *), 0);
    give_way(2);
    EXPECT_CODE(sil_promise_resolve(promises[0], NULL), 0);
    EXPECT_CODE(sil_promise_resolve(promises[1], NULL), 0);
    size_t done = 0;
    EXPECT_CODE(sil_wait(futures, 2, SIL_FIRST_COMPLETED, SIL_FOREVER, &done), 0);
    EXPECT(done == 2);
    release_all(futures, 2);
    for (int i = 0; i < 2; i++)
        sil_promise_destroy(promises[i]);
    return sil_take(keeper, NULL, SIL_FOREVER);
}

/* test_wait_first_exception, test_wait_first_exception_in_wait */
SCENARIO(wait_for_the_first_failure)
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_tally(co_forever, &tally), go_tally(co_forever, &tally),
                             go_int(co_fail, ERANGE)};
    give_way(1);
    (void)sil_future_cancel(futures[0]); /* that is no failure */
    for (int i = 0; i < 2; i++) {        /* the second time it has failed before */
        size_t done = 0;
        EXPECT_CODE(sil_wait(futures, 3, SIL_FIRST_EXCEPTION, SIL_FOREVER, &done), 0);
        EXPECT(done == 2 && !sil_future_done(futures[1]));
        EXPECT_CODE(sil_future_code(futures[2]), ERANGE);
    }
    (void)sil_future_cancel(futures[1]);
    release_all(futures, 3);
    return 0;
}

/* More than a second passes, when the others have had their turns. */
static int let_time_pass(void *arg, void *result)
{
    (void)arg, (void)result;
    give_way(5);
    sil__clock_fake_advance(2 * SIL__SECOND);
    return 0;
}

static int time_out(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *futures[] = {go_int(co_int, 1), promise_int(&promise)};
    sil_future *clock = sil_go(let_time_pass, NULL, 0, 0);
    size_t done = 0;
    EXPECT_CODE(sil_wait(futures, 2, SIL_ALL_COMPLETED, sil_in(1), &done), SIL_ETIMEDOUT);
    EXPECT(done == 1 && sil_future_done(futures[0]) && !sil_future_done(futures[1]));
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    EXPECT_CODE(sil_wait(futures, 2, SIL_ALL_COMPLETED, SIL_NOW, &done), 0);
    release_all(futures, 2);
    sil_promise_destroy(promise);
    return sil_take(clock, NULL, SIL_FOREVER);
}

/* test_wait_with_timeout, test_wait_concurrent_complete */
static void test_wait_times_out_and_they_go_on(void **state)
{
    (void)state;
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(time_out);
    sil__clock_fake_stop();
}

static int wait_for_one(void *arg, void *result)
{
    (void)result;
    return sil_wait((sil_future **)arg, 1, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
}

SCENARIO(cancelled_wait_leaves_what_it_was_for) /* test_yield_wait_does_not_shield_cancel */
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *gate = promise_int(&promise);
    sil_future *inner = sil_go(task_await, &gate, sizeof gate, 0);
    sil_future *outer = sil_go(wait_for_one, &inner, sizeof inner, 0);
    give_way(3);
    EXPECT_CODE(sil_future_cancel(outer), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(outer, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_future_done(inner));
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    EXPECT_CODE(sil_take(inner, NULL, SIL_FOREVER), 0);
    sil_future_release(gate);
    sil_promise_destroy(promise);
    return 0;
}

/* --- sil_as_completed ------------------------------------------------------------------------ */

/* Keeps them one by one, and lets others run. */
static int keep_in_order(void *arg, void *result)
{
    (void)result;
    sil_promise **promises = *(sil_promise ***)arg;
    static const int order[] = {2, 0, 1};
    for (int i = 0; i < 3; i++) {
        give_way(3);
        EXPECT_CODE(sil_promise_resolve(promises[order[i]], &order[i]), 0);
    }
    return 0;
}

SCENARIO(as_completed_yields_in_the_order_of_ending) /* test_as_completed */
{
    (void)arg, (void)result;
    sil_promise *promises[3];
    sil_promise **keeps = promises;
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = promise_int(&promises[i]);
    sil_future *keeper = sil_go(keep_in_order, (void *)&keeps, sizeof keeps, 0);
    sil_as_completed *it = sil_as_completed_create(futures, 3);
    release_all(futures, 3);
    sil_future *future = NULL;
    static const int order[] = {2, 0, 1};
    for (int i = 0; i < 3; i++) {
        EXPECT_CODE(sil_as_completed_next(it, &future, SIL_FOREVER), 0);
        EXPECT(int_of(future) == order[i] && sil_as_completed_left(it) == (size_t)(2 - i));
    }
    EXPECT_CODE(sil_as_completed_next(it, &future, SIL_FOREVER), SIL_EEND);
    sil_as_completed_destroy(it);
    for (int i = 0; i < 3; i++)
        sil_promise_destroy(promises[i]);
    return sil_take(keeper, NULL, SIL_FOREVER);
}

/* test_as_completed_with_timeout, test_as_completed_with_unused_timeout */
SCENARIO(as_completed_goes_on_after_a_deadline)
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *futures[] = {promise_int(&promise), go_int(co_int, 1)};
    sil_as_completed *it = sil_as_completed_create(futures, 2);
    sil_deadline until = sil_in(2e-3);
    sil_future *future = NULL;
    int code = sil_as_completed_next(it, &future, sil_in(60));
    EXPECT(code == 0 && int_of(future) == 1);
    EXPECT_CODE(sil_as_completed_next(it, &future, until), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= until);
    EXPECT_CODE(sil_promise_resolve(promise, &(int){7}), 0);
    EXPECT_CODE(sil_as_completed_next(it, &future, until), 0);
    EXPECT(int_of(future) == 7);
    sil_as_completed_destroy(it);
    release_all(futures, 2);
    sil_promise_destroy(promise);
    return 0;
}

static int iterate(void *arg, void *result)
{
    sil_as_completed *it = sil_as_completed_create((sil_future **)arg, 1);
    sil_future *future = NULL;
    int code = sil_as_completed_next(it, &future, SIL_FOREVER);
    *(int *)result = sil_as_completed_next(it, &future, SIL_NOW);
    sil_as_completed_destroy(it);
    return code;
}

SCENARIO(cancelled_iteration_leaves_the_futures)
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *inner = promise_int(&promise);
    sil_future *outer = sil_go(iterate, &inner, sizeof inner, sizeof(int));
    give_way(2);
    EXPECT_CODE(sil_future_cancel(outer), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(outer, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(sil_future_state(inner) == SIL_PENDING);
    sil_future_release(inner);
    sil_promise_destroy(promise);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_wait_for_all),
        TEST(test_wait_for_the_first),
        TEST(test_those_count_that_ended_before_the_waiter_ran),
        TEST(test_wait_for_the_first_failure),
        TEST(test_wait_times_out_and_they_go_on),
        TEST(test_cancelled_wait_leaves_what_it_was_for),
        TEST(test_as_completed_yields_in_the_order_of_ending),
        TEST(test_as_completed_goes_on_after_a_deadline),
        TEST(test_cancelled_iteration_leaves_the_futures),
    };
    begin_scenarios();
    return test_run("parity: wait", tests);
}
