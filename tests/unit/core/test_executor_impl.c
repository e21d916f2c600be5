/* SPDX-License-Identifier: MIT */
/*
 * executor_impl.h for engines whose tasks run far away: the engine here starts a task, runs its
 * function on copies of the bytes, and finishes it with what came back. (tests/contract has an
 * engine that runs tasks where their submitter's memory is.)
 */
#include <sillon/executor_impl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/sillon.h>

#include "support/tasks.h"
#include "support/test.h"

/* Holds tasks back until the test lets them go; one thread only. */
struct far {
    sil_executor base;
    sil_future *held[32];
    size_t count;
    bool at_once;    /* runs each task when it is submitted */
    bool give_value; /* hands the result over as bytes, not in place */
};

static void *copy_of(const void *from, size_t size)
{
    void *copy = size > 0 ? malloc(size) : NULL;
    return size > 0 ? memcpy(copy, from, size) : NULL;
}

static void run_far_away(struct far *far, sil_future *task)
{
    if (!sil_task_start(task))
        return;
    size_t arg_size = 0;
    size_t result_size = 0;
    const void *arg_here = sil_task_arg(task, &arg_size);
    const void *result_here = sil_task_result(task, &result_size);
    void *arg = copy_of(arg_here, arg_size);
    void *result = copy_of(result_here, result_size);
    int code = sil_task_function(task)(arg, result);
    if (far->give_value) {
        sil_task_finish(task, code, result, result_size);
    } else {
        if (result_size > 0)
            (void)memcpy(sil_task_result(task, NULL), result, result_size);
        sil_task_finish(task, code, NULL, 0);
    }
    free(arg);
    free(result);
}

static void far_submit(sil_executor *base, sil_future *const *tasks, size_t count)
{
    struct far *far = (struct far *)base;
    for (size_t i = 0; i < count; i++) {
        if (far->at_once) {
            run_far_away(far, tasks[i]);
            sil_future_release(tasks[i]);
        } else if (far->count == COUNT_OF(far->held)) {
            (void)sil_task_fail(tasks[i], SIL_EFULL, "%zu are held already", far->count);
            sil_future_release(tasks[i]);
        } else {
            far->held[far->count++] = tasks[i];
        }
    }
}

static void let_go(struct far *far)
{
    for (size_t i = 0; i < far->count; i++) {
        run_far_away(far, far->held[i]);
        sil_future_release(far->held[i]);
    }
    far->count = 0;
}

static int far_shutdown(sil_executor *base, bool cancel_pending, sil_deadline until)
{
    struct far *far = (struct far *)base;
    (void)until;
    for (size_t i = 0; i < far->count && cancel_pending; i++)
        (void)sil_task_cancel(far->held[i]);
    let_go(far);
    return 0;
}

static int far_close(sil_executor *base)
{
    (void)far_shutdown(base, false, SIL_FOREVER);
    sil_executor_retire(base);
    return 0;
}

static void far_stats(sil_executor *base, sil_executor_stats *out)
{
    out->pending = ((struct far *)base)->count;
}

static const sil_executor_ops far_ops = {
    .size = sizeof far_ops,
    .kind = "far",
    .shares_memory = false,
    .submit = far_submit,
    .shutdown = far_shutdown,
    .close = far_close,
    .stats = far_stats,
};

static struct far *far_create(bool at_once)
{
    struct far *far = calloc(1, sizeof *far);
    far->at_once = at_once;
    sil_executor_init(&far->base, &far_ops, 2);
    return far;
}

