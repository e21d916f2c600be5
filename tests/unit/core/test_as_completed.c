/* SPDX-License-Identifier: MIT */
/*
 * sil_as_completed: futures in the order in which they end.
 */
#include <sillon/wait.h>

#include <errno.h>
#include <pthread.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { MANY = 200 };

struct many {
    sil_promise *promises[MANY];
    sil_future *futures[MANY];
};

static void many_create(struct many *many)
{
    for (int i = 0; i < MANY; i++)
        many->futures[i] = promise_int(&many->promises[i]);
}

static void many_destroy(struct many *many)
{
    for (int i = 0; i < MANY; i++) {
        sil_promise_destroy(many->promises[i]);
        sil_future_release(many->futures[i]);
    }
}

static void test_yields_in_the_order_of_completion(void **state)
{
    (void)state;
    struct many many;
    many_create(&many);
    sil_as_completed *it = sil_as_completed_create(many.futures, MANY);
    size_t order[MANY];
    random_permutation(&(struct random){1}, order, MANY);
    for (size_t i = 0; i < MANY; i++) {
        if (i % 3 == 0)
            assert_code(sil_promise_reject(many.promises[order[i]], EIO, "x"), 0);
        else
            assert_code(sil_promise_resolve(many.promises[order[i]], NULL), 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        sil_future *future = NULL;
        assert_int_equal(sil_as_completed_left(it), MANY - i);
        assert_code(sil_as_completed_next(it, &future, SIL_NOW), 0);
        assert_ptr_equal(future, many.futures[order[i]]);
    }
    assert_int_equal(sil_as_completed_left(it), 0);
    sil_as_completed_destroy(it);
    many_destroy(&many);
}

static void test_yields_the_final_ones_first_in_the_order_given(void **state)
{
    (void)state;
    struct many many;
    many_create(&many);
    for (int i = MANY - 1; i >= 0; i -= 2)
        assert_code(sil_promise_resolve(many.promises[i], NULL), 0);
    sil_as_completed *it = sil_as_completed_create(many.futures, MANY);
    assert_code(sil_promise_resolve(many.promises[0], NULL), 0);
    sil_future *future = NULL;
    for (int i = 1; i < MANY; i += 2) {
        assert_code(sil_as_completed_next(it, &future, SIL_NOW), 0);
        assert_ptr_equal(future, many.futures[i]);
    }
    assert_code(sil_as_completed_next(it, &future, SIL_NOW), 0);
    assert_ptr_equal(future, many.futures[0]);
    assert_code(sil_as_completed_next(it, &future, SIL_NOW), SIL_ETIMEDOUT);
    sil_as_completed_destroy(it);
    many_destroy(&many);
}

static void test_duplicates_come_as_often_as_given(void **state)
{
    (void)state;
    sil_promise *promises[2];
    sil_future *one = promise_int(&promises[0]);
    sil_future *other = promise_int(&promises[1]);
    sil_future *futures[] = {one, other, one, one};
    sil_as_completed *it = sil_as_completed_create(futures, 4);
    sil_future *future = NULL;
    assert_code(sil_promise_resolve(promises[0], NULL), 0);
    for (int i = 0; i < 3; i++) {
        assert_code(sil_as_completed_next(it, &future, SIL_NOW), 0);
        assert_ptr_equal(future, one);
    }
    assert_code(sil_as_completed_next(it, &future, SIL_NOW), SIL_ETIMEDOUT);
    assert_int_equal(sil_as_completed_left(it), 1);
    assert_code(sil_promise_resolve(promises[1], NULL), 0);
    assert_code(sil_as_completed_next(it, &future, SIL_NOW), 0);
    assert_ptr_equal(future, other);
    assert_code(sil_as_completed_next(it, &future, SIL_NOW), SIL_EEND);
    sil_as_completed_destroy(it);
    for (int i = 0; i < 2; i++)
        sil_promise_destroy(promises[i]);
    sil_future_release(one);
    sil_future_release(other);
}

static void test_keeps_futures_the_caller_has_released(void **state)
{
    (void)state;
    struct many many;
    many_create(&many);
    sil_as_completed *it = sil_as_completed_create(many.futures, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_code(sil_promise_resolve(many.promises[i], &i), 0);
        sil_future_release(many.futures[i]);
        sil_promise_destroy(many.promises[i]);
    }
    sil_future *future = NULL;
    for (int i = 0; i < MANY / 2; i++) { /* the other half is left to destroy */
        assert_code(sil_as_completed_next(it, &future, SIL_NOW), 0);
        assert_int_equal(*(const int *)sil_future_result(future, NULL), i);
    }
    sil_as_completed_destroy(it);
}

static void test_none_ends_at_once(void **state)
{
    (void)state;
    sil_as_completed *it = sil_as_completed_create(NULL, 0);
    assert_non_null(it);
    sil_future *future = NULL;
    assert_int_equal(sil_as_completed_left(it), 0);
    assert_code(sil_as_completed_next(it, &future, SIL_FOREVER), SIL_EEND);
    assert_code(sil_as_completed_next(it, &future, SIL_NOW), SIL_EEND);
    assert_null(future);
    sil_as_completed_destroy(it);
}

static void test_timeout_comes_at_the_deadline(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *pending = promise_int(&promise);
    sil_as_completed *it = sil_as_completed_create(&pending, 1);
    sil_future *future = NULL;
    sil_deadline until = sil_in(0.01);
    assert_code(sil_as_completed_next(it, &future, until), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= until);
    assert_null(future);
    assert_int_equal(sil_as_completed_left(it), 1);
    sil_as_completed_destroy(it);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    sil_promise_destroy(promise);
    sil_future_release(pending);
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *pending = promise_int(&promise);
    sil_future *with_null[] = {pending, NULL};
    sil_future *future = NULL;
    assert_null(sil_as_completed_create(NULL, 1));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_as_completed_create(with_null, 2));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_as_completed_create(with_null, SIZE_MAX));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_as_completed_next(NULL, &future, SIL_NOW), SIL_EINVAL);
    sil_as_completed *it = sil_as_completed_create(&pending, 1);
    assert_code(sil_as_completed_next(it, NULL, SIL_NOW), SIL_EINVAL);
    assert_int_equal(sil_as_completed_left(NULL), 0);
    sil_as_completed_destroy(it);
    sil_as_completed_destroy(NULL);
    sil_promise_destroy(promise);
    sil_future_release(pending);
}

