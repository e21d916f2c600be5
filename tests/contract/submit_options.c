/* SPDX-License-Identifier: MIT */
/*
 * Options of a submit: name, priority, deadline; and many at once.
 */
#include <string.h>

#include "contract.h"

static int tell_name(void *arg, void *result)
{
    (void)arg;
    (void)strncpy(result, sil_current_name(), 63);
    return 0;
}

static void test_name_is_copied_and_seen_by_the_task(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    char name[] = "decode";
    sil_future *future =
        sil_submit_with(executor, &(sil_submit_options){.name = name}, tell_name, NULL, 0, 64);
    name[0] = 'X';
    assert_string_equal(sil_future_name(future), "decode");
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_string_equal(sil_future_result(future, NULL), "decode");
    assert_string_equal(sil_future_name(future), "decode");
    sil_future_release(future);
    contract_close(executor);
}

static void test_task_without_a_name_has_its_threads(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = sil_submit_with(executor, NULL, tell_name, NULL, 0, 64);
    assert_null(sil_future_name(future));
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_string_not_equal(sil_future_result(future, NULL), "");
    sil_future_release(future);
    contract_close(executor);
}

struct log {
    size_t used;
    char letters[16];
};

struct note {
    struct log *log;
    char letter;
};

static int write_note(void *arg, void *result)
{
    (void)result;
    struct note *note = arg;
    note->log->letters[note->log->used++] = note->letter;
    return 0;
}

/* The one worker alone writes to the log. */
static void test_priorities_then_order_of_submits(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    static const sil_priority priorities[] = {SIL_PRIORITY_LOW, SIL_PRIORITY_NORMAL,
                                              SIL_PRIORITY_HIGH};
    struct log *log = contract_shared(sizeof *log);
    sil_future *futures[6];
    for (size_t i = 0; i < 6; i++) {
        struct note note = {log, (char)('a' + (char)i)};
        futures[i] = sil_submit_with(executor, &(sil_submit_options){.priority = priorities[i % 3]},
                                     write_note, &note, sizeof note, 0);
    }
    contract_free(&occupied);
    for (size_t i = 0; i < 6; i++)
        contract_finish(futures[i]);
    assert_string_equal(log->letters, "cfbead");
    contract_close(executor);
}

static void test_every_priority_runs(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int priority = SIL_PRIORITY_LOW; priority <= SIL_PRIORITY_HIGH; priority++) {
        sil_submit_options options = {.priority = (sil_priority)priority};
        contract_finish(sil_submit_with(executor, &options, task_nothing, NULL, 0, 0));
    }
    contract_close(executor);
}

static sil_future *count_until(sil_executor *executor, atomic_uint *count, sil_deadline deadline)
{
    return sil_submit_with(executor, &(sil_submit_options){.deadline = deadline}, task_count,
                           &count, sizeof count, 0);
}

static void test_task_past_its_deadline_never_runs(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint *count = contract_count();
    sil_future *future = count_until(executor, count, sil_clock() - 1);
    assert_code(sil_await(future, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_code(sil_error_code(sil_future_error(future)), SIL_ETIMEDOUT);
    sil_future_release(future);
    contract_close(executor);
    assert_int_equal(*count, 0);
}

static void test_task_whose_deadline_passes_while_pending_never_runs(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_deadline deadline = sil_in(0.02);
    sil_future *late = count_until(executor, count, deadline);
    sil_future *early = count_until(executor, count, sil_in(TEST_PATIENCE));
    eventually(sil_clock() > deadline);
    contract_free(&occupied);
    assert_code(sil_take(late, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_code(sil_take(early, NULL, SIL_FOREVER), 0);
    contract_close(executor);
    assert_int_equal(*count, 1);
}

static void test_running_task_sees_its_deadline(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_submit_options options = {.deadline = sil_in(0.05)};
    sil_future *future = sil_submit_with(executor, &options, task_until_cancelled, NULL, 0, 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= options.deadline);
    contract_close(executor);
}

static void test_running_task_sees_its_timeout(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_submit_options options = {.timeout = 0.05};
    sil_deadline earliest = sil_in(0.04);
    sil_future *future = sil_submit_with(executor, &options, task_until_cancelled, NULL, 0, 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= earliest);
    contract_finish(sil_submit_with(executor, &options, task_nothing, NULL, 0, 0));
    contract_close(executor);
}

static void test_submit_many_runs_each(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    enum { MANY = 200 };
    int args[MANY];
    sil_future *futures[MANY] = {NULL};
    for (int i = 0; i < MANY; i++)
        args[i] = i;
    assert_code(sil_submit_many(executor, &(sil_submit_options){.name = "many"}, task_square, args,
                                sizeof(int), sizeof(int), MANY, futures),
                0);
    for (int i = 0; i < MANY; i++) {
        int value = 0;
        assert_string_equal(sil_future_name(futures[i]), "many");
        assert_code(sil_take(futures[i], &value, SIL_FOREVER), 0);
        assert_int_equal(value, i * i);
    }
    contract_close(executor);
}

static void test_submit_many_of_none_and_of_no_arguments(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *futures[3] = {NULL};
    assert_code(sil_submit_many(executor, NULL, task_int, NULL, 4, 4, 0, futures), 0);
    assert_null(futures[0]);
    assert_code(sil_submit_many(executor, NULL, task_nothing, NULL, 0, 0, 3, futures), 0);
    for (int i = 0; i < 3; i++)
        contract_finish(futures[i]);
    contract_close(executor);
}

static void test_submit_many_after_shutdown_gives_failed_futures(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    sil_future *futures[3] = {NULL};
    assert_code(sil_submit_many(executor, NULL, task_nothing, NULL, 0, 0, 3, futures),
                SIL_ESHUTDOWN);
    for (int i = 0; i < 3; i++) {
        assert_non_null(futures[i]);
        assert_code(sil_take(futures[i], NULL, SIL_NOW), SIL_ESHUTDOWN);
    }
    contract_close(executor);
}

const struct contract_test contract_submit_options[] = {
    PROMISE(test_name_is_copied_and_seen_by_the_task, 0),
    PROMISE(test_task_without_a_name_has_its_threads, 0),
    PROMISE(test_priorities_then_order_of_submits, ASYNCHRONOUS | ONE_WORKER),
    PROMISE(test_every_priority_runs, 0),
    PROMISE(test_task_past_its_deadline_never_runs, 0),
    PROMISE(test_task_whose_deadline_passes_while_pending_never_runs, ASYNCHRONOUS),
    PROMISE(test_running_task_sees_its_deadline, 0),
    PROMISE(test_running_task_sees_its_timeout, 0),
    PROMISE(test_submit_many_runs_each, TAKES_ALL),
    PROMISE(test_submit_many_of_none_and_of_no_arguments, 0),
    PROMISE(test_submit_many_after_shutdown_gives_failed_futures, 0),
    {0},
};
