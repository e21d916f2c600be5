/* SPDX-License-Identifier: MIT */
/*
 * Map: over arrays, and as an iterator that yields in order with a bounded buffer.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "contract.h"

static int double_or_fail_at_77(void *arg, void *result)
{
    int n = *(int *)arg;
    if (n == 77)
        return sil_fail(ERANGE, "77 again");
    *(int *)result = 2 * n;
    return 0;
}

static void test_map_fills_every_result(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const size_t counts[] = {0, 1, 2, 7, 64, 1000};
    int args[1000];
    int results[1000];
    for (size_t c = 0; c < COUNT_OF(counts); c++) {
        for (int i = 0; i < 1000; i++) {
            args[i] = i + 100;
            results[i] = -1;
        }
        assert_code(sil_map(executor, double_or_fail_at_77, args, sizeof(int), results, sizeof(int),
                            counts[c]),
                    0);
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(results[i], i < counts[c] ? 2 * ((int)i + 100) : -1);
    }
    contract_close(executor);
}

static void test_map_stops_at_the_first_error(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int args[200];
    int results[200];
    for (int i = 0; i < 200; i++)
        args[i] = i;
    assert_code(
        sil_map(executor, double_or_fail_at_77, args, sizeof(int), results, sizeof(int), 200),
        ERANGE);
    assert_code(sil_error_code(sil_last_error()), ERANGE);
    assert_string_equal(sil_error_message(sil_last_error()), "77 again");
    contract_close(executor);
}

static void test_map_of_very_many(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    enum { MANY = 100000 };
    int *numbers = malloc(MANY * sizeof *numbers);
    for (int i = 0; i < MANY; i++)
        numbers[i] = i + 100;
    size_t size = sizeof(int);
    assert_code(sil_map(executor, double_or_fail_at_77, numbers, size, numbers, size, MANY), 0);
    for (int i = 0; i < MANY; i++)
        if (numbers[i] != 2 * (i + 100))
            fail_msg("element %d is %d", i, numbers[i]);
    free(numbers);
    contract_close(executor);
}

enum { ODD = 3, ODD_COUNT = 10000 };

/* arg: three bytes, of which ff ff ff is bad. result: the same, mirrored. */
static int mirror(void *arg, void *result)
{
    const unsigned char *from = arg;
    unsigned char *to = result;
    for (int i = 0; i < ODD; i++)
        to[i] = from[ODD - 1 - i];
    return from[0] == 0xff && from[1] == 0xff && from[2] == 0xff ? sil_fail(EILSEQ, "white") : 0;
}

static void test_map_of_items_of_an_odd_size(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    unsigned char *from = malloc((size_t)ODD_COUNT * ODD);
    unsigned char *to = calloc(ODD_COUNT, ODD);
    for (int i = 0; i < ODD_COUNT * ODD; i++)
        from[i] = (unsigned char)(i % 251);
    assert_code(sil_map(executor, mirror, from, ODD, to, ODD, ODD_COUNT), 0);
    for (int i = 0; i < ODD_COUNT; i++)
        for (int k = 0; k < ODD; k++)
            if (to[i * ODD + k] != from[i * ODD + ODD - 1 - k])
                fail_msg("byte %d of element %d is wrong", k, i);
    for (int k = 0; k < ODD; k++)
        from[5000 * ODD + k] = 0xff;
    assert_code(sil_map(executor, mirror, from, ODD, to, ODD, ODD_COUNT), EILSEQ);
    assert_string_equal(sil_error_message(sil_last_error()), "white");
    assert_code(sil_map(executor, mirror, from, ODD, to, ODD, 5000), 0);
    free(from);
    free(to);
    contract_close(executor);
}

static void test_map_without_results(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    enum { MANY = 1000 };
    atomic_uint *count = contract_count();
    atomic_uint *args[MANY];
    for (int i = 0; i < MANY; i++)
        args[i] = count;
    assert_code(sil_map(executor, task_count, args, sizeof args[0], NULL, 0, MANY), 0);
    assert_int_equal(*count, MANY);
    contract_close(executor);
}

static void test_map_after_shutdown_is_refused(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    int args[3] = {1, 2, 3};
    assert_code(sil_map(executor, double_or_fail_at_77, args, sizeof(int), args, sizeof(int), 3),
                SIL_ESHUTDOWN);
    contract_close(executor);
}

