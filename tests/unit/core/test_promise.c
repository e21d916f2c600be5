/* SPDX-License-Identifier: MIT */
/*
 * Promises: a future that our own code completes, once.
 */
#include <sillon/promise.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "support/tasks.h"
#include "support/test.h"

static void test_resolve_finishes_the_future_with_a_copy(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create("answer", sizeof(int));
    assert_non_null(promise);
    sil_future *future = sil_promise_future(promise);
    assert_string_equal(sil_future_name(future), "answer");
    assert_int_equal(sil_future_state(future), SIL_PENDING);
    int value = 42;
    assert_code(sil_promise_resolve(promise, &value), 0);
    value = 0;
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    assert_int_equal(*(const int *)sil_future_result(future, NULL), 42);
    sil_promise_destroy(promise);
    assert_code(sil_take(future, &value, SIL_NOW), 0);
    assert_int_equal(value, 42);
}

static void test_future_is_the_same_at_every_call(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *one = sil_promise_future(promise);
    sil_future *other = sil_promise_future(promise);
    assert_ptr_equal(one, other);
    sil_future_release(one);
    sil_future_release(other);
    other = sil_promise_future(promise);
    assert_ptr_equal(one, other);
    sil_future_release(other);
    sil_promise_destroy(promise);
}

static void test_resolve_without_a_value_leaves_zeros(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 16);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    unsigned char out[16] = "not zero yet";
    assert_code(sil_take(sil_promise_future(promise), out, SIL_NOW), 0);
    static const unsigned char zeros[16];
    assert_memory_equal(out, zeros, sizeof out);
    sil_promise_destroy(promise);
}

static void test_promise_of_no_bytes(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 0);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    sil_future *future = sil_promise_future(promise);
    size_t size = 9;
    assert_null(sil_future_result(future, &size));
    assert_int_equal(size, 0);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);
    sil_promise_destroy(promise);
}

static void test_reject_fails_the_future_with_the_message(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create("answer", 4);
    assert_code(sil_promise_reject(promise, ENOENT, "no answer in %d places", 7), 0);
    sil_future *future = sil_promise_future(promise);
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    assert_code(sil_await(future, SIL_FOREVER), ENOENT);
    assert_string_equal(sil_error_message(sil_future_error(future)), "no answer in 7 places");
    sil_future_release(future);
    sil_promise_destroy(promise);
}

static void test_reject_with_special_codes(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 0);
    assert_code(sil_promise_reject(promise, 0, "no code"), 0);
    assert_code(sil_take(sil_promise_future(promise), NULL, SIL_NOW), SIL_EINVAL);
    sil_promise_destroy(promise);

    promise = sil_promise_create(NULL, 0);
    sil_future *future = sil_promise_future(promise);
    assert_code(sil_promise_reject(promise, SIL_ECANCELLED, "gave up"), 0);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_take(future, NULL, SIL_NOW), SIL_ECANCELLED);
    sil_promise_destroy(promise);

    promise = sil_promise_create(NULL, 0);
    future = sil_promise_future(promise);
    assert_code(sil_promise_reject(promise, EIO, NULL), 0);
    assert_string_equal(sil_error_message(sil_future_error(future)), sil_strerror(EIO));
    sil_future_release(future);
    sil_promise_destroy(promise);
}

static void test_second_completion_comes_too_late(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        sil_promise *promise;
        sil_future *future = promise_int(&promise);
        int code = how == 0   ? sil_promise_resolve(promise, &(int){1})
                   : how == 1 ? sil_promise_reject(promise, EIO, "broken")
                              : sil_future_cancel(future);
        assert_code(code, 0);
        int before = sil_future_code(future);
        assert_code(sil_promise_resolve(promise, &(int){2}), SIL_EALREADY);
        assert_code(sil_promise_reject(promise, EDOM, "again"), SIL_EALREADY);
        assert_code(sil_future_code(future), before);
        sil_promise_destroy(promise);
        assert_code(sil_future_code(future), before);
        sil_future_release(future);
    }
}

