/* SPDX-License-Identifier: MIT */
/*
 * Coroutines and threads, as asyncio's tests of to_thread, wrap_future, run_coroutine_threadsafe and
 * gather ask for it (docs/asyncio-parity.md). The names in comments are those of the tests in CPython's
 * test_threads.py, test_futures.py and test_tasks.py.
 */
#include <sillon/group.h>

#include <string.h>

#include "scenario.h"

/* --- from a coroutine to threads ------------------------------------------------------------- */

static sil_executor *pool;

/* Run it with a pool of two. */
static void run_with_pool(sil_task_fn scenario)
{
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    assert_non_null(pool);
    run_scenario(scenario);
    assert_code(sil_executor_close(pool), 0);
}

/* As SCENARIO, with a pool. */
#define POOL_SCENARIO(name)                   \
    static int name(void *arg, void *result); \
    static void test_##name(void **state)     \
    {                                         \
        (void)state;                          \
        run_with_pool(name);                  \
    }                                         \
    static int name(void *arg, void *result)

/* test_to_thread, test_to_thread_exception, test_to_thread_args_kwargs, test_wrap_future */
POOL_SCENARIO(thread_has_the_outcome)
{
    (void)arg, (void)result;
    int value = 0;
    EXPECT_CODE(sil_take(submit_int(pool, task_square, 12), &value, SIL_FOREVER), 0);
    EXPECT(value == 144);
    EXPECT_CODE(sil_take(submit_int(pool, task_fail_with_message, EIO), NULL, SIL_FOREVER), EIO);
    EXPECT(strcmp(sil_error_message(sil_last_error()), "5 is bad") == 0);
    sil_future *own =
        sil_thread_start(NULL, task_square, &(int){5}, sizeof(int), sizeof(int)); /* of its own */
    EXPECT_CODE(sil_take(own, &value, SIL_FOREVER), 0);
    EXPECT(value == 25);
    return 0;
}

POOL_SCENARIO(threads_run_beside_each_other) /* test_to_thread_once, test_to_thread_concurrent */
{
    (void)arg, (void)result;
    atomic_uint count = 0;
    sil_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = submit_count(pool, &count);
    EXPECT_CODE(sil_gather(futures, 10, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), 0);
    EXPECT(atomic_load(&count) == 10);
    for (int i = 0; i < 10; i++)
        sil_future_release(futures[i]);
    return 0;
}

static int await_gate(void *arg, void *result)
{
    (void)result;
    return sil_take(submit_gate(pool, *(struct gate **)arg), NULL, SIL_FOREVER);
}

POOL_SCENARIO(loop_goes_on_while_a_thread_blocks)
{
    (void)arg, (void)result;
    struct gate gate;
    gate_init(&gate);
    struct gate *gate_arg = &gate;
    sil_future *waiter = sil_go(await_gate, &gate_arg, sizeof gate_arg, 0);
    for (int i = 0; i < 100; i++)
        EXPECT_CODE(sil_yield(), 0);
    EXPECT(!sil_future_done(waiter));
    gate_open(&gate);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), 0);
    gate_fini(&gate);
    return 0;
}

static int take_one_that_runs(void *arg, void *result)
{
    (void)result;
    sil_future *future = *(sil_future **)arg;
    return sil_take(sil_future_retain(future), NULL, SIL_FOREVER);
}

POOL_SCENARIO(cancelled_taker_asks_the_thread_to_stop) /* test_wrap_future_cancel */
{
    (void)arg, (void)result;
    sil_future *inner = sil_submit(pool, task_until_cancelled, NULL, 0, 0);
    sil_future *outer = sil_go(take_one_that_runs, &inner, sizeof inner, 0);
    give_way(2);
    EXPECT_CODE(sil_future_cancel(outer), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(outer, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_take(inner, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

/* test_constructor_heterogenous_futures, test_constructor_homogenous_futures, test_other_loop_future:
 * futures belong to no loop. */
POOL_SCENARIO(gather_of_a_mix)
{
    (void)arg, (void)result;
    sil_executor *other = sil_loop_thread(NULL);
    EXPECT(other);
    sil_promise *promise;
    sil_future *futures[] = {go_int(co_int, 1), submit_int(pool, task_int, 2),
                             submit_int(other, co_int, 3), promise_int(&promise)};
    sil_future *late = sil_thread_start(NULL, task_int, &(int){4}, sizeof(int), sizeof(int));
    EXPECT_CODE(sil_await(late, SIL_FOREVER), 0);
    EXPECT_CODE(sil_promise_resolve(promise, &(int){int_of(late)}), 0);
    EXPECT_CODE(sil_gather(futures, 4, SIL_GATHER_FIRST_ERROR, SIL_FOREVER), 0);
    for (int i = 0; i < 4; i++) {
        EXPECT(int_of(futures[i]) == i + 1);
        sil_future_release(futures[i]);
    }
    sil_future_release(late);
    sil_promise_destroy(promise);
    EXPECT_CODE(sil_executor_close(other), 0);
    return 0;
}

/* --- from a thread to a loop ------------------------------------------------------------------ */

/* In a task of the pool: a coroutine on the given loop, and its outcome. */
static int add_on_loop(void *arg, void *result)
{
    sil_executor *loop = *(sil_executor **)arg;
    int sum = 0;
    for (int i = 1; i <= 2; i++) {
        int value = 0;
        int code = sil_take(submit_int(loop, co_int, i), &value, SIL_FOREVER);
        if (code != 0)
            return code;
        sum += value;
    }
    *(int *)result = sum;
    return sil_take(submit_int(loop, co_fail, ERANGE), NULL, SIL_FOREVER) == ERANGE ? 0
                                                                                    : UNEXPECTED;
}

/* test_run_coroutine_threadsafe, test_run_coroutine_threadsafe_with_exception */
POOL_SCENARIO(thread_starts_coroutines_and_awaits_them)
{
    (void)arg, (void)result;
    sil_executor *loop = sil_loop_current();
    int sum = 0;
    EXPECT_CODE(
        sil_take(sil_submit(pool, add_on_loop, &loop, sizeof loop, sizeof sum), &sum, SIL_FOREVER),
        0);
    EXPECT(sum == 3);
    return 0;
}

/* test_run_coroutine_threadsafe_with_timeout, test_run_coroutine_threadsafe_task_cancelled */
static void test_thread_gives_a_coroutine_up(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    assert_non_null(loop);
    struct tally counts = {0};
    struct tally *counts_arg = &counts;
    const sil_deadline untils[] = {SIL_NOW, sil_in(1e-3)};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        sil_future *future = sil_submit(loop, co_forever, &counts_arg, sizeof counts_arg, 0);
        assert_code(sil_await_or_cancel(future, untils[i]), SIL_ETIMEDOUT);
        assert_int_equal(sil_future_state(future), SIL_CANCELLED);
        sil_future_release(future);
    }
    assert_code(sil_take(submit_int(loop, task_fail, SIL_ECANCELLED), NULL, SIL_FOREVER),
                SIL_ECANCELLED);
    assert_code(sil_executor_close(loop), 0);
    assert_int_equal(counts.begun, counts.ended);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_thread_has_the_outcome),
        TEST(test_threads_run_beside_each_other),
        TEST(test_loop_goes_on_while_a_thread_blocks),
        TEST(test_cancelled_taker_asks_the_thread_to_stop),
        TEST(test_gather_of_a_mix),
        TEST(test_thread_starts_coroutines_and_awaits_them),
        TEST(test_thread_gives_a_coroutine_up),
    };
    begin_scenarios();
    return test_run("parity: threads", tests);
}
