/* SPDX-License-Identifier: MIT */
/*
 * The end of a program, as asyncio's tests of run and Runner ask for it (docs/asyncio-parity.md). The
 * names in comments are those of the tests in CPython's test_runners.py.
 */
#include <sillon/loop.h>

#include <pthread.h>
#include <signal.h>

#include "scenario.h"
#include "support/child.h"

static const sil_loop_options interruptible = {.interruptible = true};

/* --- SIGINT ---------------------------------------------------------------------------------- */

static int yield_until_cancelled(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT(raise(SIGINT) == 0);
    int code;
    do {
        code = sil_yield();
    } while (code == 0);
    return code;
}

/* Waits for a future that nobody resolves: awaited only, it stays as it is. */
static int await_until_cancelled(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    EXPECT(raise(SIGINT) == 0);
    int code = sil_await(future, SIL_FOREVER);
    EXPECT(sil_future_state(future) == SIL_PENDING);
    sil_future_release(future);
    sil_promise_destroy(promise);
    return code;
}

static int interrupt_those_that_wait(void *arg)
{
    (void)arg;
    CHECK(sil_run_with(&interruptible, yield_until_cancelled, NULL, 0, NULL, 0) == SIL_ECANCELLED);
    CHECK(sil_run_with(&interruptible, await_until_cancelled, NULL, 0, NULL, 0) == SIL_ECANCELLED);
    return 0;
}

/* test_interrupt_call_soon, test_interrupt_wait */
static void test_sigint_cancels_one_that_yields_and_one_that_waits(void **state)
{
    (void)state;
    assert_int_equal(child_run(interrupt_those_that_wait, NULL), 0);
}

static int cancel_and_interrupt(void *arg, void *result)
{
    (void)result;
    EXPECT_CODE(sil_future_cancel(**(sil_future ***)arg), SIL_EINPROGRESS);
    EXPECT(raise(SIGINT) == 0);
    return 0;
}

static int sleep_long(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(sil_in(10));
}

/* The main coroutine is cancelled and interrupted at once, by another. */
static int cancelled_and_interrupted(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *sleeper = sil_go(sleep_long, NULL, 0, 0);
    sil_future **slot = &sleeper;
    sil_future *other = sil_go(cancel_and_interrupt, (void *)&slot, sizeof slot, 0);
    int code = sil_take(sleeper, NULL, SIL_FOREVER);
    int others = sil_take(other, NULL, SIL_FOREVER);
    return others == 0 || others == SIL_ECANCELLED ? code : others;
}

static int interrupt_cancelled(void *arg)
{
    (void)arg;
    CHECK(sil_run_with(&interruptible, cancelled_and_interrupted, NULL, 0, NULL, 0) ==
          SIL_ECANCELLED);
    return 0;
}

static void test_sigint_beside_a_cancel(void **state) /* test_interrupt_cancelled_task */
{
    (void)state;
    assert_int_equal(child_run(interrupt_cancelled, NULL), 0);
}

static void *run_elsewhere(void *arg)
{
    *(int *)arg = sil_run_with(&interruptible, yield_until_cancelled, NULL, 0, NULL, 0);
    return NULL;
}

static int interrupt_elsewhere(void *arg)
{
    (void)arg;
    pthread_t thread;
    int code = 0;
    CHECK(pthread_create(&thread, NULL, run_elsewhere, &code) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(code == SIL_ECANCELLED);
    return 0;
}

/* test_signal_install_not_supported_ok, where there is one thread only that has signals */
static void test_any_thread_may_be_interruptible(void **state)
{
    (void)state;
    assert_int_equal(child_run(interrupt_elsewhere, NULL), 0);
}

/* --- what is left over ----------------------------------------------------------------------- */

static sil_future *left_over;

static int leave_one_that_fails(void *arg, void *result)
{
    (void)arg;
    left_over = go_tally(co_fail_when_cancelled, &tally);
    EXPECT_CODE(sil_yield(), 0);
    *(int *)result = 123;
    return 0;
}

/* test_asyncio_run_reports_hanging_tasks_errors: told to whoever holds its future, and to nobody
 * else. */
static void test_what_fails_at_the_end_does_so_for_itself(void **state)
{
    (void)state;
    int value = 0;
    tally = (struct tally){0};
    assert_code(sil_run(leave_one_that_fails, NULL, 0, &value, sizeof value), 0);
    assert_int_equal(value, 123);
    assert_int_equal(tally.ended, 1);
    assert_code(sil_take(left_over, NULL, SIL_NOW), EIO);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_sigint_cancels_one_that_yields_and_one_that_waits),
        TEST(test_sigint_beside_a_cancel),
        TEST(test_any_thread_may_be_interruptible),
        TEST(test_what_fails_at_the_end_does_so_for_itself),
    };
    begin_scenarios();
    return test_run("parity: run", tests);
}
