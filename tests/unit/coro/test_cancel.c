/* SPDX-License-Identifier: MIT */
/*
 * Cancelling coroutines: whatever one waits for, from wherever it comes, the request is delivered once,
 * and what is waited for afterwards is waited for as usual. (Every kind of wait in turn:
 * stress/test_loop_points.c.)
 */
#include <sillon/coro.h>

#include <string.h>

#include <sillon/executor_impl.h>

#include "scenario.h"

/* --- before it has begun -------------------------------------------------------------------- */

static int count_call(void *arg, void *result)
{
    (void)result;
    ++**(int **)arg;
    return 0;
}

SCENARIO(one_that_has_not_begun_never_does)
{
    (void)arg, (void)result;
    int calls = 0;
    int *counter = &calls;
    sil_future *future = sil_go(count_call, (void *)&counter, sizeof counter, 0);
    EXPECT_CODE(sil_future_cancel(future), 0);
    EXPECT_CODE(sil_future_cancel(future), 0);
    EXPECT(sil_future_state(future) == SIL_CANCELLED);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    give_way(3);
    EXPECT(calls == 0);
    return 0;
}

static void test_one_in_the_intake_never_begins(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    struct gate gate;
    gate_init(&gate);
    sil_future *holder = submit_gate(loop, &gate);
    gate_wait_for_arrivals(&gate, 1);
    int calls = 0;
    int *counter = &calls;
    sil_future *futures[3];
    static const sil_priority priorities[] = {SIL_PRIORITY_LOW, SIL_PRIORITY_NORMAL,
                                              SIL_PRIORITY_HIGH};
    for (int i = 0; i < 3; i++) {
        const sil_go_options options = {.loop = loop, .priority = priorities[i]};
        futures[i] = sil_go_with(&options, count_call, (void *)&counter, sizeof counter, 0);
        assert_code(sil_future_cancel(futures[i]), 0);
    }
    gate_open(&gate);
    assert_code(sil_take(holder, NULL, SIL_FOREVER), 0);
    for (int i = 0; i < 3; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
    sil_executor_stats stats;
    assert_code(sil_executor_shutdown(loop, false, SIL_FOREVER), 0);
    assert_code(sil_executor_stats_get(loop, &stats), 0);
    assert_int_equal(stats.submitted, 4);
    assert_int_equal(stats.done, 4);
    assert_int_equal(stats.pending + stats.running, 0);
    assert_code(sil_executor_close(loop), 0);
    assert_int_equal(calls, 0);
    gate_fini(&gate);
}

/* --- once ----------------------------------------------------------------------------------- */

/* arg: int *, how many waits were cancelled. Some wait, and after the first that fails many more. */
static int count_deliveries(void *arg, void *result)
{
    (void)result;
    int *count = *(int **)arg;
    int code = sil_sleep(SIL_FOREVER);
    *count += code == SIL_ECANCELLED;
    for (int i = 0; i < 20; i++) {
        sil_future *child = go_int(co_int, i);
        *count += sil_yield() == SIL_ECANCELLED;
        *count += sil_take(child, NULL, SIL_FOREVER) == SIL_ECANCELLED;
        if (i % 10 == 0)
            *count += sil_sleep(sil_in(1e-4)) == SIL_ECANCELLED;
        EXPECT(sil_cancelled());
    }
    return code;
}

SCENARIO(asked_again_it_is_still_one_request)
{
    (void)arg, (void)result;
    int count = 0;
    int *counter = &count;
    sil_future *future = sil_go(count_deliveries, (void *)&counter, sizeof counter, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS); /* before it is delivered */
    for (int i = 0; !sil_future_done(future); i++) {
        EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS); /* and after */
        EXPECT_CODE(sil_yield(), 0);
    }
    EXPECT_CODE(sil_take(future, NULL, SIL_NOW), SIL_ECANCELLED);
    EXPECT(count == 1);
    return 0;
}

struct request {
    sil_future *future;
    int times;
};

static int cancel_often(void *arg, void *result)
{
    (void)result;
    const struct request *request = arg;
    for (int i = 0; i < request->times; i++)
        (void)sil_future_cancel(request->future);
    return 0;
}

static sil_future *cancel_from_thread(sil_future *future, int times)
{
    struct request request = {future, times};
    return sil_thread_start(NULL, cancel_often, &request, sizeof request, 0);
}

