/* SPDX-License-Identifier: MIT */
/*
 * sil_parallel_for: every index once, whatever the range, the grain and the executor.
 */
#include <sillon/parallel.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

/* How often each index from first on was visited, and what the pieces looked like. */
struct visits {
    size_t first;
    size_t count;
    size_t end;
    size_t grain;
    atomic_uchar *times;
    atomic_uint outside;
    atomic_uint empty;
    atomic_uint too_small;
};

static int visit(size_t begin, size_t end, void *user)
{
    struct visits *visits = user;
    if (begin >= end)
        (void)atomic_fetch_add(&visits->empty, 1);
    if (end - begin < visits->grain && end != visits->end)
        (void)atomic_fetch_add(&visits->too_small, 1);
    for (size_t i = begin; i < end; i++) {
        if (i - visits->first < visits->count)
            (void)atomic_fetch_add(&visits->times[i - visits->first], 1);
        else
            (void)atomic_fetch_add(&visits->outside, 1);
    }
    return 0;
}

static void see_each_once(sil_executor *executor, size_t begin, size_t end, size_t grain)
{
    struct visits visits = {.first = begin, .count = end - begin, .end = end, .grain = grain};
    visits.times = calloc(visits.count + 1, sizeof *visits.times);
    assert_code(sil_parallel_for(executor, begin, end, grain, visit, &visits), 0);
    size_t wrong = 0;
    for (size_t i = 0; i < visits.count; i++)
        wrong += visits.times[i] != 1;
    free(visits.times);
    assert_int_equal(wrong, 0);
    assert_int_equal(visits.outside, 0);
    assert_int_equal(visits.empty, 0);
    assert_int_equal(visits.too_small, 0);
}

static void see_many_shapes(sil_executor *executor)
{
    static const size_t begins[] = {0, 1, 17, SIZE_MAX / 2 - 3, SIZE_MAX - 5000};
    static const size_t counts[] = {0, 1, 2, 3, 7, 64, 999, 5000};
    static const size_t grains[] = {0, 1, 2, 10, 1000, 5000, SIZE_MAX - 1, SIZE_MAX};
    for (size_t b = 0; b < COUNT_OF(begins); b++)
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (size_t g = 0; g < COUNT_OF(grains); g++)
                see_each_once(executor, begins[b], begins[b] + counts[c], grains[g]);
}

