/* SPDX-License-Identifier: MIT */
/*
 * Maps and parallel loops while memory or threads run out: all results, or the reason.
 */
#include <stdatomic.h>

#include "every_point.h"

enum { MANY = 64 };

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

static void mapped(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    int values[MANY];
    for (int i = 0; i < MANY; i++)
        values[i] = i;
    int code = sil_map(pool, task_square, values, sizeof(int), values, sizeof(int), MANY);
    assert_allowed(code);
    for (int i = 0; code == 0 && i < MANY; i++)
        assert_int_equal(values[i], i * i);
    assert_code(sil_executor_close(pool), 0);
}

static int count_to_ten(void *user, void *arg)
{
    int *next = user;
    *(int *)arg = *next;
    return (*next)++ < 10 ? 0 : SIL_EEND;
}

static void iterated(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    int next = 0;
    sil_map_iterator *it =
        sil_map_iterator_create(pool, &(sil_map_options){.fn = task_square,
                                                         .arg_size = sizeof(int),
                                                         .result_size = sizeof(int),
                                                         .input = count_to_ten,
                                                         .user = &next,
                                                         .buffer = 3,
                                                         .name = "square"});
    if (was_made(it)) {
        int value = -1;
        int yielded = 0;
        int code;
        for (; (code = sil_map_next(it, &value, SIL_FOREVER)) == 0; yielded++)
            assert_int_equal(value, yielded * yielded);
        assert_true(code == SIL_EEND || is_allowed(code));
        if (code == SIL_EEND)
            assert_int_equal(yielded, 10);
        assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
        sil_map_iterator_destroy(it);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void iterated_and_left(void)
{
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    int next = 0;
    sil_map_iterator *it =
        sil_map_iterator_create(pool, &(sil_map_options){.fn = task_square,
                                                         .arg_size = sizeof(int),
                                                         .result_size = sizeof(int),
                                                         .input = count_to_ten,
                                                         .user = &next});
    if (was_made(it)) {
        assert_allowed(sil_map_next(it, NULL, SIL_FOREVER));
        sil_map_iterator_destroy(it);
    }
    assert_code(sil_executor_close(pool), 0);
}

static int count_pieces(size_t begin, size_t end, void *user)
{
    (void)atomic_fetch_add((atomic_uint *)user, (unsigned)(end - begin));
    return 0;
}

/* The caller can always do it alone, so running out of anything is no reason to fail. */
static void looped(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    atomic_uint count = 0;
    int code = sil_parallel_for(pool, 0, 1000, 10, count_pieces, &count);
    assert_allowed(code);
    if (code == 0)
        assert_int_equal(count, 1000);
    assert_code(sil_executor_close(pool), 0);
}

static int sum_indexes(size_t begin, size_t end, void *accumulator, void *user)
{
    (void)user;
    for (size_t i = begin; i < end; i++)
        *(uint64_t *)accumulator += i;
    return 0;
}

static void add_sums(void *accumulator, const void *later, void *user)
{
    (void)user;
    *(uint64_t *)accumulator += *(const uint64_t *)later;
}

static void reduced(void)
{
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    uint64_t sum = 0;
    int code =
        sil_parallel_reduce(pool, 0, 1000, 100, sum_indexes, add_sums, NULL, &sum, sizeof sum);
    assert_allowed(code);
    assert_int_equal(sum, code == 0 ? 499500 : 0);
    assert_code(sil_executor_close(pool), 0);
}

static void test_mapped(void **state)
{
    (void)state;
    survive(mapped);
}

static void test_iterated(void **state)
{
    (void)state;
    survive(iterated);
    survive(iterated_and_left);
}

static void test_looped(void **state)
{
    (void)state;
    survive(looped);
    survive(reduced);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_mapped),
        TEST(test_iterated),
        TEST(test_looped),
    };
    return test_run("faults in maps and loops", tests);
}
