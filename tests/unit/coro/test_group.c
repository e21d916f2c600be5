/* SPDX-License-Identifier: MIT */
/*
 * Groups of coroutines. The behaviours are those of asyncio's TaskGroup; the number in a test's
 * comment is that of the test in CPython's test_taskgroups.py which asks for the same.
 */
#include <sillon/group.h>

#include <string.h>

#include "scenario.h"

/* --- ending well --------------------------------------------------------------------------- */

SCENARIO(group_waits_for_all) /* 01, 02 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    EXPECT(group);
    sil_future *one = group_int(group, co_int, 42);
    give_way(1);
    sil_future *two = group_int(group, co_int, 11);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    EXPECT(int_of(one) == 42 && int_of(two) == 11);
    EXPECT(!sil_group_error(group, 0));
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    return 0;
}

SCENARIO(group_of_none_has_ended_at_once) /* 17 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open(NULL);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    EXPECT_CODE(sil_future_code(group_int(group, co_int, 1)), SIL_ECLOSED);
    sil_group_close(group);
    group = sil_group_open(NULL);
    sil_group_close(group);
    return 0;
}

SCENARIO(group_goes_on_when_one_is_cancelled) /* 03 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    sil_future *one = group_tally(group, co_forever, &tally);
    give_way(1);
    EXPECT_CODE(sil_future_cancel(one), SIL_EINPROGRESS);
    sil_future *two = group_int(group, co_int, 11);
    sil_future *never = group_tally(group, co_forever, &tally);
    EXPECT_CODE(sil_future_cancel(never), 0); /* it has not begun */
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    EXPECT(sil_future_state(one) == SIL_CANCELLED && int_of(two) == 11);
    EXPECT(tally.begun == 1);
    EXPECT(!sil_group_error(group, 0));
    sil_group_close(group);
    return 0;
}

static int co_root(void *arg, void *result)
{
    (void)result;
    sil_group *group = *(sil_group **)arg;
    (void)sil_yield();
    (void)group_int(group, co_int, 1);
    (void)group_int(group, co_int, 2);
    return 0;
}

SCENARIO(tasks_of_a_group_add_to_it) /* 24 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    (void)sil_group_go(group, co_root, &group, sizeof group, 0);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    return 0;
}

/* Each cut-off head grows two. */
static int hydras;

static int co_hydra(void *arg, void *result)
{
    (void)result;
    sil_group *group = *(sil_group **)arg;
    hydras++;
    int code = sil_yield();
    for (int i = 0; code == 0 && i < 2; i++)
        (void)sil_group_go(group, co_hydra, &group, sizeof group, 0);
    return code;
}

static int co_hercules(void *arg, void *result)
{
    (void)arg, (void)result;
    while (hydras < 100)
        (void)sil_yield();
    return sil_fail(ERANGE, "enough");
}

SCENARIO(one_that_grows_is_cancelled_as_a_whole) /* 25 */
{
    (void)arg, (void)result;
    hydras = 0;
    sil_group *group = sil_group_open("g");
    (void)sil_group_go(group, co_hydra, &group, sizeof group, 0);
    (void)sil_group_go(group, co_hercules, NULL, 0, 0);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT(hydras >= 100);
    sil_group_close(group);
    return 0;
}

SCENARIO(those_added_are_let_go_when_they_have_ended) /* 23 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("server");
    sil_future *last = NULL;
    for (int i = 0; i < 1000; i++) {
        sil_future_release(last);
        last = sil_future_retain(go_int(co_int, i));
        EXPECT_CODE(sil_group_add(group, last), 0);
        EXPECT_CODE(sil_await(last, SIL_FOREVER), 0);
    }
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    EXPECT(int_of(last) == 999);
    sil_future_release(last);
    return 0;
}

SCENARIO(task_of_a_group_may_have_a_name) /* task_name */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    sil_future *future =
        sil_go_with(&(sil_go_options){.name = "yolo"}, co_fail, &(int){ERANGE}, sizeof(int), 0);
    EXPECT_CODE(sil_group_add(group, future), 0);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT(strcmp(sil_error_task(sil_last_error()), "yolo") == 0);
    sil_group_close(group);
    return 0;
}

/* --- failing ------------------------------------------------------------------------------- */

