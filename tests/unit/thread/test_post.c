/* SPDX-License-Identifier: MIT */
/*
 * Posted tasks in a thread pool: its figures, its workers' own queues, and large numbers of them.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "support/gate.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "post"});
    assert_non_null(pool);
    return pool;
}

static sil_executor_stats stats_of(sil_executor *pool)
{
    sil_executor_stats stats = {0};
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    return stats;
}

/* --- figures ------------------------------------------------------------------------------- */

static void test_stats_show_posted_tasks_that_wait_and_run(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct gate gate;
    struct gate *gates[7] = {&gate, &gate, &gate, &gate, &gate, &gate, &gate};
    gate_init(&gate);
    assert_code(sil_post_many(pool, task_gate, gates, sizeof gates[0], COUNT_OF(gates)), 0);
    gate_wait_for_arrivals(&gate, 2);
    eventually(stats_of(pool).pending == 5);
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted, 7);
    assert_int_equal(stats.done, 0);
    assert_int_equal(stats.running, 2);
    assert_int_equal(stats.blocked, 0);
    gate_open(&gate);
    eventually(stats_of(pool).done == 7);
    eventually(stats_of(pool).sleeping == stats_of(pool).threads);
    stats = stats_of(pool);
    assert_int_equal(stats.submitted, 7);
    assert_int_equal(stats.pending + stats.running, 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_stats_count_what_was_dropped(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    struct gate *arg = &gate;
    static const unsigned char large[5000];
    gate_init(&gate);
    assert_code(sil_post(pool, task_gate, &arg, sizeof arg), 0);
    gate_wait_for_arrivals(&gate, 1);
    for (size_t size = 0; size < sizeof large; size += 100) /* nothing leaks */
        assert_code(sil_post(pool, task_nothing, large, size), 0);
    assert_code(sil_executor_shutdown(pool, true, SIL_NOW), 0);
    sil_executor_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted, 51);
    assert_int_equal(stats.done, 50);
    assert_int_equal(stats.pending, 0);
    gate_open(&gate);
    assert_code(sil_executor_shutdown(pool, true, SIL_FOREVER), 0);
    stats = stats_of(pool);
    assert_int_equal(stats.done, 51);
    assert_int_equal(stats.running, 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static char name_seen[64];

static int see_name(void *arg, void *result)
{
    (void)result;
    (void)strncpy(name_seen, sil_current_name(), sizeof name_seen - 1);
    latch_down(*(struct latch **)arg);
    return 0;
}

static void test_posted_task_goes_by_the_name_of_its_worker(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct latch seen;
    struct latch *arg = &seen;
    latch_init(&seen, 1);
    assert_code(sil_post(pool, see_name, &arg, sizeof arg), 0);
    latch_wait(&seen);
    assert_code(sil_executor_close(pool), 0);
    assert_string_equal(name_seen, "post-0");
    latch_fini(&seen);
}

/* --- a worker's own queue ------------------------------------------------------------------ */

struct parent {
    sil_executor *pool;
    struct gate *gate;
    struct latch *done; /* parent and children */
    unsigned children;
};

static int pass_gate(void *arg, void *result)
{
    (void)result;
    struct parent *parent = arg;
    gate_wait(parent->gate);
    latch_down(parent->done);
    return 0;
}

/* Its children can only be run by another worker, for it waits until one of them has begun. */
static int post_and_wait(void *arg, void *result)
{
    (void)result;
    struct parent *parent = arg;
    for (unsigned i = 0; i < parent->children; i++)
        if (sil_post(parent->pool, pass_gate, parent, sizeof *parent) != 0)
            test_hung("a child was refused", __FILE__, __LINE__);
    gate_wait_for_arrivals(parent->gate, 1);
    gate_open(parent->gate);
    latch_down(parent->done);
    return 0;
}

static void check_stolen(unsigned workers, unsigned children)
{
    sil_executor *pool = create_pool(workers);
    for (int i = 0; i < TEST_SCALE(200); i++) {
        struct gate gate;
        struct latch done;
        gate_init(&gate);
        latch_init(&done, 1 + children);
        struct parent parent = {pool, &gate, &done, children};
        assert_code(sil_post(pool, post_and_wait, &parent, sizeof parent), 0);
        latch_wait(&done);
        latch_fini(&done);
        gate_fini(&gate);
    }
    assert_true(stats_of(pool).stolen >= TEST_SCALE(200));
    assert_code(sil_executor_close(pool), 0);
}

static void test_what_a_task_posts_is_stolen_by_others(void **state)
{
    (void)state;
    check_stolen(2, 1);
    check_stolen(2, 10);
    check_stolen(4, 3);
}

/* --- many ---------------------------------------------------------------------------------- */

enum { LARGE = 100000 };

static atomic_uchar runs[LARGE];

static int run_number(void *arg, void *result)
{
    (void)result;
    (void)atomic_fetch_add(&runs[*(unsigned *)arg], 1);
    return 0;
}

static void check_all_ran_once(sil_executor *pool)
{
    assert_code(sil_executor_close(pool), 0);
    unsigned wrong = 0;
    for (unsigned i = 0; i < LARGE; i++)
        wrong += atomic_exchange(&runs[i], 0) != 1;
    assert_int_equal(wrong, 0);
}

static void test_a_hundred_thousand_in_one_go(void **state)
{
    (void)state;
    static unsigned numbers[LARGE];
    for (unsigned i = 0; i < LARGE; i++)
        numbers[i] = i;
    for (unsigned workers = 1; workers <= 3; workers++) {
        sil_executor *pool = create_pool(workers);
        assert_code(sil_post_many(pool, run_number, numbers, sizeof numbers[0], LARGE), 0);
        check_all_ran_once(pool);
    }
}

struct range {
    sil_executor *pool;
    unsigned begin;
    unsigned end;
};

/* Halves its range until one is left: each posts from the worker it runs on. */
static int divide(void *arg, void *result)
{
    struct range *range = arg;
    if (range->end - range->begin == 1)
        return run_number(&range->begin, result);
    unsigned middle = range->begin + (range->end - range->begin) / 2;
    struct range halves[2] = {{range->pool, range->begin, middle},
                              {range->pool, middle, range->end}};
    int code = sil_post_many(range->pool, divide, halves, sizeof halves[0], 2);
    if (code != 0)
        test_hung("a half was refused", __FILE__, __LINE__);
    return code;
}

static void test_a_hundred_thousand_by_halves(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++) {
        sil_executor *pool = create_pool(workers);
        struct range range = {pool, 0, LARGE};
        assert_code(sil_post(pool, divide, &range, sizeof range), 0);
        /* A close would refuse what the tasks post. */
        eventually(stats_of(pool).done == 2 * LARGE - 1);
        check_all_ran_once(pool);
    }
}

static void test_outside_tasks_are_not_starved_by_those_that_post_themselves(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    gate_open(&gate);
    struct range range = {pool, 0, LARGE};
    assert_code(sil_post(pool, divide, &range, sizeof range), 0);
    assert_code(sil_post(pool, task_gate, &arg, sizeof arg), 0);
    gate_wait_for_arrivals(&gate, 1);
    eventually(stats_of(pool).done == 2 * LARGE);
    check_all_ran_once(pool);
    gate_fini(&gate);
}

/* Crosses over once, then goes on there. */
static int relay(void *arg, void *result)
{
    (void)result;
    struct range *range = arg;
    if (range->begin++ < range->end)
        return sil_post(range->pool, relay, range, sizeof *range);
    return 0;
}

static void test_two_pools_post_to_each_other(void **state)
{
    (void)state;
    sil_executor *pools[2] = {create_pool(1), create_pool(2)};
    for (unsigned i = 0; i < 10; i++) {
        struct range range = {pools[i % 2], 0, 1000};
        assert_code(sil_post(pools[(i + 1) % 2], relay, &range, sizeof range), 0);
    }
    eventually(stats_of(pools[0]).done + stats_of(pools[1]).done == 10 * 1001);
    assert_code(sil_executor_close(pools[0]), 0);
    assert_code(sil_executor_close(pools[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stats_show_posted_tasks_that_wait_and_run),
        TEST(test_stats_count_what_was_dropped),
        TEST(test_posted_task_goes_by_the_name_of_its_worker),
        TEST(test_what_a_task_posts_is_stolen_by_others),
        TEST(test_a_hundred_thousand_in_one_go),
        TEST(test_a_hundred_thousand_by_halves),
        TEST(test_outside_tasks_are_not_starved_by_those_that_post_themselves),
        TEST(test_two_pools_post_to_each_other),
    };
    return test_run("posted tasks", tests);
}
