/* SPDX-License-Identifier: MIT */
/*
 * Awaiting coroutines: those that have not begun, that run, that wait, of one's own loop and of others;
 * by one and by many, to the end, until a deadline, until a cancel.
 */
#include <sillon/coro.h>

#include <string.h>

#include "scenario.h"

/* --- values -------------------------------------------------------------------------------- */

SCENARIO(values_of_those_not_begun_running_and_ended)
{
    (void)arg, (void)result;
    int value = 0;
    EXPECT_CODE(sil_take(go_int(task_square, 3), &value, SIL_FOREVER), 0); /* begun by the take */
    EXPECT(value == 9);

    sil_future *running = go_int(co_int, 7);
    EXPECT_CODE(sil_yield(), 0); /* it is in its own yield now */
    EXPECT(sil_future_state(running) == SIL_RUNNING);
    EXPECT_CODE(sil_await(running, SIL_FOREVER), 0);
    EXPECT(int_of(running) == 7);
    EXPECT_CODE(sil_take(running, &value, SIL_NOW), 0);
    EXPECT(value == 7);

    EXPECT_CODE(sil_take(go_int(co_fail, ERANGE), &value, SIL_FOREVER), ERANGE);
    EXPECT(strcmp(sil_error_message(sil_last_error()), "failed with 34") == 0);
    EXPECT(value == 7);
    return 0;
}

static int await_it(void *arg, void *result)
{
    sil_future *future = *(sil_future **)arg;
    int code = sil_await(future, SIL_FOREVER);
    *(int *)result = int_of(future);
    sil_future_release(future);
    return code;
}

static sil_future *go_await(sil_future *future)
{
    sil_future_retain(future);
    return sil_go(await_it, (void *)&future, sizeof future, sizeof(int));
}

SCENARIO(many_await_one)
{
    (void)arg, (void)result;
    for (int begun = 0; begun <= 2; begun++) {
        sil_future *one = go_int(co_int, 5);
        sil_future *futures[50];
        if (begun == 2)
            EXPECT_CODE(sil_yield(), 0);
        for (int i = 0; i < 50; i++)
            futures[i] = go_await(one);
        if (begun == 1)
            EXPECT_CODE(sil_yield(), 0);
        for (int i = 0; i < 50; i++) {
            int value = 0;
            EXPECT_CODE(sil_take(futures[i], &value, SIL_FOREVER), 0);
            EXPECT(value == 5);
        }
        EXPECT_CODE(sil_take(one, NULL, SIL_NOW), 0);
    }
    return 0;
}

SCENARIO(chain_of_awaits)
{
    (void)arg, (void)result;
    sil_future *futures[100];
    futures[0] = go_int(co_int, 5);
    for (int i = 1; i < 100; i++)
        futures[i] = go_await(futures[i - 1]);
    int value = 0;
    for (int i = 99; i >= 0; i--)
        EXPECT_CODE(sil_take(futures[i], &value, SIL_FOREVER), 0);
    EXPECT(value == 5);
    return 0;
}

/* --- giving up ----------------------------------------------------------------------------- */

static int given_up;

