/* SPDX-License-Identifier: MIT */
/*
 * What goes to a task in another process and comes back: bytes of any size, pointers into shared
 * memory, messages; and what does not: globals.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"

/* --- bytes --------------------------------------------------------------------------------- */

enum { LARGEST = 8 << 20 };

static void fill(unsigned char *bytes, size_t size)
{
    uint32_t next = 12345;
    for (size_t i = 0; i < size; i++) {
        next = next * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(next >> 24);
    }
}

struct parcel {
    size_t size;
    unsigned char bytes[];
};

/* result: its argument, which is scribbled over afterwards. */
static int send_back(void *arg, void *result)
{
    size_t size = ((struct parcel *)arg)->size;
    (void)memcpy(result, arg, size);
    (void)memset(arg, 0xff, size);
    return 0;
}

static void check_parcel(sil_executor *executor, struct parcel *parcel, void *back, size_t size)
{
    parcel->size = size;
    sil_future *future = sil_submit(executor, send_back, parcel, size, size);
    assert_code(sil_take(future, back, SIL_FOREVER), 0);
    if (memcmp(parcel, back, size) != 0)
        fail_msg("%zu bytes came back changed", size);
}

static void test_bytes_of_any_size_arrive_unharmed(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct parcel *parcel = malloc(LARGEST + 1);
    void *back = malloc(LARGEST + 1);
    fill((unsigned char *)parcel, LARGEST + 1);
    for (size_t size = 16; size <= LARGEST; size *= 2)
        for (size_t at = size - 1; at <= size + 1; at++)
            check_parcel(executor, parcel, back, at);
    free(back);
    free(parcel);
    contract_close(executor);
}

static int next_letter(void *arg, void *result)
{
    *(char *)result = (char)(*(char *)arg + 1);
    return 0;
}

static void test_a_single_byte_arrives(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    char letter = 0;
    assert_code(sil_take(sil_submit(executor, next_letter, "x", 1, 1), &letter, SIL_FOREVER), 0);
    assert_int_equal(letter, 'y');
    contract_close(executor);
}

static void test_many_large_results_wait_for_us(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    enum { SIZE = 1 << 20 };
    struct parcel *parcel = malloc(SIZE);
    void *back = malloc(SIZE);
    fill((unsigned char *)parcel, SIZE);
    sil_future *futures[CONTRACT_BOUND];
    for (int i = 0; i < CONTRACT_BOUND; i++) {
        parcel->size = SIZE - (size_t)i;
        futures[i] = sil_submit(executor, send_back, parcel, parcel->size, parcel->size);
    }
    contract_close(executor);
    for (int i = 0; i < CONTRACT_BOUND; i++) {
        parcel->size = SIZE - (size_t)i;
        assert_code(sil_take(futures[i], back, SIL_NOW), 0);
        assert_memory_equal(back, parcel, parcel->size);
    }
    free(back);
    free(parcel);
}

static int result_of_size(void *arg, void *result)
{
    (void)result;
    size_t size = *(size_t *)arg;
    unsigned char *bytes = sil_result_alloc(size);
    if (bytes == NULL)
        return sil_error_code(sil_last_error());
    fill(bytes, size);
    return 0;
}

static void test_results_of_a_size_only_the_task_knows(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const size_t sizes[] = {0, 10, 4096, 100000, 5000000};
    unsigned char *expected = malloc(5000000);
    fill(expected, 5000000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        sil_future *future = sil_submit(executor, result_of_size, &sizes[i], sizeof sizes[i], 100);
        assert_code(sil_await(future, SIL_FOREVER), 0);
        size_t size = 99;
        const void *bytes = sil_future_result(future, &size);
        assert_int_equal(size, sizes[i]);
        assert_true(size == 0 || memcmp(bytes, expected, size) == 0);
        sil_future_release(future);
    }
    free(expected);
    contract_close(executor);
}

/* --- shared memory ------------------------------------------------------------------------- */

enum { BLOCK = 1 << 20 };

static int invert(void *arg, void *result)
{
    (void)result;
    unsigned char *block = *(unsigned char **)arg;
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (unsigned char)~block[i];
    return 0;
}

static void test_shared_block_is_seen_both_ways(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    unsigned char *before = sil_shared_alloc(BLOCK);
    contract_finish(submit_nothing(executor)); /* the workers are there */
    unsigned char *after = sil_shared_alloc(BLOCK);
    assert_non_null(before);
    assert_non_null(after);
    fill(before, BLOCK);
    (void)memcpy(after, before, BLOCK);
    contract_finish(sil_submit(executor, invert, &before, sizeof before, 0));
    contract_finish(sil_submit(executor, invert, &after, sizeof after, 0));
    assert_memory_equal(before, after, BLOCK);
    contract_finish(sil_submit(executor, invert, &after, sizeof after, 0));
    fill(before, BLOCK);
    assert_memory_equal(before, after, BLOCK);
    sil_shared_free(before);
    sil_shared_free(after);
    contract_close(executor);
}

static int make_block(void *arg, void *result)
{
    (void)arg;
    unsigned char *block = sil_shared_alloc(BLOCK);
    if (block == NULL)
        return sil_error_code(sil_last_error());
    fill(block, BLOCK);
    *(unsigned char **)result = block;
    return 0;
}

