/* SPDX-License-Identifier: MIT */
/*
 * Submit: from anywhere; arguments and results are bytes, copied.
 */
#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

static void test_submit_copies_the_argument(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int number = 7;
    sil_future *future = sil_submit(executor, task_int, &number, sizeof number, sizeof number);
    number = 8;
    int value = 0;
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 7);
    contract_close(executor);
}

static int scribble(void *arg, void *result)
{
    int *number = arg;
    *number += 1;
    *(int *)result = *number;
    return 0;
}

static void test_task_may_write_to_its_argument(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int number = 7;
    int value = 0;
    sil_future *future = sil_submit(executor, scribble, &number, sizeof number, sizeof value);
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 8);
    assert_int_equal(number, 7);
    contract_close(executor);
}

struct seen {
    bool arg_is_null;
    bool result_is_null;
    bool result_is_zero;
    bool arg_is_aligned;
    bool result_is_aligned;
};

static int look(void *arg, void *result)
{
    struct seen *seen = result;
    bool zero = true;
    for (size_t i = 0; i < sizeof *seen; i++)
        zero = zero && ((const unsigned char *)result)[i] == 0;
    *seen = (struct seen){.arg_is_null = arg == NULL,
                          .result_is_zero = zero,
                          .arg_is_aligned = (uintptr_t)arg % alignof(max_align_t) == 0,
                          .result_is_aligned = (uintptr_t)result % alignof(max_align_t) == 0};
    return 0;
}

static void test_result_starts_as_zeros_and_is_aligned(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    char bytes[40] = "any";
    for (size_t arg_size = 0; arg_size <= sizeof bytes; arg_size++) {
        struct seen seen = {0};
        sil_future *future = sil_submit(executor, look, bytes, arg_size, sizeof seen);
        assert_code(sil_take(future, &seen, SIL_FOREVER), 0);
        assert_int_equal(seen.arg_is_null, arg_size == 0);
        assert_true(seen.result_is_zero);
        assert_true(seen.arg_is_aligned);
        assert_true(seen.result_is_aligned);
    }
    contract_close(executor);
}

static int want_no_result(void *arg, void *result)
{
    return arg == NULL && result == NULL ? 0 : EINVAL;
}

static void test_sizes_of_zero_give_null(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_future *future = sil_submit(executor, want_no_result, NULL, 0, 0);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    size_t size = 9;
    assert_null(sil_future_result(future, &size));
    assert_int_equal(size, 0);
    sil_future_release(future);
    contract_close(executor);
}

enum { LARGE = 300000 };

static int reverse(void *arg, void *result)
{
    const unsigned char *from = arg;
    unsigned char *to = result;
    for (size_t i = 0; i < LARGE; i++)
        to[i] = from[LARGE - 1 - i];
    return 0;
}

static void test_large_arguments_and_results_arrive_whole(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    unsigned char *from = malloc(LARGE);
    unsigned char *to = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        from[i] = (unsigned char)(i * 31 >> 3);
    assert_code(sil_take(sil_submit(executor, reverse, from, LARGE, LARGE), to, SIL_FOREVER), 0);
    size_t wrong = 0;
    for (size_t i = 0; i < LARGE; i++)
        wrong += to[i] != from[LARGE - 1 - i];
    assert_int_equal(wrong, 0);
    free(from);
    free(to);
    contract_close(executor);
}

static int result_of_own_size(void *arg, void *result)
{
    (void)result;
    size_t size = *(size_t *)arg;
    unsigned char *block = sil_result_alloc(size);
    if (block == NULL)
        return sil_error_code(sil_last_error());
    if ((uintptr_t)block % alignof(max_align_t) != 0)
        return EFAULT;
    for (size_t i = 0; i < size; i++) {
        if (block[i] != 0)
            return EIO;
        block[i] = (unsigned char)i;
    }
    return 0;
}

static void test_result_may_have_a_size_only_the_task_knows(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (size_t size = 1; size < 100000; size = size * 7 + 3) {
        sil_future *future = sil_submit(executor, result_of_own_size, &size, sizeof size, 4);
        assert_code(sil_await(future, SIL_FOREVER), 0);
        size_t got = 0;
        const unsigned char *bytes = sil_future_result(future, &got);
        assert_int_equal(got, size);
        for (size_t i = 0; i < size; i++)
            if (bytes[i] != (unsigned char)i)
                fail_msg("byte %zu of %zu is wrong", i, size);
        sil_future_release(future);
    }
    contract_close(executor);
}

/* A task that submits to its own executor and awaits its child. */
static int parent(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    return sil_take(submit_int(executor, task_square, 9), result, SIL_FOREVER);
}