static void *resolve_all(void *arg)
{
    struct many *many = arg;
    struct random random = {7};
    size_t order[MANY];
    random_permutation(&random, order, MANY);
    for (int i = 0; i < MANY; i++) {
        random_yield(&random);
        (void)sil_promise_resolve(many->promises[order[i]], NULL);
    }
    return NULL;
}

static void test_yields_each_once_while_others_complete_them(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(50); round++) {
        struct many many;
        many_create(&many);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, resolve_all, &many), 0);
        sil_as_completed *it = sil_as_completed_create(many.futures, MANY);
        sil_future *future = NULL;
        unsigned yielded = 0;
        unsigned pending = 0;
        while (sil_as_completed_next(it, &future, SIL_FOREVER) == 0) {
            yielded++;
            pending += !sil_future_done(future);
        }
        (void)pthread_join(thread, NULL);
        assert_int_equal(yielded, MANY);
        assert_int_equal(pending, 0);
        sil_as_completed_destroy(it);
        many_destroy(&many);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_yields_in_the_order_of_completion),
        TEST(test_yields_the_final_ones_first_in_the_order_given),
        TEST(test_duplicates_come_as_often_as_given),
        TEST(test_keeps_futures_the_caller_has_released),
        TEST(test_none_ends_at_once),
        TEST(test_timeout_comes_at_the_deadline),
        TEST(test_bad_input_is_refused),
        TEST(test_yields_each_once_while_others_complete_them),
    };
    return test_run("as_completed", tests);
}
