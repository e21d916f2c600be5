/* SPDX-License-Identifier: MIT */
/*
 * sil_run: what it returns, whom it refuses, how it ends, and that nothing is left of it.
 */
#include <sillon/loop.h>

#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scenario.h"
#include "support/child.h"
#include "support/leftovers.h"
#include "support/self.h"

/* --- what comes back ----------------------------------------------------------------------- */

static void test_result_of_main_is_that_of_run(void **state)
{
    (void)state;
    int value = 0;
    assert_code(sil_run(task_square, &(int){12}, sizeof(int), &value, sizeof value), 0);
    assert_int_equal(value, 144);
    assert_code(sil_run(task_nothing, NULL, 0, NULL, 0), 0);
}

static int yield_and_fail(void *arg, void *result)
{
    (void)sil_yield();
    return task_fail_with_message(arg, result);
}

static void test_error_of_main_is_that_of_run(void **state)
{
    (void)state;
    int value = 7;
    assert_code(sil_run(yield_and_fail, &(int){EIO}, sizeof(int), &value, sizeof value), EIO);
    assert_contains(sil_error_message(sil_last_error()), "5 is bad");
    assert_int_equal(value, 7);
}

static int give_nothing_up(void *arg, void *result)
{
    (void)arg, (void)result;
    return SIL_ECANCELLED;
}

static void test_main_may_end_as_cancelled(void **state)
{
    (void)state;
    assert_code(sil_run(give_nothing_up, NULL, 0, NULL, 0), SIL_ECANCELLED);
}

/* --- who is refused ------------------------------------------------------------------------ */

static void run_in_callback(sil_future *future, void *user)
{
    (void)future;
    *(int *)user = sil_run(task_nothing, NULL, 0, NULL, 0);
}

static int run_nothing(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_run(task_nothing, NULL, 0, NULL, 0);
}

SCENARIO(run_inside_a_loop_is_refused)
{
    (void)arg, (void)result;
    EXPECT_CODE(run_nothing(NULL, NULL), SIL_EBUSY);
    EXPECT(strstr(sil_error_message(sil_last_error()), "already"));
    sil_executor *same = sil_inline_executor();
    EXPECT_CODE(sil_take(sil_submit(same, run_nothing, NULL, 0, 0), NULL, SIL_NOW), SIL_EBUSY);
    EXPECT_CODE(sil_executor_close(same), 0);
    return 0;
}

