/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many futures while memory or threads run out: the wait fails, the futures do not.
 */
#include <errno.h>

#include "every_point.h"

enum { MANY = 12 };

static void waited_for(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    if (!was_made(pool))
        return;
    for (int what = SIL_ALL_COMPLETED; what <= SIL_FIRST_EXCEPTION; what++) {
        sil_future *futures[MANY];
        for (int i = 0; i < MANY; i++)
            futures[i] = submit_int(pool, task_int, i);
        size_t done = 0;
        int code = sil_wait(futures, MANY, (sil_wait_for)what, SIL_FOREVER, &done);
        assert_allowed(code);
        if (code == 0)
            assert_in_range(done, 1, MANY);
        for (int i = 0; i < MANY; i++)
            (void)take_allowed(futures[i], NULL);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void iterated(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    if (!was_made(pool))
        return;
    sil_future *futures[MANY];
    for (int i = 0; i < MANY; i++)
        futures[i] = submit_int(pool, task_int, i);
    sil_as_completed *it = sil_as_completed_create(futures, MANY);
    if (was_made(it)) {
        sil_future *future = NULL;
        int yielded = 0;
        int code;
        while ((code = sil_as_completed_next(it, &future, SIL_FOREVER)) == 0)
            yielded++;
        assert_true(code == SIL_EEND || is_allowed(code));
        if (code == SIL_EEND)
            assert_int_equal(yielded, MANY);
        sil_as_completed_destroy(it);
    }
    for (int i = 0; i < MANY; i++)
        (void)take_allowed(futures[i], NULL);
    assert_code(sil_executor_close(pool), 0);
}

/* Waits that end by their deadline while the futures go on. */
static void timed_out(void)
{
    sil_promise *promise = sil_promise_create(NULL, 4);
    if (!was_made(promise))
        return;
    sil_future *future = sil_promise_future(promise);
    sil_future *futures[] = {future, future};
    int code = sil_wait(futures, 2, SIL_ALL_COMPLETED, SIL_NOW, NULL);
    assert_true(code == SIL_ETIMEDOUT || code == SIL_ENOMEM);
    code = sil_wait(futures, 2, SIL_FIRST_COMPLETED, sil_in(1e-4), NULL);
    assert_true(code == SIL_ETIMEDOUT || code == SIL_ENOMEM);
    code = sil_await(future, sil_in(1e-4));
    assert_true(code == SIL_ETIMEDOUT || code == SIL_ENOMEM);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
    sil_promise_destroy(promise);
}

static int wait_inside(void *arg, void *result)
{
    (void)result;
    sil_executor *pool = *(sil_executor **)arg;
    sil_future *children[4];
    for (int i = 0; i < 4; i++)
        children[i] = submit_int(pool, task_int, i);
    int code = sil_wait(children, 4, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
    for (int i = 0; i < 4; i++) {
        int child_code = sil_take(children[i], NULL, SIL_FOREVER);
        code = code != 0 ? code : child_code;
    }
    return code;
}

static void waited_for_inside(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    if (!was_made(pool))
        return;
    (void)take_allowed(sil_submit(pool, wait_inside, &pool, sizeof pool, 0), NULL);
    assert_code(sil_executor_close(pool), 0);
}

static void test_waited_for(void **state)
{
    (void)state;
    survive(waited_for);
    survive(waited_for_inside);
}

static void test_iterated(void **state)
{
    (void)state;
    survive(iterated);
}

static void test_timed_out(void **state)
{
    (void)state;
    survive(timed_out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_waited_for),
        TEST(test_iterated),
        TEST(test_timed_out),
    };
    return test_run("faults in waits", tests);
}