SCENARIO(threads_may_ask_as_often_as_they_like)
{
    (void)arg, (void)result;
    for (int round = 0; round < TEST_SCALE(100); round++) {
        int count = 0;
        int *counter = &count;
        sil_future *threads[3];
        sil_future *future = sil_go(count_deliveries, (void *)&counter, sizeof counter, 0);
        if (round % 2)
            EXPECT_CODE(sil_yield(), 0);
        for (int i = 0; i < 3; i++)
            threads[i] = cancel_from_thread(future, 50);
        for (int i = 0; i < 3; i++)
            EXPECT_CODE(sil_take(threads[i], NULL, SIL_FOREVER), 0);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
        EXPECT(count <= 1);
    }
    return 0;
}

/* The moment in which it begins: either who asks finds it there, or it finds that it was asked. */
static void test_asked_while_it_begins(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    int begun = 0;
    for (int round = 0; round < TEST_SCALE(2000); round++) {
        int count = 0;
        int *counter = &count;
        sil_future *future =
            sil_submit(loop, count_deliveries, (void *)&counter, sizeof counter, 0);
        for (int i = 0; i < round % 50; i++)
            test_yield();
        int code = sil_future_cancel(future);
        assert_true(code == 0 || code == SIL_EINPROGRESS);
        assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
        assert_int_equal(count, code == 0 ? 0 : 1);
        begun += code != 0;
    }
    assert_code(sil_executor_close(loop), 0);
    assert_true(begun > 0);
}

/* --- while it runs -------------------------------------------------------------------------- */

struct self {
    sil_future *future;
    struct gate *running;
    struct gate *go_on;
};

static int wait_when_asked(void *arg, void *result)
{
    (void)result;
    const struct self *self = arg;
    if (self->running) {
        gate_open(self->running);
        gate_wait(self->go_on);
    } else {
        EXPECT_CODE(sil_future_cancel(self->future), SIL_EINPROGRESS);
    }
    EXPECT(sil_cancelled());
    EXPECT_CODE(sil_await(self->future, SIL_NOW), SIL_ETIMEDOUT); /* which does not wait */
    EXPECT_CODE(sil_sleep(sil_in(1)), SIL_ECANCELLED);
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    return 0;
}

SCENARIO(one_may_cancel_itself)
{
    (void)arg, (void)result;
    struct self self = {0};
    sil_future *future = sil_go(wait_when_asked, &self, sizeof self, 0);
    ((struct self *)sil_task_arg(future, NULL))->future = future;
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    return 0;
}

static void test_cancelled_by_a_thread_while_it_runs(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    for (int i = 0; i < 20; i++) {
        struct gate gates[2];
        gate_init(&gates[0]);
        gate_init(&gates[1]);
        sil_promise *promise;
        struct self self = {promise_int(&promise), &gates[0], &gates[1]};
        sil_future *future = sil_submit(loop, wait_when_asked, &self, sizeof self, 0);
        gate_wait(&gates[0]);
        assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
        gate_open(&gates[1]);
        assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
        sil_future_release(self.future);
        sil_promise_destroy(promise);
        gate_fini(&gates[0]);
        gate_fini(&gates[1]);
    }
    assert_code(sil_executor_close(loop), 0);
}

/* One that ends while the word is on its way: it must not reach the next on the same stack. */
static int end_when_asked(void *arg, void *result)
{
    (void)result;
    const struct self *self = arg;
    gate_open(self->running);
    gate_wait(self->go_on);
    return 0;
}

static int sleep_a_little(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT(!sil_cancelled());
    EXPECT_CODE(sil_sleep(sil_in(1e-4)), 0);
    EXPECT_CODE(sil_yield(), 0);
    return 0;
}

static void test_request_does_not_outlive_its_task(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    for (int i = 0; i < 50; i++) {
        struct gate gates[2];
        gate_init(&gates[0]);
        gate_init(&gates[1]);
        struct self self = {NULL, &gates[0], &gates[1]};
        sil_future *future = sil_submit(loop, end_when_asked, &self, sizeof self, 0);
        sil_future *next = sil_submit(loop, sleep_a_little, NULL, 0, 0);
        gate_wait(&gates[0]);
        assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
        gate_open(&gates[1]);
        assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(next, NULL, SIL_FOREVER), 0);
        gate_fini(&gates[0]);
        gate_fini(&gates[1]);
    }
    assert_code(sil_executor_close(loop), 0);
}