SCENARIO(first_failure_cancels_the_others) /* 04 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    (void)group_int(group, co_fail, ERANGE);
    sil_future *other = group_tally(group, co_forever, &tally);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT(strcmp(sil_error_message(sil_last_error()), "failed with 34") == 0);
    EXPECT(sil_future_state(other) == SIL_CANCELLED && tally.cancelled == 1);
    EXPECT_CODE(sil_error_code(sil_group_error(group, 0)), ERANGE);
    EXPECT(!sil_group_error(group, 1));
    EXPECT_CODE(sil_yield(), 0);
    sil_group_close(group);
    return 0;
}

SCENARIO(failure_ends_what_the_opener_waits_for) /* cancel_children_on_child_error, exit_raises */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    (void)group_int(group, co_fail, ERANGE);
    (void)group_int(group, co_fail, EDOM);
    (void)group_int(group, co_fail, EIO);
    (void)group_tally(group, co_forever, &tally);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_cancelled()); /* nobody cancelled the opener */
    give_way(1);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT(tally.cancelled == 1);
    EXPECT_CODE(sil_error_code(sil_group_error(group, 0)), ERANGE);
    sil_group_close(group);
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

SCENARIO(failures_stand_in_the_order_in_which_they_came)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    (void)group_tally(group, co_fail_when_cancelled, &tally);
    (void)group_int(group, co_fail, ERANGE);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT_CODE(sil_error_code(sil_group_error(group, 0)), ERANGE);
    EXPECT_CODE(sil_error_code(sil_group_error(group, 1)), EIO);
    EXPECT(!sil_group_error(group, 2));
    sil_group_close(group);
    return 0;
}

SCENARIO(failure_that_the_opener_did_not_hear_of_is_told_by_wait_alone)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    sil_promise *promise = sil_promise_create(NULL, 0);
    EXPECT_CODE(sil_group_add(group, sil_promise_future(promise)), 0);
    /* It fails while the opener runs: its next wait would end. */
    EXPECT_CODE(sil_promise_reject(promise, ERANGE, "no"), 0);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_sleep(sil_in(1e-6)), 0);
    sil_group_close(group);
    sil_promise_destroy(promise);
    return 0;
}

static int co_adds_when_cancelled(void *arg, void *result)
{
    sil_group *group = *(sil_group **)arg;
    int code = sil_sleep(SIL_FOREVER);
    *(int *)result = sil_future_code(group_int(group, co_int, 1));
    return code == SIL_ECANCELLED ? 0 : UNEXPECTED;
}

SCENARIO(nothing_is_added_after_a_failure) /* no_create_task_after_failure */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    sil_future *adds =
        sil_group_go(group, co_adds_when_cancelled, &group, sizeof group, sizeof(int));
    (void)group_int(group, co_fail, ERANGE);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
    EXPECT_CODE(int_of(adds), SIL_ECLOSED);
    sil_group_close(group);
    return 0;
}

SCENARIO(opener_that_fails_itself_closes_the_group) /* 09, 10 */
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    (void)group_tally(group, co_forever, &tally);
    (void)group_tally(group, co_stubborn, &tally);
    give_way(1);
    (void)group_tally(group, co_forever, &tally);
    sil_group_close(group);
    EXPECT(tally.begun == 2 && tally.cancelled == 2 && tally.ended == 2);
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

/* --- deadlines, cancelling, misuse --------------------------------------------------------- */

SCENARIO(deadline_cancels_all_and_waits)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("late");
    (void)group_tally(group, co_forever, &tally);
    (void)group_tally(group, co_stubborn, &tally);
    EXPECT_CODE(sil_group_wait(group, sil_in(1e-3)), SIL_ETIMEDOUT);
    EXPECT(strstr(sil_error_message(sil_last_error()), "'late'"));
    EXPECT(tally.cancelled == 2 && tally.ended == 2);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    return 0;
}

SCENARIO(failure_after_the_deadline_is_not_its_reason)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("late");
    (void)group_tally(group, co_fail_when_cancelled, &tally);
    EXPECT_CODE(sil_group_wait(group, sil_in(1e-3)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_error_code(sil_group_error(group, 0)), EIO);
    sil_group_close(group);
    return 0;
}

SCENARIO(scope_that_ends_is_a_deadline)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("late");
    (void)group_tally(group, co_stubborn, &tally);
    sil_deadline outer = sil_deadline_scope(sil_in(1e-3));
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT(tally.ended == 1);
    sil_group_close(group);
    return 0;
}

SCENARIO(group_cancelled_is_no_failure)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    (void)group_tally(group, co_forever, &tally);
    give_way(1);
    EXPECT_CODE(sil_group_cancel(group), 0);
    EXPECT_CODE(sil_future_code(group_int(group, co_int, 1)), SIL_ECLOSED);
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), 0);
    EXPECT(tally.cancelled == 1);
    sil_group_close(group);
    return 0;
}

static int co_wait_and_close(void *arg, void *result)
{
    (void)result;
    sil_group *group = *(sil_group **)arg;
    EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), SIL_EINVAL);
    sil_group_close(group);
    return 0;
}

