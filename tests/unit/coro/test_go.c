/* SPDX-License-Identifier: MIT */
/*
 * sil_go: what a coroutine is given, where it runs, when it begins, and how many there may be.
 */
#include <sillon/coro.h>

#include <pthread.h>
#include <string.h>

#include "scenario.h"

/* --- who may ------------------------------------------------------------------------------- */

static void assert_refused(sil_future *future, int code)
{
    assert_non_null(future);
    assert_code(sil_future_code(future), code);
    assert_non_null(sil_error_message(sil_future_error(future)));
    assert_code(sil_take(future, NULL, SIL_NOW), code);
}

static void test_only_coroutines_have_a_loop_to_go_on(void **state)
{
    (void)state;
    assert_refused(sil_go(task_nothing, NULL, 0, 0), SIL_ENOTASK);
    assert_refused(sil_go_with(NULL, task_nothing, NULL, 0, 0), SIL_ENOTASK);
    assert_refused(sil_go_with(&(sil_go_options){0}, task_nothing, NULL, 0, 0), SIL_ENOTASK);
    assert_null(sil_loop_current());

    sil_executor *pool = sil_thread_pool(NULL);
    sil_go_options in_pool = {.loop = pool};
    assert_refused(sil_go_with(&in_pool, task_nothing, NULL, 0, 0), SIL_EINVAL);
    assert_null(sil_loop_uv(pool));
    assert_null(sil_loop_uv(NULL));
    assert_code(sil_executor_close(pool), 0);
}

static int go_from_pool(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_take(sil_go(task_nothing, NULL, 0, 0), NULL, SIL_FOREVER);
}

SCENARIO(task_of_a_pool_is_no_coroutine)
{
    (void)arg, (void)result;
    sil_executor *pool = sil_thread_pool(NULL);
    sil_future *task = sil_submit(pool, go_from_pool, NULL, 0, 0);
    EXPECT_CODE(sil_take(task, NULL, SIL_FOREVER), SIL_ENOTASK);
    EXPECT_CODE(sil_executor_close(pool), 0);
    return 0;
}

SCENARIO(bad_arguments_are_refused)
{
    (void)arg, (void)result;
    const sil_go_options bad[] = {
        {.stack_size = (size_t)2 << 30},
        {.priority = (sil_priority)5},
        {.deadline = -1},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        sil_future *future = sil_go_with(&bad[i], task_nothing, NULL, 0, 0);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_EINVAL);
    }
    EXPECT_CODE(sil_take(sil_go(NULL, NULL, 0, 0), NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_take(sil_go(task_int, NULL, 4, 4), NULL, SIL_FOREVER), SIL_EINVAL);
    return 0;
}

static void test_closed_loop_takes_no_more(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    assert_code(sil_executor_close(loop), 0);
    assert_refused(sil_go_with(&(sil_go_options){.loop = loop}, task_nothing, NULL, 0, 0),
                   SIL_ESHUTDOWN);
}

/* --- what it is given ---------------------------------------------------------------------- */

static int tell_name(void *arg, void *result)
{
    (void)arg;
    (void)snprintf(result, 32, "%s", sil_current_name());
    return 0;
}

static int fail_named(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_fail(EIO, "no more");
}

SCENARIO(name_is_told)
{
    (void)arg, (void)result;
    char name[] = "fetch";
    const sil_go_options options = {.name = name};
    sil_future *future = sil_go_with(&options, tell_name, NULL, 0, 32);
    sil_future *failing = sil_go_with(&options, fail_named, NULL, 0, 0);
    name[0] = 'X'; /* it was copied */
    char told[32];
    EXPECT(strcmp(sil_future_name(future), "fetch") == 0);
    EXPECT_CODE(sil_take(future, told, SIL_FOREVER), 0);
    EXPECT(strcmp(told, "fetch") == 0);
    EXPECT_CODE(sil_await(failing, SIL_FOREVER), EIO);
    EXPECT(strcmp(sil_error_task(sil_last_error()), "fetch") == 0);
    sil_future_release(failing);

    /* Without one it has that of its thread, which is the main one's here. */
    EXPECT_CODE(sil_take(sil_go(tell_name, NULL, 0, 32), told, SIL_FOREVER), 0);
    EXPECT(strcmp(told, "fetch") != 0);
    return 0;
}

