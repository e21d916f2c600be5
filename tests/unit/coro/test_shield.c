/* SPDX-License-Identifier: MIT */
/*
 * Shields, in coroutines and on threads. The names in comments are those of the tests in CPython's
 * test_tasks.py that ask for the same.
 */
#include <sillon/group.h>

#include "scenario.h"

/* --- on the test's own thread -------------------------------------------------------------- */

static void test_shield_has_the_value(void **state) /* test_shield_result */
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *shield = sil_shield(source);
    assert_int_equal(sil_future_state(shield), SIL_PENDING);
    assert_code(sil_promise_resolve(promise, &(int){42}), 0);
    assert_ptr_equal(sil_future_result(shield, NULL), sil_future_result(source, NULL));
    sil_future_release(source);
    int value = 0;
    assert_code(sil_take(shield, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 42);
    sil_promise_destroy(promise);
}

static void test_shield_has_the_error(void **state) /* test_shield_exception */
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *shield = sil_shield(source);
    assert_code(sil_promise_reject(promise, ERANGE, "expected"), 0);
    assert_code(sil_await(shield, SIL_FOREVER), ERANGE);
    assert_ptr_equal(sil_future_error(shield), sil_future_error(source));
    sil_future_release(shield);
    sil_future_release(source);
    sil_promise_destroy(promise);
}

static void test_cancelled_source_cancels_the_shield(void **state) /* test_shield_cancel_inner */
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *shield = sil_shield(source);
    assert_code(sil_future_cancel(source), 0);
    assert_int_equal(sil_future_state(shield), SIL_CANCELLED);
    sil_future_release(shield);
    sil_future_release(source);
    sil_promise_destroy(promise);
}

static void test_cancelled_shield_leaves_the_source(void **state) /* test_shield_cancel_outer */
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    for (int i = 0; i < 3; i++) {
        sil_future *shield = sil_shield(source);
        assert_code(sil_future_cancel(shield), 0);
        assert_int_equal(sil_future_state(shield), SIL_CANCELLED);
        sil_future_release(shield);
    }
    assert_int_equal(sil_future_state(source), SIL_PENDING);
    assert_code(sil_promise_resolve(promise, &(int){1}), 0);
    assert_int_equal(int_of(source), 1);
    sil_future_release(source);
    sil_promise_destroy(promise);
}

static void test_shield_of_what_has_ended(void **state) /* test_shield_shortcut */
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    assert_code(sil_promise_resolve(promise, &(int){42}), 0);
    sil_future *shield = sil_shield(source);
    sil_future_release(source);
    assert_true(sil_future_done(shield));
    assert_int_equal(int_of(shield), 42);
    sil_future_release(shield);
    sil_promise_destroy(promise);
    assert_code(sil_take(sil_shield(NULL), NULL, SIL_NOW), SIL_EINVAL);
}

static void test_shield_may_be_given_up_before_its_source(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future_release(sil_shield(source));
    sil_future *shield = sil_shield(source);
    sil_future_release(source);
    sil_promise_destroy(promise);
    assert_code(sil_take(shield, NULL, SIL_NOW), SIL_EBROKEN);
}

static void test_shield_of_all(void **state) /* test_shield_gather */
{
    (void)state;
    sil_promise *promises[2];
    sil_future *futures[] = {promise_int(&promises[0]), promise_int(&promises[1])};
    sil_future *all = sil_all(futures, 2);
    sil_future *shield = sil_shield(all);
    assert_code(sil_future_cancel(shield), 0);
    sil_future_release(shield);
    int values[2] = {0};
    for (int i = 0; i < 2; i++) {
        assert_code(sil_promise_resolve(promises[i], &(int){i + 1}), 0);
        sil_promise_destroy(promises[i]);
        sil_future_release(futures[i]);
    }
    assert_code(sil_take(all, values, SIL_NOW), 0);
    assert_int_equal(values[0] + values[1], 3);
}

