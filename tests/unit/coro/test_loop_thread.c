/* SPDX-License-Identifier: MIT */
/*
 * A loop on a thread of its own: how it is shut down and closed, from everywhere and in every order;
 * that it is quiet when there is nothing to do. (Forks: test_loop_fork.c.)
 */
#include <sillon/loop.h>

#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "scenario.h"
#include "support/self.h"

static sil_executor *start(const char *name)
{
    sil_executor *loop = sil_loop_thread(&(sil_loop_options){.name = name});
    assert_non_null(loop);
    return loop;
}

static sil_future *submit_tally(sil_executor *loop, sil_task_fn fn, struct tally *counts)
{
    return sil_submit(loop, fn, (void *)&counts, sizeof counts, 0);
}

/* Of all three kinds: one that has ended, one that waits, one that has not begun. */
struct three {
    struct tally tally;
    struct gate gate;
    sil_future *ended;
    sil_future *waiting;
    sil_future *holder; /* keeps the loop */
    sil_future *pending;
};

static void submit_three(struct three *three, sil_executor *loop)
{
    *three = (struct three){0};
    gate_init(&three->gate);
    three->ended = submit_int(loop, task_int, 1);
    assert_code(sil_await(three->ended, SIL_FOREVER), 0);
    three->waiting = submit_tally(loop, co_forever, &three->tally);
    three->holder = submit_gate(loop, &three->gate);
    gate_wait_for_arrivals(&three->gate, 1);
    three->pending = submit_int(loop, co_int, 2);
}

static void release_three(struct three *three)
{
    sil_future_release(three->ended);
    sil_future_release(three->waiting);
    sil_future_release(three->holder);
    sil_future_release(three->pending);
    gate_fini(&three->gate);
}

/* --- as an executor --------------------------------------------------------------------------- */

static int tell_thread(void *arg, void *result)
{
    (void)arg;
    char *name = result;
    FILE *file = fopen("/proc/thread-self/comm", "re");
    EXPECT(file && fgets(name, 32, file));
    (void)fclose(file);
    name[strcspn(name, "\n")] = '\0';
    return 0;
}

static void test_it_has_a_name_and_figures(void **state)
{
    (void)state;
    sil_executor *loop = start("figures");
    assert_string_equal(sil_executor_kind(loop), "loop");
    assert_int_equal(sil_executor_workers(loop), 1);
    assert_non_null(sil_loop_uv(loop));
    char name[32] = "";
    assert_code(sil_take(sil_submit(loop, tell_thread, NULL, 0, 32), name, SIL_FOREVER), 0);
    assert_string_equal(name, "figures");

    struct three three;
    submit_three(&three, loop);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(loop, &stats), 0);
    assert_int_equal(stats.submitted, 5);
    assert_int_equal(stats.pending, 1);
    assert_int_equal(stats.running, 2);
    assert_int_equal(stats.done, 2);
    assert_int_equal(stats.threads, 1);
    gate_open(&three.gate);
    assert_code(sil_await(three.pending, SIL_FOREVER), 0);
    assert_code(sil_future_cancel(three.waiting), SIL_EINPROGRESS);
    assert_code(sil_executor_shutdown(loop, false, SIL_FOREVER), 0);
    assert_code(sil_executor_stats_get(loop, &stats), 0);
    assert_int_equal(stats.submitted, 5);
    assert_int_equal(stats.done, 5);
    assert_int_equal(stats.pending + stats.running, 0);
    assert_code(sil_executor_close(loop), 0);
    release_three(&three);
}

/* --- shutting down ---------------------------------------------------------------------------- */

