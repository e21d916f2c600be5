/* SPDX-License-Identifier: MIT */
/*
 * Fork: in a forked child a pool of the parent's gives SIL_EFORKED, never a hang; a pool of the
 * child's own works. The child reports by its exit status, which is the number of the line that
 * went wrong.
 */
#include <stdlib.h>

#include "contract.h"
#include "support/child.h"

struct family {
    sil_executor *executor;
    sil_future *running;
    sil_future *pending;
    sil_future *finished;
};

static int use_parents_executor(void *arg)
{
    struct family *family = arg;
    CHECK(sil_take(submit_int(family->executor, task_int, 1), NULL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_executor_shutdown(family->executor, true, SIL_FOREVER) == SIL_EFORKED);
    sil_future *futures[2] = {NULL};
    CHECK(sil_submit_many(family->executor, NULL, task_nothing, NULL, 0, 0, 2, futures) ==
          SIL_EFORKED);
    CHECK(sil_take(futures[0], NULL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_take(futures[1], NULL, SIL_FOREVER) == SIL_EFORKED);
    int value = 1;
    CHECK(sil_map(family->executor, task_int, &value, sizeof value, &value, sizeof value, 1) ==
          SIL_EFORKED);
    CHECK(sil_executor_close(family->executor) == SIL_EFORKED);
    return 0;
}

static int await_parents_futures(void *arg)
{
    struct family *family = arg;
    CHECK(sil_await(family->running, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_await(family->pending, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_await(family->pending, sil_in(TEST_PATIENCE)) == SIL_EFORKED);
    CHECK(sil_wait(&family->pending, 1, SIL_ALL_COMPLETED, SIL_FOREVER, NULL) == SIL_EFORKED);
    sil_as_completed *it = sil_as_completed_create(&family->pending, 1);
    sil_future *future = NULL;
    CHECK(it != NULL && sil_as_completed_next(it, &future, SIL_FOREVER) == SIL_EFORKED);
    sil_as_completed_destroy(it);
    CHECK(sil_take(family->pending, NULL, SIL_FOREVER) == SIL_EFORKED);
    return 0;
}

static int read_parents_finished_future(void *arg)
{
    struct family *family = arg;
    int value = 0;
    CHECK(sil_await(family->finished, SIL_FOREVER) == 0);
    CHECK(sil_take(family->finished, &value, SIL_FOREVER) == 0);
    CHECK(value == 16);
    return 0;
}

static int use_own_executor(void *arg)
{
    (void)arg;
    sil_executor *executor = contract_engine()->create();
    CHECK(executor != NULL);
    for (int i = 0; i < 20; i++) {
        int value = 0;
        CHECK(sil_take(submit_int(executor, task_square, i), &value, SIL_FOREVER) == 0);
        CHECK(value == i * i);
    }
    CHECK(sil_executor_close(executor) == 0);
    return 0;
}

/* Forks at a moment when one task runs, one is pending and one has finished. */
static void in_a_child(int (*fn)(void *arg))
{
    struct family family = {.executor = contract_create()};
    family.finished = submit_int(family.executor, task_square, 4);
    assert_code(sil_await(family.finished, SIL_FOREVER), 0);
    struct occupied occupied;
    contract_occupy(&occupied, family.executor);
    family.running = occupied.futures[0];
    family.pending = submit_int(family.executor, task_square, 5);
    int failed_line = child_run(fn, &family);
    assert_int_equal(failed_line, 0);

    contract_free(&occupied);
    int value = 0;
    assert_code(sil_take(family.pending, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 25);
    sil_future_release(family.finished);
    contract_close(family.executor);
}

static void test_parents_executor_is_refused_in_the_child(void **state)
{
    (void)state;
    in_a_child(use_parents_executor);
}

static void test_parents_unfinished_futures_are_refused_in_the_child(void **state)
{
    (void)state;
    in_a_child(await_parents_futures);
}

static void test_parents_finished_futures_are_readable_in_the_child(void **state)
{
    (void)state;
    in_a_child(read_parents_finished_future);
}

static void test_child_may_make_its_own_executor(void **state)
{
    (void)state;
#ifdef TEST_TSAN
    skip(); /* it cannot tell the child's threads from those of the parent */
#endif
    in_a_child(use_own_executor);
}

static void test_child_of_a_program_without_workers_may_use_executors(void **state)
{
    (void)state;
    assert_int_equal(child_run(use_own_executor, NULL), 0);
}

/* In a child forked by a task: the task's own executor is not there any more. */
static int use_from_inside(void *arg)
{
    sil_executor *executor = arg;
    sil_future *child = submit_int(executor, task_int, 1);
    CHECK(sil_await(child, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_take(child, NULL, SIL_NOW) == SIL_EFORKED);
    return 0;
}

static int await_from_inside(void *arg)
{
    /* another worker may have run it a moment before the fork */
    CHECK(sil_future_done(arg) || sil_await(arg, SIL_FOREVER) == SIL_EFORKED);
    return 0;
}

/* result: the line that went wrong in a child, or 0. */
static int fork_inside(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    int *failed_line = result;
    sil_future *pending = submit_int(executor, task_int, 1);
    *failed_line = child_run(await_from_inside, pending);
    if (*failed_line == 0)
        *failed_line = child_run(use_from_inside, executor);
    return sil_take(pending, NULL, SIL_FOREVER);
}

static void test_task_may_fork(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int failed_line = -1;
    sil_future *future =
        sil_submit(executor, fork_inside, &executor, sizeof executor, sizeof failed_line);
    assert_code(sil_take(future, &failed_line, SIL_FOREVER), 0);
    assert_int_equal(failed_line, 0);
    contract_close(executor);
}

const struct contract_test contract_fork[] = {
    PROMISE(test_parents_executor_is_refused_in_the_child, ASYNCHRONOUS),
    PROMISE(test_parents_unfinished_futures_are_refused_in_the_child, ASYNCHRONOUS),
    PROMISE(test_parents_finished_futures_are_readable_in_the_child, ASYNCHRONOUS),
    PROMISE(test_child_may_make_its_own_executor, ASYNCHRONOUS),
    PROMISE(test_task_may_fork, ASYNCHRONOUS | SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_child_of_a_program_without_workers_may_use_executors, 0),
    {0},
};
