/* SPDX-License-Identifier: MIT */
/*
 * sil_all, sil_any, sil_race: one future made of several.
 */
#include <sillon/combine.h>

#include <errno.h>
#include <string.h>

#include "support/tasks.h"
#include "support/test.h"

/* Three promises and their futures. */
struct three {
    sil_promise *promises[3];
    sil_future *futures[3];
};

static void three_create(struct three *three)
{
    for (int i = 0; i < 3; i++)
        three->futures[i] = promise_int(&three->promises[i]);
}

static void three_destroy(struct three *three)
{
    for (int i = 0; i < 3; i++) {
        sil_promise_destroy(three->promises[i]);
        sil_future_release(three->futures[i]);
    }
}

static void resolve(struct three *three, int which, int value)
{
    assert_code(sil_promise_resolve(three->promises[which], &value), 0);
}

static void reject(struct three *three, int which, int code)
{
    assert_code(sil_promise_reject(three->promises[which], code, "input %d failed", which), 0);
}

typedef sil_future *(*combine_fn)(sil_future *const *futures, size_t count);

static void test_all_has_the_values_in_the_order_given(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    sil_future *all = sil_all(three.futures, 3);
    resolve(&three, 2, 30);
    resolve(&three, 0, 10);
    assert_code(sil_await(all, SIL_NOW), SIL_ETIMEDOUT);
    resolve(&three, 1, 20);
    int values[3] = {0};
    size_t size = 0;
    assert_non_null(sil_future_result(all, &size));
    assert_int_equal(size, sizeof values);
    assert_code(sil_take(all, values, SIL_NOW), 0);
    static const int expected[3] = {10, 20, 30};
    assert_memory_equal(values, expected, sizeof values);
    three_destroy(&three);
}

static void test_all_of_final_ones_is_final(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    for (int i = 0; i < 3; i++)
        resolve(&three, i, i);
    sil_future *all = sil_all(three.futures, 3);
    assert_true(sil_future_done(all));
    assert_code(sil_take(all, NULL, SIL_NOW), 0);
    three_destroy(&three);
}

static void test_all_of_sizes_that_differ_and_of_duplicates(void **state)
{
    (void)state;
    sil_promise *empty = sil_promise_create(NULL, 0);
    sil_promise *letters = sil_promise_create(NULL, 3);
    sil_promise *letter = sil_promise_create(NULL, 1);
    sil_future *futures[] = {sil_promise_future(letters), sil_promise_future(empty),
                             sil_promise_future(letter), sil_promise_future(letters)};
    sil_future *all = sil_all(futures, 4);
    assert_code(sil_promise_resolve(letter, "d"), 0);
    assert_code(sil_promise_resolve(empty, NULL), 0);
    assert_code(sil_promise_resolve(letters, "abc"), 0);
    size_t size = 0;
    const void *value = sil_future_result(all, &size);
    assert_int_equal(size, 7);
    assert_memory_equal(value, "abcdabc", 7);
    sil_future_release(all);
    for (int i = 0; i < 4; i++)
        sil_future_release(futures[i]);
    sil_promise_destroy(empty);
    sil_promise_destroy(letters);
    sil_promise_destroy(letter);
}

static void test_all_fails_as_soon_as_one_does(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    sil_future *all = sil_all(three.futures, 3);
    resolve(&three, 0, 1);
    reject(&three, 1, EIO);
    assert_code(sil_await(all, SIL_NOW), EIO);
    assert_string_equal(sil_error_message(sil_future_error(all)), "input 1 failed");
    assert_int_equal(sil_future_state(three.futures[2]), SIL_PENDING); /* goes on */
    reject(&three, 2, EDOM);
    assert_code(sil_future_code(all), EIO);
    sil_future_release(all);
    three_destroy(&three);
}