static void test_task_is_started_and_finished(void **state)
{
    (void)state;
    for (int give_value = 0; give_value <= 1; give_value++) {
        struct far *far = far_create(false);
        far->give_value = give_value;
        sil_future *good = submit_int(&far->base, task_square, 12);
        sil_future *bad = submit_int(&far->base, task_fail, ERANGE);
        sil_future *empty = submit_nothing(&far->base);
        assert_int_equal(sil_future_state(good), SIL_PENDING);
        let_go(far);
        int value = 0;
        assert_code(sil_take(good, &value, SIL_NOW), 0);
        assert_int_equal(value, 144);
        assert_code(sil_await(bad, SIL_NOW), ERANGE);
        assert_string_equal(sil_error_message(sil_future_error(bad)), sil_strerror(ERANGE));
        assert_code(sil_take(empty, NULL, SIL_NOW), 0);
        sil_future_release(bad);
        assert_code(sil_executor_close(&far->base), 0);
    }
}

static void test_engine_sees_what_was_submitted(void **state)
{
    (void)state;
    struct far *far = far_create(false);
    sil_submit_options options = {
        .name = "far", .priority = SIL_PRIORITY_HIGH, .deadline = sil_in(1000)};
    sil_future *future =
        sil_submit_with(&far->base, &options, task_int, &(int){7}, sizeof(int), sizeof(int));
    sil_future *task = far->held[0];
    size_t arg_size = 0;
    size_t result_size = 0;
    assert_ptr_equal(sil_task_function(task), task_int);
    assert_int_equal(*(int *)sil_task_arg(task, &arg_size), 7);
    assert_int_equal(arg_size, sizeof(int));
    assert_int_equal(*(int *)sil_task_result(task, &result_size), 0);
    assert_int_equal(result_size, sizeof(int));
    assert_int_equal(sil_task_priority(task), SIL_PRIORITY_HIGH);
    assert_true(sil_task_deadline(task) == options.deadline);
    *sil_task_next(task) = task;
    assert_ptr_equal(*sil_task_next(task), task);
    assert_string_equal(sil_future_name(task), "far");
    let_go(far);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);

    future = submit_nothing(&far->base);
    assert_null(sil_task_arg(far->held[0], &arg_size));
    assert_null(sil_task_result(far->held[0], &result_size));
    assert_int_equal(arg_size + result_size, 0);
    assert_true(sil_task_deadline(far->held[0]) == 0);
    assert_code(sil_executor_close(&far->base), 0);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);
}

static void test_value_may_have_another_size(void **state)
{
    (void)state;
    struct far *far = far_create(false);
    sil_future *future = submit_int(&far->base, task_int, 1);
    assert_true(sil_task_start(far->held[0]));
    sil_task_finish(far->held[0], 0, "longer than an int", 19);
    size_t size = 0;
    assert_string_equal(sil_future_result(future, &size), "longer than an int");
    assert_int_equal(size, 19);
    sil_future_release(future);
    assert_code(sil_executor_close(&far->base), 0);
}

static void test_task_is_started_once(void **state)
{
    (void)state;
    struct far *far = far_create(false);
    sil_future *cancelled = submit_nothing(&far->base);
    assert_code(sil_future_cancel(cancelled), 0);
    assert_false(sil_task_start(far->held[0]));
    assert_false(sil_task_run(far->held[0]));
    assert_false(sil_task_fail(far->held[0], EIO, "late"));
    assert_false(sil_task_cancel(far->held[0]));
    assert_code(sil_take(cancelled, NULL, SIL_NOW), SIL_ECANCELLED);

    sil_future *running = submit_nothing(&far->base);
    assert_true(sil_task_start(far->held[1]));
    assert_int_equal(sil_future_state(running), SIL_RUNNING);
    assert_false(sil_task_start(far->held[1]));
    assert_false(sil_task_fail(far->held[1], EIO, "late"));
    assert_false(sil_task_cancel(far->held[1]));
    assert_code(sil_future_cancel(running), SIL_EINPROGRESS);
    sil_task_finish(far->held[1], SIL_ECANCELLED, NULL, 0);
    assert_int_equal(sil_future_state(running), SIL_CANCELLED);
    sil_future_release(running);

    sil_future *failed = submit_nothing(&far->base);
    assert_true(sil_task_fail(far->held[2], EIO, "worker %d has gone", 3));
    assert_code(sil_await(failed, SIL_NOW), EIO);
    assert_string_equal(sil_error_message(sil_future_error(failed)), "worker 3 has gone");
    sil_future_release(failed);
    assert_code(sil_executor_close(&far->base), 0);
}