/* --- what it says of itself ---------------------------------------------------------------- */

static int give_nothing_up(void *arg, void *result)
{
    (void)arg, (void)result;
    (void)sil_yield();
    return SIL_ECANCELLED;
}

SCENARIO(it_may_say_so_without_having_been_asked)
{
    (void)arg, (void)result;
    sil_future *future = sil_go(give_nothing_up, NULL, 0, 0);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(sil_future_state(future) == SIL_CANCELLED);
    EXPECT(!sil_cancelled()); /* it was not us */
    EXPECT_CODE(sil_yield(), 0);
    sil_future_release(future);
    return 0;
}

static int ignore_it(void *arg, void *result)
{
    (void)arg;
    while (sil_yield() == 0)
        continue;
    *(int *)result = 7;
    return 0;
}

SCENARIO(it_may_succeed_in_spite)
{
    (void)arg, (void)result;
    int value = 0;
    sil_future *future = sil_go(ignore_it, NULL, 0, sizeof value);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(future, &value, SIL_FOREVER), 0);
    EXPECT(value == 7);
    return 0;
}

SCENARIO(request_is_told_with_what_was_under_way)
{
    (void)arg, (void)result;
    sil_go_options options = {.name = "sleeper"};
    struct tally *counts = &tally;
    sil_future *future = sil_go_with(&options, co_forever, (void *)&counts, sizeof counts, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    const sil_error *error = sil_future_error(future);
    EXPECT(strcmp(sil_error_message(error), "cancelled in sil_sleep") == 0);
    EXPECT(strcmp(sil_error_task(error), "sleeper") == 0);
    sil_future_release(future);
    return 0;
}

/* --- what runs on top of it ----------------------------------------------------------------- */

static sil_future *on_top[2];

static int wait_on_top(void *arg, void *result)
{
    (void)arg, (void)result;
    /* We lie in the place of the one that submitted us, which the queue had no room for. */
    sil_future *asker = cancel_from_thread(on_top[1], 1);
    EXPECT_CODE(sil_take(asker, NULL, SIL_FOREVER), 0);
    EXPECT(sil_cancelled());
    return 0;
}

static int submit_on_top(void *arg, void *result)
{
    (void)result;
    sil_executor *full = *(sil_executor **)arg;
    EXPECT_CODE(sil_submit_many(full, NULL, wait_on_top, NULL, 0, 0, 2, on_top), 0);
    EXPECT(sil_future_done(on_top[1]));
    /* It was asked to stop, we were not. */
    EXPECT(!sil_cancelled());
    for (int i = 0; i < 10; i++) {
        EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_sleep(sil_in(1e-4)), 0);
    }
    return 0;
}

SCENARIO(request_for_one_on_top_is_not_for_what_lies_below)
{
    (void)arg, (void)result;
    sil_executor *pool = sil_thread_pool(
        &(sil_thread_pool_options){.workers = 1, .max_pending = 1, .when_full = SIL_FULL_CALLER});
    struct gate gate;
    gate_init(&gate);
    sil_future *holder = submit_gate(pool, &gate);
    while (atomic_load(&gate.arrived) == 0)
        EXPECT_CODE(sil_yield(), 0);
    sil_future *future = sil_go(submit_on_top, (void *)&pool, sizeof pool, 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    (void)sil_future_cancel(on_top[0]);
    gate_open(&gate);
    EXPECT_CODE(sil_take(holder, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(on_top[0], NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_take(on_top[1], NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_executor_close(pool), 0);
    gate_fini(&gate);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_one_that_has_not_begun_never_does),
        TEST(test_one_in_the_intake_never_begins),
        TEST(test_asked_again_it_is_still_one_request),
        TEST(test_threads_may_ask_as_often_as_they_like),
        TEST(test_asked_while_it_begins),
        TEST(test_one_may_cancel_itself),
        TEST(test_cancelled_by_a_thread_while_it_runs),
        TEST(test_request_does_not_outlive_its_task),
        TEST(test_it_may_say_so_without_having_been_asked),
        TEST(test_it_may_succeed_in_spite),
        TEST(test_request_is_told_with_what_was_under_way),
        TEST(test_request_for_one_on_top_is_not_for_what_lies_below),
    };
    begin_scenarios();
    return test_run("cancelling coroutines", tests);
}