static void test_map_iterator_yields_in_order(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int args[70];
    for (int i = 0; i < 70; i++)
        args[i] = i;
    for (size_t buffer = 0; buffer <= CONTRACT_BOUND; buffer += 4) {
        sil_map_iterator *it =
            sil_map_iterator_create(executor, &(sil_map_options){.fn = double_or_fail_at_77,
                                                                 .arg_size = sizeof(int),
                                                                 .result_size = sizeof(int),
                                                                 .args = args,
                                                                 .count = COUNT_OF(args),
                                                                 .buffer = buffer});
        assert_non_null(it);
        int value = -1;
        for (int i = 0; i < 70; i++) {
            assert_code(sil_map_next(it, &value, SIL_FOREVER), 0);
            assert_int_equal(value, 2 * i);
        }
        assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
        assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
        sil_map_iterator_destroy(it);
    }
    contract_close(executor);
}

static int next_number(void *user, void *arg)
{
    int *next = user;
    *(int *)arg = (*next)++;
    return 0;
}

static void test_map_iterator_ends_at_the_first_error(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int next = 70;
    sil_map_iterator *it =
        sil_map_iterator_create(executor, &(sil_map_options){.fn = double_or_fail_at_77,
                                                             .arg_size = sizeof(int),
                                                             .result_size = sizeof(int),
                                                             .input = next_number,
                                                             .user = &next});
    assert_non_null(it);
    int value = -1;
    for (int i = 70; i < 77; i++) {
        assert_code(sil_map_next(it, &value, SIL_FOREVER), 0);
        assert_int_equal(value, 2 * i);
    }
    assert_code(sil_map_next(it, &value, SIL_FOREVER), ERANGE);
    assert_string_equal(sil_error_message(sil_last_error()), "77 again");
    assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
    assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
    sil_map_iterator_destroy(it);
    contract_close(executor);
}

static void test_map_iterator_may_be_destroyed_early(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int yields = 0; yields < 4; yields++) {
        int next = 100;
        sil_map_iterator *it =
            sil_map_iterator_create(executor, &(sil_map_options){.fn = double_or_fail_at_77,
                                                                 .arg_size = sizeof(int),
                                                                 .result_size = sizeof(int),
                                                                 .input = next_number,
                                                                 .user = &next});
        for (int i = 0; i < yields; i++)
            assert_code(sil_map_next(it, NULL, SIL_FOREVER), 0);
        sil_map_iterator_destroy(it);
    }
    contract_finish(submit_nothing(executor));
    contract_close(executor);
}

struct numbers {
    sil_executor *executor;
    int first;
};

static int map_inside(void *arg, void *result)
{
    struct numbers *numbers = arg;
    int values[20];
    for (int i = 0; i < 20; i++)
        values[i] = numbers->first + i;
    int code = sil_map(numbers->executor, double_or_fail_at_77, values, sizeof(int), values,
                       sizeof(int), 20);
    for (int i = 0; i < 20; i++)
        *(int *)result += values[i];
    return code;
}

static void test_tasks_may_map(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *futures[4];
    for (int i = 0; i < 4; i++) {
        struct numbers numbers = {executor, 100};
        futures[i] = sil_submit(executor, map_inside, &numbers, sizeof numbers, sizeof(int));
    }
    for (int i = 0; i < 4; i++) {
        int sum = 0;
        assert_code(sil_take(futures[i], &sum, SIL_FOREVER), 0);
        assert_int_equal(sum, 2 * (20 * 100 + 190));
    }
    contract_close(executor);
}

const struct contract_test contract_map[] = {
    PROMISE(test_map_fills_every_result, TAKES_ALL),
    PROMISE(test_map_stops_at_the_first_error, TAKES_ALL),
    PROMISE(test_map_of_very_many, TAKES_ALL),
    PROMISE(test_map_of_items_of_an_odd_size, TAKES_ALL),
    PROMISE(test_map_without_results, TAKES_ALL),
    PROMISE(test_map_after_shutdown_is_refused, 0),
    PROMISE(test_map_iterator_yields_in_order, 0),
    PROMISE(test_map_iterator_ends_at_the_first_error, 0),
    PROMISE(test_map_iterator_may_be_destroyed_early, 0),
    PROMISE(test_tasks_may_map, SHARES_MEMORY | TAKES_ALL | AWAITS_OWN),
    {0},
};
