/* SPDX-License-Identifier: MIT */
/*
 * Post: the function runs once with its copy of the argument, and nobody hears of it again. In
 * which order, and what happens where there is no room, is in post_queue.c; what it may do while
 * it runs, in post_inside.c.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include "contract.h"
#include "support/child.h"

static int post_count(sil_executor *executor, atomic_uint *count)
{
    return sil_post(executor, task_count, &count, sizeof count);
}

/* --- the argument -------------------------------------------------------------------------- */

enum { LARGEST = 5000 };

/* What a task without room for a pointer in its argument saw; lies on the board. */
struct seen {
    size_t size; /**< of its argument */
    atomic_uint calls;
    bool wrong_bytes;
    bool unaligned;
    bool wrong_null;
    bool has_result;
};

static struct seen *look_again(size_t size)
{
    struct seen *seen = contract_board();
    (void)memset((void *)seen, 0, sizeof *seen);
    seen->size = size;
    return seen;
}

static unsigned char byte_at(size_t index)
{
    return (unsigned char)(index * 7 + 3);
}

static int see_argument(void *arg, void *result)
{
    struct seen *seen = contract_board();
    unsigned char *bytes = arg;
    seen->wrong_null = (arg == NULL) != (seen->size == 0);
    seen->has_result = result != NULL;
    seen->unaligned = (uintptr_t)arg % alignof(max_align_t) != 0;
    for (size_t i = 0; arg != NULL && i < seen->size; i++) {
        seen->wrong_bytes |= bytes[i] != byte_at(i);
        bytes[i] = 0; /* its own copy: it may */
    }
    (void)atomic_fetch_add(&seen->calls, 1);
    return 0;
}

static void check_argument(size_t size)
{
    static unsigned char arg[LARGEST];
    sil_executor *executor = contract_create();
    struct seen *seen = look_again(size);
    for (size_t i = 0; i < size; i++)
        arg[i] = byte_at(i);
    assert_code(sil_post(executor, see_argument, size > 0 ? arg : NULL, size), 0);
    (void)memset(arg, 0xff, sizeof arg); /* it was copied */
    contract_close(executor);
    assert_int_equal(seen->calls, 1);
    assert_false(seen->wrong_null);
    assert_false(seen->wrong_bytes);
    assert_false(seen->unaligned);
    assert_false(seen->has_result);
}

static void test_post_runs_once_with_a_copy_of_the_argument(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 100, 256, 1000, LARGEST};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_argument(sizes[i]);
}

static void test_argument_without_size_is_not_looked_at(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct seen *seen = look_again(0);
    assert_code(sil_post(executor, see_argument, "any", 0), 0);
    contract_close(executor);
    assert_int_equal(seen->calls, 1);
    assert_false(seen->wrong_null);
}

static void test_code_of_a_posted_task_is_dropped(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const int codes[] = {5, SIL_ECANCELLED, SIL_ESHUTDOWN, SIL_ENOMEM, -1};
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        assert_code(sil_post(executor, task_fail, &codes[i], sizeof codes[i]), 0);
    contract_close(executor);
}

/* --- many: how often each element was run is counted on the board --------------------------- */

enum { MANY = 1000 };

struct element {
    unsigned index;
    unsigned char filling[44]; /**< too large for a word */
};

static int run_element(void *arg, void *result)
{
    (void)result;
    atomic_uint *runs = contract_board();
    (void)atomic_fetch_add(&runs[*(unsigned *)arg % MANY], 1);
    return 0;
}

static void check_many(size_t size, size_t count)
{
    static unsigned char args[MANY * sizeof(struct element)];
    atomic_uint *runs = contract_board();
    sil_executor *executor = contract_create();
    for (unsigned i = 0; i < MANY; i++) {
        runs[i] = 0;
        (void)memcpy(args + i * size, &i, sizeof i);
    }
    assert_code(sil_post_many(executor, run_element, args, size, count), 0);
    (void)memset(args, 0xff, sizeof args);
    contract_close(executor);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(runs[i], i < count ? 1 : 0);
}

static void test_post_many_runs_each_element_once(void **state)
{
    (void)state;
    for (size_t count = 0; count <= CONTRACT_BOUND; count++) {
        check_many(sizeof(unsigned), count);
        check_many(sizeof(struct element), count);
    }
}

static void test_post_many_of_more_than_a_handful(void **state)
{
    (void)state;
    static const size_t counts[] = {63, 64, 65, 128, 129, MANY};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        check_many(sizeof(unsigned), counts[i]);
        check_many(sizeof(struct element), counts[i]);
    }
}

