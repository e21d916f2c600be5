/* SPDX-License-Identifier: MIT */
/*
 * sil_map: one function over arrays, in place.
 */
#include <sillon/map.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

static void test_each_element_once_for_many_counts(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(3);
    enum { MOST = 5000 };
    int *args = malloc(MOST * sizeof *args);
    int *results = malloc(MOST * sizeof *results);
    for (size_t count = 0; count <= MOST; count = count * 3 / 2 + 1) {
        for (int i = 0; i < MOST; i++) {
            args[i] = i;
            results[i] = -1;
        }
        assert_code(sil_map(pool, task_square, args, sizeof(int), results, sizeof(int), count), 0);
        size_t wrong = 0;
        for (int i = 0; i < MOST; i++)
            wrong += results[i] != ((size_t)i < count ? i * i : -1);
        assert_int_equal(wrong, 0);
    }
    free(args);
    free(results);
    assert_code(sil_executor_close(pool), 0);
}

static void test_in_place(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    int values[300];
    for (int i = 0; i < 300; i++)
        values[i] = i;
    assert_code(sil_map(pool, task_square, values, sizeof(int), values, sizeof(int), 300), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(values[i], i * i);
    assert_code(sil_executor_close(pool), 0);
}

static int clear_argument(void *arg, void *result)
{
    *(int *)arg = -*(int *)arg;
    return result == NULL ? 0 : EINVAL;
}

static void test_function_may_write_to_its_argument(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    int values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    assert_code(sil_map(pool, clear_argument, values, sizeof(int), NULL, 0, 100), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(values[i], -i);
    assert_code(sil_executor_close(pool), 0);
}

static int answer(void *arg, void *result)
{
    *(int *)result = 42;
    return arg == NULL ? 0 : EINVAL;
}

static void test_without_arguments(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    int results[50] = {0};
    assert_code(sil_map(pool, answer, NULL, 0, results, sizeof(int), 50), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(results[i], 42);
    assert_code(sil_map(pool, task_nothing, NULL, 0, NULL, 0, 50), 0);
    assert_code(sil_executor_close(pool), 0);
}

struct three_bytes {
    char bytes[3];
};

static int reverse(void *arg, void *result)
{
    const struct three_bytes *from = arg;
    *(struct three_bytes *)result =
        (struct three_bytes){{from->bytes[2], from->bytes[1], from->bytes[0]}};
    return 0;
}

static void test_odd_sizes_keep_their_places(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct three_bytes values[200];
    for (int i = 0; i < 200; i++)
        values[i] = (struct three_bytes){{(char)i, 'x', (char)(i + 1)}};
    struct three_bytes results[200];
    assert_code(sil_map(pool, reverse, values, 3, results, 3, 200), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(results[i].bytes[0], (char)(i + 1));
        assert_int_equal(results[i].bytes[2], (char)i);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* Counts its calls and fails at one element. */
static atomic_uint calls;

static int fail_at_the_first(void *arg, void *result)
{
    (void)result;
    (void)atomic_fetch_add(&calls, 1);
    return *(int *)arg == 0 ? sil_fail(EDOM, "the first is bad") : 0;
}

static unsigned see_error(sil_executor *executor, size_t count)
{
    int *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (int)i;
    calls = 0;
    assert_code(sil_map(executor, fail_at_the_first, values, sizeof(int), NULL, 0, count), EDOM);
    assert_string_equal(sil_error_message(sil_last_error()), "the first is bad");
    unsigned after = calls;
    assert_code(sil_executor_close(executor), 0);
    assert_int_equal(calls, after); /* nothing goes on behind our back */
    free(values);
    return after;
}

static void test_first_error_stops_the_rest(void **state)
{
    (void)state;
    /* others may have begun the rest before the error is known; alone, nobody has */
    assert_int_equal(see_error(sil_inline_executor(), 1000), 1);
    assert_in_range(see_error(create_pool(1), 100000), 1, 100000);
    assert_in_range(see_error(create_pool(4), 100000), 1, 100000);
}

static void test_executor_stays_usable_after_an_error(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    for (int round = 0; round < 20; round++) {
        int codes[8] = {0, 0, 0, EIO, 0, 0, EIO, 0};
        assert_code(sil_map(pool, task_fail, codes, sizeof(int), NULL, 0, 8), EIO);
        assert_code(sil_map(pool, task_fail, codes, sizeof(int), NULL, 0, 3), 0);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* A map inside a map inside a map. */
struct level {
    sil_executor *pool;
    int depth;
};

static int map_deeper(void *arg, void *result)
{
    struct level *level = arg;
    int *leaves = result;
    if (level->depth == 0) {
        *leaves = 1;
        return 0;
    }
    struct level below[4];
    int values[4] = {0};
    for (int i = 0; i < 4; i++)
        below[i] = (struct level){level->pool, level->depth - 1};
    int code = sil_map(level->pool, map_deeper, below, sizeof below[0], values, sizeof(int), 4);
    *leaves = values[0] + values[1] + values[2] + values[3];
    return code;
}

static void test_maps_may_be_nested(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct level level = {pool, 4};
        int leaves = 0;
        assert_code(sil_map(pool, map_deeper, &level, sizeof level, &leaves, sizeof leaves, 1), 0);
        assert_int_equal(leaves, 256);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_map_on_a_busy_pool_finishes(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    sil_future *blocker = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    sil_future *blocked = submit_await(pool, value);
    gate_open(&gate);
    int values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    assert_code(sil_map(pool, task_square, values, sizeof(int), values, sizeof(int), 100), 0);
    assert_int_equal(values[99], 99 * 99);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_take(blocker, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(blocked, NULL, SIL_FOREVER), 0);
    sil_promise_destroy(promise);
    sil_future_release(value);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_element_once_for_many_counts),    TEST(test_in_place),
        TEST(test_function_may_write_to_its_argument),   TEST(test_without_arguments),
        TEST(test_odd_sizes_keep_their_places),          TEST(test_first_error_stops_the_rest),
        TEST(test_executor_stays_usable_after_an_error), TEST(test_maps_may_be_nested),
        TEST(test_map_on_a_busy_pool_finishes),
    };
    return test_run("map", tests);
}