static void test_shutdown_waits_until_the_deadline(void **state)
{
    (void)state;
    for (int cancel = 0; cancel <= 1; cancel++) {
        sil_executor *loop = start("shutdown");
        struct three three;
        submit_three(&three, loop);
        assert_code(sil_executor_shutdown(loop, cancel, SIL_NOW), 0);
        assert_code(sil_executor_shutdown(loop, false, sil_in(2e-3)), SIL_ETIMEDOUT);
        assert_contains(sil_error_message(sil_last_error()), "shutdown");
        assert_code(sil_take(submit_nothing(loop), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
        gate_open(&three.gate);
        assert_code(sil_await(three.holder, SIL_FOREVER), 0);
        assert_code(sil_await(three.pending, SIL_FOREVER), cancel ? SIL_ECANCELLED : 0);
        assert_code(sil_executor_shutdown(loop, false, sil_in(2e-3)), SIL_ETIMEDOUT);
        assert_code(sil_future_cancel(three.waiting), SIL_EINPROGRESS);
        assert_code(sil_executor_shutdown(loop, false, SIL_FOREVER), 0);
        assert_code(sil_executor_shutdown(loop, true, SIL_FOREVER), 0);
        assert_code(sil_await(three.waiting, SIL_NOW), SIL_ECANCELLED);
        assert_code(sil_executor_close(loop), 0);
        assert_code(sil_executor_close(loop), SIL_ESHUTDOWN);
        assert_code(sil_take(submit_nothing(loop), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
        release_three(&three);
    }
}

/* Coroutines that are at it when the shutdown begins may go on to the end, but start no others. */
static int go_on(void *arg, void *result)
{
    (void)result;
    gate_wait(*(struct gate **)arg);
    for (int i = 0; i < 10; i++)
        EXPECT_CODE(sil_sleep(sil_in(1e-4)), 0);
    EXPECT_CODE(sil_take(sil_go(task_nothing, NULL, 0, 0), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    sil_future *thread = sil_thread_start(NULL, task_int, &(int){4}, sizeof(int), sizeof(int));
    int value = 0;
    EXPECT_CODE(sil_take(thread, &value, SIL_FOREVER), 0);
    EXPECT(value == 4);
    return 0;
}

static void test_those_at_it_go_on_to_the_end(void **state)
{
    (void)state;
    sil_executor *loop = start("at it");
    struct gate gate;
    gate_init(&gate);
    struct gate *shared = &gate;
    sil_future *future = sil_submit(loop, go_on, (void *)&shared, sizeof shared, 0);
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_executor_shutdown(loop, true, SIL_NOW), 0);
    gate_open(&gate);
    assert_code(sil_executor_close(loop), 0);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);
    gate_fini(&gate);
}

static int shut_down(void *arg, void *result)
{
    (void)result;
    return sil_executor_shutdown(*(sil_executor **)arg, false, SIL_FOREVER);
}

static void test_several_threads_wait_for_the_end(void **state)
{
    (void)state;
    sil_executor *loop = start("several");
    sil_executor *other = start("other");
    struct three three;
    submit_three(&three, loop);
    sil_future *waiters[6];
    for (int i = 0; i < 6; i++)
        waiters[i] = i % 2 ? sil_submit(other, shut_down, (void *)&loop, sizeof loop, 0)
                           : sil_thread_start(NULL, shut_down, (void *)&loop, sizeof loop, 0);
    gate_open(&three.gate);
    assert_code(sil_await(three.pending, SIL_FOREVER), 0);
    (void)sil_future_cancel(three.waiting);
    for (int i = 0; i < 6; i++)
        assert_code(sil_take(waiters[i], NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(loop), 0);
    assert_code(sil_executor_close(other), 0);
    release_three(&three);
}

/* --- by its own coroutines -------------------------------------------------------------------- */

static int end_own(void *arg, void *result)
{
    (void)result;
    sil_executor *loop = sil_loop_current();
    EXPECT_CODE(sil_executor_shutdown(loop, false, SIL_FOREVER), SIL_EDEADLK);
    if (!*(bool *)arg)
        return 0;
    EXPECT_CODE(sil_executor_close(loop), 0);
    EXPECT_CODE(sil_executor_close(loop), SIL_ESHUTDOWN);
    EXPECT_CODE(sil_take(sil_go(task_nothing, NULL, 0, 0), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0); /* it goes away when all have ended */
    return 0;
}

static void test_its_own_coroutine_closes_it(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        sil_executor *loop = start("own");
        struct three three;
        submit_three(&three, loop);
        sil_future *closer = sil_submit(loop, end_own, &(bool){true}, sizeof(bool), 0);
        gate_open(&three.gate);
        assert_code(sil_take(closer, NULL, SIL_FOREVER), 0);
        assert_code(sil_await(three.pending, SIL_FOREVER), 0);
        assert_code(sil_future_cancel(three.waiting), SIL_EINPROGRESS);
        assert_code(sil_await(three.waiting, SIL_FOREVER), SIL_ECANCELLED);
        release_three(&three);
    }
    assert_true(test_threads_gone());
}

static void test_its_own_coroutine_shuts_it_down(void **state)
{
    (void)state;
    sil_executor *loop = start("own");
    sil_future *future = sil_submit(loop, end_own, &(bool){false}, sizeof(bool), 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_shutdown(loop, false, SIL_FOREVER), 0);
    assert_code(sil_executor_close(loop), 0);
}

static atomic_int close_from_callback_code;

static void close_in_callback(sil_future *future, void *user)
{
    (void)future;
    close_from_callback_code = sil_executor_close(user);
}

static void test_callback_closes_it(void **state)
{
    (void)state;
    sil_executor *loop = start("callback");
    struct gate gate;
    gate_init(&gate);
    sil_future *future = submit_gate(loop, &gate);
    close_from_callback_code = -1;
    assert_code(sil_future_add_done_callback(future, close_in_callback, loop), 0);
    gate_open(&gate);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    assert_true(test_threads_gone());
    assert_code(close_from_callback_code, 0);
    gate_fini(&gate);
}

/* --- by coroutines of others ------------------------------------------------------------------ */

static int count_turns(void *arg, void *result)
{
    (void)result;
    while (sil_sleep(sil_in(1e-4)) == 0)
        ++**(int **)arg;
    return 0;
}

/* While it waits for the end of an executor, the others of its loop go on. */
static int end_beside_others(sil_executor *executor, bool close)
{
    int turns = 0;
    int *counter = &turns;
    struct gate gate;
    gate_init(&gate);
    sil_future *task = submit_gate(executor, &gate);
    while (atomic_load(&gate.arrived) == 0)
        EXPECT_CODE(sil_yield(), 0);
    sil_future *beside = sil_go(count_turns, (void *)&counter, sizeof counter, 0);
    EXPECT_CODE(sil_executor_shutdown(executor, false, sil_in(10e-3)), SIL_ETIMEDOUT);
    EXPECT(turns > 0);
    sil_deadline outer = sil_deadline_scope(sil_in(5e-3));
    EXPECT_CODE(sil_executor_shutdown(executor, false, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    gate_open(&gate);
    if (!close)
        EXPECT_CODE(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    EXPECT_CODE(sil_executor_close(executor), 0);
    EXPECT_CODE(sil_take(task, NULL, SIL_NOW), 0);
    (void)sil_future_cancel(beside);
    EXPECT_CODE(sil_take(beside, NULL, SIL_FOREVER), 0);
    gate_fini(&gate);
    return 0;
}

SCENARIO(end_of_others_is_waited_for_without_the_thread)
{
    (void)arg, (void)result;
    for (int close = 0; close <= 1; close++) {
        EXPECT_CODE(end_beside_others(sil_loop_thread(NULL), close), 0);
        EXPECT_CODE(end_beside_others(sil_thread_pool(NULL), close), 0);
    }
    return 0;
}

static int await_back(void *arg, void *result)
{
    (void)result;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

/* What the executor to be closed waits for is a coroutine of ours. */
SCENARIO(executor_that_needs_our_loop_to_end)
{
    (void)arg, (void)result;
    for (int i = 0; i < 2; i++) {
        sil_executor *other = i ? sil_thread_pool(NULL) : sil_loop_thread(NULL);
        sil_future *mine = go_int(co_int, 3);
        sil_future *theirs = sil_submit(other, await_back, (void *)&mine, sizeof mine, 0);
        EXPECT_CODE(sil_executor_close(other), 0);
        EXPECT_CODE(sil_take(theirs, NULL, SIL_NOW), 0);
        EXPECT_CODE(sil_take(mine, NULL, SIL_NOW), 0);
    }
    return 0;
}

static int shut_down_until_cancelled(void *arg, void *result)
{
    (void)result;
    sil_executor *executor = *(sil_executor **)arg;
    EXPECT_CODE(sil_executor_shutdown(executor, false, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_executor_shutdown(executor, false, sil_in(1e-3)), SIL_ETIMEDOUT);
    return 0;
}

SCENARIO(cancel_ends_the_wait_for_the_end)
{
    (void)arg, (void)result;
    for (int i = 0; i < 2; i++) {
        sil_executor *other = i ? sil_thread_pool(NULL) : sil_loop_thread(NULL);
        struct gate gate;
        gate_init(&gate);
        sil_future *task = submit_gate(other, &gate);
        while (atomic_load(&gate.arrived) == 0)
            EXPECT_CODE(sil_yield(), 0);
        sil_future *future = sil_go(shut_down_until_cancelled, (void *)&other, sizeof other, 0);
        EXPECT_CODE(sil_sleep(sil_in(2e-3)), 0);
        EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
        gate_open(&gate);
        EXPECT_CODE(sil_executor_close(other), 0);
        EXPECT_CODE(sil_take(task, NULL, SIL_NOW), 0);
        gate_fini(&gate);
    }
    return 0;
}

/* --- races ------------------------------------------------------------------------------------ */

static int submit_until_refused(void *arg, void *result)
{
    sil_executor *loop = *(sil_executor **)arg;
    int accepted = 0;
    for (;;) {
        sil_future *future = submit_int(loop, co_int, 1);
        int code = sil_take(future, NULL, SIL_FOREVER);
        if (code == SIL_ESHUTDOWN)
            break;
        EXPECT(code == 0 || code == SIL_ECANCELLED);
        accepted++;
    }
    *(int *)result = accepted;
    return 0;
}

static void test_shutdown_while_others_submit(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(200); round++) {
        sil_executor *loop = start("race");
        sil_future *threads[2];
        for (int i = 0; i < 2; i++)
            threads[i] = sil_thread_start(NULL, submit_until_refused, (void *)&loop, sizeof loop,
                                          sizeof(int));
        if (round % 3)
            assert_code(sil_take(submit_int(loop, co_int, 1), NULL, SIL_FOREVER), 0);
        assert_code(sil_executor_shutdown(loop, round % 2, SIL_FOREVER), 0);
        for (int i = 0; i < 2; i++)
            assert_code(sil_take(threads[i], NULL, SIL_FOREVER), 0);
        sil_executor_stats stats;
        assert_code(sil_executor_stats_get(loop, &stats), 0);
        assert_int_equal(stats.submitted, stats.done);
        assert_code(sil_executor_close(loop), 0);
    }
}

static void test_opened_and_closed_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(500); i++)
        assert_code(sil_executor_close(start("short")), 0);
}

/* --- idle ------------------------------------------------------------------------------------- */

static void let_seconds_pass(time_t seconds)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec when = {.it_value = {.tv_sec = seconds}};
    assert_int_equal(timerfd_settime(timer, 0, &when, NULL), 0);
    struct pollfd ready = {.fd = timer, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    (void)close(timer);
}

static void assert_quiet(const char *name)
{
    uint64_t switches = self_voluntary_switches(name);
    let_seconds_pass(2);
    assert_int_equal(self_voluntary_switches(name) - switches, 0);
}

static void test_idle_loop_sleeps_in_the_kernel(void **state)
{
    (void)state;
    sil_executor *loop = start("idle-loop");
    let_seconds_pass(1);
    assert_quiet("idle-loop"); /* never used */

    sil_future *futures[20];
    for (int i = 0; i < 20; i++)
        futures[i] = submit_int(loop, co_int, i);
    for (int i = 0; i < 20; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(loop, &stats) == 0 && stats.sleeping == 1);
    let_seconds_pass(1);
    assert_quiet("idle-loop"); /* used */

    /* With those that wait: for ever, and for a time that has not come. */
    struct tally counts = {0};
    futures[0] = submit_tally(loop, co_forever, &counts);
    sil_submit_options options = {.deadline = sil_in(1000)};
    struct tally *shared = &counts;
    futures[1] = sil_submit_with(loop, &options, co_forever, (void *)&shared, sizeof shared, 0);
    let_seconds_pass(1);
    assert_quiet("idle-loop");
    for (int i = 0; i < 2; i++) {
        assert_code(sil_future_cancel(futures[i]), SIL_EINPROGRESS);
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    assert_code(sil_executor_close(loop), 0);
    assert_int_equal(counts.begun, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_it_has_a_name_and_figures),
        TEST(test_shutdown_waits_until_the_deadline),
        TEST(test_those_at_it_go_on_to_the_end),
        TEST(test_several_threads_wait_for_the_end),
        TEST(test_its_own_coroutine_closes_it),
        TEST(test_its_own_coroutine_shuts_it_down),
        TEST(test_callback_closes_it),
        TEST(test_end_of_others_is_waited_for_without_the_thread),
        TEST(test_executor_that_needs_our_loop_to_end),
        TEST(test_cancel_ends_the_wait_for_the_end),
        TEST(test_shutdown_while_others_submit),
        TEST(test_opened_and_closed_at_once),
        TEST(test_idle_loop_sleeps_in_the_kernel),
    };
    begin_scenarios();
    return test_run("loops on threads of their own", tests);
}
