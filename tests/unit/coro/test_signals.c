/* SPDX-License-Identifier: MIT */
/*
 * Signals for coroutines.
 */
#include <sillon/signals.h>

#include <signal.h>
#include <unistd.h>

#include "unit/coro/scenario.h"

static int expect_next(sil_signals *signals, int expected)
{
    int number = 0;
    EXPECT_CODE(sil_signals_next(signals, &number, SIL_FOREVER), 0);
    EXPECT_CODE(number, expected);
    return 0;
}

static int wait_for_usr1(void *arg, void *result)
{
    (void)result;
    return expect_next(*(sil_signals **)arg, SIGUSR1);
}

static int waited_for(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_signals *signals = sil_signals_open((const int[]){SIGUSR1, SIGUSR2}, 2);
    EXPECT(signals != NULL);
    sil_future *waiter = sil_go(wait_for_usr1, (void *)&signals, sizeof signals, 0);
    EXPECT_CODE(sil_yield(), 0);
    int number;
    EXPECT_CODE(sil_signals_next(signals, &number, SIL_FOREVER), SIL_EBUSY);
    EXPECT(kill(getpid(), SIGUSR1) == 0);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_signals_next(signals, &number, sil_in(0.001)), SIL_ETIMEDOUT);
    sil_signals_close(signals);
    return 0;
}

static void test_next_waits_for_one(void **state)
{
    (void)state;
    run_scenario(waited_for);
}

static int contested(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_signals *signals = sil_signals_open(&(int){SIGUSR1}, 1);
    EXPECT(signals != NULL);
    sil_future *waiter = sil_go(wait_for_usr1, (void *)&signals, sizeof signals, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(raise(SIGUSR1) == 0);
    /* We come to run after it was told, and before it runs. */
    while (!sil_future_done(waiter)) {
        int number;
        EXPECT_CODE(sil_signals_next(signals, &number, SIL_NOW), SIL_EBUSY);
        EXPECT_CODE(sil_yield(), 0);
    }
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), 0);
    EXPECT(raise(SIGUSR1) == 0);
    int code = expect_next(signals, SIGUSR1);
    sil_signals_close(signals);
    return code;
}

static void test_who_was_told_is_not_forestalled(void **state)
{
    (void)state;
    run_scenario(contested);
}

static int kept(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_signals *signals = sil_signals_open((const int[]){SIGUSR1, SIGUSR2}, 2);
    EXPECT(signals != NULL);
    /* Each is delivered before raise returns. */
    EXPECT(raise(SIGUSR2) == 0 && raise(SIGUSR1) == 0 && raise(SIGUSR2) == 0);
    int code = expect_next(signals, SIGUSR2);
    if (code == 0)
        code = expect_next(signals, SIGUSR1);
    if (code == 0)
        code = expect_next(signals, SIGUSR2);
    if (code != 0)
        return code;
    int number;
    EXPECT_CODE(sil_signals_next(signals, &number, SIL_NOW), SIL_ETIMEDOUT);
    sil_signals_close(signals);
    return 0;
}

static void test_signals_are_kept_and_counted(void **state)
{
    (void)state;
    run_scenario(kept);
}

static int wait_for_any(void *arg, void *result)
{
    return sil_signals_next(*(sil_signals **)arg, result, SIL_FOREVER);
}

static int cancelled(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_signals *signals = sil_signals_open(&(int){SIGUSR1}, 1);
    EXPECT(signals != NULL);
    sil_future *waiter = sil_go(wait_for_any, (void *)&signals, sizeof signals, sizeof(int));
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(waiter), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), SIL_ECANCELLED);
    /* Whoever waits next gets it. */
    EXPECT(raise(SIGUSR1) == 0);
    int code = expect_next(signals, SIGUSR1);
    sil_signals_close(signals);
    return code;
}

static void test_cancelled_wait_takes_none(void **state)
{
    (void)state;
    run_scenario(cancelled);
}

