/* SPDX-License-Identifier: MIT */
/*
 * In which order workers take tasks, and what a bound on the queue does.
 */
#include <sillon/thread_pool.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

/* What tasks of a single worker write down, in turn. */
struct journal {
    int entries[300];
    int used;
};

struct entry {
    struct journal *journal;
    int number;
};

static int write_down(void *arg, void *result)
{
    (void)result;
    struct entry *entry = arg;
    entry->journal->entries[entry->journal->used++] = entry->number;
    return 0;
}

static sil_future *submit_entry(sil_executor *pool, struct journal *journal, int number,
                                sil_priority priority)
{
    struct entry entry = {journal, number};
    return sil_submit_with(pool, &(sil_submit_options){.priority = priority}, write_down, &entry,
                           sizeof entry, 0);
}

static sil_executor *create_bounded(unsigned workers, size_t max_pending, sil_when_full when_full)
{
    return sil_thread_pool(&(sil_thread_pool_options){
        .workers = workers, .max_pending = max_pending, .when_full = when_full});
}

static void test_outside_submits_run_in_order_on_one_worker(void **state)
{
    (void)state;
    sil_executor *pool = create_bounded(1, 0, SIL_FULL_BLOCK);
    struct journal journal = {.used = 0};
    for (int i = 0; i < 300; i++)
        sil_future_release(submit_entry(pool, &journal, i, SIL_PRIORITY_NORMAL));
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(journal.used, 300);
    for (int i = 0; i < 300; i++)
        assert_int_equal(journal.entries[i], i);
}

static void test_high_runs_before_normal_before_low(void **state)
{
    (void)state;
    sil_executor *pool = create_bounded(1, 0, SIL_FULL_BLOCK);
    struct gate gate;
    gate_init(&gate);
    sil_future_release(submit_gate(pool, &gate));
    gate_wait_for_arrivals(&gate, 1);
    struct journal journal = {.used = 0};
    static const sil_priority priorities[] = {SIL_PRIORITY_LOW, SIL_PRIORITY_NORMAL,
                                              SIL_PRIORITY_HIGH};
    for (int i = 0; i < 300; i++)
        sil_future_release(submit_entry(pool, &journal, i, priorities[i % 3]));
    gate_open(&gate);
    assert_code(sil_executor_close(pool), 0);
    for (int i = 0; i < 300; i++) /* all of one priority, in order, then all of the next */
        assert_int_equal(journal.entries[i], i % 100 * 3 + 2 - i / 100);
    gate_fini(&gate);
}

struct family {
    sil_executor *pool;
    struct journal *journal;
};

/* Submits low, normal and high children in turn, and awaits none. */
static int submit_children(void *arg, void *result)
{
    (void)result;
    struct family *family = arg;
    for (int i = 0; i < 30; i++)
        sil_future_release(
            submit_entry(family->pool, family->journal, i, (sil_priority)(i % 3 - 1)));
    return 0;
}

static void test_priorities_hold_for_submits_of_tasks(void **state)
{
    (void)state;
    sil_executor *pool = create_bounded(1, 0, SIL_FULL_BLOCK);
    struct journal journal = {.used = 0};
    struct family family = {pool, &journal};
    assert_code(
        sil_take(sil_submit(pool, submit_children, &family, sizeof family, 0), NULL, SIL_FOREVER),
        0);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(journal.used, 30);
    for (int i = 0; i < 30; i++)
        assert_int_equal(journal.entries[i] % 3, 2 - i / 10);
}

/* A task that submits its successor, for ever or until it is told to stop. */
struct chain {
    sil_executor *pool;
    atomic_bool *stop;
};

static int submit_successor(void *arg, void *result)
{
    (void)result;
    struct chain *chain = arg;
    if (!*chain->stop)
        sil_future_release(sil_submit(chain->pool, submit_successor, chain, sizeof *chain, 0));
    return 0;
}

static void test_tasks_that_submit_for_ever_do_not_starve_outsiders(void **state)
{
    (void)state;
    sil_executor *pool = create_bounded(1, 0, SIL_FULL_BLOCK);
    atomic_bool stop = false;
    struct chain chain = {pool, &stop};
    sil_future_release(sil_submit(pool, submit_successor, &chain, sizeof chain, 0));
    for (int i = 0; i < 20; i++)
        assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
    stop = true;
    assert_code(sil_executor_close(pool), 0);
}

static void test_bound_counts_pending_tasks_only(void **state)
{
    (void)state;
    sil_executor *pool = create_bounded(2, 3, SIL_FULL_FAIL);
    struct gate gate;
    gate_init(&gate);
    for (unsigned i = 0; i < 2; i++) {
        sil_future_release(submit_gate(pool, &gate));
        gate_wait_for_arrivals(&gate, i + 1);
    }
    atomic_uint count = 0;
    for (int i = 0; i < 3; i++)
        sil_future_release(submit_count(pool, &count));
    for (int i = 0; i < 3; i++)
        assert_code(sil_take(submit_count(pool, &count), NULL, SIL_NOW), SIL_EFULL);
    gate_open(&gate);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, 3);
    gate_fini(&gate);
}

