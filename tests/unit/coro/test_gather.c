/* SPDX-License-Identifier: MIT */
/*
 * sil_gather, from coroutines and from threads. The names in comments are those of the tests in
 * CPython's test_tasks.py that ask for the same.
 */
#include <sillon/group.h>

#include <string.h>

#include "scenario.h"

/* --- in coroutines ------------------------------------------------------------------------- */

SCENARIO(gather_of_all_that_succeed) /* test_success, test_duplicate_coroutines */
{
    (void)arg, (void)result;
    for (int how = SIL_GATHER_FIRST_ERROR; how <= SIL_GATHER_ALL; how++) {
        sil_future *futures[4] = {go_int(co_int, 1), go_int(co_int, 2), go_int(co_int, 3)};
        futures[3] = futures[1];
        EXPECT_CODE(sil_gather(futures, 4, (sil_gather_how)how, SIL_FOREVER), 0);
        for (int i = 0; i < 3; i++) {
            EXPECT(int_of(futures[i]) == i + 1);
            sil_future_release(futures[i]);
        }
    }
    return 0;
}

SCENARIO(gather_of_none) /* test_constructor_empty_sequence */
{
    (void)arg, (void)result;
    EXPECT_CODE(sil_gather(NULL, 0, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), 0);
    EXPECT_CODE(sil_gather(NULL, 0, SIL_GATHER_ALL, SIL_NOW), 0);
    return 0;
}

SCENARIO(first_error_cancels_the_rest_and_waits) /* test_one_exception */
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_tally(co_forever, &tally), go_int(co_fail, ERANGE),
                             go_int(co_fail, EDOM), go_tally(co_fail_when_cancelled, &tally)};
    EXPECT_CODE(sil_gather(futures, 4, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), ERANGE);
    EXPECT(strcmp(sil_error_message(sil_last_error()), "failed with 34") == 0);
    EXPECT(tally.cancelled == 2 && tally.ended == 2);
    for (int i = 0; i < 4; i++) {
        EXPECT(sil_future_done(futures[i]));
        sil_future_release(futures[i]);
    }
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

SCENARIO(one_that_is_cancelled_is_an_error) /* test_one_cancellation */
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_tally(co_forever, &tally), go_tally(co_forever, &tally)};
    sil_future *canceller = sil_go(co_cancel, &futures[1], sizeof futures[1], 0);
    EXPECT_CODE(sil_gather(futures, 2, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_cancelled() && tally.cancelled == 2);
    for (int i = 0; i < 2; i++)
        sil_future_release(futures[i]);
    return sil_take(canceller, NULL, SIL_FOREVER);
}

SCENARIO(one_that_has_failed_before) /* test_issue46672 */
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_int(co_fail, ERANGE), go_tally(co_forever, &tally),
                             go_int(co_int, 3)};
    EXPECT_CODE(sil_await(futures[0], SIL_FOREVER), ERANGE);
    EXPECT_CODE(sil_gather(futures, 3, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), ERANGE);
    for (int i = 0; i < 3; i++) {
        EXPECT(sil_future_done(futures[i]));
        sil_future_release(futures[i]);
    }
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

