/* SPDX-License-Identifier: MIT */
/*
 * sil_wait: each condition, each code, duplicates, and what happens when futures end meanwhile.
 */
#include <sillon/wait.h>

#include <errno.h>
#include <pthread.h>

#include "support/tasks.h"
#include "support/test.h"

/* Some promises with their futures. */
enum { FEW = 5 };

struct few {
    sil_promise *promises[FEW];
    sil_future *futures[FEW];
};

static void few_create(struct few *few)
{
    for (int i = 0; i < FEW; i++)
        few->futures[i] = promise_int(&few->promises[i]);
}

static void few_destroy(struct few *few)
{
    for (int i = 0; i < FEW; i++) {
        sil_promise_destroy(few->promises[i]);
        sil_future_release(few->futures[i]);
    }
}

static int wait_now(struct few *few, sil_wait_for what, size_t *out_done)
{
    return sil_wait(few->futures, FEW, what, SIL_NOW, out_done);
}

static void test_all_completed(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    for (size_t i = 0; i < FEW; i++) {
        size_t done = 99;
        assert_code(wait_now(&few, SIL_ALL_COMPLETED, &done), SIL_ETIMEDOUT);
        assert_int_equal(done, i);
        if (i % 2 == 0)
            assert_code(sil_promise_resolve(few.promises[i], NULL), 0);
        else
            assert_code(sil_promise_reject(few.promises[i], EIO, "x"), 0);
    }
    size_t done = 99;
    assert_code(wait_now(&few, SIL_ALL_COMPLETED, &done), 0);
    assert_int_equal(done, FEW);
    assert_code(wait_now(&few, SIL_ALL_COMPLETED, NULL), 0);
    few_destroy(&few);
}

static void test_first_completed(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct few few;
        few_create(&few);
        size_t done = 99;
        assert_code(wait_now(&few, SIL_FIRST_COMPLETED, &done), SIL_ETIMEDOUT);
        assert_int_equal(done, 0);
        int code = how == 0   ? sil_promise_resolve(few.promises[2], NULL)
                   : how == 1 ? sil_promise_reject(few.promises[2], EIO, "x")
                              : sil_future_cancel(few.futures[2]);
        assert_code(code, 0);
        assert_code(wait_now(&few, SIL_FIRST_COMPLETED, &done), 0);
        assert_int_equal(done, 1);
        few_destroy(&few);
    }
}

static void test_first_exception(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    size_t done = 99;
    assert_code(sil_promise_resolve(few.promises[0], NULL), 0);
    assert_code(sil_future_cancel(few.futures[1]), 0);
    assert_code(wait_now(&few, SIL_FIRST_EXCEPTION, &done), SIL_ETIMEDOUT);
    assert_int_equal(done, 2);
    assert_code(sil_promise_reject(few.promises[2], EIO, "x"), 0);
    assert_code(wait_now(&few, SIL_FIRST_EXCEPTION, &done), 0);
    assert_int_equal(done, 3);
    few_destroy(&few);
}

static void test_first_exception_without_any_is_all_completed(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    for (int i = 0; i < FEW; i++) {
        assert_code(wait_now(&few, SIL_FIRST_EXCEPTION, NULL), SIL_ETIMEDOUT);
        if (i % 2 == 0)
            assert_code(sil_promise_resolve(few.promises[i], NULL), 0);
        else
            assert_code(sil_future_cancel(few.futures[i]), 0);
    }
    size_t done = 0;
    assert_code(wait_now(&few, SIL_FIRST_EXCEPTION, &done), 0);
    assert_int_equal(done, FEW);
    few_destroy(&few);
}

static void test_waiting_for_none_returns_at_once(void **state)
{
    (void)state;
    sil_future *none = NULL;
    for (int what = SIL_ALL_COMPLETED; what <= SIL_FIRST_EXCEPTION; what++) {
        size_t done = 99;
        assert_code(sil_wait(NULL, 0, (sil_wait_for)what, SIL_FOREVER, &done), 0);
        assert_int_equal(done, 0);
        assert_code(sil_wait(&none, 0, (sil_wait_for)what, SIL_NOW, NULL), 0);
    }
}