static void test_destroyed_unresolved_is_broken(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create("answer", 4);
    sil_future *future = sil_promise_future(promise);
    atomic_uint called = 0;
    assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
    sil_promise_destroy(promise);
    assert_code(sil_await(future, SIL_FOREVER), SIL_EBROKEN);
    assert_string_not_equal(sil_error_message(sil_future_error(future)), "");
    assert_int_equal(called, 1);
    sil_future_release(future);
    sil_promise_destroy(sil_promise_create(NULL, 100)); /* nobody ever asked for the future */
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    assert_null(sil_promise_create(NULL, SIZE_MAX));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_promise_create("x", SIZE_MAX / 2 + 1));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_take(sil_promise_future(NULL), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_promise_resolve(NULL, NULL), SIL_EINVAL);
    assert_code(sil_promise_reject(NULL, EIO, "x"), SIL_EINVAL);
    sil_promise_destroy(NULL);
}

struct waiter {
    sil_future *future;
    int code;
    int value;
};

static void *wait_for_value(void *arg)
{
    struct waiter *waiter = arg;
    waiter->code = sil_take(waiter->future, &waiter->value, SIL_FOREVER);
    return NULL;
}

static void test_resolve_wakes_those_who_wait(void **state)
{
    (void)state;
    enum { WAITERS = 4 };
    for (int round = 0; round < TEST_SCALE(100); round++) {
        sil_promise *promise = sil_promise_create(NULL, sizeof(int));
        struct waiter waiters[WAITERS];
        pthread_t threads[WAITERS];
        for (int i = 0; i < WAITERS; i++) {
            waiters[i] = (struct waiter){.future = sil_promise_future(promise), .code = -1};
            assert_int_equal(pthread_create(&threads[i], NULL, wait_for_value, &waiters[i]), 0);
        }
        assert_code(sil_promise_resolve(promise, &round), 0);
        sil_promise_destroy(promise);
        for (int i = 0; i < WAITERS; i++)
            (void)pthread_join(threads[i], NULL);
        for (int i = 0; i < WAITERS; i++) {
            assert_code(waiters[i].code, 0);
            assert_int_equal(waiters[i].value, round);
        }
    }
}

struct racer {
    sil_promise *promise;
    int number;
    bool won;
};

static void *race_to_resolve(void *arg)
{
    struct racer *racer = arg;
    racer->won = sil_promise_resolve(racer->promise, &racer->number) == 0;
    return NULL;
}

static void test_one_of_several_resolvers_wins(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(200); round++) {
        sil_promise *promise = sil_promise_create(NULL, sizeof(int));
        struct racer racers[3];
        pthread_t threads[3];
        for (int i = 0; i < 3; i++) {
            racers[i] = (struct racer){promise, i, false};
            assert_int_equal(pthread_create(&threads[i], NULL, race_to_resolve, &racers[i]), 0);
        }
        for (int i = 0; i < 3; i++)
            (void)pthread_join(threads[i], NULL);
        assert_int_equal(racers[0].won + racers[1].won + racers[2].won, 1);
        int value = -1;
        assert_code(sil_take(sil_promise_future(promise), &value, SIL_NOW), 0);
        assert_true(racers[value].won);
        sil_promise_destroy(promise);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_resolve_finishes_the_future_with_a_copy),
        TEST(test_future_is_the_same_at_every_call),
        TEST(test_resolve_without_a_value_leaves_zeros),
        TEST(test_promise_of_no_bytes),
        TEST(test_reject_fails_the_future_with_the_message),
        TEST(test_reject_with_special_codes),
        TEST(test_second_completion_comes_too_late),
        TEST(test_destroyed_unresolved_is_broken),
        TEST(test_bad_input_is_refused),
        TEST(test_resolve_wakes_those_who_wait),
        TEST(test_one_of_several_resolvers_wins),
    };
    return test_run("promise", tests);
}