static void test_full_engine_and_shutdown_that_cancels(void **state)
{
    (void)state;
    struct far *far = far_create(false);
    sil_future *futures[33];
    for (int i = 0; i < 33; i++)
        futures[i] = submit_int(&far->base, task_int, i);
    assert_code(sil_take(futures[32], NULL, SIL_NOW), SIL_EFULL);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(&far->base, &stats), 0);
    assert_int_equal(stats.pending, 32);
    assert_int_equal(stats.running, 0);
    assert_code(sil_executor_shutdown(&far->base, true, SIL_FOREVER), 0);
    for (int i = 0; i < 32; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), SIL_ECANCELLED);
    assert_string_equal(sil_executor_kind(&far->base), "far");
    assert_int_equal(sil_executor_workers(&far->base), 2);
    assert_code(sil_executor_close(&far->base), 0);
}

static int twice_but_not_77(void *arg, void *result)
{
    int n = *(int *)arg;
    *(int *)result = 2 * n;
    return n == 77 ? ERANGE : 0;
}

static void test_map_copies_there_and_back(void **state)
{
    (void)state;
    struct far *far = far_create(true);
    int values[200];
    int results[200];
    for (int i = 0; i < 200; i++)
        values[i] = i;
    assert_code(
        sil_map(&far->base, twice_but_not_77, values, sizeof(int), results, sizeof(int), 77), 0);
    for (int i = 0; i < 77; i++)
        assert_int_equal(results[i], 2 * i);
    assert_code(
        sil_map(&far->base, twice_but_not_77, values, sizeof(int), results, sizeof(int), 200),
        ERANGE);
    assert_code(sil_map(&far->base, task_nothing, NULL, 0, NULL, 0, 10), 0);
    assert_code(sil_executor_close(&far->base), 0);
}

static int never(size_t begin, size_t end, void *user)
{
    (void)begin;
    (void)end;
    *(bool *)user = true;
    return 0;
}

static void never_forks(sil_lane lane, void *arg)
{
    (void)lane;
    *(bool *)arg = true;
}

static int never_follows(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    (void)result;
    return EIO;
}

static void test_what_needs_our_memory_is_refused(void **state)
{
    (void)state;
    struct far *far = far_create(true);
    bool called = false;
    assert_code(sil_parallel_for(&far->base, 0, 10, 0, never, &called), SIL_ENOTSUP);
    assert_code(sil_fork_run(&far->base, never_forks, &called), SIL_ENOTSUP);
    assert_false(called);
    sil_future *source = submit_nothing(&far->base);
    assert_code(sil_take(sil_then(source, &far->base, never_follows, NULL, 0, 0), NULL, SIL_NOW),
                SIL_ENOTSUP);
    sil_future_release(source);
    assert_code(sil_executor_close(&far->base), 0);
}

static void test_closed_engine_is_answered_for(void **state)
{
    (void)state;
    struct far *far = far_create(true);
    sil_executor *executor = &far->base;
    assert_code(sil_executor_close(executor), 0);
    assert_code(sil_executor_close(executor), SIL_ESHUTDOWN);
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_NOW), SIL_ESHUTDOWN);
    sil_executor_stats stats;
    assert_code(sil_executor_shutdown(executor, true, SIL_FOREVER), 0);
    assert_code(sil_executor_stats_get(executor, &stats), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_task_is_started_and_finished),          TEST(test_engine_sees_what_was_submitted),
        TEST(test_value_may_have_another_size),           TEST(test_task_is_started_once),
        TEST(test_full_engine_and_shutdown_that_cancels), TEST(test_map_copies_there_and_back),
        TEST(test_what_needs_our_memory_is_refused),      TEST(test_closed_engine_is_answered_for),
    };
    return test_run("engines", tests);
}
