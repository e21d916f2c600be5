/* SPDX-License-Identifier: MIT */
/*
 * Deadline scopes in coroutines: each has its own, children inherit, every wait ends with it, and what is
 * waited for after the scope is waited for as usual. (Every kind of wait in turn:
 * stress/test_loop_points.c; threads and pools: unit/core/test_scope.c.)
 */
#include <sillon/deadline.h>

#include <sillon/sync.h>

#include "base/clock.h"
#include "scenario.h"

static int tell(void *arg, void *result)
{
    (void)arg;
    (void)sil_yield();
    *(sil_deadline *)result = sil_deadline_current();
    return 0;
}

static int open_and_tell(void *arg, void *result)
{
    sil_deadline end = *(sil_deadline *)arg;
    sil_deadline outer = sil_deadline_scope(end);
    for (int i = 0; i < 5; i++) {
        EXPECT(sil_deadline_current() == end);
        EXPECT_CODE(sil_yield(), 0);
    }
    *(sil_deadline *)result = sil_deadline_current();
    sil_deadline_restore(outer);
    EXPECT(sil_deadline_current() == SIL_FOREVER);
    return 0;
}

SCENARIO(each_has_its_own)
{
    (void)arg, (void)result;
    sil_deadline base = sil_in(1000);
    sil_future *futures[20];
    for (int i = 0; i < 20; i++) {
        sil_deadline end = base + i;
        futures[i] = sil_go(open_and_tell, &end, sizeof end, sizeof end);
    }
    for (int i = 0; i < 20; i++) {
        sil_deadline told = 0;
        EXPECT_CODE(sil_take(futures[i], &told, SIL_FOREVER), 0);
        EXPECT(told == base + i);
        EXPECT(sil_deadline_current() == SIL_FOREVER);
    }
    return 0;
}

static int tell_of_child(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    sil_future *child = sil_submit(executor, tell, NULL, 0, sizeof(sil_deadline));
    return sil_take(child, result, SIL_FOREVER);
}

SCENARIO(children_inherit_here_and_elsewhere)
{
    (void)arg, (void)result;
    sil_executor *executors[] = {sil_loop_current(), sil_loop_thread(NULL),
                                 sil_thread_pool(&(sil_thread_pool_options){.workers = 1})};
    sil_deadline end = sil_in(1000);
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        sil_deadline outer = sil_deadline_scope(end);
        sil_deadline told = 0;
        sil_future *child = sil_go(tell, NULL, 0, sizeof told);
        EXPECT_CODE(sil_take(child, &told, SIL_FOREVER), 0);
        EXPECT(told == end);
        child = sil_go(tell_of_child, (void *)&executors[i], sizeof executors[i], sizeof told);
        EXPECT_CODE(sil_take(child, &told, SIL_FOREVER), 0);
        EXPECT(told == end);
        child = sil_submit(executors[i], tell_of_child, (void *)&executors[i], sizeof executors[i],
                           sizeof told);
        sil_deadline_restore(outer); /* what was started in it keeps it */
        EXPECT_CODE(sil_take(child, &told, SIL_FOREVER), 0);
        EXPECT(told == end);
        child = sil_go(tell, NULL, 0, sizeof told);
        EXPECT_CODE(sil_take(child, &told, SIL_FOREVER), 0);
        EXPECT(told == SIL_FOREVER);
    }
    EXPECT_CODE(sil_executor_close(executors[1]), 0);
    EXPECT_CODE(sil_executor_close(executors[2]), 0);
    return 0;
}

static int main_deadline;

static int tell_main(void *arg, void *result)
{
    (void)arg, (void)result;
    main_deadline = sil_deadline_current() == SIL_FOREVER ? 1 : 2;
    return sil_sleep(SIL_FOREVER);
}

static void test_loop_run_in_a_scope_ends_with_it(void **state)
{
    (void)state;
    sil_deadline end = sil_in(0.01);
    sil_deadline outer = sil_deadline_scope(end);
    assert_code(sil_run(tell_main, NULL, 0, NULL, 0), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    assert_int_equal(main_deadline, 2);
    assert_true(sil_clock() >= end);
}

/* --- expiry --------------------------------------------------------------------------------- */

static int forever(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(SIL_FOREVER);
}

SCENARIO(innermost_scope_decides)
{
    (void)arg, (void)result;
    sil_deadline inner_end = sil_clock() + 3000000;
    sil_deadline outer_end = inner_end + 3000000;
    sil_deadline outer = sil_deadline_scope(outer_end);
    sil_deadline inner = sil_deadline_scope(inner_end);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= inner_end);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(inner);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= outer_end);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    return 0;
}

SCENARIO(what_a_child_waits_for_ends_too)
{
    (void)arg, (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(3e-3));
    sil_future *child = sil_go(forever, NULL, 0, 0);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_take(child, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    return 0;
}

/* An explicit deadline that comes first is not the scope's. */
SCENARIO(earlier_deadlines_count)
{
    (void)arg, (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(1000));
    sil_future *child = sil_go(forever, NULL, 0, 0);
    EXPECT_CODE(sil_await(child, sil_in(1e-3)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_future_cancel(child), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(child, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

static int look_at_deadline(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_cancelled()); /* its own deadline has passed */
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ETIMEDOUT);
    return SIL_ECANCELLED; /* which now means the deadline */
}

SCENARIO(deadline_of_a_coroutine_counts_as_asked)
{
    (void)arg, (void)result;
    sil_go_options options = {.deadline = sil_in(2e-3)};
    sil_future *future = sil_go_with(&options, look_at_deadline, NULL, 0, 0);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_future_state(future) == SIL_FINISHED);
    sil_future_release(future);
    return 0;
}

/* With a clock that stands still: the end comes at its moment, and only then. */
static int at_the_moment(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_deadline end = sil_clock() + SIL__SECOND;
    sil_deadline outer = sil_deadline_scope(end);
    sil_future *child = sil_go(forever, NULL, 0, 0);
    sil_deadline_restore(outer);
    EXPECT_CODE(sil_sleep(end - SIL__SECOND / 10), 0);
    EXPECT(sil_clock() < end && sil_future_state(child) == SIL_RUNNING);
    EXPECT_CODE(sil_take(child, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= end && sil_clock() < end + SIL__SECOND / 10);
    return 0;
}

static int advance(void *arg, void *result)
{
    (void)arg, (void)result;
    while (sil_yield() == 0)
        sil__clock_fake_advance(SIL__SECOND / 1000);
    return 0;
}

static int beside_time(void *arg, void *result)
{
    sil_future *time = sil_go(advance, NULL, 0, 0);
    int code = at_the_moment(arg, result);
    (void)sil_future_cancel(time);
    (void)sil_take(time, NULL, SIL_FOREVER);
    return code;
}

static void test_child_lives_until_its_moment(void **state)
{
    (void)state;
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(beside_time);
    sil__clock_fake_stop();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_has_its_own),
        TEST(test_children_inherit_here_and_elsewhere),
        TEST(test_loop_run_in_a_scope_ends_with_it),
        TEST(test_innermost_scope_decides),
        TEST(test_what_a_child_waits_for_ends_too),
        TEST(test_earlier_deadlines_count),
        TEST(test_deadline_of_a_coroutine_counts_as_asked),
        TEST(test_child_lives_until_its_moment),
    };
    begin_scenarios();
    return test_run("deadline scopes of coroutines", tests);
}
