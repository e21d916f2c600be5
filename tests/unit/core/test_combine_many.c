/* SPDX-License-Identifier: MIT */
/*
 * Combinations by the hundred thousand: no stack overflow, nothing left behind.
 */
#include <sillon/combine.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "support/tasks.h"
#include "support/test.h"

enum { LONG_CHAIN = 100000 };

static int add_one(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(int *)result = *(const int *)sil_future_result(source, NULL) + 1;
    return 0;
}

static int one(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    *(int *)result = 1;
    return 0;
}

/* The last of a chain that starts from source; only it is held. */
static sil_future *chain_of_then(sil_future *source, sil_executor *executor, int length)
{
    sil_future *last = sil_future_retain(source);
    for (int i = 0; i < length; i++) {
        sil_future *next = sil_then(last, executor, add_one, NULL, 0, sizeof(int));
        sil_future_release(last);
        last = next;
    }
    return last;
}

/* The same, but every link is a catch over a then. */
static sil_future *chain_of_catch(sil_future *source, int length)
{
    sil_future *last = sil_future_retain(source);
    for (int i = 0; i < length; i++) {
        sil_future *next = sil_catch(last, NULL, one, NULL, 0, sizeof(int));
        sil_future_release(last);
        last = next;
    }
    return last;
}

static void test_long_chain_resolved_after_it_was_built(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *last = chain_of_then(source, NULL, LONG_CHAIN);
    assert_code(sil_await(last, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_promise_resolve(promise, &(int){5}), 0);
    int value = 0;
    assert_code(sil_take(last, &value, SIL_FOREVER), 0);
    assert_int_equal(value, LONG_CHAIN + 5);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_long_chain_built_on_a_final_future(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    assert_code(sil_promise_resolve(promise, &(int){5}), 0);
    int value = 0;
    assert_code(sil_take(chain_of_then(source, NULL, LONG_CHAIN), &value, SIL_FOREVER), 0);
    assert_int_equal(value, LONG_CHAIN + 5);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_long_chain_passes_an_error_on(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *last = chain_of_then(source, NULL, LONG_CHAIN);
    assert_code(sil_promise_reject(promise, EIO, "far away"), 0);
    assert_code(sil_await(last, SIL_FOREVER), EIO);
    assert_string_equal(sil_error_message(sil_future_error(last)), "far away");
    sil_future_release(last);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_cancel_of_the_last_reaches_the_source(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *last = chain_of_then(source, NULL, LONG_CHAIN);
    assert_code(sil_future_cancel(last), 0);
    assert_int_equal(sil_future_state(source), SIL_CANCELLED);
    assert_code(sil_take(last, NULL, SIL_FOREVER), SIL_ECANCELLED);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_long_chain_nobody_holds_goes_away(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future_release(chain_of_then(source, NULL, LONG_CHAIN));
    sil_future_release(source);
    sil_promise_destroy(promise); /* breaks the source, and with it every link */
}

static void test_long_chain_of_catches(void **state)
{
    (void)state;
    for (int fails = 0; fails <= 1; fails++) {
        sil_promise *promise;
        sil_future *source = promise_int(&promise);
        sil_future *last = chain_of_catch(source, LONG_CHAIN);
        if (fails)
            assert_code(sil_promise_reject(promise, EIO, "x"), 0);
        else
            assert_code(sil_promise_resolve(promise, &(int){8}), 0);
        int value = 0;
        assert_code(sil_take(last, &value, SIL_FOREVER), 0);
        assert_int_equal(value, fails ? 1 : 8);
        sil_promise_destroy(promise);
        sil_future_release(source);
    }
}

static void test_long_chains_on_executors(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_inline_executor(),
                                 sil_thread_pool(&(sil_thread_pool_options){.workers = 2})};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        sil_promise *promise;
        sil_future *source = promise_int(&promise);
        int length = TEST_SCALE(LONG_CHAIN);
        sil_future *last = chain_of_then(source, executors[i], length);
        assert_code(sil_promise_resolve(promise, &(int){0}), 0);
        int value = 0;
        assert_code(sil_take(last, &value, SIL_FOREVER), 0);
        assert_int_equal(value, length);
        sil_promise_destroy(promise);
        sil_future_release(source);
        assert_code(sil_executor_close(executors[i]), 0);
    }
}

static void test_long_chain_of_all(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *source = sil_promise_future(promise);
    sil_future *last = sil_future_retain(source);
    for (int i = 0; i < LONG_CHAIN; i++) {
        sil_future *next = i % 3 == 0   ? sil_all(&last, 1)
                           : i % 3 == 1 ? sil_any(&last, 1)
                                        : sil_race(&last, 1);
        sil_future_release(last);
        last = next;
    }
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_take(last, NULL, SIL_FOREVER), 0);
    sil_promise_destroy(promise);
    sil_future_release(source);
}

static void test_wide_combinations(void **state)
{
    (void)state;
    sil_future **futures = malloc(LONG_CHAIN * sizeof *futures);
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    for (int i = 0; i < LONG_CHAIN; i++)
        futures[i] = source;
    sil_future *all = sil_all(futures, LONG_CHAIN);
    sil_future *any = sil_any(futures, LONG_CHAIN);
    sil_future *race = sil_race(futures, LONG_CHAIN);
    assert_code(sil_promise_resolve(promise, &(int){3}), 0);
    size_t size = 0;
    const int *values = sil_future_result(all, &size);
    assert_int_equal(size, LONG_CHAIN * sizeof(int));
    assert_int_equal(values[0] + values[LONG_CHAIN - 1], 6);
    assert_code(sil_take(all, NULL, SIL_NOW), 0);
    assert_code(sil_take(any, NULL, SIL_NOW), 0);
    assert_code(sil_take(race, NULL, SIL_NOW), 0);
    sil_promise_destroy(promise);
    sil_future_release(source);
    free(futures);
}

/* A promise that lives long must not collect what is left of every short race against it. */
static void test_races_against_a_long_lived_future_leave_nothing(void **state)
{
    (void)state;
    sil_promise *stop;
    sil_future *stopped = promise_int(&stop);
    size_t before = 0;
    for (int round = 0; round < LONG_CHAIN; round++) {
        if (round == 1000)
            before = mallinfo2().uordblks;
        sil_promise *promise;
        sil_future *short_lived = promise_int(&promise);
        sil_future *inputs[] = {stopped, short_lived};
        sil_future *race = round % 2 ? sil_race(inputs, 2) : sil_any(inputs, 2);
        assert_code(sil_promise_resolve(promise, &round), 0);
        int value = -1;
        assert_code(sil_take(race, &value, SIL_NOW), 0);
        assert_int_equal(value, round);
        sil_promise_destroy(promise);
        sil_future_release(short_lived);
    }
#if !defined(TEST_ASAN) && !defined(TEST_TSAN)
    assert_in_range(mallinfo2().uordblks, 0, before + 65536);
#else
    (void)before;
#endif
    sil_promise_destroy(stop);
    sil_future_release(stopped);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_long_chain_resolved_after_it_was_built),
        TEST(test_long_chain_built_on_a_final_future),
        TEST(test_long_chain_passes_an_error_on),
        TEST(test_cancel_of_the_last_reaches_the_source),
        TEST(test_long_chain_nobody_holds_goes_away),
        TEST(test_long_chain_of_catches),
        TEST(test_long_chains_on_executors),
        TEST(test_long_chain_of_all),
        TEST(test_wide_combinations),
        TEST(test_races_against_a_long_lived_future_leave_nothing),
    };
    return test_run("combinations by the hundred thousand", tests);
}
