/* SPDX-License-Identifier: MIT */
/*
 * sil_parallel_reduce: the same result at every run, on any number of workers.
 */
#include <sillon/parallel.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

static int sum_indexes(size_t begin, size_t end, void *accumulator, void *user)
{
    (void)user;
    uint64_t *sum = accumulator;
    for (size_t i = begin; i < end; i++)
        *sum += i;
    return 0;
}

static void add_sums(void *accumulator, const void *later, void *user)
{
    (void)user;
    *(uint64_t *)accumulator += *(const uint64_t *)later;
}

static void test_sums_for_many_shapes(void **state)
{
    (void)state;
    static const size_t ends[] = {0, 1, 2, 3, 10, 100, 12345};
    static const size_t grains[] = {0, 1, 3, 1000, SIZE_MAX};
    for (unsigned workers = 1; workers <= 3; workers++) {
        sil_executor *pool = create_pool(workers);
        for (size_t e = 0; e < COUNT_OF(ends); e++) {
            for (size_t g = 0; g < COUNT_OF(grains); g++) {
                uint64_t sum = 0;
                assert_code(sil_parallel_reduce(pool, 0, ends[e], grains[g], sum_indexes, add_sums,
                                                NULL, &sum, sizeof sum),
                            0);
                uint64_t expected = ends[e] == 0 ? 0 : (uint64_t)ends[e] * (ends[e] - 1) / 2;
                assert_int_equal(sum, expected);
            }
        }
        assert_code(sil_executor_close(pool), 0);
    }
}

/* Harmonic numbers with mixed signs: the order of additions shows in the last bits. */
static int sum_floats(size_t begin, size_t end, void *accumulator, void *user)
{
    (void)user;
    double *sum = accumulator;
    for (size_t i = begin; i < end; i++)
        *sum += (i % 3 == 0 ? -1e10 : 1.0) / (double)(i * i + 1);
    return 0;
}

static void add_floats(void *accumulator, const void *later, void *user)
{
    (void)user;
    *(double *)accumulator += *(const double *)later;
}

static void test_floating_point_is_the_same_on_any_number_of_workers(void **state)
{
    (void)state;
    static const unsigned workers[] = {1, 2, 7};
    static const size_t grains[] = {0, 1, 100, 7777};
    for (size_t g = 0; g < COUNT_OF(grains); g++) {
        double first = 0.0;
        for (size_t w = 0; w < COUNT_OF(workers); w++) {
            sil_executor *pool = create_pool(workers[w]);
            for (int run = 0; run < 5; run++) {
                double sum = 0.0;
                assert_code(sil_parallel_reduce(pool, 1, 20001, grains[g], sum_floats, add_floats,
                                                NULL, &sum, sizeof sum),
                            0);
                if (w == 0 && run == 0)
                    first = sum;
                assert_memory_equal(&sum, &first, sizeof sum);
            }
            assert_code(sil_executor_close(pool), 0);
        }
        double inline_sum = 0.0;
        sil_executor *executor = sil_inline_executor();
        assert_code(sil_parallel_reduce(executor, 1, 20001, grains[g], sum_floats, add_floats, NULL,
                                        &inline_sum, sizeof inline_sum),
                    0);
        assert_memory_equal(&inline_sum, &first, sizeof first);
        assert_code(sil_executor_close(executor), 0);
    }
}

/* A combination that does not commute: text. */
enum { TEXT = 64 };

static int write_letters(size_t begin, size_t end, void *accumulator, void *user)
{
    (void)user;
    char *text = accumulator;
    for (size_t i = begin; i < end; i++)
        (void)strncat(text, (char[2]){(char)('a' + (int)i), '\0'}, TEXT - 1 - strlen(text));
    return 0;
}

static void append_text(void *accumulator, const void *later, void *user)
{
    (void)user;
    char *text = accumulator;
    (void)strncat(text, later, TEXT - 1 - strlen(text));
}