/* In a pool of one the waiter runs the task itself: the shield shows what it is made of. */
static int await_shielded(void *arg, void *result)
{
    sil_executor *pool = *(sil_executor **)arg;
    sil_future *source = submit_int(pool, task_square, 7);
    int code = sil_take(sil_shield(source), result, SIL_FOREVER);
    sil_future_release(source);
    return code;
}

static void test_shield_of_a_task_of_ones_own_pool(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    int value = 0;
    sil_future *future = sil_submit(pool, await_shielded, &pool, sizeof pool, sizeof value);
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 49);
    assert_code(sil_executor_close(pool), 0);
}

/* The source ends on one thread while the shield is cancelled on another. */
static void test_cancel_and_end_meet(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int i = 0; i < TEST_SCALE(3000); i++) {
        sil_future *source = submit_int(pool, task_int, i);
        sil_future *shield = sil_shield(source);
        if (i % 2)
            test_yield();
        int outcome = sil_future_cancel(shield);
        assert_true(outcome == 0 || outcome == SIL_EALREADY || outcome == SIL_EINPROGRESS);
        int code = sil_take(shield, NULL, SIL_FOREVER);
        assert_true(code == 0 || code == SIL_ECANCELLED);
        int value = -1;
        assert_code(sil_take(source, &value, SIL_FOREVER), 0);
        assert_int_equal(value, i);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* --- in coroutines ------------------------------------------------------------------------- */

static int co_take_shielded(void *arg, void *result)
{
    return sil_take(sil_shield(*(sil_future **)arg), result, SIL_FOREVER);
}

SCENARIO(cancelled_taker_leaves_what_is_shielded) /* test_shield_effect */
{
    (void)arg, (void)result;
    sil_promise *promise = sil_promise_create(NULL, sizeof(int));
    sil_future *gate = sil_promise_future(promise);
    sil_future *inner = sil_go(task_await, &gate, sizeof gate, 0);
    sil_future *outer = sil_go(co_take_shielded, &inner, sizeof inner, 0);
    give_way(3);
    (void)sil_future_cancel(outer);
    EXPECT_CODE(sil_take(outer, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_future_done(inner) && !sil_future_done(gate));
    EXPECT_CODE(sil_promise_resolve(promise, &(int){1}), 0);
    EXPECT_CODE(sil_take(inner, NULL, SIL_FOREVER), 0);
    sil_future_release(gate);
    sil_promise_destroy(promise);
    return 0;
}

/* test_yield_wait_does_not_shield_cancel */
static int co_take(void *arg, void *result)
{
    (void)result;
    return sil_take(sil_future_retain(*(sil_future **)arg), NULL, SIL_FOREVER);
}

SCENARIO(cancelled_taker_takes_along_what_is_not_shielded)
{
    (void)arg, (void)result;
    sil_future *inner = go_tally(co_forever, &tally);
    sil_future *outer = sil_go(co_take, &inner, sizeof inner, 0);
    give_way(3);
    (void)sil_future_cancel(outer);
    EXPECT_CODE(sil_take(outer, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_take(inner, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(tally.cancelled == 1);
    return 0;
}

SCENARIO(shield_has_the_value_of_a_coroutine)
{
    (void)arg, (void)result;
    sil_future *inner = go_int(co_int, 42);
    int value = 0;
    EXPECT_CODE(sil_take(sil_shield(inner), &value, SIL_FOREVER), 0);
    EXPECT(value == 42);
    sil_future_release(inner);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_shield_has_the_value),
        TEST(test_shield_has_the_error),
        TEST(test_cancelled_source_cancels_the_shield),
        TEST(test_cancelled_shield_leaves_the_source),
        TEST(test_shield_of_what_has_ended),
        TEST(test_shield_may_be_given_up_before_its_source),
        TEST(test_shield_of_all),
        TEST(test_shield_of_a_task_of_ones_own_pool),
        TEST(test_cancel_and_end_meet),
        TEST(test_cancelled_taker_leaves_what_is_shielded),
        TEST(test_cancelled_taker_takes_along_what_is_not_shielded),
        TEST(test_shield_has_the_value_of_a_coroutine),
    };
    begin_scenarios();
    return test_run("shields", tests);
}
