/* SPDX-License-Identifier: MIT */
/*
 * Awaiting while memory or threads run out: nested tasks and blocked workers go on, with or
 * without spare threads.
 */
#include "support/slot.h"

#include "every_point.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

struct nested {
    sil_executor *pool;
    unsigned depth;
    bool finite;
};

static int nest(void *arg, void *result)
{
    struct nested nested = *(struct nested *)arg;
    if (nested.depth-- == 0)
        return 0;
    sil_future *child = sil_submit(nested.pool, nest, &nested, sizeof nested, sizeof(unsigned));
    unsigned below = 0;
    int code = sil_take(child, &below, nested.finite ? sil_in(TEST_PATIENCE) : SIL_FOREVER);
    *(unsigned *)result = below + 1;
    return code;
}

static void nested(void)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        sil_executor *pool = create_pool(workers);
        if (!was_made(pool))
            return;
        struct nested top = {pool, 12, workers == 2};
        unsigned levels = 0;
        if (take_allowed(sil_submit(pool, nest, &top, sizeof top, sizeof levels), &levels) == 0)
            assert_int_equal(levels, 12);
        assert_code(sil_executor_close(pool), 0);
    }
}

static int resolve_it(void *arg, void *result)
{
    (void)result;
    return sil_promise_resolve(*(sil_promise **)arg, NULL);
}

/* Tasks block on a promise that another task of the pool of one resolves. */
static void blocked(void)
{
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    sil_promise *promise = sil_promise_create("awaited", sizeof(int));
    if (was_made(promise)) {
        sil_future *value = sil_promise_future(promise);
        sil_future *waiters[3];
        for (int i = 0; i < 3; i++)
            waiters[i] = submit_await(pool, value);
        sil_future *resolver = sil_submit(pool, resolve_it, &promise, sizeof promise, 0);
        if (take_allowed(resolver, NULL) != 0)
            assert_code(sil_promise_resolve(promise, NULL), 0);
        for (int i = 0; i < 3; i++)
            (void)take_allowed(waiters[i], NULL);
        sil_future_release(value);
        sil_promise_destroy(promise);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* Two tasks await each other. */
static void deadlocked(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    struct gate gate;
    gate_init(&gate);
    sil_future *slots[2] = {NULL};
    slots[0] = submit_slot(pool, "one", (struct slot_task){&gate, &slots[1], 0});
    slots[1] = submit_slot(pool, "other", (struct slot_task){&gate, &slots[0], 0});
    gate_open(&gate);
    for (int i = 0; i < 2; i++) {
        int code = sil_await(slots[i], SIL_FOREVER);
        assert_true(code == SIL_EDEADLK || is_allowed(code));
    }
    for (int i = 0; i < 2; i++)
        sil_future_release(slots[i]);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static int start_others(void *arg, void *result)
{
    sil_executor *pool = *(sil_executor **)arg;
    sil_future *in_pool = submit_int(pool, task_int, 30);
    sil_future *alone = sil_thread_start(&(sil_thread_options){.name = "alone"}, task_int,
                                         &(int){12}, sizeof(int), sizeof(int));
    int values[2] = {0};
    int code = sil_take(in_pool, &values[0], SIL_FOREVER);
    int other_code = sil_take(alone, &values[1], SIL_FOREVER);
    *(int *)result = values[0] + values[1];
    return code != 0 ? code : other_code;
}

static void threads(void)
{
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    int value = 0;
    sil_future *future = sil_thread_start(NULL, start_others, &pool, sizeof pool, sizeof value);
    if (take_allowed(future, &value) == 0)
        assert_int_equal(value, 42);
    future = sil_submit(pool, start_others, &pool, sizeof pool, sizeof value);
    if (take_allowed(future, &value) == 0)
        assert_int_equal(value, 42);
    assert_code(sil_executor_close(pool), 0);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void initialized(void)
{
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = 2, .initializer = do_nothing});
    if (!was_made(pool))
        return;
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = submit_nothing(pool);
    for (int i = 0; i < 4; i++)
        (void)take_allowed(futures[i], NULL);
    assert_code(sil_executor_close(pool), 0);
}

static int close_own(void *arg, void *result)
{
    (void)result;
    return sil_executor_close(*(sil_executor **)arg);
}

static void closed_from_inside(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    sil_future *first = submit_nothing(pool);
    sil_future *closer = sil_submit(pool, close_own, &pool, sizeof pool, 0);
    (void)take_allowed(first, NULL);
    if (take_allowed(closer, NULL) != 0)
        assert_code(sil_executor_close(pool), 0);
}

static void test_nested(void **state)
{
    (void)state;
    survive(nested);
}

static void test_blocked(void **state)
{
    (void)state;
    survive(blocked);
}

static void test_deadlocked(void **state)
{
    (void)state;
    survive(deadlocked);
}

static void test_threads(void **state)
{
    (void)state;
    survive(threads);
    survive(initialized);
}

static void test_closed_from_inside(void **state)
{
    (void)state;
    survive(closed_from_inside);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_nested),
        TEST(test_blocked),
        TEST(test_deadlocked),
        TEST(test_threads),
        TEST(test_closed_from_inside),
    };
    return test_run("faults in await", tests);
}