SCENARIO(argument_is_copied_and_result_is_its_own)
{
    (void)arg, (void)result;
    sil_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = sil_go(task_square, &i, sizeof i, sizeof(int));
    for (int i = 0; i < 10; i++) {
        int value = -1;
        EXPECT_CODE(sil_take(futures[i], &value, SIL_FOREVER), 0);
        EXPECT(value == i * i);
    }
    return 0;
}

SCENARIO(options_may_be_null)
{
    (void)arg, (void)result;
    int value = 0;
    sil_future *future = sil_go_with(NULL, task_square, &(int){7}, sizeof(int), sizeof(int));
    EXPECT_CODE(sil_take(future, &value, SIL_FOREVER), 0);
    EXPECT(value == 49);
    return 0;
}

/* --- where it runs ------------------------------------------------------------------------- */

struct place {
    pthread_t thread;
    sil_executor *loop;
};

static int tell_place(void *arg, void *result)
{
    (void)arg;
    *(struct place *)result = (struct place){pthread_self(), sil_loop_current()};
    return sil_yield();
}

SCENARIO(it_runs_on_the_loop_named)
{
    (void)arg, (void)result;
    sil_executor *other = sil_loop_thread(&(sil_loop_options){.name = "other"});
    EXPECT(other);
    struct place place;
    EXPECT_CODE(sil_take(sil_go(tell_place, NULL, 0, sizeof place), &place, SIL_FOREVER), 0);
    EXPECT(pthread_equal(place.thread, pthread_self()) && place.loop == sil_loop_current());
    const sil_go_options there = {.loop = other, .name = "there"};
    sil_future *future = sil_go_with(&there, tell_place, NULL, 0, sizeof place);
    EXPECT_CODE(sil_take(future, &place, SIL_FOREVER), 0);
    EXPECT(!pthread_equal(place.thread, pthread_self()) && place.loop == other);
    EXPECT_CODE(sil_executor_close(other), 0);
    return 0;
}

static void test_threads_may_name_a_loop(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(NULL);
    struct place place;
    sil_future *future =
        sil_go_with(&(sil_go_options){.loop = loop}, tell_place, NULL, 0, sizeof place);
    assert_code(sil_take(future, &place, SIL_FOREVER), 0);
    assert_ptr_equal(place.loop, loop);
    assert_code(sil_executor_close(loop), 0);
}

/* --- when it begins ------------------------------------------------------------------------ */

static char order[64];

static int note(void *arg, void *result)
{
    (void)result;
    size_t length = strlen(order);
    order[length] = *(char *)arg;
    return 0;
}

static sil_future *go_note(char letter, sil_priority priority)
{
    return sil_go_with(&(sil_go_options){.priority = priority}, note, &letter, 1, 0);
}

SCENARIO(they_begin_when_the_caller_waits_in_order)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    for (char letter = 'a'; letter <= 'e'; letter++)
        sil_future_release(go_note(letter, SIL_PRIORITY_NORMAL));
    EXPECT(order[0] == '\0');
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(strcmp(order, "abcde") == 0);
    return 0;
}

SCENARIO(awaited_one_begins_first)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = go_note((char)('a' + i), SIL_PRIORITY_NORMAL);
    EXPECT_CODE(sil_await(futures[2], SIL_FOREVER), 0);
    EXPECT(order[0] == 'c');
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(strcmp(order, "cabd") == 0);
    for (int i = 0; i < 4; i++)
        sil_future_release(futures[i]);
    return 0;
}