static void test_tasks_may_submit_and_await(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int value = 0;
    sil_future *future = sil_submit(executor, parent, &executor, sizeof executor, sizeof value);
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 81);
    contract_close(executor);
}

struct tree {
    sil_executor *executor;
    int depth;
};

static int grow(void *arg, void *result)
{
    struct tree *tree = arg;
    int *leaves = result;
    if (tree->depth == 0) {
        *leaves = 1;
        return 0;
    }
    struct tree below = {tree->executor, tree->depth - 1};
    sil_future *left = sil_submit(tree->executor, grow, &below, sizeof below, sizeof(int));
    sil_future *right = sil_submit(tree->executor, grow, &below, sizeof below, sizeof(int));
    int values[2] = {0};
    int code = sil_take(left, &values[0], SIL_FOREVER);
    int other_code = sil_take(right, &values[1], SIL_FOREVER);
    *leaves = values[0] + values[1];
    return code != 0 ? code : other_code;
}

static void test_tree_of_tasks_finishes(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct tree tree = {executor, 8};
    int leaves = 0;
    sil_future *future = sil_submit(executor, grow, &tree, sizeof tree, sizeof leaves);
    assert_code(sil_take(future, &leaves, SIL_FOREVER), 0);
    assert_int_equal(leaves, 256);
    contract_close(executor);
}

struct from_callback {
    sil_executor *executor;
    struct latch latch;
    int code;
    int value;
};

static void submit_more(sil_future *future, void *user)
{
    (void)future;
    struct from_callback *seen = user;
    seen->code = sil_take(submit_int(seen->executor, task_square, 5), &seen->value, SIL_FOREVER);
    latch_down(&seen->latch);
}

static void test_callbacks_may_submit_and_await(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    struct from_callback seen = {.executor = executor, .code = -1};
    latch_init(&seen.latch, 1);
    if ((contract_engine()->capabilities & ASYNCHRONOUS) == 0)
        gate_open(gate);
    sil_future *future = submit_gate(executor, gate);
    assert_code(sil_future_add_done_callback(future, submit_more, &seen), 0);
    gate_open(gate);
    latch_wait(&seen.latch);
    assert_code(seen.code, 0);
    assert_int_equal(seen.value, 25);
    sil_future_release(future);
    contract_close(executor);
    latch_fini(&seen.latch);
}

enum { SUBMITTERS = 4, SUBMITS = 100 };

struct submitter {
    sil_executor *executor;
    int sum;
    int failures;
};

static void *submit_some(void *arg)
{
    struct submitter *submitter = arg;
    sil_future *futures[SUBMITS];
    for (int i = 0; i < SUBMITS; i++)
        futures[i] = submit_int(submitter->executor, task_int, i);
    for (int i = 0; i < SUBMITS; i++) {
        int value = 0;
        submitter->failures += sil_take(futures[i], &value, SIL_FOREVER) != 0;
        submitter->sum += value;
    }
    return NULL;
}

static void test_submit_from_several_threads(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    pthread_t threads[SUBMITTERS];
    struct submitter submitters[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){.executor = executor};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_some, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < SUBMITTERS; i++) {
        assert_int_equal(submitters[i].failures, 0);
        assert_int_equal(submitters[i].sum, SUBMITS * (SUBMITS - 1) / 2);
    }
    contract_close(executor);
}

static void test_two_tasks_run_at_the_same_time(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    sil_future *one = submit_gate(executor, gate);
    sil_future *other = submit_gate(executor, gate);
    gate_wait_for_arrivals(gate, 2);
    gate_open(gate);
    contract_finish(one);
    contract_finish(other);
    contract_close(executor);
}

const struct contract_test contract_submit[] = {
    PROMISE(test_submit_copies_the_argument, 0),
    PROMISE(test_task_may_write_to_its_argument, 0),
    PROMISE(test_result_starts_as_zeros_and_is_aligned, 0),
    PROMISE(test_sizes_of_zero_give_null, 0),
    PROMISE(test_large_arguments_and_results_arrive_whole, 0),
    PROMISE(test_result_may_have_a_size_only_the_task_knows, 0),
    PROMISE(test_tasks_may_submit_and_await, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_tree_of_tasks_finishes, SHARES_MEMORY | TAKES_ALL | AWAITS_OWN),
    PROMISE(test_callbacks_may_submit_and_await, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_submit_from_several_threads, TAKES_ALL),
    PROMISE(test_two_tasks_run_at_the_same_time, PARALLEL),
    {0},
};
