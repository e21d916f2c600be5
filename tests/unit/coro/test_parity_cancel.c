/* SPDX-License-Identifier: MIT */
/*
 * Cancelling coroutines, as asyncio's tests of Task.cancel ask for it (docs/asyncio-parity.md), so far
 * as no other test does. The names in comments are those of the tests in CPython's test_tasks.py.
 */
#include <sillon/coro.h>

#include "scenario.h"

/* What a coroutine is to wait for in turn, and what came of each wait. */
struct diary {
    sil_future *self;
    sil_future *first;
    sil_future *second;
    int codes[2];
    int count;  /* of codes */
    bool asked; /* sil_cancelled() at the end */
};

static sil_future *go_diary(sil_task_fn fn, struct diary *diary)
{
    diary->self = sil_go(fn, &diary, sizeof diary, sizeof(int));
    return diary->self;
}

static int note(struct diary *diary, int code)
{
    diary->codes[diary->count++] = code;
    return code;
}

/* Two promises that nobody has kept yet. */
struct pair {
    sil_promise *promises[2];
    sil_future *futures[2];
};

static void pair_init(struct pair *pair, struct diary *diary)
{
    for (int i = 0; i < 2; i++)
        pair->futures[i] = promise_int(&pair->promises[i]);
    *diary = (struct diary){.first = pair->futures[0], .second = pair->futures[1]};
}

static void pair_fini(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        sil_future_release(pair->futures[i]);
        sil_promise_destroy(pair->promises[i]);
    }
}

/* --- catching it ----------------------------------------------------------------------------- */

static int catch_it(void *arg, void *result)
{
    struct diary *diary = *(struct diary **)arg;
    note(diary, sil_await(diary->first, SIL_FOREVER));
    if (note(diary, sil_await(diary->second, SIL_FOREVER)) == SIL_ECANCELLED)
        *(int *)result = 42;
    diary->asked = sil_cancelled();
    return 0;
}

SCENARIO(cancel_may_be_caught) /* test_cancel_task_catching, test_task_cancel_waiter_future */
{
    (void)arg, (void)result;
    struct pair pair;
    struct diary diary;
    pair_init(&pair, &diary);
    sil_future *future = go_diary(catch_it, &diary);
    give_way(2);
    EXPECT_CODE(sil_promise_resolve(pair.promises[0], NULL), 0);
    give_way(2);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    int value = 0;
    EXPECT_CODE(sil_take(future, &value, SIL_FOREVER), 0);
    EXPECT(value == 42 && diary.asked);
    EXPECT(diary.codes[0] == 0 && diary.codes[1] == SIL_ECANCELLED);
    EXPECT(sil_future_state(diary.second) == SIL_PENDING); /* awaited only: it goes on */
    pair_fini(&pair);
    return 0;
}

static int wait_inside(struct diary *diary)
{
    return note(diary, sil_await(diary->first, SIL_FOREVER));
}

static int call_and_swallow(void *arg, void *result)
{
    (void)result;
    struct diary *diary = *(struct diary **)arg;
    return wait_inside(diary) == SIL_ECANCELLED ? 0 : UNEXPECTED;
}

SCENARIO(cancel_reaches_the_innermost_call) /* test_yield_future_passes_cancel */
{
    (void)arg, (void)result;
    struct pair pair;
    struct diary diary;
    pair_init(&pair, &diary);
    sil_future *future = go_diary(call_and_swallow, &diary);
    give_way(2);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT(diary.count == 1 && diary.codes[0] == SIL_ECANCELLED);
    pair_fini(&pair);
    return 0;
}

/* --- what it waits for is cancelled ---------------------------------------------------------- */

static int await_and_yield(void *arg, void *result)
{
    (void)result;
    struct diary *diary = *(struct diary **)arg;
    int code = note(diary, sil_await(diary->first, SIL_FOREVER));
    note(diary, sil_yield());
    diary->asked = sil_cancelled();
    return code;
}

SCENARIO(cancelled_future_ends_its_waiter) /* test_cancel_inner_future */
{
    (void)arg, (void)result;
    struct pair pair;
    struct diary diary;
    pair_init(&pair, &diary);
    sil_future *future = go_diary(await_and_yield, &diary);
    give_way(2);
    EXPECT_CODE(sil_future_cancel(diary.first), 0);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(sil_future_state(future) == SIL_CANCELLED); /* it passed the code on */
    EXPECT(diary.codes[0] == SIL_ECANCELLED && diary.codes[1] == 0 && !diary.asked);
    sil_future_release(future);
    pair_fini(&pair);
    return 0;
}

/* test_cancel_both_task_and_inner_future: the code it sees is the future's; its own comes next. */
SCENARIO(both_it_and_what_it_waits_for_are_cancelled)
{
    (void)arg, (void)result;
    struct pair pair;
    struct diary diary;
    pair_init(&pair, &diary);
    sil_future *future = go_diary(await_and_yield, &diary);
    give_way(2);
    EXPECT_CODE(sil_future_cancel(diary.first), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(sil_future_state(future) == SIL_CANCELLED && diary.asked);
    EXPECT(diary.codes[0] == SIL_ECANCELLED && diary.codes[1] == SIL_ECANCELLED);
    sil_future_release(future);
    pair_fini(&pair);
    return 0;
}

/* --- itself ---------------------------------------------------------------------------------- */

static int cancel_self_and_end(void *arg, void *result)
{
    struct diary *diary = *(struct diary **)arg;
    note(diary, sil_future_cancel(diary->self));
    diary->asked = sil_cancelled();
    *(int *)result = 12;
    return 0;
}

/* test_cancel_at_end, where asyncio's ends as cancelled: ours is a request, and the value stands. */
SCENARIO(one_that_waits_no_more_ends_with_its_value)
{
    (void)arg, (void)result;
    struct diary diary = {0};
    sil_future *future = go_diary(cancel_self_and_end, &diary);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), 0);
    EXPECT(int_of(future) == 12 && diary.asked);
    EXPECT_CODE(sil_future_cancel(future), SIL_EALREADY);
    sil_future_release(future);
    return 0;
}

static int await_first(void *arg, void *result)
{
    (void)result;
    return sil_await((*(struct diary **)arg)->first, SIL_FOREVER);
}

static int cancel_self_and_take(void *arg, void *result)
{
    (void)result;
    struct diary *diary = *(struct diary **)arg;
    sil_future *nested = sil_go(await_first, &diary, sizeof diary, 0);
    diary->second = sil_future_retain(nested);
    give_way(2);
    note(diary, sil_future_cancel(diary->self));
    return sil_take(nested, NULL, SIL_FOREVER);
}

SCENARIO(what_it_takes_goes_along) /* test_cancel_awaited_task */
{
    (void)arg, (void)result;
    struct pair pair;
    struct diary diary;
    pair_init(&pair, &diary);
    sil_future *future = go_diary(cancel_self_and_take, &diary);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_take(diary.second, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(sil_future_state(diary.first) == SIL_PENDING);
    pair_fini(&pair);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_cancel_may_be_caught),
        TEST(test_cancel_reaches_the_innermost_call),
        TEST(test_cancelled_future_ends_its_waiter),
        TEST(test_both_it_and_what_it_waits_for_are_cancelled),
        TEST(test_one_that_waits_no_more_ends_with_its_value),
        TEST(test_what_it_takes_goes_along),
    };
    begin_scenarios();
    return test_run("parity: cancel", tests);
}