SCENARIO(run_in_a_callback_is_refused)
{
    (void)arg, (void)result;
    int code = 0;
    sil_future *child = go_int(co_int, 1);
    EXPECT_CODE(sil_future_add_done_callback(child, run_in_callback, &code), 0);
    EXPECT_CODE(sil_take(child, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(code, SIL_EBUSY);
    return 0;
}

static int run_in_pool(void *arg, void *result)
{
    return sil_run(task_square, arg, sizeof(int), result, sizeof(int));
}

static void test_task_of_a_pool_may_run_a_loop(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    int value = 0;
    assert_code(sil_take(submit_int(pool, run_in_pool, 9), &value, SIL_FOREVER), 0);
    assert_int_equal(value, 81);
    assert_code(sil_executor_close(pool), 0);
}

/* Both that yield, alone or beside another, and that sleep: they are told when their task is. */
static int until_cancelled(void *arg, void *result)
{
    (void)result;
    atomic_int *told = *(atomic_int **)arg;
    int way = atomic_load(told);
    sil_future *other = way == 1 ? go_tally(co_forever, &tally) : NULL;
    int code = 0;
    atomic_store(told, -1);
    while (code == 0)
        code = way == 2 ? sil_sleep(SIL_FOREVER) : sil_yield();
    sil_future_release(other);
    return code;
}

static int run_until_cancelled(void *arg, void *result)
{
    (void)result;
    return sil_run(until_cancelled, arg, sizeof(atomic_int *), NULL, 0);
}

static void test_task_that_runs_a_loop_passes_a_cancel_on(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    for (int round = 0; round < 30; round++) {
        atomic_int way = round % 3;
        atomic_int *told = &way;
        sil_future *task = sil_submit(pool, run_until_cancelled, (void *)&told, sizeof told, 0);
        eventually(atomic_load(&way) == -1);
        assert_code(sil_future_cancel(task), SIL_EINPROGRESS);
        assert_code(sil_take(task, NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_bad_arguments_are_refused(void **state)
{
    (void)state;
    int value = 0;
    assert_code(sil_run(NULL, NULL, 0, NULL, 0), SIL_EINVAL);
    assert_code(sil_run(task_int, &value, sizeof value, NULL, sizeof value), SIL_EINVAL);
    assert_code(sil_run(task_int, NULL, sizeof value, &value, sizeof value), SIL_EINVAL);
    assert_code(sil_run(task_int, &value, SIZE_MAX / 2, &value, sizeof value), SIL_EINVAL);
    const sil_loop_options bad[] = {
        {.stack_size = (size_t)2 << 30},
        {.slow_after = -1},
        {.slow_after = (double)NAN},
        {.when_full = (sil_when_full)17},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_code(sil_run_with(&bad[i], task_nothing, NULL, 0, NULL, 0), SIL_EINVAL);
        assert_null(sil_loop_thread(&bad[i]));
        assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    }
}

/* --- the end ------------------------------------------------------------------------------- */

/* Clean-up that waits: for a sleep, for another coroutine's value, for a thread's task. */
static int clean_up(void *arg, void *result)
{
    (void)result;
    struct tally *counts = *(struct tally **)arg;
    counts->begun++;
    counts->cancelled += sil_sleep(SIL_FOREVER) == SIL_ECANCELLED;
    int code = sil_sleep(sil_in(1e-3));
    sil_future *elsewhere = sil_thread_start(NULL, task_int, &(int){3}, sizeof(int), sizeof(int));
    int value = 0;
    if (code == 0)
        code = sil_take(elsewhere, &value, SIL_FOREVER);
    counts->ended += code == 0 && value == 3 && sil_cancelled();
    return code;
}

static sil_future *kept[3];

SCENARIO(what_still_runs_is_cancelled_and_waited_for)
{
    (void)arg, (void)result;
    kept[0] = go_tally(clean_up, &tally);
    kept[1] = go_tally(clean_up, &tally);
    EXPECT_CODE(sil_yield(), 0);
    kept[2] = go_tally(clean_up, &tally); /* it never begins */
    EXPECT(tally.begun == 2);
    return 0;
}

static void test_clean_up_at_the_end_may_wait(void **state)
{
    test_what_still_runs_is_cancelled_and_waited_for(state);
    assert_int_equal(tally.begun, 2);
    assert_int_equal(tally.cancelled, 2);
    assert_int_equal(tally.ended, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sil_future_code(kept[i]), 0); /* it was asked, and succeeded in spite */
    assert_int_equal(sil_future_state(kept[2]), SIL_CANCELLED);
    for (int i = 0; i < 3; i++)
        sil_future_release(kept[i]);
}

static int fail_beside_others(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future_release(go_tally(co_stubborn, &tally));
    EXPECT_CODE(sil_yield(), 0);
    return sil_fail(ERANGE, "out of it");
}

static void test_others_end_also_when_main_fails(void **state)
{
    (void)state;
    tally = (struct tally){0};
    assert_code(sil_run(fail_beside_others, NULL, 0, NULL, 0), ERANGE);
    assert_contains(sil_error_message(sil_last_error()), "out of it");
    assert_int_equal(tally.ended, 1);
}

/* After its request was delivered it still may be waited for: by a promise of another's. */
static int wait_for_friend(void *arg, void *result)
{
    (void)result;
    sil_future *friend = *(sil_future **)arg;
    int code = sil_await(friend, SIL_FOREVER);
    if (code == SIL_ECANCELLED)
        code = sil_await(friend, SIL_FOREVER);
    tally.ended += code == 0;
    sil_future_release(friend);
    return code;
}

SCENARIO(those_that_end_may_need_each_other)
{
    (void)arg, (void)result;
    sil_future *first = go_tally(co_stubborn, &tally);
    for (int i = 0; i < 3; i++) {
        sil_future_retain(first);
        sil_future_release(sil_go(wait_for_friend, &first, sizeof first, 0));
    }
    EXPECT_CODE(sil_yield(), 0);
    sil_future_release(first);
    return 0;
}

static void test_all_friends_have_ended(void **state)
{
    test_those_that_end_may_need_each_other(state);
    assert_int_equal(tally.ended, 4);
}

static int go_late(void *arg, void *result)
{
    (void)arg, (void)result;
    (void)sil_sleep(SIL_FOREVER);
    sil_future *late = go_int(co_int, 1);
    tally.cancelled += sil_future_code(late) == SIL_ESHUTDOWN;
    sil_future_release(late);
    return 0;
}

SCENARIO(nothing_begins_after_the_end)
{
    (void)arg, (void)result;
    sil_future_release(sil_go(go_late, NULL, 0, 0));
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

static void test_nothing_begins_once_main_has_ended(void **state)
{
    test_nothing_begins_after_the_end(state);
    assert_int_equal(tally.cancelled, 1);
}

/* --- nothing is left ----------------------------------------------------------------------- */

static int small_program(void *arg, void *result)
{
    (void)result;
    sil_future_release(go_tally(co_forever, &tally));
    sil_future *future = sil_go(task_square, arg, sizeof(int), sizeof(int));
    (void)sil_yield();
    return sil_take(future, NULL, SIL_FOREVER);
}

static void test_ten_thousand_runs_leave_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) /* the last 64 executors are kept */
        assert_code(sil_run(small_program, &i, sizeof i, NULL, 0), 0);
    unsigned descriptors = self_descriptors();
    unsigned threads = self_threads("");
    unsigned maps = leftovers_mappings("\n");
    size_t memory = mallinfo2().uordblks;
    for (int i = 0; i < 10000; i++)
        assert_code(sil_run(small_program, &i, sizeof i, NULL, 0), 0);
    assert_int_equal(self_descriptors(), descriptors);
    assert_int_equal(self_threads(""), threads);
    assert_in_range(leftovers_mappings("\n"), 0, maps + 16);
    assert_in_range(mallinfo2().uordblks, 0, memory + 65536);
}

static int at_limit(void *arg)
{
    (void)arg;
    struct rlimit limit = {.rlim_cur = self_descriptors(), .rlim_max = 4096};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(sil_run(task_nothing, NULL, 0, NULL, 0) == SIL_EAGAIN);
    CHECK(sil_last_error() && sil_error_code(sil_last_error()) == SIL_EAGAIN);
    CHECK(!sil_loop_thread(NULL));
    limit.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(sil_run(task_nothing, NULL, 0, NULL, 0) == 0);
    return 0;
}

static void test_no_descriptors_for_a_loop(void **state)
{
    (void)state;
    assert_int_equal(child_run(at_limit, NULL), 0);
}

/* --- SIGINT -------------------------------------------------------------------------------- */

static int interrupted_main(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT(raise(SIGINT) == 0);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(sil_cancelled());
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    return SIL_ECANCELLED;
}

static int interrupted_twice(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT(raise(SIGINT) == 0);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(raise(SIGINT) == 0);
    (void)sil_sleep(SIL_FOREVER);
    return 0;
}

static const sil_loop_options interruptible = {.interruptible = true};

static int run_interrupted(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        CHECK(sil_run_with(&interruptible, interrupted_main, NULL, 0, NULL, 0) == SIL_ECANCELLED);
    /* It was lent for the time of the run only. */
    (void)raise(SIGINT);
    return 1;
}

static int run_interrupted_twice(void *arg)
{
    (void)arg;
    (void)sil_run_with(&interruptible, interrupted_twice, NULL, 0, NULL, 0);
    return 1;
}

static int run_without(void *arg)
{
    (void)arg;
    (void)sil_run(interrupted_main, NULL, 0, NULL, 0);
    return 1;
}

static void test_sigint_cancels_main_and_a_second_one_ends_the_program(void **state)
{
    (void)state;
    assert_int_equal(child_run(run_interrupted, NULL), -SIGINT);
    assert_int_equal(child_run(run_interrupted_twice, NULL), -SIGINT);
    assert_int_equal(child_run(run_without, NULL), -SIGINT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_result_of_main_is_that_of_run),
        TEST(test_error_of_main_is_that_of_run),
        TEST(test_main_may_end_as_cancelled),
        TEST(test_run_inside_a_loop_is_refused),
        TEST(test_run_in_a_callback_is_refused),
        TEST(test_task_of_a_pool_may_run_a_loop),
        TEST(test_task_that_runs_a_loop_passes_a_cancel_on),
        TEST(test_bad_arguments_are_refused),
        TEST(test_clean_up_at_the_end_may_wait),
        TEST(test_others_end_also_when_main_fails),
        TEST(test_all_friends_have_ended),
        TEST(test_nothing_begins_once_main_has_ended),
        TEST(test_ten_thousand_runs_leave_nothing),
        TEST(test_no_descriptors_for_a_loop),
        TEST(test_sigint_cancels_main_and_a_second_one_ends_the_program),
    };
    begin_scenarios();
    return test_run("sil_run", tests);
}