static int count_call(void *arg, void *result)
{
    (void)arg;
    (void)result;
    struct seen *seen = contract_board();
    (void)atomic_fetch_add(&seen->calls, 1);
    return 0;
}

static void test_post_many_without_arguments(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct seen *seen = look_again(0);
    assert_code(sil_post_many(executor, count_call, NULL, 0, CONTRACT_BOUND), 0);
    assert_code(sil_post_many(executor, count_call, NULL, 0, 0), 0);
    contract_close(executor);
    assert_int_equal(seen->calls, CONTRACT_BOUND);
}

/* --- refused ------------------------------------------------------------------------------- */

static void assert_refused(int code, int expected)
{
    assert_code(code, expected);
    assert_code(sil_error_code(sil_last_error()), expected);
    assert_string_not_equal(sil_error_message(sil_last_error()), "");
}

static void test_post_of_nonsense_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2 + 1};
    struct seen *seen = look_again(0);
    assert_refused(sil_post(NULL, count_call, NULL, 0), SIL_EINVAL);
    assert_refused(sil_post(executor, NULL, NULL, 0), SIL_EINVAL);
    assert_refused(sil_post(executor, count_call, NULL, 8), SIL_EINVAL);
    assert_refused(sil_post_many(NULL, count_call, NULL, 0, 2), SIL_EINVAL);
    assert_refused(sil_post_many(executor, NULL, NULL, 0, 2), SIL_EINVAL);
    assert_refused(sil_post_many(executor, count_call, NULL, 8, 2), SIL_EINVAL);
    assert_refused(sil_post_many(executor, count_call, NULL, 0, SIZE_MAX), SIL_EINVAL);
    assert_refused(sil_post_many(executor, count_call, "x", SIZE_MAX / 2 + 1, 2), SIL_EINVAL);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_refused(sil_post(executor, count_call, "x", sizes[i]), SIL_EINVAL);
        assert_refused(sil_post_many(executor, count_call, "x", sizes[i], 1), SIL_EINVAL);
        assert_refused(sil_post_many(executor, count_call, "x", 1, sizes[i]), SIL_EINVAL);
    }
    contract_close(executor);
    assert_int_equal(seen->calls, 0);
}

static void test_post_after_shutdown_and_close_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct seen *seen = look_again(0);
    assert_code(sil_post(executor, count_call, NULL, 0), 0);
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    assert_int_equal(seen->calls, 1);
    assert_refused(sil_post(executor, count_call, NULL, 0), SIL_ESHUTDOWN);
    assert_refused(sil_post(executor, count_call, "a longer argument", 17), SIL_ESHUTDOWN);
    assert_refused(sil_post_many(executor, count_call, NULL, 0, 3), SIL_ESHUTDOWN);
    contract_close(executor);
    assert_refused(sil_post(executor, count_call, NULL, 0), SIL_ESHUTDOWN);
    assert_refused(sil_post_many(executor, count_call, "two at once.", 6, 2), SIL_ESHUTDOWN);
    assert_int_equal(seen->calls, 1);
}

static void test_post_of_a_thread_that_never_did_fails_after_shutdown(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct seen *seen = look_again(0);
    assert_code(sil_executor_shutdown(executor, false, SIL_NOW), 0);
    assert_refused(sil_post(executor, count_call, NULL, 0), SIL_ESHUTDOWN);
    contract_close(executor);
    assert_int_equal(seen->calls, 0);
}

static int post_in_child(void *arg)
{
    sil_executor *executor = arg;
    const struct seen *seen = contract_board();
    CHECK(sil_post(executor, count_call, NULL, 0) == SIL_EFORKED);
    CHECK(sil_post(executor, count_call, "a longer argument", 17) == SIL_EFORKED);
    CHECK(sil_post_many(executor, count_call, NULL, 0, 3) == SIL_EFORKED);
    CHECK(seen->calls == 1);
    return 0;
}

static void test_post_to_a_parents_executor_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct seen *seen = look_again(0);
    assert_code(sil_post(executor, count_call, NULL, 0), 0);
    eventually(atomic_load(&seen->calls) == 1);
    assert_int_equal(child_run(post_in_child, executor), 0);
    assert_code(sil_post(executor, count_call, NULL, 0), 0);
    contract_close(executor);
    assert_int_equal(seen->calls, 2);
}