static void test_each_index_once_on_pools(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = create_pool(workers);
        see_many_shapes(pool);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_each_index_once_on_the_inline_executor(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    see_many_shapes(executor);
    assert_code(sil_executor_close(executor), 0);
}

static void test_each_index_once_where_submits_are_refused(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    see_each_once(pool, 0, 10000, 0);
    see_each_once(pool, 5, 100, 7);
    assert_code(sil_executor_close(pool), 0);

    pool = sil_thread_pool(
        &(sil_thread_pool_options){.workers = 1, .max_pending = 1, .when_full = SIL_FULL_FAIL});
    struct gate gate;
    gate_init(&gate);
    sil_future_release(submit_gate(pool, &gate));
    gate_wait_for_arrivals(&gate, 1);
    sil_future_release(submit_nothing(pool));
    see_each_once(pool, 0, 10000, 0);
    gate_open(&gate);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

/* The caller works alone while every worker is busy with something else. */
static void test_caller_alone_finishes_on_a_busy_pool(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    sil_future *busy = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    see_each_once(pool, 0, 10000, 10);
    gate_open(&gate);
    assert_code(sil_take(busy, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static int never(size_t begin, size_t end, void *user)
{
    (void)begin;
    (void)end;
    (void)atomic_fetch_add((atomic_uint *)user, 1);
    return 0;
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    atomic_uint calls = 0;
    assert_code(sil_parallel_for(NULL, 0, 10, 0, never, &calls), SIL_EINVAL);
    assert_code(sil_parallel_for(pool, 0, 10, 0, NULL, &calls), SIL_EINVAL);
    assert_code(sil_parallel_for(pool, 10, 9, 0, never, &calls), SIL_EINVAL);
    assert_code(sil_parallel_for(pool, SIZE_MAX, 0, 0, never, &calls), SIL_EINVAL);
    assert_code(sil_parallel_for(pool, SIZE_MAX, SIZE_MAX, 0, never, &calls), 0);
    assert_code(sil_parallel_for(pool, 0, 0, 0, never, &calls), 0);
    assert_int_equal(calls, 0);
    assert_code(sil_executor_close(pool), 0);
}

/* Takes the whole of size_t in as few calls as the library likes, looking at the ends only. */
struct whole {
    atomic_size_t covered;
};

static int add_lengths(size_t begin, size_t end, void *user)
{
    struct whole *whole = user;
    (void)atomic_fetch_add(&whole->covered, end - begin);
    return 0;
}

static void test_whole_range_of_size_t(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    static const size_t grains[] = {0, SIZE_MAX / 100, SIZE_MAX / 3, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(grains); i++) {
        struct whole whole = {.covered = 0};
        assert_code(sil_parallel_for(pool, 0, SIZE_MAX, grains[i], add_lengths, &whole), 0);
        assert_true(whole.covered == SIZE_MAX);
    }
    assert_code(sil_executor_close(pool), 0);
}

static int fail_at_500(size_t begin, size_t end, void *user)
{
    (void)atomic_fetch_add((atomic_size_t *)user, end - begin);
    return begin <= 500 && 500 < end ? sil_fail(EDOM, "500 is bad") : 0;
}

static size_t see_error(sil_executor *executor, size_t count)
{
    atomic_size_t visited = 0;
    assert_code(sil_parallel_for(executor, 0, count, 10, fail_at_500, &visited), EDOM);
    assert_string_equal(sil_error_message(sil_last_error()), "500 is bad");
    size_t after = visited;
    assert_code(sil_executor_close(executor), 0);
    assert_int_equal(visited, after); /* nothing goes on behind our back */
    return after;
}

static void test_error_stops_the_loop(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    /* others may have begun the rest before the error is known; alone, nobody has */
    assert_true(see_error(sil_inline_executor(), MANY) < MANY);
    for (unsigned workers = 1; workers <= 4; workers++)
        assert_in_range(see_error(create_pool(workers), MANY), 10, MANY);
}

/* A loop in each piece of a loop. */
struct nested {
    sil_executor *pool;
    atomic_uint *count;
    int depth;
};

static int loop_inside(size_t begin, size_t end, void *user)
{
    struct nested *nested = user;
    struct nested below = {nested->pool, nested->count, nested->depth - 1};
    int code = 0;
    for (size_t i = begin; i < end && code == 0; i++) {
        if (nested->depth == 0)
            (void)atomic_fetch_add(nested->count, 1);
        else
            code = sil_parallel_for(nested->pool, 0, 10, 1, loop_inside, &below);
    }
    return code;
}

static int loop_in_a_task(void *arg, void *result)
{
    (void)result;
    struct nested *nested = arg;
    return sil_parallel_for(nested->pool, 0, 10, 1, loop_inside, nested);
}

static void test_loops_may_be_nested_and_called_from_tasks(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = create_pool(workers);
        atomic_uint count = 0;
        struct nested nested = {pool, &count, 3};
        assert_code(sil_parallel_for(pool, 0, 10, 0, loop_inside, &nested), 0);
        assert_int_equal(count, 10000);
        count = 0;
        sil_future *futures[3];
        for (int i = 0; i < 3; i++)
            futures[i] = sil_submit(pool, loop_in_a_task, &nested, sizeof nested, 0);
        for (int i = 0; i < 3; i++)
            assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
        assert_int_equal(count, 30000);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* Two pieces that meet: they can only if two threads take part. */
static int meet(size_t begin, size_t end, void *user)
{
    struct latch *latch = user;
    for (size_t i = begin; i < end; i++) {
        latch_down(latch);
        latch_wait(latch);
    }
    return 0;
}

static void test_workers_and_the_caller_share_the_range(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct latch latch;
    latch_init(&latch, 2);
    assert_code(sil_parallel_for(pool, 0, 2, 1, meet, &latch), 0);
    latch_fini(&latch);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_index_once_on_pools),
        TEST(test_each_index_once_on_the_inline_executor),
        TEST(test_each_index_once_where_submits_are_refused),
        TEST(test_caller_alone_finishes_on_a_busy_pool),
        TEST(test_bad_input_is_refused),
        TEST(test_whole_range_of_size_t),
        TEST(test_error_stops_the_loop),
        TEST(test_loops_may_be_nested_and_called_from_tasks),
        TEST(test_workers_and_the_caller_share_the_range),
    };
    return test_run("parallel for", tests);
}