SCENARIO(priority_is_that_of_its_beginning)
{
    (void)arg, (void)result;
    memset(order, 0, sizeof order);
    static const char *const letters = "lnhLNH";
    static const sil_priority priorities[] = {SIL_PRIORITY_LOW, SIL_PRIORITY_NORMAL,
                                              SIL_PRIORITY_HIGH};
    for (int i = 0; i < 6; i++)
        sil_future_release(go_note(letters[i], priorities[i % 3]));
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(strncmp(order, "hHnN", 4) == 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(strcmp(order, "hHnNlL") == 0);
    return 0;
}

static int go_many_ways(void *arg, void *result)
{
    return priority_is_that_of_its_beginning(arg, result);
}

static void test_priority_on_a_loop_with_a_limit(void **state)
{
    (void)state;
    sil_loop_options options = {.max_pending = 10};
    assert_code(sil_run_with(&options, go_many_ways, NULL, 0, NULL, 0), 0);
}

/* --- deadlines ----------------------------------------------------------------------------- */

static int tell_deadline(void *arg, void *result)
{
    (void)arg;
    *(sil_deadline *)result = sil_deadline_current();
    return sil_sleep(SIL_FOREVER);
}

SCENARIO(deadline_ends_its_waits)
{
    (void)arg, (void)result;
    sil_deadline when = sil_in(5e-3);
    const sil_go_options options = {.deadline = when};
    sil_future *future = sil_go_with(&options, tell_deadline, NULL, 0, sizeof when);
    EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(sil_clock() >= when);
    sil_future_release(future);

    /* One that has passed: it does not even begin. */
    memset(order, 0, sizeof order);
    const sil_go_options late = {.deadline = sil_in(0)};
    future = sil_go_with(&late, note, &(char){'x'}, 1, 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT(order[0] == '\0');
    return 0;
}

/* --- many ---------------------------------------------------------------------------------- */

#ifdef TEST_TSAN
enum { MANY = 4000 }; /* it has room for 8000 fibers and threads */
#else
enum { MANY = TEST_SCALE(100000) };
#endif

static sil_future *many[MANY];

SCENARIO(so_many_live_at_a_time)
{
    (void)arg, (void)result;
    for (int round = 0; round < 2; round++) {
        tally = (struct tally){0};
        for (int i = 0; i < MANY; i++)
            many[i] = go_tally(co_forever, &tally);
        EXPECT_CODE(sil_yield(), 0);
        EXPECT(tally.begun == MANY && tally.ended == 0);
        for (int i = 0; i < MANY; i++)
            EXPECT_CODE(sil_future_cancel(many[i]), SIL_EINPROGRESS);
        for (int i = 0; i < MANY; i++)
            EXPECT_CODE(sil_take(many[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
        EXPECT(tally.cancelled == MANY && tally.ended == MANY);
    }
    return 0;
}

/* Each starts the next and awaits it: as deep as there are. */
static int go_deeper(void *arg, void *result)
{
    int depth = *(int *)arg - 1;
    int below = 0;
    if (depth > 0) {
        int code =
            sil_take(sil_go(go_deeper, &depth, sizeof depth, sizeof below), &below, SIL_FOREVER);
        if (code != 0)
            return code;
    }
    *(int *)result = below + 1;
    return 0;
}

SCENARIO(chain_of_so_many)
{
    (void)arg, (void)result;
    int depth = 0;
    sil_future *future = sil_go(go_deeper, &(int){MANY}, sizeof(int), sizeof depth);
    EXPECT_CODE(sil_take(future, &depth, SIL_FOREVER), 0);
    EXPECT(depth == MANY);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_only_coroutines_have_a_loop_to_go_on),
        TEST(test_task_of_a_pool_is_no_coroutine),
        TEST(test_bad_arguments_are_refused),
        TEST(test_closed_loop_takes_no_more),
        TEST(test_name_is_told),
        TEST(test_argument_is_copied_and_result_is_its_own),
        TEST(test_options_may_be_null),
        TEST(test_it_runs_on_the_loop_named),
        TEST(test_threads_may_name_a_loop),
        TEST(test_they_begin_when_the_caller_waits_in_order),
        TEST(test_awaited_one_begins_first),
        TEST(test_priority_is_that_of_its_beginning),
        TEST(test_priority_on_a_loop_with_a_limit),
        TEST(test_deadline_ends_its_waits),
        TEST(test_so_many_live_at_a_time),
        TEST(test_chain_of_so_many),
    };
    begin_scenarios();
    return test_run("sil_go", tests);
}