static void test_task_that_runs_in_the_caller_is_a_task(void **state)
{
    (void)state;
    sil_executor *pool = create_bounded(1, 1, SIL_FULL_CALLER);
    struct gate gate;
    gate_init(&gate);
    sil_future_release(submit_gate(pool, &gate));
    gate_wait_for_arrivals(&gate, 1);
    atomic_uint count = 0;
    sil_future *queued = submit_count(pool, &count);
    sil_future *mine = submit_int(pool, task_fail_with_message, 33);
    assert_code(sil_await(mine, SIL_NOW), 33);
    assert_string_equal(sil_error_message(sil_future_error(mine)), "33 is bad");
    sil_future_release(mine);
    assert_int_equal(sil_future_state(queued), SIL_PENDING);
    gate_open(&gate);
    assert_code(sil_take(queued, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    assert_int_equal(stats.submitted, 3);
    assert_int_equal(stats.done, 3);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

/* Several threads, each submitting many tasks through a narrow bound. */
struct producer {
    sil_executor *pool;
    atomic_uint *count;
    unsigned failures;
};

static void *produce(void *arg)
{
    struct producer *producer = arg;
    for (int i = 0; i < TEST_SCALE(5000); i++) {
        sil_future *future = submit_count(producer->pool, producer->count);
        producer->failures += sil_future_done(future) && sil_future_code(future) != 0;
        sil_future_release(future);
    }
    return NULL;
}

static void test_producers_through_a_narrow_bound_lose_nothing(void **state)
{
    (void)state;
    for (int when_full = SIL_FULL_BLOCK; when_full <= SIL_FULL_CALLER; when_full++) {
        sil_executor *pool = create_bounded(2, 2, (sil_when_full)when_full);
        atomic_uint count = 0;
        struct producer producers[3];
        pthread_t threads[3];
        for (int i = 0; i < 3; i++) {
            producers[i] = (struct producer){pool, &count, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
        }
        unsigned failures = 0;
        for (int i = 0; i < 3; i++) {
            (void)pthread_join(threads[i], NULL);
            failures += producers[i].failures;
        }
        assert_code(sil_executor_close(pool), 0);
        assert_int_equal(count + failures, 3 * TEST_SCALE(5000));
        if (when_full != SIL_FULL_FAIL)
            assert_int_equal(failures, 0);
    }
}

/* Each level submits two to its own bounded pool and awaits both. */
struct tree {
    sil_executor *pool;
    int depth;
};

static int split(void *arg, void *result)
{
    struct tree below = *(struct tree *)arg;
    int *leaves = result;
    if (below.depth-- == 0) {
        *leaves = 1;
        return 0;
    }
    sil_future *left = sil_submit(below.pool, split, &below, sizeof below, sizeof(int));
    sil_future *right = sil_submit(below.pool, split, &below, sizeof below, sizeof(int));
    int values[2] = {0};
    int code = sil_take(left, &values[0], SIL_FOREVER);
    int other_code = sil_take(right, &values[1], SIL_FOREVER);
    *leaves = values[0] + values[1];
    return code != 0 ? code : other_code;
}

static void test_submits_of_tasks_never_block_their_own_pool(void **state)
{
    (void)state;
    static const sil_when_full policies[] = {SIL_FULL_BLOCK, SIL_FULL_CALLER};
    for (size_t p = 0; p < COUNT_OF(policies); p++) {
        for (unsigned workers = 1; workers <= 3; workers++) {
            sil_executor *pool = create_bounded(workers, 1, policies[p]);
            struct tree top = {pool, 9};
            int leaves = 0;
            assert_code(sil_take(sil_submit(pool, split, &top, sizeof top, sizeof leaves), &leaves,
                                 SIL_FOREVER),
                        0);
            assert_int_equal(leaves, 512);
            assert_code(sil_executor_close(pool), 0);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_outside_submits_run_in_order_on_one_worker),
        TEST(test_high_runs_before_normal_before_low),
        TEST(test_priorities_hold_for_submits_of_tasks),
        TEST(test_tasks_that_submit_for_ever_do_not_starve_outsiders),
        TEST(test_bound_counts_pending_tasks_only),
        TEST(test_task_that_runs_in_the_caller_is_a_task),
        TEST(test_producers_through_a_narrow_bound_lose_nothing),
        TEST(test_submits_of_tasks_never_block_their_own_pool),
    };
    return test_run("queue", tests);
}