static void test_all_with_a_cancelled_input_fails(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    sil_future *all = sil_all(three.futures, 3);
    assert_code(sil_future_cancel(three.futures[2]), 0);
    assert_code(sil_take(all, NULL, SIL_NOW), SIL_ECANCELLED);
    three_destroy(&three);
}

static void test_any_succeeds_with_the_first_value(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    sil_future *any = sil_any(three.futures, 3);
    reject(&three, 0, EIO);
    assert_code(sil_await(any, SIL_NOW), SIL_ETIMEDOUT);
    resolve(&three, 2, 7);
    int value = 0;
    assert_code(sil_await(any, SIL_NOW), 0);
    resolve(&three, 1, 8);
    assert_code(sil_take(any, &value, SIL_NOW), 0);
    assert_int_equal(value, 7);
    three_destroy(&three);
}

static void test_any_fails_with_the_last_error_when_all_fail(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    sil_future *any = sil_any(three.futures, 3);
    reject(&three, 2, EIO);
    assert_code(sil_future_cancel(three.futures[0]), 0);
    assert_code(sil_await(any, SIL_NOW), SIL_ETIMEDOUT);
    reject(&three, 1, EDOM);
    assert_code(sil_await(any, SIL_NOW), EDOM);
    assert_string_equal(sil_error_message(sil_future_error(any)), "input 1 failed");
    sil_future_release(any);
    three_destroy(&three);
}

static void test_race_ends_as_the_first_that_ends(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct three three;
        three_create(&three);
        sil_future *race = sil_race(three.futures, 3);
        assert_code(sil_await(race, SIL_NOW), SIL_ETIMEDOUT);
        int expected = 0;
        if (how == 0) {
            resolve(&three, 1, 5);
        } else if (how == 1) {
            expected = EIO;
            reject(&three, 1, EIO);
        } else {
            expected = SIL_ECANCELLED;
            assert_code(sil_future_cancel(three.futures[1]), 0);
        }
        resolve(&three, 0, 6);
        reject(&three, 2, EDOM);
        int value = 5;
        assert_code(sil_take(race, &value, SIL_NOW), expected);
        assert_int_equal(value, 5);
        three_destroy(&three);
    }
}

static void test_race_and_any_of_final_ones_are_final(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    resolve(&three, 1, 5);
    int value = 0;
    assert_code(sil_take(sil_race(three.futures, 3), &value, SIL_NOW), 0);
    assert_int_equal(value, 5);
    value = 0;
    assert_code(sil_take(sil_any(three.futures, 3), &value, SIL_NOW), 0);
    assert_int_equal(value, 5);
    three_destroy(&three);
}

