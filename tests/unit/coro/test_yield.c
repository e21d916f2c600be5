/* SPDX-License-Identifier: MIT */
/*
 * sil_yield: everybody has a turn, and the outside world too.
 */
#include <sillon/coro.h>

#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "scenario.h"

/* A turn of the loop is so many resumptions at most (schedule.c). */
enum { LONGEST_TURN = 4096 };

static char order[256];

static void note(char letter)
{
    size_t length = strlen(order);
    if (length + 1 < sizeof order)
        order[length] = letter;
}

static int note_thrice(void *arg, void *result)
{
    (void)result;
    for (int i = 0; i < 3; i++) {
        note(*(char *)arg);
        int code = sil_yield();
        if (code != 0)
            return code;
    }
    return 0;
}

static sil_future *go_noting(char letter)
{
    return sil_go(note_thrice, &letter, 1, 0);
}

static void test_outside_coroutines_it_gives_way_to_threads(void **state)
{
    (void)state;
    assert_code(sil_yield(), 0);
}

SCENARIO(others_have_their_turn_in_order)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    for (char letter = 'a'; letter <= 'c'; letter++)
        sil_future_release(go_noting(letter));
    for (int i = 0; i < 4; i++) {
        note('0' + (char)i);
        EXPECT_CODE(sil_yield(), 0);
    }
    EXPECT(strcmp(order, "0abc1abc2abc3") == 0);
    return 0;
}

SCENARIO(one_alone_goes_on_at_once)
{
    (void)arg, (void)result;
    for (int i = 0; i < 3 * LONGEST_TURN; i++)
        EXPECT_CODE(sil_yield(), 0);
    return 0;
}

/* --- fairness ------------------------------------------------------------------------------ */

enum { CROWD = 1000, ROUNDS = TEST_SCALE(200) };

static int turns[CROWD];
static int least_behind; /* of all the most that one was behind another */

static int take_turns(void *arg, void *result)
{
    (void)result;
    int self = *(int *)arg;
    for (int i = 0; i < ROUNDS; i++) {
        turns[self]++;
        int ahead = turns[self] - turns[(self + 1) % CROWD];
        if (ahead > least_behind)
            least_behind = ahead;
        int code = sil_yield();
        if (code != 0)
            return code;
    }
    return 0;
}

SCENARIO(nobody_is_ahead_by_more_than_a_turn)
{
    (void)arg, (void)result;
    memset(turns, 0, sizeof turns);
    least_behind = 0;
    sil_future *futures[CROWD];
    for (int i = 0; i < CROWD; i++)
        futures[i] = sil_go(take_turns, &i, sizeof i, 0);
    for (int i = 0; i < CROWD; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    EXPECT(least_behind == 1);
    return 0;
}

/* --- the outside world --------------------------------------------------------------------- */

static int sleep_ten(void *arg, void *result)
{
    (void)result;
    int code = sil_sleep(*(sil_deadline *)arg);
    note('s');
    return code;
}

static int yield_until_told(void *arg, void *result)
{
    (void)result;
    long *count = *(long **)arg;
    while (order[0] == '\0') {
        ++*count;
        int code = sil_yield();
        if (code != 0)
            return code;
    }
    return 0;
}

/* So many that do nothing but yield, beside a sleep of 10 ms: it ends within so many of their turns. */
static int beside_a_sleep(int crowd)
{
    memset(order, 0, sizeof order);
    long count = 0;
    long *counter = &count;
    sil_deadline ten = sil_clock() + 10000000;
    sil_future *sleeper = sil_go(sleep_ten, &ten, sizeof ten, 0);
    for (int i = 0; i < crowd; i++)
        sil_future_release(sil_go(yield_until_told, (void *)&counter, sizeof counter, 0));
    for (int i = 0; i < 20; i++)
        EXPECT_CODE(sil_yield(), 0);
    EXPECT(order[0] == '\0');
    sil__clock_fake_advance(11000000);
    long before = count;
    EXPECT_CODE(sil_take(sleeper, NULL, SIL_FOREVER), 0);
    EXPECT(count - before <= 2 * LONGEST_TURN);
    return 0;
}

static int beside_sleeps(void *arg, void *result)
{
    (void)arg, (void)result;
    static const int crowds[] = {1, 2, 10, 1000};
    for (size_t i = 0; i < COUNT_OF(crowds); i++) {
        int code = beside_a_sleep(crowds[i]);
        if (code != 0)
            return code;
    }
    return 0;
}

static void test_a_sleep_ends_however_many_yield(void **state)
{
    (void)state;
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(beside_sleeps);
    sil__clock_fake_stop();
}

/* The one that yields alone is the one that waits for nothing. */
static int alone_beside_a_sleep(void *arg, void *result)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    long count = 0;
    long *counter = &count;
    sil_deadline ten = sil_clock() + 10000000;
    sil_future_release(sil_go(sleep_ten, &ten, sizeof ten, 0));
    EXPECT_CODE(sil_yield(), 0);
    sil__clock_fake_advance(11000000);
    EXPECT_CODE(yield_until_told(&counter, NULL), 0);
    EXPECT(count <= 2 * LONGEST_TURN);
    return 0;
}