static int give_up_then_await(void *arg, void *result)
{
    (void)result;
    sil_future *future = *(sil_future **)arg;
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(sil_await(future, sil_in(1e-3)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_await(future, SIL_NOW), SIL_ETIMEDOUT);
    given_up++;
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

SCENARIO(deadline_parts_them_and_the_other_goes_on)
{
    (void)arg, (void)result;
    for (int begun = 0; begun <= 1; begun++) {
        sil_future *future = go_tally(co_forever, &tally);
        if (begun)
            EXPECT_CODE(sil_yield(), 0);
        sil_future *impatient = sil_go(give_up_then_await, (void *)&future, sizeof future, 0);
        sil_future *other = sil_go(give_up_then_await, (void *)&future, sizeof future, 0);
        for (given_up = 0; given_up < 2;)
            EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
        EXPECT(sil_future_state(future) == SIL_RUNNING);
        EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
        EXPECT_CODE(sil_take(impatient, NULL, SIL_FOREVER), 0);
        EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
        EXPECT_CODE(sil_take(future, NULL, SIL_NOW), SIL_ECANCELLED);
    }
    return 0;
}

/* The deadline of a take passes it on: the coroutine is released, and goes on unheld. */
SCENARIO(taken_and_given_up_it_goes_on_unheld)
{
    (void)arg, (void)result;
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(sil_take(go_tally(co_forever, &tally), NULL, sil_in(1e-3)), SIL_ETIMEDOUT);
    EXPECT(tally.begun == 3 && tally.ended == 0);
    return 0; /* and is cancelled at the end */
}

static void test_those_given_up_are_cancelled_at_the_end(void **state)
{
    test_taken_and_given_up_it_goes_on_unheld(state);
    assert_int_equal(tally.cancelled, 3);
}

static int take_it(void *arg, void *result)
{
    (void)result;
    sil_future *future = *(sil_future **)arg;
    int code = sil_take(future, NULL, SIL_FOREVER);
    EXPECT_CODE(code, SIL_ECANCELLED);
    EXPECT(sil_cancelled());
    return code;
}

SCENARIO(cancelled_take_cancels_what_it_took)
{
    (void)arg, (void)result;
    for (int begun = 0; begun <= 1; begun++) {
        sil_future *future = sil_future_retain(go_tally(co_forever, &tally));
        if (begun)
            EXPECT_CODE(sil_yield(), 0);
        sil_future *taker = sil_go(take_it, (void *)&future, sizeof future, 0);
        EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_future_cancel(taker), SIL_EINPROGRESS);
        EXPECT_CODE(sil_take(taker, NULL, SIL_FOREVER), SIL_ECANCELLED);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    EXPECT(tally.cancelled == 2);
    return 0;
}

static int take_fresh(void *arg, void *result)
{
    (void)arg, (void)result;
    /* Nobody else knows of it, so it is run without locks. */
    int code = sil_take(go_tally(co_forever, &tally), NULL, SIL_FOREVER);
    return code;
}

SCENARIO(cancelled_take_of_one_begun_by_it)
{
    (void)arg, (void)result;
    sil_future *taker = sil_go(take_fresh, NULL, 0, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(tally.begun == 1);
    EXPECT_CODE(sil_future_cancel(taker), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(taker, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(tally.cancelled == 1 && tally.ended == 1);
    return 0;
}

/* --- the value and the cancel -------------------------------------------------------------- */

static int value_wins(void *arg, void *result)
{
    (void)result;
    sil_future *future = *(sil_future **)arg;
    EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
    EXPECT(sil_cancelled());
    EXPECT_CODE(sil_yield(), SIL_ECANCELLED); /* it stayed due */
    EXPECT_CODE(sil_yield(), 0);
    sil_future_release(future);
    return 0;
}

SCENARIO(value_that_is_there_wins_and_the_cancel_stays_due)
{
    (void)arg, (void)result;
    for (int cancel_first = 0; cancel_first <= 1; cancel_first++) {
        sil_promise *promise = sil_promise_create(NULL, 0);
        sil_future *future = sil_promise_future(promise);
        sil_future *waiter = sil_go(value_wins, (void *)&future, sizeof future, 0);
        EXPECT_CODE(sil_yield(), 0);
        if (cancel_first)
            EXPECT_CODE(sil_future_cancel(waiter), SIL_EINPROGRESS);
        EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
        if (!cancel_first)
            EXPECT_CODE(sil_future_cancel(waiter), SIL_EINPROGRESS);
        EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), 0);
        sil_promise_destroy(promise);
    }
    return 0;
}

static int end_at_once(void *arg, void *result)
{
    (void)arg, (void)result;
    (void)sil_yield();
    return 0;
}

SCENARIO(value_of_a_coroutine_wins_too)
{
    (void)arg, (void)result;
    sil_future *child = sil_go(end_at_once, NULL, 0, 0);
    sil_future *waiter = sil_go(value_wins, (void *)&child, sizeof child, 0);
    EXPECT_CODE(sil_yield(), 0);                             /* the child yields, joined */
    EXPECT_CODE(sil_future_cancel(waiter), SIL_EINPROGRESS); /* both are ready, the child first */
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), 0);
    return 0;
}

/* --- callbacks ----------------------------------------------------------------------------- */

static void wait_in_callback(sil_future *future, void *user)
{
    int *step = user;
    *step = 1;
    if (sil_await(future, SIL_FOREVER) == 0 && sil_sleep(sil_in(2e-3)) == 0)
        *step = 2;
}

/* Who awaits a task does not wait for its callbacks, which go on by themselves. */
SCENARIO(callback_that_waits_holds_nobody_up)
{
    (void)arg, (void)result;
    for (int begun = 0; begun <= 1; begun++) {
        int step = 0;
        sil_future *future = go_int(co_int, 1);
        EXPECT_CODE(sil_future_add_done_callback(future, wait_in_callback, &step), 0);
        if (begun)
            EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
        EXPECT(step == 1);
        while (step == 1)
            EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
        EXPECT(step == 2);
        sil_future_release(future);
    }
    return 0;
}

static int cancels;

static void cancel_in_callback(sil_future *future, void *user)
{
    (void)future;
    /* Its task has ended: there is nobody left to be asked. */
    cancels += sil_future_cancel(future) == SIL_EALREADY && !sil_cancelled();
    *(int *)user = sil_sleep(sil_in(1e-3));
}

SCENARIO(callback_is_no_part_of_the_task)
{
    (void)arg, (void)result;
    int code = -1;
    sil_future *future = go_int(co_int, 1);
    EXPECT_CODE(sil_future_add_done_callback(future, cancel_in_callback, &code), 0);
    EXPECT_CODE(sil_future_cancel(future), 0);
    EXPECT(cancels == 0 && code == 0); /* called here, before it had begun: it is CANCELLED */
    sil_future_release(future);
    future = go_int(co_int, 1);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_add_done_callback(future, cancel_in_callback, &code), 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    code = -1;
    while (code == -1)
        EXPECT_CODE(sil_yield(), 0);
    EXPECT(cancels == 1 && code == 0);
    return 0;
}

/* --- many at a time ------------------------------------------------------------------------ */

enum { FEW = 40 };

SCENARIO(wait_for_all_one_or_a_failure)
{
    (void)arg, (void)result;
    sil_future *futures[FEW];
    size_t done = 0;
    for (int i = 0; i < FEW; i++)
        futures[i] = i == 7   ? go_int(co_fail, EIO)
                     : i == 9 ? go_tally(co_forever, &tally)
                              : go_int(co_int, i);
    EXPECT_CODE(sil_wait(futures, FEW, SIL_FIRST_COMPLETED, SIL_FOREVER, &done), 0);
    EXPECT(done >= 1 && done < FEW);
    EXPECT_CODE(sil_wait(futures, FEW, SIL_FIRST_EXCEPTION, SIL_FOREVER, &done), 0);
    EXPECT_CODE(sil_future_code(futures[7]), EIO);
    for (done = 0; done < FEW - 1;)
        EXPECT_CODE(sil_wait(futures, FEW, SIL_ALL_COMPLETED, sil_in(3e-3), &done), SIL_ETIMEDOUT);
    EXPECT(done == FEW - 1);
    EXPECT_CODE(sil_future_cancel(futures[9]), SIL_EINPROGRESS);
    EXPECT_CODE(sil_wait(futures, FEW, SIL_ALL_COMPLETED, SIL_FOREVER, &done), 0);
    for (int i = 0; i < FEW; i++)
        sil_future_release(futures[i]);
    return 0;
}

SCENARIO(as_they_end)
{
    (void)arg, (void)result;
    sil_future *futures[FEW];
    for (int i = 0; i < FEW; i++)
        futures[i] = go_int(co_int, i);
    sil_as_completed *iterator = sil_as_completed_create(futures, FEW);
    EXPECT(iterator);
    sil_future *future;
    int code, sum = 0, count = 0;
    while ((code = sil_as_completed_next(iterator, &future, SIL_FOREVER)) == 0) {
        sum += int_of(future);
        count++;
        if (count % 7 == 0)
            EXPECT_CODE(sil_yield(), 0);
    }
    EXPECT_CODE(code, SIL_EEND);
    EXPECT(count == FEW && sum == FEW * (FEW - 1) / 2);
    sil_as_completed_destroy(iterator);
    for (int i = 0; i < FEW; i++)
        sil_future_release(futures[i]);
    return 0;
}

static int add_one(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(int *)result = int_of(source) + 1;
    return sil_yield();
}

SCENARIO(combined_and_followed)
{
    (void)arg, (void)result;
    sil_future *futures[FEW];
    for (int i = 0; i < FEW; i++)
        futures[i] = go_int(co_int, i);
    sil_future *all = sil_all(futures, FEW);
    sil_future *any = sil_any(futures, FEW);
    sil_future *race = sil_race(futures, FEW);
    sil_future *then = sil_then(futures[3], sil_loop_current(), add_one, NULL, 0, sizeof(int));
    sil_future *here = sil_then(then, NULL, add_one, NULL, 0, sizeof(int));
    int values[FEW];
    int value = -1;
    EXPECT_CODE(sil_take(any, &value, SIL_FOREVER), 0);
    EXPECT(value == 0);
    EXPECT_CODE(sil_take(race, &value, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(all, values, SIL_FOREVER), 0);
    for (int i = 0; i < FEW; i++)
        EXPECT(values[i] == i);
    EXPECT_CODE(sil_take(here, &value, SIL_FOREVER), 0);
    EXPECT(value == 5);
    EXPECT_CODE(sil_take(then, &value, SIL_FOREVER), 0);
    EXPECT(value == 4);
    for (int i = 0; i < FEW; i++)
        sil_future_release(futures[i]);
    return 0;
}

/* --- other loops, pools, promises ---------------------------------------------------------- */

struct relay {
    sil_executor *loops[3];
    int left;
};

/* Each hop is a coroutine of the next loop, awaited from this one. */
static int hop(void *arg, void *result)
{
    struct relay relay = *(struct relay *)arg;
    int below = 0;
    if (relay.left-- > 0) {
        const sil_go_options there = {.loop = relay.loops[relay.left % 3]};
        sil_future *next = sil_go_with(&there, hop, &relay, sizeof relay, sizeof below);
        int code = sil_take(next, &below, SIL_FOREVER);
        if (code != 0)
            return code;
    }
    *(int *)result = below + 1;
    return sil_yield();
}

SCENARIO(loops_await_each_other)
{
    (void)arg, (void)result;
    struct relay relay = {{sil_loop_current(), sil_loop_thread(NULL), sil_loop_thread(NULL)}, 60};
    EXPECT(relay.loops[1] && relay.loops[2]);
    sil_future *futures[20];
    for (int i = 0; i < 20; i++)
        futures[i] = sil_go(hop, &relay, sizeof relay, sizeof(int));
    for (int i = 0; i < 20; i++) {
        int count = 0;
        EXPECT_CODE(sil_take(futures[i], &count, SIL_FOREVER), 0);
        EXPECT(count == 61);
    }
    EXPECT_CODE(sil_executor_close(relay.loops[1]), 0);
    EXPECT_CODE(sil_executor_close(relay.loops[2]), 0);
    return 0;
}

static int square_there(void *arg, void *result)
{
    /* A pool's task that awaits a coroutine which awaits a pool's task. */
    const struct relay *relay = arg;
    int value = relay->left;
    sil_future *future =
        sil_submit(relay->loops[0], task_square, &value, sizeof value, sizeof value);
    return sil_take(future, result, SIL_FOREVER);
}

static int via_pool(void *arg, void *result)
{
    const struct relay *relay = arg;
    sil_future *task = sil_submit(relay->loops[1], square_there, arg, sizeof *relay, sizeof(int));
    return sil_take(task, result, SIL_FOREVER);
}

SCENARIO(pools_and_loops_await_each_other)
{
    (void)arg, (void)result;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    sil_future *futures[50];
    for (int i = 0; i < 50; i++)
        futures[i] = sil_go(via_pool, &(struct relay){{sil_loop_current(), pool, NULL}, i},
                            sizeof(struct relay), sizeof(int));
    for (int i = 0; i < 50; i++) {
        int value = -1;
        EXPECT_CODE(sil_take(futures[i], &value, SIL_FOREVER), 0);
        EXPECT(value == i * i);
    }
    EXPECT_CODE(sil_executor_close(pool), 0);
    return 0;
}

SCENARIO(processes_are_awaited)
{
    (void)arg, (void)result;
    sil_executor *processes = sil_process_pool(&(sil_process_pool_options){.workers = 2});
    EXPECT(processes);
    sil_future *beside = go_tally(co_forever, &tally);
    for (int i = 0; i < 20; i++) {
        int value = -1;
        EXPECT_CODE(sil_take(submit_int(processes, task_square, i), &value, SIL_FOREVER), 0);
        EXPECT(value == i * i);
    }
    EXPECT_CODE(sil_future_cancel(beside), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(beside, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_executor_close(processes), 0);
    return 0;
}

SCENARIO(map_over_a_loop)
{
    (void)arg, (void)result;
    int values[FEW];
    for (int i = 0; i < FEW; i++)
        values[i] = i;
    sil_executor *loops[2] = {sil_loop_current(), sil_loop_thread(NULL)};
    for (int i = 0; i < 2; i++) {
        int squares[FEW] = {0};
        EXPECT_CODE(sil_map(loops[i], task_square, values, sizeof(int), squares, sizeof(int), FEW),
                    0);
        for (int j = 0; j < FEW; j++)
            EXPECT(squares[j] == j * j);
    }
    EXPECT_CODE(sil_executor_close(loops[1]), 0);
    return 0;
}

SCENARIO(bounded_loop_joins_too)
{
    (void)arg, (void)result;
    static const sil_when_full ways[] = {SIL_FULL_BLOCK, SIL_FULL_CALLER};
    for (int i = 0; i < 2; i++) {
        sil_executor *loop =
            sil_loop_thread(&(sil_loop_options){.max_pending = 2, .when_full = ways[i]});
        struct relay relay = {{loop, loop, loop}, 30};
        sil_future *futures[10];
        for (int j = 0; j < 10; j++)
            futures[j] = sil_submit(loop, hop, &relay, sizeof relay, sizeof(int));
        for (int j = 0; j < 10; j++) {
            int count = 0;
            EXPECT_CODE(sil_take(futures[j], &count, SIL_FOREVER), 0);
            EXPECT(count == 31);
        }
        EXPECT_CODE(sil_executor_close(loop), 0);
    }
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_values_of_those_not_begun_running_and_ended),
        TEST(test_many_await_one),
        TEST(test_chain_of_awaits),
        TEST(test_deadline_parts_them_and_the_other_goes_on),
        TEST(test_those_given_up_are_cancelled_at_the_end),
        TEST(test_cancelled_take_cancels_what_it_took),
        TEST(test_cancelled_take_of_one_begun_by_it),
        TEST(test_value_that_is_there_wins_and_the_cancel_stays_due),
        TEST(test_value_of_a_coroutine_wins_too),
        TEST(test_callback_that_waits_holds_nobody_up),
        TEST(test_callback_is_no_part_of_the_task),
        TEST(test_wait_for_all_one_or_a_failure),
        TEST(test_as_they_end),
        TEST(test_combined_and_followed),
        TEST(test_loops_await_each_other),
        TEST(test_pools_and_loops_await_each_other),
        TEST(test_processes_are_awaited),
        TEST(test_map_over_a_loop),
        TEST(test_bounded_loop_joins_too),
    };
    begin_scenarios();
    return test_run("awaiting coroutines", tests);
}