SCENARIO(group_is_its_openers)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("g");
    sil_future *other = sil_go(co_wait_and_close, &group, sizeof group, 0);
    int code = sil_take(other, NULL, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

/* --- one that waits for the opener --------------------------------------------------------- */

struct within {
    sil_future *self;
    sil_deadline until;
    bool waits;
};

/* What cannot be waited for is left behind, and may use the group until it ends. */
static int co_in_its_own_group(void *arg, void *result)
{
    (void)result;
    struct within *within = *(struct within **)arg;
    sil_group *group = sil_group_open("own");
    sil_future *one = group_tally(group, co_stubborn, &tally);
    sil_future *two = group_tally(group, co_stubborn, &tally);
    EXPECT_CODE(sil_group_add(group, sil_future_retain(within->self)), 0);
    give_way(1);
    for (int i = 0; within->waits && i < 2; i++) {
        EXPECT_CODE(sil_group_wait(group, within->until), SIL_EDEADLK);
        EXPECT_CODE(sil_error_code(sil_last_error()), SIL_EDEADLK);
        EXPECT(sil_future_done(one) && sil_future_done(two));
        EXPECT(!sil_group_error(group, 0));
    }
    sil_group_close(group);
    EXPECT(tally.begun == 2 && tally.ended == 2 && sil_cancelled());
    EXPECT_CODE(sil_future_code(group_int(group, co_int, 1)), SIL_ECLOSED);
    return 0;
}

SCENARIO(opener_in_its_own_group)
{
    (void)arg, (void)result;
    for (int i = 0; i < 3; i++) {
        tally = (struct tally){0};
        struct within within = {.until = i == 1 ? sil_in(1e-3) : SIL_FOREVER, .waits = i < 2};
        struct within *to_within = &within;
        within.self = sil_go(co_in_its_own_group, &to_within, sizeof to_within, 0);
        EXPECT_CODE(sil_await(within.self, SIL_FOREVER), 0);
        sil_future_release(within.self);
    }
    return 0;
}

/* --- with other threads -------------------------------------------------------------------- */

static int fail_at_once(void *arg, void *result)
{
    (void)result;
    return sil_fail(*(int *)arg, "failed elsewhere");
}

/* It fails while the opener is about to wait, waits, or comes to the group: every time anew. */
static int rounds_with_a_pool(sil_executor *pool, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        sil_group *group = sil_group_open("threads");
        (void)group_tally(group, co_forever, &tally);
        (void)sil_group_submit(group, pool, NULL, fail_at_once, &(int){ERANGE}, sizeof(int), 0);
        if (i % 3 == 0)
            EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ECANCELLED);
        if (i % 3 == 1) {
            int code = sil_yield();
            EXPECT(code == 0 || code == SIL_ECANCELLED);
        }
        EXPECT_CODE(sil_group_wait(group, SIL_FOREVER), ERANGE);
        sil_group_close(group);
        EXPECT_CODE(sil_yield(), 0); /* nothing comes after it */
    }
    EXPECT(tally.begun == tally.ended);
    return 0;
}

SCENARIO(failure_on_another_thread_ends_what_the_opener_waits_for)
{
    (void)arg, (void)result;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    EXPECT(pool);
    int code = rounds_with_a_pool(pool, TEST_SCALE(3000));
    (void)sil_executor_close(pool);
    return code;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_group_waits_for_all),
        TEST(test_group_of_none_has_ended_at_once),
        TEST(test_group_goes_on_when_one_is_cancelled),
        TEST(test_tasks_of_a_group_add_to_it),
        TEST(test_one_that_grows_is_cancelled_as_a_whole),
        TEST(test_those_added_are_let_go_when_they_have_ended),
        TEST(test_task_of_a_group_may_have_a_name),
        TEST(test_first_failure_cancels_the_others),
        TEST(test_failure_ends_what_the_opener_waits_for),
        TEST(test_failures_stand_in_the_order_in_which_they_came),
        TEST(test_failure_that_the_opener_did_not_hear_of_is_told_by_wait_alone),
        TEST(test_nothing_is_added_after_a_failure),
        TEST(test_opener_that_fails_itself_closes_the_group),
        TEST(test_deadline_cancels_all_and_waits),
        TEST(test_failure_after_the_deadline_is_not_its_reason),
        TEST(test_scope_that_ends_is_a_deadline),
        TEST(test_group_cancelled_is_no_failure),
        TEST(test_group_is_its_openers),
        TEST(test_failure_on_another_thread_ends_what_the_opener_waits_for),
        TEST(test_opener_in_its_own_group),
    };
    begin_scenarios();
    return test_run("groups of coroutines", tests);
}