static void test_combinations_of_none(void **state)
{
    (void)state;
    sil_future *all = sil_all(NULL, 0);
    size_t size = 9;
    assert_true(sil_future_done(all));
    assert_null(sil_future_result(all, &size));
    assert_int_equal(size, 0);
    assert_code(sil_take(all, NULL, SIL_NOW), 0);
    assert_code(sil_take(sil_any(NULL, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_race(NULL, 0), NULL, SIL_NOW), SIL_EINVAL);
}

static void test_bad_input_gives_a_failed_future(void **state)
{
    (void)state;
    static const combine_fn combine[] = {sil_all, sil_any, sil_race};
    struct three three;
    three_create(&three);
    sil_future *with_null[] = {three.futures[0], NULL};
    for (size_t i = 0; i < COUNT_OF(combine); i++) {
        assert_code(sil_take(combine[i](NULL, 2), NULL, SIL_NOW), SIL_EINVAL);
        assert_code(sil_take(combine[i](with_null, 2), NULL, SIL_NOW), SIL_EINVAL);
        assert_code(sil_take(combine[i](three.futures, SIZE_MAX), NULL, SIL_NOW), SIL_EINVAL);
        assert_code(sil_take(combine[i](three.futures, SIZE_MAX / 8), NULL, SIL_NOW), SIL_EINVAL);
    }
    three_destroy(&three);
}

static void test_cancel_asks_all_inputs(void **state)
{
    (void)state;
    static const combine_fn combine[] = {sil_all, sil_any, sil_race};
    for (size_t i = 0; i < COUNT_OF(combine); i++) {
        struct three three;
        three_create(&three);
        sil_future *combined = combine[i](three.futures, 3);
        assert_code(sil_future_cancel(combined), 0);
        assert_int_equal(sil_future_state(combined), SIL_CANCELLED);
        for (int k = 0; k < 3; k++)
            assert_int_equal(sil_future_state(three.futures[k]), SIL_CANCELLED);
        assert_code(sil_future_cancel(combined), 0);
        assert_code(sil_take(combined, NULL, SIL_NOW), SIL_ECANCELLED);
        three_destroy(&three);
    }
}

static void test_inputs_may_be_released_at_once(void **state)
{
    (void)state;
    static const combine_fn combine[] = {sil_all, sil_any, sil_race};
    for (size_t i = 0; i < COUNT_OF(combine); i++) {
        struct three three;
        three_create(&three);
        sil_future *combined = combine[i](three.futures, 3);
        for (int k = 0; k < 3; k++)
            sil_future_release(three.futures[k]);
        for (int k = 0; k < 3; k++)
            resolve(&three, k, k + 40);
        int values[3] = {0};
        assert_code(sil_take(combined, values, SIL_NOW), 0);
        assert_int_equal(values[0], 40);
        for (int k = 0; k < 3; k++)
            sil_promise_destroy(three.promises[k]);
    }
}

static void test_combined_futures_may_be_released_before_the_end(void **state)
{
    (void)state;
    static const combine_fn combine[] = {sil_all, sil_any, sil_race};
    for (size_t i = 0; i < COUNT_OF(combine); i++) {
        struct three three;
        three_create(&three);
        sil_future_release(combine[i](three.futures, 3));
        for (int k = 0; k < 3; k++)
            resolve(&three, k, k);
        three_destroy(&three);
        three_create(&three);
        sil_future_release(combine[i](three.futures, 3));
        three_destroy(&three); /* the inputs end as broken */
    }
}

static void test_combinations_of_combinations(void **state)
{
    (void)state;
    struct three three;
    three_create(&three);
    sil_future *any = sil_any(three.futures, 2);
    sil_future *pair[] = {any, three.futures[2]};
    sil_future *all = sil_all(pair, 2);
    sil_future *race_of[] = {all, all};
    sil_future *race = sil_race(race_of, 2);
    sil_future_release(any);
    sil_future_release(all);
    reject(&three, 0, EIO);
    resolve(&three, 2, 3);
    resolve(&three, 1, 2);
    int values[2] = {0};
    size_t size = 0;
    assert_non_null(sil_future_result(race, &size));
    assert_int_equal(size, sizeof values);
    (void)memcpy(values, sil_future_result(race, NULL), sizeof values);
    assert_int_equal(values[0], 2);
    assert_int_equal(values[1], 3);
    sil_future_release(race);
    three_destroy(&three);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_all_has_the_values_in_the_order_given),
        TEST(test_all_of_final_ones_is_final),
        TEST(test_all_of_sizes_that_differ_and_of_duplicates),
        TEST(test_all_fails_as_soon_as_one_does),
        TEST(test_all_with_a_cancelled_input_fails),
        TEST(test_any_succeeds_with_the_first_value),
        TEST(test_any_fails_with_the_last_error_when_all_fail),
        TEST(test_race_ends_as_the_first_that_ends),
        TEST(test_race_and_any_of_final_ones_are_final),
        TEST(test_combinations_of_none),
        TEST(test_bad_input_gives_a_failed_future),
        TEST(test_cancel_asks_all_inputs),
        TEST(test_inputs_may_be_released_at_once),
        TEST(test_combined_futures_may_be_released_before_the_end),
        TEST(test_combinations_of_combinations),
    };
    return test_run("all, any and race", tests);
}
