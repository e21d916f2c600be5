/* SPDX-License-Identifier: MIT */
/*
 * sil_await_or_cancel, in coroutines and on threads. The names in comments are those of the tests
 * in CPython's test_waitfor.py that ask for the same.
 */
#include <sillon/group.h>

#include <string.h>

#include "scenario.h"
#include "support/gate.h"

/* --- in coroutines ------------------------------------------------------------------------- */

SCENARIO(
    what_ends_in_time_is_the_outcome) /* test_wait_for_blocking, test_wait_for_race_condition */
{
    (void)arg, (void)result;
    static const sil_deadline untils[] = {SIL_FOREVER, SIL_FOREVER - 1};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        sil_future *future = go_int(co_int, 42);
        EXPECT_CODE(sil_await_or_cancel(future, untils[i]), 0);
        EXPECT(int_of(future) == 42);
        sil_future_release(future);
        future = go_int(co_fail, ERANGE);
        EXPECT_CODE(sil_await_or_cancel(future, untils[i]), ERANGE);
        EXPECT(strcmp(sil_error_message(sil_last_error()), "failed with 34") == 0);
        sil_future_release(future);
    }
    return 0;
}

SCENARIO(what_has_ended_is_the_outcome_at_once) /* timeout_less_then_0_or_0_future_done */
{
    (void)arg, (void)result;
    sil_future *future = go_int(co_int, 42);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
    EXPECT_CODE(sil_await_or_cancel(future, SIL_NOW), 0);
    sil_future_release(future);
    return 0;
}

