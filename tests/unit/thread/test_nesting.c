/* SPDX-License-Identifier: MIT */
/*
 * Tasks that await their children, to any depth, on any number of workers: never a hang, never a
 * stack overflow.
 */
#include <sillon/thread_pool.h>

#include "support/tasks.h"
#include "support/test.h"

struct nested {
    sil_executor *pool;
    unsigned depth;
    double seconds; /* to wait for the child; 0: for ever */
};

/* Submits the next level, awaits it, and counts the levels from the bottom. */
static int nest(void *arg, void *result)
{
    struct nested nested = *(struct nested *)arg;
    if (nested.depth-- == 0)
        return 0;
    unsigned below = 0;
    sil_future *child = sil_submit(nested.pool, nest, &nested, sizeof nested, sizeof below);
    int code = sil_take(child, &below, nested.seconds > 0 ? sil_in(nested.seconds) : SIL_FOREVER);
    *(unsigned *)result = below + 1;
    return code;
}

static void run_nested(const sil_thread_pool_options *options, unsigned depth, double seconds)
{
    sil_executor *pool = sil_thread_pool(options);
    assert_non_null(pool);
    struct nested nested = {pool, depth, seconds};
    unsigned levels = 0;
    sil_future *top = sil_submit(pool, nest, &nested, sizeof nested, sizeof levels);
    assert_code(sil_take(top, &levels, SIL_FOREVER), 0);
    assert_int_equal(levels, depth);
    assert_code(sil_executor_close(pool), 0);
}

static void test_1000_deep_awaiting_for_ever(void **state)
{
    (void)state;
    run_nested(&(sil_thread_pool_options){.workers = 1}, 1000, 0);
    run_nested(&(sil_thread_pool_options){.workers = 2}, 1000, 0);
    run_nested(&(sil_thread_pool_options){.workers = 4}, 1000, 0);
}

static void test_1000_deep_awaiting_with_deadlines(void **state)
{
    (void)state;
    run_nested(&(sil_thread_pool_options){.workers = 1}, 1000, TEST_PATIENCE);
    run_nested(&(sil_thread_pool_options){.workers = 3}, 1000, TEST_PATIENCE);
}

static void test_1000_deep_without_spare_threads(void **state)
{
    (void)state;
    run_nested(&(sil_thread_pool_options){.workers = 1, .max_threads = 1}, 1000, 0);
    run_nested(&(sil_thread_pool_options){.workers = 2, .max_threads = 2}, 1000, 0);
}

/* ThreadSanitizer keeps a megabyte of its own on each stack, and ends at 65,536 frames. */
#ifdef TEST_TSAN
enum { SMALL_STACK = 2 * 1024 * 1024, DEEP = 4000 };
#else
enum { SMALL_STACK = 256 * 1024, DEEP = 20000 };
#endif

static void test_very_deep_on_a_small_stack(void **state)
{
    (void)state;
    run_nested(&(sil_thread_pool_options){.workers = 1, .stack_size = SMALL_STACK}, DEEP, 0);
    run_nested(&(sil_thread_pool_options){.workers = 2, .stack_size = SMALL_STACK}, DEEP, 0);
}

/* Waits for several children at once, by turns in each way there is. */
struct wide {
    sil_executor *pool;
    int depth;
};

enum { CHILDREN = 3 };

static int gather(sil_future **children, int how)
{
    sil_future *future = NULL;
    sil_as_completed *it;
    switch (how % 4) {
    case 0:
        return sil_wait(children, CHILDREN, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
    case 1:
        return sil_take(sil_all(children, CHILDREN), NULL, SIL_FOREVER);
    case 2:
        it = sil_as_completed_create(children, CHILDREN);
        while (sil_as_completed_next(it, &future, SIL_FOREVER) == 0) {
        }
        sil_as_completed_destroy(it);
        return 0;
    default:
        return sil_wait(children, CHILDREN, SIL_FIRST_EXCEPTION, sil_in(TEST_PATIENCE), NULL);
    }
}

static int spread(void *arg, void *result)
{
    struct wide wide = *(struct wide *)arg;
    int *leaves = result;
    int how = wide.depth;
    if (wide.depth-- == 0) {
        *leaves = 1;
        return 0;
    }
    sil_future *children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = sil_submit(wide.pool, spread, &wide, sizeof wide, sizeof(int));
    int code = gather(children, how);
    for (int i = 0; i < CHILDREN; i++) {
        int value = 0;
        int child_code = sil_take(children[i], &value, SIL_FOREVER);
        code = code != 0 ? code : child_code;
        *leaves += value;
    }
    return code;
}

static void test_waits_for_several_children_nest_too(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        struct wide wide = {pool, 6};
        int leaves = 0;
        assert_code(sil_take(sil_submit(pool, spread, &wide, sizeof wide, sizeof leaves), &leaves,
                             SIL_FOREVER),
                    0);
        assert_int_equal(leaves, 729);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_waits_for_several_children_nest_without_spare_threads(void **state)
{
    (void)state;
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .max_threads = 1});
    struct wide wide = {pool, 5};
    int leaves = 0;
    assert_code(
        sil_take(sil_submit(pool, spread, &wide, sizeof wide, sizeof leaves), &leaves, SIL_FOREVER),
        0);
    assert_int_equal(leaves, 243);
    assert_code(sil_executor_close(pool), 0);
}

/* The classic: fib by futures, which submits far more than it awaits at a time. */
static int fibonacci(void *arg, void *result)
{
    struct wide wide = *(struct wide *)arg;
    int n = wide.depth;
    if (n < 2) {
        *(int *)result = n;
        return 0;
    }
    wide.depth = n - 1;
    sil_future *one = sil_submit(wide.pool, fibonacci, &wide, sizeof wide, sizeof(int));
    wide.depth = n - 2;
    sil_future *other = sil_submit(wide.pool, fibonacci, &wide, sizeof wide, sizeof(int));
    int values[2] = {0};
    int code = sil_take(one, &values[0], SIL_FOREVER);
    int other_code = sil_take(other, &values[1], SIL_FOREVER);
    *(int *)result = values[0] + values[1];
    return code != 0 ? code : other_code;
}

static void test_fibonacci(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        struct wide wide = {pool, TEST_SLOWNESS > 1 ? 14 : 18};
        int value = 0;
        assert_code(sil_take(sil_submit(pool, fibonacci, &wide, sizeof wide, sizeof value), &value,
                             SIL_FOREVER),
                    0);
        assert_int_equal(value, TEST_SLOWNESS > 1 ? 377 : 2584);
        assert_code(sil_executor_close(pool), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_1000_deep_awaiting_for_ever),
        TEST(test_1000_deep_awaiting_with_deadlines),
        TEST(test_1000_deep_without_spare_threads),
        TEST(test_very_deep_on_a_small_stack),
        TEST(test_waits_for_several_children_nest_too),
        TEST(test_waits_for_several_children_nest_without_spare_threads),
        TEST(test_fibonacci),
    };
    return test_run("nesting", tests);
}