static int listen_elsewhere(void *arg, void *result)
{
    (void)result;
    sil_promise *ready = *(sil_promise **)arg;
    sil_signals *signals = sil_signals_open(&(int){SIGUSR1}, 1);
    EXPECT_CODE(sil_promise_resolve(ready, NULL), 0);
    EXPECT(signals != NULL);
    int code = expect_next(signals, SIGUSR1);
    sil_signals_close(signals);
    return code;
}

static int two_loops(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_signals *signals = sil_signals_open(&(int){SIGUSR1}, 1);
    sil_signals *again = sil_signals_open(&(int){SIGUSR1}, 1);
    sil_executor *other = sil_loop_thread(NULL);
    sil_promise *ready = sil_promise_create(NULL, 0);
    EXPECT(signals && again && other && ready);
    sil_future *listener = sil_submit(other, listen_elsewhere, (void *)&ready, sizeof ready, 0);
    EXPECT_CODE(sil_take(sil_promise_future(ready), NULL, SIL_FOREVER), 0);
    EXPECT(kill(getpid(), SIGUSR1) == 0);
    int code = expect_next(signals, SIGUSR1);
    if (code == 0)
        code = expect_next(again, SIGUSR1);
    EXPECT_CODE(sil_take(listener, NULL, SIL_FOREVER), 0);
    sil_signals_close(again);
    sil_signals_close(signals);
    sil_promise_destroy(ready);
    sil_executor_close(other);
    return code;
}

static void test_several_loops_get_the_same(void **state)
{
    (void)state;
    run_scenario(two_loops);
}

static void own_handler(int number)
{
    (void)number;
}

static void (*present(int number))(int)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 ? action.sa_handler : SIG_ERR;
}

static int restored(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_signals *signals = sil_signals_open((const int[]){SIGUSR1, SIGUSR2}, 2);
    sil_signals *again = sil_signals_open(&(int){SIGUSR1}, 1);
    EXPECT(signals && again);
    sil_signals_close(signals);
    EXPECT(present(SIGUSR1) != own_handler && present(SIGUSR1) != SIG_DFL);
    EXPECT(present(SIGUSR2) == SIG_IGN);
    sil_signals_close(again);
    EXPECT(present(SIGUSR1) == own_handler);
    return 0;
}

static void test_close_puts_back_what_was_there(void **state)
{
    (void)state;
    (void)signal(SIGUSR1, own_handler);
    (void)signal(SIGUSR2, SIG_IGN);
    run_scenario(restored);
    assert_ptr_equal(signal(SIGUSR1, SIG_DFL), own_handler);
    assert_ptr_equal(signal(SIGUSR2, SIG_DFL), SIG_IGN);
}

static int refused(void *arg, void *result)
{
    (void)arg;
    (void)result;
    static const int bad[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 0, -1, 1000};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT(sil_signals_open((const int[]){SIGUSR1, bad[i]}, 2) == NULL);
        EXPECT_CODE(sil_error_code(sil_last_error()), SIL_EINVAL);
    }
    EXPECT(sil_signals_open(NULL, 1) == NULL && sil_signals_open(bad, 0) == NULL);
    EXPECT(present(SIGUSR1) == SIG_DFL);
    EXPECT_CODE(sil_signals_next(NULL, NULL, SIL_NOW), SIL_EINVAL);
    return 0;
}

static void test_what_cannot_be_watched(void **state)
{
    (void)state;
    run_scenario(refused);
    assert_null(sil_signals_open(&(int){SIGUSR1}, 1));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOTASK);
    sil_signals_close(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_next_waits_for_one),           TEST(test_who_was_told_is_not_forestalled),
        TEST(test_signals_are_kept_and_counted), TEST(test_cancelled_wait_takes_none),
        TEST(test_several_loops_get_the_same),   TEST(test_close_puts_back_what_was_there),
        TEST(test_what_cannot_be_watched),
    };
    begin_scenarios();
    return test_run("signals", tests);
}