static void test_one_that_yields_alone_lets_time_pass(void **state)
{
    (void)state;
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(alone_beside_a_sleep);
    sil__clock_fake_stop();
}

static void on_timer(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void on_close(uv_handle_t *handle)
{
    *(bool *)handle->data = false;
}

SCENARIO(callbacks_of_libuv_come_beside_one_that_yields)
{
    (void)arg, (void)result;
    uv_timer_t timer;
    bool told = false;
    EXPECT(uv_timer_init(sil_loop_uv(sil_loop_current()), &timer) == 0);
    timer.data = &told;
    EXPECT(uv_timer_start(&timer, on_timer, 1, 0) == 0);
    while (!told)
        EXPECT_CODE(sil_yield(), 0);
    uv_close((uv_handle_t *)&timer, on_close);
    while (told)
        EXPECT_CODE(sil_yield(), 0);
    return 0;
}

static int resolve(void *arg, void *result)
{
    (void)result;
    return sil_promise_resolve(*(sil_promise **)arg, NULL);
}

SCENARIO(what_threads_leave_comes_beside_one_that_yields)
{
    (void)arg, (void)result;
    for (int i = 0; i < 20; i++) {
        sil_promise *promise = sil_promise_create(NULL, 0);
        sil_future *future = sil_promise_future(promise);
        memset(order, 0, sizeof order);
        sil_future *waiter = sil_go(task_await, (void *)&future, sizeof future, 0);
        sil_future *thread = sil_thread_start(NULL, resolve, (void *)&promise, sizeof promise, 0);
        while (!sil_future_done(waiter))
            EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_take(waiter, NULL, SIL_NOW), 0);
        EXPECT_CODE(sil_take(thread, NULL, SIL_FOREVER), 0);
        sil_future_release(future);
        sil_promise_destroy(promise);
    }
    return 0;
}

/* --- what was started ---------------------------------------------------------------------- */

SCENARIO(those_started_have_had_their_turn)
{
    (void)arg, (void)result;
    static const sil_priority priorities[] = {SIL_PRIORITY_LOW, SIL_PRIORITY_NORMAL,
                                              SIL_PRIORITY_HIGH};
    for (int i = 0; i < 3 * LONGEST_TURN; i++) {
        memset(order, 0, sizeof order);
        const sil_go_options options = {.priority = priorities[i % 3]};
        sil_future_release(sil_go_with(&options, note_thrice, "x", 1, 0));
        EXPECT_CODE(sil_yield(), 0);
        EXPECT(order[0] == 'x');
    }
    return 0;
}

/* --- being cancelled ----------------------------------------------------------------------- */

static int yield_for_ever(void *arg, void *result)
{
    (void)arg, (void)result;
    int code;
    do {
        code = sil_yield();
    } while (code == 0);
    EXPECT_CODE(code, SIL_ECANCELLED);
    EXPECT_CODE(sil_error_code(sil_last_error()), SIL_ECANCELLED);
    for (int i = 0; i < 100; i++)
        EXPECT_CODE(sil_yield(), 0);
    return code;
}

SCENARIO(cancel_is_delivered_once)
{
    (void)arg, (void)result;
    sil_future *future = sil_go(yield_for_ever, NULL, 0, 0);
    give_way(10);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

/* --- in odd places ------------------------------------------------------------------------- */

static void yield_in_callback(sil_future *future, void *user)
{
    (void)future;
    note('(');
    for (int i = 0; i < 2; i++)
        *(int *)user |= sil_yield();
    note(')');
}

SCENARIO(callbacks_may_give_way)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    int code = 0;
    sil_future *future = sil_go(task_nothing, NULL, 0, 0);
    EXPECT_CODE(sil_future_add_done_callback(future, yield_in_callback, &code), 0);
    sil_future *other = go_noting('a');
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(code, 0);
    EXPECT(strcmp(order, "(aa)a") == 0 || strcmp(order, "(aaa)") == 0);
    return 0;
}

static int yield_here(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_yield() | sil_yield();
}

SCENARIO(tasks_of_the_inline_executor_may_give_way)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    sil_future *other = go_noting('a');
    sil_executor *same = sil_inline_executor();
    sil_future *here = sil_submit(same, yield_here, NULL, 0, 0);
    EXPECT(strcmp(order, "aa") == 0);
    EXPECT_CODE(sil_take(here, NULL, SIL_NOW), 0);
    EXPECT_CODE(sil_executor_close(same), 0);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_outside_coroutines_it_gives_way_to_threads),
        TEST(test_others_have_their_turn_in_order),
        TEST(test_one_alone_goes_on_at_once),
        TEST(test_nobody_is_ahead_by_more_than_a_turn),
        TEST(test_a_sleep_ends_however_many_yield),
        TEST(test_one_that_yields_alone_lets_time_pass),
        TEST(test_callbacks_of_libuv_come_beside_one_that_yields),
        TEST(test_what_threads_leave_comes_beside_one_that_yields),
        TEST(test_those_started_have_had_their_turn),
        TEST(test_cancel_is_delivered_once),
        TEST(test_callbacks_may_give_way),
        TEST(test_tasks_of_the_inline_executor_may_give_way),
    };
    begin_scenarios();
    return test_run("sil_yield", tests);
}