static void test_post_to_a_broken_executor_fails(void **state)
{
    (void)state;
    sil_executor *executor = contract_engine()->create_broken();
    assert_non_null(executor);
    struct seen *seen = look_again(0);
    for (int i = 0; i < 20; i++) {
        int code = sil_post(executor, count_call, "a longer argument", i % 2 ? 17 : 0);
        if (code != 0) /* it may not have noticed yet */
            assert_refused(code, SIL_EBROKEN);
    }
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_refused(sil_post(executor, count_call, NULL, 0), SIL_EBROKEN);
    assert_refused(sil_post_many(executor, count_call, NULL, 0, 100), SIL_EBROKEN);
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(executor, &stats), 0);
    assert_int_equal(stats.done, stats.submitted);
    contract_close(executor);
    assert_int_equal(seen->calls, 0);
}

/* --- the end ------------------------------------------------------------------------------- */

static sil_executor_stats stats_of(sil_executor *executor)
{
    sil_executor_stats stats = {0};
    assert_code(sil_executor_stats_get(executor, &stats), 0);
    return stats;
}

static void check_shutdown(bool cancel, unsigned expected)
{
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    for (int i = 0; i < CONTRACT_BOUND; i++)
        assert_code(post_count(executor, count), 0);
    assert_int_equal(stats_of(executor).pending, CONTRACT_BOUND);
    assert_code(sil_executor_shutdown(executor, cancel, SIL_NOW), 0);
    assert_int_equal(stats_of(executor).pending, cancel ? 0 : CONTRACT_BOUND);
    assert_int_equal(*count, 0);
    contract_free(&occupied);
    assert_code(sil_executor_shutdown(executor, cancel, SIL_FOREVER), 0);
    assert_int_equal(*count, expected);
    sil_executor_stats stats = stats_of(executor);
    assert_int_equal(stats.submitted, CONTRACT_BOUND + occupied.count);
    assert_int_equal(stats.done, stats.submitted);
    assert_int_equal(stats.pending + stats.running + stats.blocked, 0);
    contract_close(executor);
}

static void test_what_was_posted_still_runs(void **state)
{
    (void)state;
    check_shutdown(false, CONTRACT_BOUND);
}

static void test_what_was_posted_is_dropped_if_asked(void **state)
{
    (void)state;
    check_shutdown(true, 0);
}

static void test_close_waits_for_what_was_posted(void **state)
{
    (void)state;
    for (int i = 0; i < contract_rounds(100); i++) {
        sil_executor *executor = contract_create();
        atomic_uint *count = contract_count();
        for (int k = 0; k < CONTRACT_BOUND; k++)
            assert_code(post_count(executor, count), 0);
        contract_close(executor);
        assert_int_equal(*count, CONTRACT_BOUND);
        contract_unshare(count);
    }
}

static void test_stats_count_posted_tasks(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int code = 5;
    for (int i = 0; i < CONTRACT_BOUND / 2; i++)
        assert_code(sil_post(executor, task_fail, &code, sizeof code), 0);
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    (void)sil_post(executor, task_fail, &code, sizeof code); /* refused: does not count */
    sil_executor_stats stats = stats_of(executor);
    assert_int_equal(stats.submitted, CONTRACT_BOUND / 2);
    assert_int_equal(stats.done, CONTRACT_BOUND / 2);
    assert_int_equal(stats.pending + stats.running + stats.blocked, 0);
    contract_close(executor);
}

const struct contract_test contract_post[] = {
    PROMISE(test_post_runs_once_with_a_copy_of_the_argument, 0),
    PROMISE(test_argument_without_size_is_not_looked_at, 0),
    PROMISE(test_code_of_a_posted_task_is_dropped, 0),
    PROMISE(test_post_many_runs_each_element_once, 0),
    PROMISE(test_post_many_of_more_than_a_handful, TAKES_ALL),
    PROMISE(test_post_many_without_arguments, 0),
    PROMISE(test_post_of_nonsense_fails, 0),
    PROMISE(test_post_after_shutdown_and_close_fails, 0),
    PROMISE(test_post_of_a_thread_that_never_did_fails_after_shutdown, 0),
    PROMISE(test_post_to_a_parents_executor_fails, ASYNCHRONOUS),
    PROMISE(test_post_to_a_broken_executor_fails, CAN_BREAK),
    PROMISE(test_what_was_posted_still_runs, ASYNCHRONOUS),
    PROMISE(test_what_was_posted_is_dropped_if_asked, ASYNCHRONOUS),
    PROMISE(test_close_waits_for_what_was_posted, 0),
    PROMISE(test_stats_count_posted_tasks, 0),
    {0},
};
