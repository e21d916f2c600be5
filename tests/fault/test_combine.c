/* SPDX-License-Identifier: MIT */
/*
 * Combining futures while memory or threads run out: what could not be made is a failed future.
 */
#include <errno.h>

#include "every_point.h"

static int add_one(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(int *)result = *(const int *)sil_future_result(source, NULL) + 1;
    return 0;
}

static int replace(sil_future *source, void *arg, void *result)
{
    *(int *)result = *(int *)arg;
    return sil_error_code(sil_future_error(source)) == ERANGE ? 0 : SIL_ENOMEM;
}

/* A chain over a promise; half of it is built before the promise is completed. */
static void chain_on(sil_executor *executor, bool fails)
{
    sil_promise *promise = sil_promise_create("start", sizeof(int));
    if (!was_made(promise))
        return;
    sil_future *links[5];
    links[0] = sil_promise_future(promise);
    links[1] = sil_then(links[0], executor, add_one, NULL, 0, sizeof(int));
    links[2] = sil_catch(links[1], executor, replace, &(int){50}, sizeof(int), sizeof(int));
    if (fails)
        assert_allowed(sil_promise_reject(promise, ERANGE, "%d is too large", 7));
    else
        assert_allowed(sil_promise_resolve(promise, &(int){1}));
    links[3] = sil_then(links[2], executor, add_one, NULL, 0, sizeof(int));
    links[4] = sil_then(links[3], NULL, add_one, NULL, 0, sizeof(int));
    int value = 0;
    if (take_allowed(links[4], &value) == 0)
        assert_int_equal(value, fails ? 52 : 4);
    for (int i = 0; i < 4; i++)
        sil_future_release(links[i]);
    sil_promise_destroy(promise);
}

static void chains(void)
{
    chain_on(NULL, false);
    chain_on(NULL, true);
}

static void chains_on_a_pool(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    if (!was_made(pool))
        return;
    chain_on(pool, false);
    chain_on(pool, true);
    assert_code(sil_executor_close(pool), 0);
}

static void chains_cancelled(void)
{
    sil_promise *promise = sil_promise_create(NULL, sizeof(int));
    if (!was_made(promise))
        return;
    sil_future *source = sil_promise_future(promise);
    sil_future *next = sil_then(source, NULL, add_one, NULL, 0, sizeof(int));
    sil_future *last = sil_then(next, NULL, add_one, NULL, 0, sizeof(int));
    (void)sil_future_cancel(last);
    int code = sil_take(last, NULL, SIL_NOW);
    assert_true(code == SIL_ECANCELLED || code == SIL_ENOMEM);
    sil_future_release(next);
    sil_promise_destroy(promise);
    assert_true(sil_future_done(source));
    sil_future_release(source);
}

static sil_future *combine(int how, sil_future *const *inputs)
{
    return how == 0 ? sil_all(inputs, 3) : how == 1 ? sil_any(inputs, 3) : sil_race(inputs, 3);
}

static void gathered(void)
{
    for (int how = 0; how < 3; how++) {
        sil_executor *executor = sil_inline_executor();
        if (!was_made(executor))
            return;
        sil_promise *promise = sil_promise_create(NULL, sizeof(int));
        if (was_made(promise)) {
            sil_future *inputs[3] = {sil_promise_future(promise), submit_int(executor, task_int, 5),
                                     NULL};
            inputs[2] = sil_future_retain(inputs[0]);
            sil_future *before = combine(how, inputs);
            assert_allowed(sil_promise_resolve(promise, &(int){5}));
            sil_future *after = combine(how, inputs);
            int values[3] = {5, 5, 5};
            (void)take_allowed(before, values);
            assert_int_equal(values[0], 5);
            (void)take_allowed(after, values);
            assert_int_equal(values[0] + values[1] + values[2], 15);
            for (int i = 0; i < 3; i++)
                sil_future_release(inputs[i]);
            sil_promise_destroy(promise);
        }
        assert_code(sil_executor_close(executor), 0);
    }
}

static void promised(void)
{
    sil_promise *promise = sil_promise_create("a name", 100);
    if (!was_made(promise))
        return;
    sil_future *future = sil_promise_future(promise);
    assert_code(sil_promise_reject(promise, ERANGE, "%s", "no memory for this, perhaps"), 0);
    assert_code(sil_await(future, SIL_FOREVER), ERANGE);
    assert_code(sil_error_code(sil_future_error(future)), ERANGE);
    assert_code(sil_error_code(sil_last_error()), ERANGE);
    assert_non_null(sil_error_message(sil_future_error(future)));
    sil_future_release(future);
    sil_promise_destroy(promise);

    promise = sil_promise_create(NULL, 4);
    if (!was_made(promise))
        return;
    future = sil_promise_future(promise);
    sil_promise_destroy(promise);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_EBROKEN);
}

static void test_chains(void **state)
{
    (void)state;
    survive(chains);
    survive(chains_on_a_pool);
    survive(chains_cancelled);
}

static void test_gathered(void **state)
{
    (void)state;
    survive(gathered);
}

static void test_promised(void **state)
{
    (void)state;
    survive(promised);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_chains),
        TEST(test_gathered),
        TEST(test_promised),
    };
    return test_run("faults in combinations", tests);
}
