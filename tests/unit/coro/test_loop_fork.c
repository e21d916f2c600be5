/* SPDX-License-Identifier: MIT */
/*
 * Forks beside loops, and in coroutines: what a child has of its parent's loops, and that it may have
 * its own.
 */
#include <sillon/loop.h>

#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"
#include "support/child.h"

static sil_executor *start(const char *name)
{
    sil_executor *loop = sil_loop_thread(&(sil_loop_options){.name = name});
    assert_non_null(loop);
    return loop;
}

static int run_own(void *arg)
{
    (void)arg;
    int value = 0;
    CHECK(sil_run(task_square, &(int){6}, sizeof(int), &value, sizeof value) == 0);
    CHECK(value == 36);
    sil_executor *loop = sil_loop_thread(NULL);
    CHECK(loop);
    CHECK(sil_take(submit_int(loop, co_int, 5), &value, SIL_FOREVER) == 0 && value == 5);
    CHECK(sil_executor_close(loop) == 0);
    return 0;
}

/* In a child that a coroutine forked: its loop is the parent's, and it is a coroutine no more. */
static int use_parents_loop(void *arg)
{
    sil_executor *loop = arg;
    CHECK(sil_take(submit_nothing(loop), NULL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_executor_shutdown(loop, false, SIL_NOW) == SIL_EFORKED);
    CHECK(sil_executor_close(loop) == SIL_EFORKED);
    CHECK(sil_take(sil_go(task_nothing, NULL, 0, 0), NULL, SIL_FOREVER) == SIL_ENOTASK);
    CHECK(!sil_loop_current());
    CHECK(sil_yield() == 0);
    CHECK(sil_sleep(sil_in(1e-3)) == 0);
    sil_promise *promise = sil_promise_create(NULL, 0);
    CHECK(promise);
    CHECK(sil_take(sil_promise_future(promise), NULL, sil_in(1e-3)) == SIL_ETIMEDOUT);
    sil_promise_destroy(promise);
#ifndef TEST_TSAN /* it cannot tell the child's threads from those of the parent */
    CHECK(sil_take(sil_thread_start(NULL, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER) == 0);
    return run_own(NULL);
#else
    return 0;
#endif
}

static int fork_in_coroutine(void *arg, void *result)
{
    (void)arg;
    sil_future *ready = go_tally(co_stubborn, &tally);
    sil_future *waiting = go_tally(co_forever, &tally);
    EXPECT_CODE(sil_yield(), 0);
    sil_future *pending = go_int(co_int, 1);
    *(int *)result = child_run(use_parents_loop, sil_loop_current());
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_take(pending, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_future_cancel(ready), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(ready, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_future_cancel(waiting), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(waiting, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

static void test_coroutine_may_fork(void **state)
{
    (void)state;
    int line = -1;
    sil_executor *loop = start("forks");
    sil_future *future = sil_submit(loop, fork_in_coroutine, NULL, 0, sizeof line);
    assert_code(sil_take(future, &line, SIL_FOREVER), 0);
    assert_int_equal(line, 0);
    assert_code(sil_executor_close(loop), 0);
    line = -1;
    tally = (struct tally){0};
    assert_code(sil_run(fork_in_coroutine, NULL, 0, &line, sizeof line), 0);
    assert_int_equal(line, 0);
}

/* A coroutine that comes back in the child: its thread ends there, and no other coroutine runs. */
static int come_back_in_child(void *arg, void *result)
{
    (void)arg;
    int *out = result;
    *out = fork();
    EXPECT(*out >= 0);
    return 0;
}

static int write_byte(void *arg, void *result)
{
    (void)result;
    (void)sil_sleep(sil_in(2e-3));
    return write(*(int *)arg, "x", 1) == 1 ? 0 : UNEXPECTED;
}

static void test_child_of_a_coroutine_ends_with_it(void **state)
{
    (void)state;
#if defined(TEST_ASAN) || defined(TEST_TSAN)
    skip(); /* one calls what the parent has in use a leak of the child's, the other is lost there */
#endif
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    sil_executor *loop = start("forks");
    sil_future *writer = sil_submit(loop, write_byte, &ends[1], sizeof ends[1], 0);
    int child = -1;
    sil_future *future = sil_submit(loop, come_back_in_child, NULL, 0, sizeof child);
    assert_code(sil_take(future, &child, SIL_FOREVER), 0);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_code(sil_take(writer, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(loop), 0);
    (void)close(ends[1]);
    char bytes[4];
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 1);
    (void)close(ends[0]);
}

static void test_child_of_a_thread_has_loops_of_its_own(void **state)
{
    (void)state;
#ifdef TEST_TSAN
    skip();
#endif
    sil_executor *loop = start("parent");
    assert_code(sil_take(submit_nothing(loop), NULL, SIL_FOREVER), 0);
    assert_int_equal(child_run(run_own, NULL), 0);
    assert_code(sil_take(submit_nothing(loop), NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(loop), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_coroutine_may_fork),
        TEST(test_child_of_a_coroutine_ends_with_it),
        TEST(test_child_of_a_thread_has_loops_of_its_own),
    };
    begin_scenarios();
    return test_run("loops and forks", tests);
}
