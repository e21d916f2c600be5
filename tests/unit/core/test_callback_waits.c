/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that wait, and what they are part of: callbacks a waiter owes are run before it
 * sleeps, and no callback acts on the task whose stack it happens to run on.
 */
#include <sillon/combine.h>
#include <sillon/promise.h>
#include <sillon/thread_pool.h>
#include <sillon/wait.h>

#include "support/tasks.h"
#include "support/test.h"

static sil_executor *pool;

/* Awaits what only a callback owed by this very thread can complete. */
static void await_a_combination(sil_future *future, void *user)
{
    (void)future;
    sil_future *task = submit_nothing(pool);
    sil_future *all = sil_all(&task, 1);
    atomic_store((_Atomic int *)user, sil_take(all, NULL, SIL_FOREVER));
    sil_future_release(task);
}

static void test_callback_may_await_a_combination_of_its_own_pools_tasks(void **state)
{
    (void)state;
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    struct gate gate;
    gate_init(&gate);
    sil_future *task = submit_gate(pool, &gate);
    _Atomic int code = -1;
    assert_code(sil_future_add_done_callback(task, await_a_combination, &code), 0);
    gate_open(&gate);
    eventually(atomic_load(&code) != -1);
    assert_code(code, 0);
    sil_future_release(task);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void poll_others(sil_future *future, void *user)
{
    unsigned *depth = user;
    depth[0]++;
    depth[1] = depth[0] > depth[1] ? depth[0] : depth[1];
    (void)sil_wait(&future, 1, SIL_ALL_COMPLETED, SIL_NOW, NULL);
    depth[0]--;
}

static void test_polls_in_callbacks_do_not_nest(void **state)
{
    (void)state;
    unsigned depth[2] = {0, 0};
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *future = sil_promise_future(promise);
    for (int i = 0; i < 1000; i++)
        assert_code(sil_future_add_done_callback(future, poll_others, depth), 0);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_int_equal(depth[1], 1);
    sil_promise_destroy(promise);
    sil_future_release(future);
}

static void meddle(sil_future *future, void *user)
{
    (void)future;
    *(bool *)user = sil_result_alloc(8) != NULL || sil_cancelled();
    sil_progress(7, 7);
}

static int await_a_meddled_child(void *arg, void *result)
{
    sil_future *child = submit_nothing(pool);
    int code = sil_future_add_done_callback(child, meddle, *(bool **)arg);
    if (code == 0)
        code = sil_await(child, SIL_FOREVER); /* runs it here, on our stack */
    sil_future_release(child);
    *(int *)result = 42;
    return code;
}

static void test_callback_is_no_part_of_the_task_below_it(void **state)
{
    (void)state;
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    bool meddled = true;
    bool *arg = &meddled;
    sil_future *task = sil_submit(pool, await_a_meddled_child, &arg, sizeof(bool *), sizeof(int));
    assert_code(sil_await(task, SIL_FOREVER), 0);
    size_t size = 0;
    const int *value = sil_future_result(task, &size);
    assert_int_equal(size, sizeof(int));
    assert_int_equal(*value, 42);
    uint64_t done = 1;
    sil_future_progress(task, &done, NULL);
    assert_int_equal(done, 0);
    assert_false(meddled);
    sil_future_release(task);
    assert_code(sil_executor_close(pool), 0);
}

static void test_long_nests_of_combinations_are_cancelled_without_stack(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *leaf = sil_promise_future(promise);
    sil_future *nest = sil_future_retain(leaf);
    for (int i = 0; i < TEST_SCALE(100000); i++) {
        sil_future *outer = sil_all((sil_future *[]){nest, leaf}, 2);
        sil_future_release(nest);
        nest = outer;
    }
    assert_code(sil_future_cancel(nest), 0);
    assert_int_equal(sil_future_state(leaf), SIL_CANCELLED);
    sil_future_release(nest);
    sil_future_release(leaf);
    sil_promise_destroy(promise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_callback_may_await_a_combination_of_its_own_pools_tasks),
        TEST(test_polls_in_callbacks_do_not_nest),
        TEST(test_callback_is_no_part_of_the_task_below_it),
        TEST(test_long_nests_of_combinations_are_cancelled_without_stack),
    };
    return test_run("callback waits", tests);
}
