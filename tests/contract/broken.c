/* SPDX-License-Identifier: MIT */
/*
 * Failure of the engine itself: an executor whose workers cannot start fails its tasks with a
 * clear error, and nothing hangs.
 */
#include "contract.h"

static sil_executor *create_broken(void)
{
    sil_executor *executor = contract_engine()->create_broken();
    assert_non_null(executor);
    return executor;
}

static void test_tasks_of_a_broken_executor_fail(void **state)
{
    (void)state;
    sil_executor *executor = create_broken();
    for (int i = 0; i < 5; i++) {
        sil_future *future = submit_int(executor, task_int, i);
        assert_code(sil_await(future, SIL_FOREVER), SIL_EBROKEN);
        assert_string_not_equal(sil_error_message(sil_future_error(future)), "");
        sil_future_release(future);
    }
    assert_code(sil_executor_close(executor), 0);
}

static void test_what_was_queued_before_it_broke_fails_too(void **state)
{
    (void)state;
    sil_executor *executor = create_broken();
    sil_future *futures[50];
    atomic_uint called = 0;
    int args[50] = {0};
    (void)sil_submit_many(executor, NULL, task_int, args, sizeof(int), sizeof(int), 50, futures);
    for (int i = 0; i < 50; i++)
        assert_code(sil_future_add_done_callback(futures[i], count_done, &called), 0);
    for (int i = 0; i < 50; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    assert_code(sil_executor_close(executor), 0);
    assert_int_equal(called, 50);
}

static void test_waiting_and_mapping_on_a_broken_executor_do_not_hang(void **state)
{
    (void)state;
    sil_executor *executor = create_broken();
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = submit_int(executor, task_int, i);
    assert_code(sil_wait(futures, 3, SIL_ALL_COMPLETED, SIL_FOREVER, NULL), 0);
    for (int i = 0; i < 3; i++)
        sil_future_release(futures[i]);
    int args[10] = {0};
    assert_code(sil_map(executor, task_int, args, sizeof(int), args, sizeof(int), 10), SIL_EBROKEN);
    sil_map_iterator *it =
        sil_map_iterator_create(executor, &(sil_map_options){.fn = task_int,
                                                             .arg_size = sizeof(int),
                                                             .result_size = sizeof(int),
                                                             .args = args,
                                                             .count = 10});
    assert_non_null(it);
    assert_code(sil_map_next(it, NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_code(sil_map_next(it, NULL, SIL_FOREVER), SIL_EEND);
    sil_map_iterator_destroy(it);
    assert_code(sil_executor_close(executor), 0);
}

const struct contract_test contract_broken[] = {
    PROMISE(test_tasks_of_a_broken_executor_fail, CAN_BREAK),
    PROMISE(test_what_was_queued_before_it_broke_fails_too, CAN_BREAK),
    PROMISE(test_waiting_and_mapping_on_a_broken_executor_do_not_hang, CAN_BREAK),
    {0},
};