/* test_return_exceptions, test_result_exception_one_cancellation */
SCENARIO(all_go_on_and_the_first_in_order_is_told)
{
    (void)arg, (void)result;
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *futures[] = {go_int(co_int, 1), sil_promise_future(promise), go_int(co_fail, EDOM),
                             go_tally(co_forever, &tally), go_int(co_int, 5)};
    sil_future *canceller = sil_go(co_cancel, &futures[3], sizeof futures[3], 0);
    sil_future *source = sil_promise_future(promise);
    sil_future *later = sil_go(co_cancel, &source, sizeof source, 0);
    EXPECT_CODE(sil_gather(futures, 5, SIL_GATHER_ALL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(int_of(futures[0]) == 1 && int_of(futures[4]) == 5);
    EXPECT_CODE(sil_future_code(futures[2]), EDOM);
    EXPECT(sil_future_state(futures[3]) == SIL_CANCELLED);
    sil_future_release(futures[1]);
    futures[1] = futures[0];
    EXPECT_CODE(sil_gather(futures, 5, SIL_GATHER_ALL, SIL_FOREVER), EDOM);
    futures[1] = source;
    for (int i = 0; i < 5; i++)
        sil_future_release(futures[i]);
    sil_promise_destroy(promise);
    EXPECT_CODE(sil_take(later, NULL, SIL_FOREVER), 0);
    return sil_take(canceller, NULL, SIL_FOREVER);
}

static int co_gather(void *arg, void *result)
{
    sil_gather_how how = *(sil_gather_how *)arg;
    sil_future *futures[] = {go_tally(co_forever, &tally), go_tally(co_stubborn, &tally)};
    int code = sil_gather(futures, 2, how, SIL_FOREVER);
    *(int *)result = sil_yield();
    for (int i = 0; i < 2; i++)
        sil_future_release(futures[i]);
    return code;
}

SCENARIO(cancel_is_passed_on_to_all) /* test_cancellation_broadcast, test_cancel_gather_2 */
{
    (void)arg, (void)result;
    for (int how = SIL_GATHER_FIRST_ERROR; how <= SIL_GATHER_ALL; how++) {
        tally = (struct tally){0};
        sil_future *future = go_int(co_gather, how);
        give_way(3);
        (void)sil_future_cancel(future);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
        EXPECT(tally.cancelled == 2 && tally.ended == 2);
    }
    return 0;
}

SCENARIO(all_that_have_ended_cannot_be_cancelled) /* test_cancel_gather_1 */
{
    (void)arg, (void)result;
    sil_future *future = go_int(co_int, 42);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
    EXPECT_CODE(sil_gather(&future, 1, SIL_GATHER_FIRST_ERROR, SIL_NOW), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EALREADY);
    sil_future_release(future);
    return 0;
}

SCENARIO(deadline_cancels_those_that_go_on)
{
    (void)arg, (void)result;
    for (int how = SIL_GATHER_FIRST_ERROR; how <= SIL_GATHER_ALL; how++) {
        tally = (struct tally){0};
        sil_future *futures[] = {go_int(co_int, 1), go_tally(co_forever, &tally),
                                 go_tally(co_fail_when_cancelled, &tally)};
        EXPECT_CODE(sil_gather(futures, 3, (sil_gather_how)how, sil_in(1e-3)), SIL_ETIMEDOUT);
        EXPECT(tally.cancelled == 2 && tally.ended == 2 && int_of(futures[0]) == 1);
        for (int i = 0; i < 3; i++)
            sil_future_release(futures[i]);
    }
    return 0;
}

SCENARIO(shields_are_cancelled_and_not_what_is_behind_them) /* test_gather_shield */
{
    (void)arg, (void)result;
    sil_promise *promises[2];
    sil_future *sources[2], *shields[2];
    for (int i = 0; i < 2; i++) {
        sources[i] = promise_int(&promises[i]);
        shields[i] = sil_shield(sources[i]);
    }
    EXPECT_CODE(sil_gather(shields, 2, SIL_GATHER_FIRST_ERROR, sil_in(1e-3)), SIL_ETIMEDOUT);
    for (int i = 0; i < 2; i++) {
        EXPECT(sil_future_state(shields[i]) == SIL_CANCELLED);
        EXPECT_CODE(sil_promise_resolve(promises[i], &i), 0);
        EXPECT(int_of(sources[i]) == i);
        sil_future_release(shields[i]);
        sil_future_release(sources[i]);
        sil_promise_destroy(promises[i]);
    }
    return 0;
}

/* --- on threads ---------------------------------------------------------------------------- */

static void test_gather_on_a_thread(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int how = SIL_GATHER_FIRST_ERROR; how <= SIL_GATHER_ALL; how++) {
        sil_future *futures[50];
        for (int i = 0; i < 50; i++)
            futures[i] = submit_int(pool, task_square, i);
        assert_code(sil_gather(futures, 50, (sil_gather_how)how, SIL_FOREVER), 0);
        for (int i = 0; i < 50; i++) {
            assert_int_equal(int_of(futures[i]), i * i);
            sil_future_release(futures[i]);
        }
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_first_error_on_a_thread(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int round = 0; round < TEST_SCALE(500); round++) {
        sil_promise *promise;
        sil_future *futures[] = {promise_int(&promise), submit_int(pool, task_fail, EDOM),
                                 sil_submit(pool, task_until_cancelled, NULL, 0, 0)};
        assert_code(sil_gather(futures, 3, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), EDOM);
        assert_int_equal(sil_future_state(futures[0]), SIL_CANCELLED);
        assert_int_equal(sil_future_state(futures[2]), SIL_CANCELLED);
        for (int i = 0; i < 3; i++)
            sil_future_release(futures[i]);
        sil_promise_destroy(promise);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_deadline_on_a_thread(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    sil_future *futures[] = {future, future};
    assert_code(sil_gather(futures, 2, SIL_GATHER_ALL, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    sil_future_release(future);
    sil_promise_destroy(promise);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *futures[] = {promise_int(&promise), NULL};
    assert_code(sil_gather(NULL, 1, SIL_GATHER_ALL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_gather(futures, 2, SIL_GATHER_ALL, SIL_NOW), SIL_EINVAL);
    assert_contains(sil_error_message(sil_last_error()), "future 1");
    assert_code(sil_gather(futures, 1, (sil_gather_how)7, SIL_NOW), SIL_EINVAL);
    assert_code(sil_gather(futures, SIZE_MAX, SIL_GATHER_ALL, SIL_NOW), SIL_EINVAL);
    assert_int_equal(sil_future_state(futures[0]), SIL_PENDING);
    sil_future_release(futures[0]);
    sil_promise_destroy(promise);
}

struct selfish {
    sil_future *self;
    sil_gather_how how;
    sil_deadline until;
};

static int co_gather_myself(void *arg, void *result)
{
    (void)result;
    struct selfish *selfish = *(struct selfish **)arg;
    sil_future *futures[] = {go_tally(co_stubborn, &tally), go_tally(co_stubborn, &tally),
                             selfish->self};
    give_way(1);
    int code = sil_gather(futures, 3, selfish->how, selfish->until);
    EXPECT(tally.begun == 2 && tally.ended == 2); /* the others have been waited for */
    sil_future_release(futures[0]);
    sil_future_release(futures[1]);
    return code;
}

SCENARIO(one_that_gathers_itself)
{
    (void)arg, (void)result;
    for (int i = 0; i < 4; i++) {
        tally = (struct tally){0};
        struct selfish selfish = {.how = i & 1 ? SIL_GATHER_ALL : SIL_GATHER_FIRST_ERROR,
                                  .until = i & 2 ? sil_in(1e-3) : SIL_FOREVER};
        struct selfish *to_selfish = &selfish;
        selfish.self = sil_go(co_gather_myself, &to_selfish, sizeof to_selfish, 0);
        EXPECT_CODE(sil_await(selfish.self, SIL_FOREVER), SIL_EDEADLK);
        sil_future_release(selfish.self);
    }
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_gather_of_all_that_succeed),
        TEST(test_gather_of_none),
        TEST(test_first_error_cancels_the_rest_and_waits),
        TEST(test_one_that_is_cancelled_is_an_error),
        TEST(test_one_that_has_failed_before),
        TEST(test_all_go_on_and_the_first_in_order_is_told),
        TEST(test_cancel_is_passed_on_to_all),
        TEST(test_all_that_have_ended_cannot_be_cancelled),
        TEST(test_deadline_cancels_those_that_go_on),
        TEST(test_shields_are_cancelled_and_not_what_is_behind_them),
        TEST(test_gather_on_a_thread),
        TEST(test_first_error_on_a_thread),
        TEST(test_deadline_on_a_thread),
        TEST(test_bad_arguments),
        TEST(test_one_that_gathers_itself),
    };
    begin_scenarios();
    return test_run("gather", tests);
}
