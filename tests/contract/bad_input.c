/* SPDX-License-Identifier: MIT */
/*
 * Bad input: clear codes, no crash, whatever is handed over.
 */
#include <math.h>

#include "contract.h"

static void test_submit_of_null_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    assert_code(sil_take(sil_submit(NULL, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER),
                SIL_EINVAL);
    assert_code(sil_take(sil_submit(executor, NULL, NULL, 0, 0), NULL, SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_take(sil_submit(executor, task_nothing, NULL, 8, 0), NULL, SIL_FOREVER),
                SIL_EINVAL);
    assert_code(sil_take(sil_submit_with(NULL, NULL, NULL, NULL, 0, 0), NULL, SIL_FOREVER),
                SIL_EINVAL);
    sil_future *future = sil_submit(NULL, NULL, NULL, 0, 0);
    assert_non_null(future);
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    assert_string_not_equal(sil_error_message(sil_future_error(future)), "");
    sil_future_release(future);
    contract_close(executor);
}

static void test_submit_of_absurd_sizes_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const size_t sizes[] = {SIZE_MAX,      SIZE_MAX - 1,    SIZE_MAX - 15,
                                   SIZE_MAX - 64, SIZE_MAX - 4096, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_code(
            sil_take(sil_submit(executor, task_nothing, "x", sizes[i], 0), NULL, SIL_FOREVER),
            SIL_EINVAL);
        assert_code(
            sil_take(sil_submit(executor, task_nothing, NULL, 0, sizes[i]), NULL, SIL_FOREVER),
            SIL_EINVAL);
        assert_code(sil_take(sil_submit(executor, task_nothing, "x", sizes[i], sizes[i]), NULL,
                             SIL_FOREVER),
                    SIL_EINVAL);
    }
    contract_close(executor);
}

static void test_submit_with_odd_options_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    const sil_submit_options bad[] = {
        {.priority = (sil_priority)7},
        {.priority = (sil_priority)-2},
        {.deadline = -1},
        {.timeout = -1},
        {.timeout = NAN},
        {.reserved = 1},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_code(sil_take(sil_submit_with(executor, &bad[i], task_nothing, NULL, 0, 0), NULL,
                             SIL_FOREVER),
                    SIL_EINVAL);
    contract_close(executor);
}

static void test_submit_many_of_nonsense_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *futures[2] = {NULL, NULL};
    int args[2] = {0};
    assert_code(sil_submit_many(executor, NULL, task_int, args, 4, 4, 2, NULL), SIL_EINVAL);
    assert_code(sil_submit_many(NULL, NULL, task_int, args, 4, 4, 2, futures), SIL_EINVAL);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_submit_many(executor, NULL, NULL, args, 4, 4, 2, futures), SIL_EINVAL);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_submit_many(executor, NULL, task_int, NULL, 4, 4, 2, futures), SIL_EINVAL);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), SIL_EINVAL);
    contract_close(executor);
}

static void test_executor_functions_refuse_null(void **state)
{
    (void)state;
    sil_executor_stats stats;
    assert_code(sil_executor_shutdown(NULL, false, SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_executor_stats_get(NULL, &stats), SIL_EINVAL);
    assert_string_equal(sil_executor_kind(NULL), "");
    assert_int_equal(sil_executor_workers(NULL), 0);
    sil_executor *executor = contract_create();
    assert_code(sil_executor_stats_get(executor, NULL), SIL_EINVAL);
    assert_string_not_equal(sil_executor_kind(executor), "");
    assert_true(sil_executor_workers(executor) >= 1);
    contract_close(executor);
}

static void test_map_of_nonsense_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int args[2] = {0};
    assert_code(sil_map(NULL, task_int, args, 4, args, 4, 2), SIL_EINVAL);
    assert_code(sil_map(executor, NULL, args, 4, args, 4, 2), SIL_EINVAL);
    assert_code(sil_map(executor, task_int, NULL, 4, args, 4, 2), SIL_EINVAL);
    assert_code(sil_map(executor, task_int, args, 4, NULL, 4, 2), SIL_EINVAL);
    assert_code(sil_map(executor, task_int, args, SIZE_MAX / 2, args, 4, 4), SIL_EINVAL);
    assert_code(sil_map(executor, task_int, args, 4, args, 4, SIZE_MAX), SIL_EINVAL);
    contract_close(executor);
}

static int fail_to_result(void *arg, void *result)
{
    (void)arg;
    int *codes = result;
    codes[0] = sil_result_alloc(SIZE_MAX) == NULL ? sil_error_code(sil_last_error()) : 0;
    return 0;
}

static void test_absurd_result_size_is_refused_and_the_task_goes_on(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int code = 0;
    sil_future *future = sil_submit(executor, fail_to_result, NULL, 0, sizeof code);
    assert_code(sil_take(future, &code, SIL_FOREVER), 0);
    assert_code(code, SIL_EINVAL);
    contract_close(executor);
}

const struct contract_test contract_bad_input[] = {
    PROMISE(test_submit_of_null_fails, 0),
    PROMISE(test_submit_of_absurd_sizes_fails, 0),
    PROMISE(test_submit_with_odd_options_fails, 0),
    PROMISE(test_submit_many_of_nonsense_fails, 0),
    PROMISE(test_executor_functions_refuse_null, 0),
    PROMISE(test_map_of_nonsense_fails, 0),
    PROMISE(test_absurd_result_size_is_refused_and_the_task_goes_on, 0),
    {0},
};