SCENARIO(what_has_not_begun_does_not_begin) /* ..._coroutine_do_not_started */
{
    (void)arg, (void)result;
    sil_future *future = go_tally(co_forever, &tally);
    EXPECT_CODE(sil_await_or_cancel(future, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT(sil_future_state(future) == SIL_CANCELLED && tally.begun == 0);
    sil_future_release(future);
    return 0;
}

SCENARIO(deadline_cancels) /* test_wait_for, test_wait_for_timeout_less_then_0_or_0 */
{
    (void)arg, (void)result;
    const sil_deadline untils[] = {SIL_NOW, -5, sil_in(1e-3)};
    for (int i = 0; i < 3; i++) {
        tally = (struct tally){0};
        sil_future *future = go_tally(co_forever, &tally);
        give_way(1);
        EXPECT_CODE(sil_await_or_cancel(future, untils[i]), SIL_ETIMEDOUT);
        EXPECT_CODE(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
        EXPECT(sil_future_state(future) == SIL_CANCELLED && tally.ended == 1);
        sil_future_release(future);
    }
    return 0;
}

/* test_asyncio_wait_for_timeout, test_wait_for_cancellation_race_condition */
SCENARIO(what_ends_well_all_the_same_is_the_outcome)
{
    (void)arg, (void)result;
    sil_future *future = go_tally(co_stubborn, &tally);
    EXPECT_CODE(sil_await_or_cancel(future, sil_in(1e-3)), 0);
    EXPECT(tally.cancelled == 1 && sil_future_done(future));
    sil_future_release(future);
    return 0;
}

static int co_slow_to_cancel(void *arg, void *result)
{
    int code = co_forever(arg, result);
    give_way(5);
    tally.ended = 2;
    return code;
}

SCENARIO(end_of_what_was_cancelled_is_waited_for) /* test_wait_for_waits_for_task_cancellation */
{
    (void)arg, (void)result;
    const sil_deadline untils[] = {SIL_NOW, sil_in(1e-3)};
    for (int i = 0; i < 2; i++) {
        sil_future *future = go_tally(co_slow_to_cancel, &tally);
        give_way(1);
        EXPECT_CODE(sil_await_or_cancel(future, untils[i]), SIL_ETIMEDOUT);
        EXPECT(tally.ended == 2);
        sil_future_release(future);
    }
    return 0;
}

SCENARIO(failure_while_it_is_cancelled_is_the_outcome) /* reraises_exception_during_cancellation */
{
    (void)arg, (void)result;
    sil_future *future = go_tally(co_fail_when_cancelled, &tally);
    EXPECT_CODE(sil_await_or_cancel(future, sil_in(1e-3)), EIO);
    EXPECT_CODE(sil_error_code(sil_last_error()), EIO);
    sil_future_release(future);
    return 0;
}

struct waiting {
    sil_future *future;
    sil_deadline until;
};

static int co_wait(void *arg, void *result)
{
    struct waiting *waiting = arg;
    int code = sil_await_or_cancel(waiting->future, waiting->until);
    *(int *)result = sil_yield();
    return code;
}

/* Wait for such a one in a coroutine that is cancelled: its code. */
static int cancel_waiter(sil_task_fn fn, sil_deadline until, sil_future **out_future)
{
    tally = (struct tally){0};
    struct waiting waiting = {go_tally(fn, &tally), until};
    sil_future *waiter = sil_go(co_wait, &waiting, sizeof waiting, sizeof(int));
    give_way(3);
    (void)sil_future_cancel(waiter);
    *out_future = waiting.future;
    int code = sil_await(waiter, SIL_FOREVER);
    sil_future_release(waiter);
    return code;
}

SCENARIO(cancel_takes_it_along) /* test_cancel_blocking_wait_for, test_cancel_wait_for */
{
    (void)arg, (void)result;
    const sil_deadline untils[] = {SIL_FOREVER, sil_in(60)};
    for (int i = 0; i < 2; i++) {
        sil_future *future;
        EXPECT_CODE(cancel_waiter(co_forever, untils[i], &future), SIL_ECANCELLED);
        EXPECT(sil_future_state(future) == SIL_CANCELLED && tally.ended == 1);
        sil_future_release(future);
    }
    return 0;
}

/* test_asyncio_wait_for_cancelled, test_wait_for_self_cancellation */
SCENARIO(cancel_is_told_also_if_it_ends_well_or_fails)
{
    (void)arg, (void)result;
    sil_future *future;
    EXPECT_CODE(cancel_waiter(co_stubborn, SIL_FOREVER, &future), SIL_ECANCELLED);
    EXPECT_CODE(sil_future_code(future), 0);
    sil_future_release(future);
    EXPECT_CODE(cancel_waiter(co_fail_when_cancelled, SIL_FOREVER, &future), SIL_ECANCELLED);
    EXPECT_CODE(sil_future_code(future), EIO);
    sil_future_release(future);
    return 0;
}

SCENARIO(one_that_is_cancelled_is_no_timeout)
{
    (void)arg, (void)result;
    sil_future *future = go_tally(co_forever, &tally);
    sil_future *canceller = sil_go(co_cancel, &future, sizeof future, 0);
    EXPECT_CODE(sil_await_or_cancel(future, sil_in(60)), SIL_ECANCELLED);
    EXPECT_CODE(sil_yield(), 0);
    sil_future_release(future);
    return sil_take(canceller, NULL, SIL_FOREVER);
}

/* --- what waits for the waiter ------------------------------------------------------------- */

static const sil_deadline some_untils[] = {SIL_FOREVER, SIL_NOW, 1};

static int co_wait_for_myself(void *arg, void *result)
{
    (void)result;
    sil_future *self = **(sil_future ***)arg;
    for (size_t i = 0; i < COUNT_OF(some_untils); i++)
        EXPECT_CODE(sil_await_or_cancel(self, some_untils[i]), SIL_EDEADLK);
    EXPECT_CODE(sil_error_code(sil_last_error()), SIL_EDEADLK);
    EXPECT(sil_cancelled());
    return 0;
}

SCENARIO(one_that_waits_for_itself)
{
    (void)arg, (void)result;
    sil_future *self;
    sil_future **to_self = &self;
    self = sil_go(co_wait_for_myself, &to_self, sizeof to_self, 0);
    EXPECT_CODE(sil_await(self, SIL_FOREVER), 0);
    sil_future_release(self);
    return 0;
}

struct pair {
    sil_future *futures[2];
    int codes[2];
};

struct half {
    struct pair *pair;
    int which;
};

static int co_wait_for_other(void *arg, void *result)
{
    (void)result;
    struct half *half = arg;
    (void)sil_yield();
    half->pair->codes[half->which] =
        sil_await_or_cancel(half->pair->futures[1 - half->which], SIL_FOREVER);
    return 0;
}

/* Whoever closes the circle is told, cancels the other, and does not wait for that. */
SCENARIO(two_that_wait_for_each_other)
{
    (void)arg, (void)result;
    struct pair pair = {0};
    for (int i = 0; i < 2; i++) {
        struct half half = {&pair, i};
        pair.futures[i] = sil_go(co_wait_for_other, &half, sizeof half, 0);
    }
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(sil_await(pair.futures[i], SIL_FOREVER), 0);
    EXPECT(pair.codes[1] == SIL_EDEADLK);
    EXPECT(pair.codes[0] == SIL_ECANCELLED);
    for (int i = 0; i < 2; i++)
        sil_future_release(pair.futures[i]);
    return 0;
}

/* --- on threads ---------------------------------------------------------------------------- */

static void test_thread_waits_until_it_has_ended(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    struct gate *gate_arg = &gate;
    sil_future *future = sil_submit(pool, task_until_cancelled, &gate_arg, sizeof gate_arg, 0);
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_await_or_cancel(future, SIL_NOW), SIL_ETIMEDOUT);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    sil_future_release(future);
    future = submit_int(pool, task_square, 5);
    assert_code(sil_await_or_cancel(future, SIL_FOREVER), 0);
    assert_int_equal(int_of(future), 25);
    sil_future_release(future);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
    assert_code(sil_await_or_cancel(NULL, SIL_NOW), SIL_EINVAL);
}

/* It knows itself when the gate opens. */
struct myself {
    sil_future *self;
    struct gate gate;
};

static int task_wait_for_myself(void *arg, void *result)
{
    struct myself *myself = *(struct myself **)arg;
    gate_wait(&myself->gate);
    sil_future **to_self = &myself->self;
    return co_wait_for_myself(&to_self, result);
}

static void test_task_of_a_pool_that_waits_for_itself(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct myself myself;
    struct myself *arg = &myself;
    gate_init(&myself.gate);
    myself.self = sil_submit(pool, task_wait_for_myself, &arg, sizeof arg, 0);
    gate_open(&myself.gate);
    assert_code(sil_take(myself.self, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&myself.gate);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_what_ends_in_time_is_the_outcome),
        TEST(test_what_has_ended_is_the_outcome_at_once),
        TEST(test_what_has_not_begun_does_not_begin),
        TEST(test_deadline_cancels),
        TEST(test_what_ends_well_all_the_same_is_the_outcome),
        TEST(test_end_of_what_was_cancelled_is_waited_for),
        TEST(test_failure_while_it_is_cancelled_is_the_outcome),
        TEST(test_cancel_takes_it_along),
        TEST(test_cancel_is_told_also_if_it_ends_well_or_fails),
        TEST(test_one_that_is_cancelled_is_no_timeout),
        TEST(test_thread_waits_until_it_has_ended),
        TEST(test_one_that_waits_for_itself),
        TEST(test_two_that_wait_for_each_other),
        TEST(test_task_of_a_pool_that_waits_for_itself),
    };
    begin_scenarios();
    return test_run("await or cancel", tests);
}
