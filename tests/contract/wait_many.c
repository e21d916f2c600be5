/* SPDX-License-Identifier: MIT */
/*
 * sil_wait and sil_as_completed: any number of futures from any mix of engines.
 */
#include <errno.h>
#include <string.h>

#include "contract.h"

/* Futures of this engine, another engine, a thread, and a promise that is still to be resolved. */
struct mix {
    sil_executor *executor;
    sil_executor *other;
    sil_promise *promise;
    sil_future *futures[6]; /**< the last two: the promise's, and the first one again */
};

static void mix_create(struct mix *mix)
{
    mix->executor = contract_create();
    mix->other = sil_inline_executor();
    mix->futures[0] = submit_int(mix->executor, task_square, 3);
    mix->futures[1] = submit_int(mix->executor, task_fail, SIL_ECANCELLED);
    mix->futures[2] = submit_int(mix->other, task_square, 4);
    mix->futures[3] = sil_thread_start(NULL, task_int, &(int){5}, sizeof(int), sizeof(int));
    mix->futures[4] = promise_int(&mix->promise);
    mix->futures[5] = sil_future_retain(mix->futures[0]);
}

static void mix_destroy(struct mix *mix)
{
    for (int i = 0; i < 6; i++)
        sil_future_release(mix->futures[i]);
    sil_promise_destroy(mix->promise);
    contract_close(mix->executor);
    contract_close(mix->other);
}

static void test_wait_for_all_of_a_mix(void **state)
{
    (void)state;
    struct mix mix;
    mix_create(&mix);
    size_t done = 99;
    sil_future *const *futures = mix.futures;
    assert_code(sil_wait(futures, 6, SIL_ALL_COMPLETED, SIL_NOW, NULL), SIL_ETIMEDOUT);
    for (int i = 0; i < 6; i++)
        if (i != 4)
            (void)sil_await(futures[i], SIL_FOREVER);
    assert_code(sil_wait(futures, 6, SIL_ALL_COMPLETED, sil_in(0.01), &done), SIL_ETIMEDOUT);
    assert_int_equal(done, 5);
    assert_code(sil_promise_resolve(mix.promise, &(int){6}), 0);
    assert_code(sil_wait(futures, 6, SIL_ALL_COMPLETED, SIL_FOREVER, &done), 0);
    assert_int_equal(done, 6);
    mix_destroy(&mix);
}

static void test_wait_for_the_first_of_a_mix(void **state)
{
    (void)state;
    struct mix mix;
    mix_create(&mix);
    size_t done = 0;
    assert_code(sil_wait(mix.futures, 6, SIL_FIRST_COMPLETED, SIL_FOREVER, &done), 0);
    assert_in_range(done, 1, 5);
    assert_code(sil_wait(&mix.futures[4], 1, SIL_FIRST_COMPLETED, SIL_NOW, &done), SIL_ETIMEDOUT);
    assert_int_equal(done, 0);
    mix_destroy(&mix);
}

static void test_wait_for_the_first_exception_of_a_mix(void **state)
{
    (void)state;
    struct mix mix;
    mix_create(&mix);
    /* futures[1] was cancelled, which does not count */
    assert_code(sil_wait(mix.futures, 6, SIL_FIRST_EXCEPTION, sil_in(0.02), NULL), SIL_ETIMEDOUT);
    sil_future *failed = submit_int(mix.executor, task_fail, ERANGE);
    sil_future *futures[] = {mix.futures[4], failed};
    size_t done = 0;
    assert_code(sil_wait(futures, 2, SIL_FIRST_EXCEPTION, SIL_FOREVER, &done), 0);
    assert_int_equal(done, 1);
    assert_code(sil_promise_reject(mix.promise, ERANGE, "late"), 0);
    assert_code(sil_wait(mix.futures, 6, SIL_FIRST_EXCEPTION, SIL_FOREVER, NULL), 0);
    sil_future_release(failed);
    mix_destroy(&mix);
}