static void test_duplicates_count_each(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    sil_future *futures[] = {few.futures[0], few.futures[1], few.futures[0], few.futures[0]};
    size_t done = 99;
    assert_code(sil_promise_resolve(few.promises[0], NULL), 0);
    assert_code(sil_wait(futures, 4, SIL_ALL_COMPLETED, SIL_NOW, &done), SIL_ETIMEDOUT);
    assert_int_equal(done, 3);
    assert_code(sil_promise_resolve(few.promises[1], NULL), 0);
    assert_code(sil_wait(futures, 4, SIL_ALL_COMPLETED, SIL_NOW, &done), 0);
    assert_int_equal(done, 4);
    few_destroy(&few);
}

static void test_timeout_comes_at_the_deadline(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    for (int what = SIL_ALL_COMPLETED; what <= SIL_FIRST_EXCEPTION; what++) {
        sil_deadline until = sil_in(0.01);
        assert_code(sil_wait(few.futures, FEW, (sil_wait_for)what, until, NULL), SIL_ETIMEDOUT);
        assert_true(sil_clock() >= until);
        assert_code(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
    }
    few_destroy(&few);
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    sil_future *with_null[] = {few.futures[0], NULL, few.futures[1]};
    assert_code(sil_wait(NULL, 2, SIL_ALL_COMPLETED, SIL_NOW, NULL), SIL_EINVAL);
    assert_code(sil_wait(with_null, 3, SIL_ALL_COMPLETED, SIL_NOW, NULL), SIL_EINVAL);
    assert_code(sil_wait(with_null, 3, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL), SIL_EINVAL);
    assert_code(sil_wait(few.futures, FEW, (sil_wait_for)7, SIL_NOW, NULL), SIL_EINVAL);
    assert_code(sil_wait(few.futures, SIZE_MAX, SIL_ALL_COMPLETED, SIL_NOW, NULL), SIL_EINVAL);
    assert_code(sil_wait(few.futures, SIZE_MAX / 8, SIL_ALL_COMPLETED, SIL_NOW, NULL), SIL_EINVAL);
    few_destroy(&few);
}

/* A thread in sil_wait while the test completes the futures. */
struct waiter {
    struct few *few;
    sil_wait_for what;
    int code;
    size_t done;
};

static void *wait_for_ever(void *arg)
{
    struct waiter *waiter = arg;
    waiter->code = sil_wait(waiter->few->futures, FEW, waiter->what, SIL_FOREVER, &waiter->done);
    return NULL;
}

static void test_waiter_is_woken_when_the_condition_holds(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(300); round++) {
        struct few few;
        few_create(&few);
        struct waiter waiter = {&few, (sil_wait_for)(round % 3), -1, 0};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &waiter), 0);
        for (int i = 0; i < FEW; i++) {
            test_yield();
            (void)sil_promise_reject(few.promises[(i + round) % FEW], EIO, "x");
        }
        (void)pthread_join(thread, NULL);
        assert_code(waiter.code, 0);
        assert_in_range(waiter.done, waiter.what == SIL_ALL_COMPLETED ? FEW : 1, FEW);
        few_destroy(&few);
    }
}

static void test_timed_out_wait_leaves_the_futures_usable(void **state)
{
    (void)state;
    struct few few;
    few_create(&few);
    for (int i = 0; i < 100; i++)
        assert_code(wait_now(&few, SIL_ALL_COMPLETED, NULL), SIL_ETIMEDOUT);
    assert_code(sil_wait(few.futures, FEW, SIL_ALL_COMPLETED, sil_in(0.005), NULL), SIL_ETIMEDOUT);
    for (int i = 0; i < FEW; i++)
        assert_code(sil_promise_resolve(few.promises[i], &i), 0);
    assert_code(wait_now(&few, SIL_ALL_COMPLETED, NULL), 0);
    for (int i = 0; i < FEW; i++)
        assert_int_equal(*(const int *)sil_future_result(few.futures[i], NULL), i);
    few_destroy(&few);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_all_completed),
        TEST(test_first_completed),
        TEST(test_first_exception),
        TEST(test_first_exception_without_any_is_all_completed),
        TEST(test_waiting_for_none_returns_at_once),
        TEST(test_duplicates_count_each),
        TEST(test_timeout_comes_at_the_deadline),
        TEST(test_bad_input_is_refused),
        TEST(test_waiter_is_woken_when_the_condition_holds),
        TEST(test_timed_out_wait_leaves_the_futures_usable),
    };
    return test_run("wait", tests);
}