static void test_pieces_are_combined_in_index_order(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(4);
    for (size_t grain = 0; grain <= 27; grain++) {
        char text[TEXT] = "";
        assert_code(sil_parallel_reduce(pool, 0, 26, grain, write_letters, append_text, NULL, text,
                                        sizeof text),
                    0);
        assert_string_equal(text, "abcdefghijklmnopqrstuvwxyz");
    }
    assert_code(sil_executor_close(pool), 0);
}

static int fail_at_500(size_t begin, size_t end, void *accumulator, void *user)
{
    *(uint64_t *)accumulator += end - begin;
    (void)atomic_fetch_add((atomic_uint *)user, 1);
    return begin <= 500 && 500 < end ? sil_fail(EDOM, "500 is bad") : 0;
}

static unsigned see_error(sil_executor *executor)
{
    atomic_uint pieces = 0;
    uint64_t sum = 77;
    assert_code(sil_parallel_reduce(executor, 0, 100000, 10, fail_at_500, add_sums, &pieces, &sum,
                                    sizeof sum),
                EDOM);
    assert_string_equal(sil_error_message(sil_last_error()), "500 is bad");
    assert_int_equal(sum, 77);
    assert_code(sil_executor_close(executor), 0);
    return pieces;
}

static void test_error_stops_it_and_leaves_out_untouched(void **state)
{
    (void)state;
    /* others may have begun the rest before the error is known; alone, nobody has */
    assert_in_range(see_error(sil_inline_executor()), 1, 9999);
    assert_in_range(see_error(create_pool(1)), 1, 10000);
    assert_in_range(see_error(create_pool(4)), 1, 10000);
}

static int sum_inside(size_t begin, size_t end, void *accumulator, void *user)
{
    for (size_t i = begin; i < end; i++) {
        uint64_t inner = 0;
        int code =
            sil_parallel_reduce(user, 0, i, 10, sum_indexes, add_sums, NULL, &inner, sizeof inner);
        if (code != 0)
            return code;
        *(uint64_t *)accumulator += inner;
    }
    return 0;
}

static void test_reductions_may_be_nested(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = create_pool(workers);
        uint64_t sum = 0;
        assert_code(
            sil_parallel_reduce(pool, 0, 100, 1, sum_inside, add_sums, pool, &sum, sizeof sum), 0);
        assert_int_equal(sum, 161700);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_on_a_shut_down_pool_the_caller_does_it_all(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    uint64_t sum = 0;
    assert_code(
        sil_parallel_reduce(pool, 0, 1000, 7, sum_indexes, add_sums, NULL, &sum, sizeof sum), 0);
    assert_int_equal(sum, 499500);
    assert_code(sil_executor_close(pool), 0);
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    uint64_t sum = 5;
    assert_code(sil_parallel_reduce(NULL, 0, 9, 0, sum_indexes, add_sums, NULL, &sum, sizeof sum),
                SIL_EINVAL);
    assert_code(sil_parallel_reduce(pool, 0, 9, 0, NULL, add_sums, NULL, &sum, sizeof sum),
                SIL_EINVAL);
    assert_code(sil_parallel_reduce(pool, 0, 9, 0, sum_indexes, NULL, NULL, &sum, sizeof sum),
                SIL_EINVAL);
    assert_code(sil_parallel_reduce(pool, 0, 9, 0, sum_indexes, add_sums, NULL, NULL, sizeof sum),
                SIL_EINVAL);
    assert_code(sil_parallel_reduce(pool, 9, 0, 0, sum_indexes, add_sums, NULL, &sum, sizeof sum),
                SIL_EINVAL);
    assert_code(sil_parallel_reduce(pool, 0, 9, 1, sum_indexes, add_sums, NULL, &sum, SIZE_MAX),
                SIL_EINVAL);
    assert_int_equal(sum, 5);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_sums_for_many_shapes),
        TEST(test_floating_point_is_the_same_on_any_number_of_workers),
        TEST(test_pieces_are_combined_in_index_order),
        TEST(test_error_stops_it_and_leaves_out_untouched),
        TEST(test_reductions_may_be_nested),
        TEST(test_on_a_shut_down_pool_the_caller_does_it_all),
        TEST(test_bad_input_is_refused),
    };
    return test_run("parallel reduce", tests);
}