static void test_as_completed_yields_a_mix(void **state)
{
    (void)state;
    struct mix mix;
    mix_create(&mix);
    sil_as_completed *it = sil_as_completed_create(mix.futures, 6);
    assert_non_null(it);
    unsigned seen[6] = {0};
    sil_future *future = NULL;
    for (size_t left = 6; left > 1; left--) {
        assert_int_equal(sil_as_completed_left(it), left);
        assert_code(sil_as_completed_next(it, &future, SIL_FOREVER), 0);
        assert_true(sil_future_done(future));
        for (size_t i = 0; i < 5; i++)
            seen[i] += future == mix.futures[i];
    }
    assert_code(sil_as_completed_next(it, &future, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_code(sil_promise_resolve(mix.promise, &(int){6}), 0);
    assert_code(sil_as_completed_next(it, &future, SIL_FOREVER), 0);
    assert_ptr_equal(future, mix.futures[4]);
    assert_code(sil_as_completed_next(it, &future, SIL_FOREVER), SIL_EEND);
    sil_as_completed_destroy(it);
    static const unsigned expected[6] = {2, 1, 1, 1, 0, 0};
    assert_memory_equal(seen, expected, sizeof seen);
    mix_destroy(&mix);
}

static int wait_for_children(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    enum { CHILDREN = 6 };
    sil_future *children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = submit_int(executor, task_int, i);
    size_t done = 0;
    int code = sil_wait(children, CHILDREN, SIL_ALL_COMPLETED, SIL_FOREVER, &done);
    int sum = 0;
    for (int i = 0; i < CHILDREN; i++) {
        int value = 0;
        if (sil_take(children[i], &value, SIL_NOW) == 0)
            sum += value;
    }
    *(int *)result = done == CHILDREN ? sum : -1;
    return code;
}

static void test_tasks_may_wait_for_many(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *parents[4];
    for (int i = 0; i < 4; i++)
        parents[i] =
            sil_submit(executor, wait_for_children, &executor, sizeof executor, sizeof(int));
    for (int i = 0; i < 4; i++) {
        int sum = 0;
        assert_code(sil_take(parents[i], &sum, SIL_FOREVER), 0);
        assert_int_equal(sum, 15);
    }
    contract_close(executor);
}

static int iterate_over_children(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    enum { CHILDREN = 6 };
    sil_future *children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = submit_int(executor, task_int, i);
    sil_as_completed *it = sil_as_completed_create(children, CHILDREN);
    for (int i = 0; i < CHILDREN; i++)
        sil_future_release(children[i]);
    int code;
    sil_future *future = NULL;
    while ((code = sil_as_completed_next(it, &future, SIL_FOREVER)) == 0)
        *(int *)result += *(const int *)sil_future_result(future, NULL);
    sil_as_completed_destroy(it);
    return code == SIL_EEND ? 0 : code;
}

static void test_tasks_may_iterate_as_completed(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *parents[4];
    for (int i = 0; i < 4; i++)
        parents[i] =
            sil_submit(executor, iterate_over_children, &executor, sizeof executor, sizeof(int));
    for (int i = 0; i < 4; i++) {
        int sum = 0;
        assert_code(sil_take(parents[i], &sum, SIL_FOREVER), 0);
        assert_int_equal(sum, 15);
    }
    contract_close(executor);
}

static int add_one(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(int *)result = *(const int *)sil_future_result(source, NULL) + 1;
    return 0;
}

static void test_futures_combine_with_those_of_other_engines(void **state)
{
    (void)state;
    struct mix mix;
    mix_create(&mix);
    sil_future *next = sil_then(mix.futures[4], mix.executor, add_one, NULL, 0, sizeof(int));
    sil_future *inputs[] = {mix.futures[0], mix.futures[2], mix.futures[3], next};
    sil_future *all = sil_all(inputs, 4);
    sil_future *any = sil_any(&inputs[2], 2);
    assert_code(sil_await(all, SIL_NOW), SIL_ETIMEDOUT);
    int value = 0;
    assert_code(sil_take(any, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 5);
    assert_code(sil_promise_resolve(mix.promise, &(int){6}), 0);
    int values[4] = {0};
    assert_code(sil_await(all, SIL_FOREVER), 0);
    size_t size = 0;
    (void)memcpy(values, sil_future_result(all, &size), sizeof values);
    assert_int_equal(size, sizeof values);
    static const int expected[4] = {9, 16, 5, 7};
    assert_memory_equal(values, expected, sizeof values);
    sil_future_release(all);
    sil_future_release(next);
    mix_destroy(&mix);
}

/* There the function would be handed a future of another process. */
static void test_then_in_another_process_is_refused(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *source = submit_int(executor, task_square, 3);
    sil_future *next = sil_then(source, executor, add_one, NULL, 0, sizeof(int));
    sil_future *caught = sil_catch(source, executor, add_one, NULL, 0, sizeof(int));
    assert_code(sil_take(next, NULL, SIL_FOREVER), SIL_ENOTSUP);
    assert_code(sil_take(caught, NULL, SIL_FOREVER), SIL_ENOTSUP);
    int value = 0;
    next = sil_then(source, NULL, add_one, NULL, 0, sizeof(int));
    assert_code(sil_take(next, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 10);
    sil_future_release(source);
    contract_close(executor);
}

const struct contract_test contract_wait_many[] = {
    PROMISE(test_wait_for_all_of_a_mix, 0),
    PROMISE(test_wait_for_the_first_of_a_mix, 0),
    PROMISE(test_wait_for_the_first_exception_of_a_mix, 0),
    PROMISE(test_as_completed_yields_a_mix, 0),
    PROMISE(test_tasks_may_wait_for_many, SHARES_MEMORY | TAKES_ALL | AWAITS_OWN),
    PROMISE(test_tasks_may_iterate_as_completed, SHARES_MEMORY | TAKES_ALL | AWAITS_OWN),
    PROMISE(test_futures_combine_with_those_of_other_engines, SHARES_MEMORY),
    PROMISE(test_then_in_another_process_is_refused, PROCESSES),
    {0},
};