static int free_block(void *arg, void *result)
{
    (void)result;
    sil_shared_free(*(void **)arg);
    return 0;
}

static unsigned char *block_of_a_task(sil_executor *executor)
{
    unsigned char *block = NULL;
    sil_future *future = sil_submit(executor, make_block, NULL, 0, sizeof block);
    assert_code(sil_take(future, &block, SIL_FOREVER), 0);
    assert_non_null(block);
    return block;
}

static void test_block_made_by_a_task_may_be_its_result(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    unsigned char *expected = malloc(BLOCK);
    fill(expected, BLOCK);
    unsigned char *block = block_of_a_task(executor);
    unsigned char *other = block_of_a_task(executor);
    assert_memory_equal(block, expected, BLOCK);
    assert_memory_equal(other, expected, BLOCK);
    contract_finish(sil_submit(executor, invert, &block, sizeof block, 0));
    assert_int_equal(block[0] ^ expected[0], 0xff);
    contract_finish(sil_submit(executor, free_block, &block, sizeof block, 0));
    contract_close(executor);
    assert_memory_equal(other, expected, BLOCK); /* it outlives its maker */
    sil_shared_free(other);
    free(expected);
}

/* --- what is a worker's own ---------------------------------------------------------------- */

static int mark = 1;

/* arg: int, the new mark. result: the old one. */
static int change_mark(void *arg, void *result)
{
    *(int *)result = mark;
    mark = *(int *)arg;
    return 0;
}

static void test_globals_are_the_workers_own(void **state)
{
    (void)state;
    mark = 2;
    sil_executor *executor = contract_create();
    mark = 3;
    int seen = 0;
    assert_code(sil_take(submit_int(executor, change_mark, 4), &seen, SIL_FOREVER), 0);
    assert_int_equal(seen, (contract_engine()->capabilities & FORKED) != 0 ? 2 : 1);
    assert_int_equal(mark, 3);
    assert_code(sil_take(submit_int(executor, change_mark, 5), &seen, SIL_FOREVER), 0);
    if ((contract_engine()->capabilities & ONE_WORKER) != 0)
        assert_int_equal(seen, 4);
    contract_close(executor);
    mark = 1;
}

static int read_input(void *arg, void *result)
{
    (void)arg;
    char byte;
    *(ssize_t *)result = read(STDIN_FILENO, &byte, 1);
    return 0;
}

static void test_workers_read_from_dev_null(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    ssize_t length = -1;
    sil_future *future = sil_submit(executor, read_input, NULL, 0, sizeof length);
    assert_code(sil_take(future, &length, SIL_FOREVER), 0);
    assert_int_equal(length, 0);
    contract_close(executor);
}

/* A pool of the task's own kind, inside it: its workers share our memory, too. */
static int use_own_pool(void *arg, void *result)
{
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 1});
    if (pool == NULL)
        return sil_error_code(sil_last_error());
    int code = sil_take(sil_submit(pool, task_count, arg, sizeof(void *), 0), NULL, SIL_FOREVER);
    int other = sil_take(submit_int(pool, task_square, 5), result, SIL_FOREVER);
    int closed = sil_executor_close(pool);
    return code != 0 ? code : other != 0 ? other : closed;
}

static void test_tasks_may_have_a_pool_of_their_own(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint *count = contract_count();
    int value = 0;
    sil_future *future = sil_submit(executor, use_own_pool, &count, sizeof count, sizeof value);
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 25);
    assert_int_equal(*count, 1);
    contract_close(executor);
}

/* --- messages ------------------------------------------------------------------------------ */

enum { LONG_MESSAGE = 3000 };

/* arg: size_t, its length. */
static int complain(void *arg, void *result)
{
    (void)result;
    char text[LONG_MESSAGE + 1];
    size_t length = *(size_t *)arg;
    (void)memset(text, 'x', length);
    text[length] = '\0';
    return sil_fail(EIO, "%s", text);
}

static void test_messages_arrive_whole(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    static const size_t lengths[] = {1, 10, 100, 1000, LONG_MESSAGE};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        sil_future *future = sil_submit(executor, complain, &lengths[i], sizeof lengths[i], 0);
        assert_code(sil_await(future, SIL_FOREVER), EIO);
        const char *message = sil_error_message(sil_future_error(future));
        assert_int_equal(strspn(message, "x"), lengths[i]);
        assert_int_equal(strlen(message), lengths[i]);
        sil_future_release(future);
    }
    contract_close(executor);
}

const struct contract_test contract_process_data[] = {
    PROMISE(test_bytes_of_any_size_arrive_unharmed, PROCESSES),
    PROMISE(test_a_single_byte_arrives, PROCESSES),
    PROMISE(test_many_large_results_wait_for_us, PROCESSES),
    PROMISE(test_results_of_a_size_only_the_task_knows, PROCESSES),
    PROMISE(test_shared_block_is_seen_both_ways, PROCESSES),
    PROMISE(test_block_made_by_a_task_may_be_its_result, PROCESSES),
    PROMISE(test_globals_are_the_workers_own, PROCESSES),
    PROMISE(test_workers_read_from_dev_null, PROCESSES),
    PROMISE(test_tasks_may_have_a_pool_of_their_own, PROCESSES),
    PROMISE(test_messages_arrive_whole, PROCESSES),
    {0},
};
