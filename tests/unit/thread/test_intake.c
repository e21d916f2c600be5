/* SPDX-License-Identifier: MIT */
/*
 * Intakes: who has one, who gets it next, and that whatever lies in one is run, also when its
 * thread has ended. Batches that workers take from them are in test_batch.c.
 */
#include "thread/intake.h"

#include <pthread.h>
#include <stdatomic.h>

#include <sillon/thread_pool.h>

#include "support/gate.h"
#include "support/tasks.h"
#include "support/test.h"
#include "thread/pool.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    assert_non_null(pool);
    return pool;
}

static unsigned intakes_of(sil_executor *pool)
{
    return atomic_load(&((struct sil__pool *)pool)->intakes.count);
}

/* How many of its posts and submits were refused. */
static unsigned hand_over(sil_executor *pool, atomic_uint *count, unsigned tasks)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < tasks; i++) {
        if (i % 2 == 0)
            refused += sil_post(pool, task_count, &count, sizeof(atomic_uint *)) != 0;
        else
            sil_future_release(submit_count(pool, count));
    }
    return refused;
}

/* A thread that hands tasks over, passes a gate if there is one, and ends. */
struct submitter {
    sil_executor *pool;
    atomic_uint *count;
    unsigned tasks;
    struct gate *gate;
    unsigned refused;
    pthread_t thread;
};

static void *submit_and_pass(void *arg)
{
    struct submitter *submitter = arg;
    submitter->refused = hand_over(submitter->pool, submitter->count, submitter->tasks);
    if (submitter->gate != NULL)
        gate_wait(submitter->gate);
    return NULL;
}

static void start(struct submitter *submitter)
{
    assert_int_equal(pthread_create(&submitter->thread, NULL, submit_and_pass, submitter), 0);
}

static void join(struct submitter *submitter)
{
    (void)pthread_join(submitter->thread, NULL);
    assert_int_equal(submitter->refused, 0);
}

static void test_each_thread_has_its_own(void **state)
{
    (void)state;
    enum { THREADS = 5 };
    sil_executor *pool = create_pool(2);
    atomic_uint count = 0;
    struct gate gate;
    gate_init(&gate);
    struct submitter submitters[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] =
            (struct submitter){.pool = pool, .count = &count, .tasks = 10, .gate = &gate};
        start(&submitters[i]);
        gate_wait_for_arrivals(&gate, i + 1);
        assert_int_equal(intakes_of(pool), i + 1);
    }
    assert_int_equal(hand_over(pool, &count, 10), 0);
    assert_int_equal(hand_over(pool, &count, 10), 0);
    assert_int_equal(intakes_of(pool), THREADS + 1);
    gate_open(&gate);
    for (int i = 0; i < THREADS; i++)
        join(&submitters[i]);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, (THREADS + 2) * 10);
    gate_fini(&gate);
}

static void test_workers_and_refused_threads_have_none(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    atomic_uint count = 0;
    assert_int_equal(intakes_of(pool), 0);
    sil_submit_options options = {.priority = SIL_PRIORITY_HIGH};
    atomic_uint *arg = &count;
    sil_future_release(sil_submit_with(pool, &options, task_count, &arg, sizeof arg, 0));
    assert_int_equal(intakes_of(pool), 0);
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    assert_int_equal(hand_over(pool, &count, 1), 1);
    assert_int_equal(intakes_of(pool), 0);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, 1);
}

static void test_thread_that_ended_gives_its_to_the_next(void **state)
{
    (void)state;
    enum { THREADS = 3 * SIL__INTAKES };
    sil_executor *pool = create_pool(2);
    atomic_uint count = 0;
    for (int i = 0; i < THREADS; i++) {
        struct submitter submitter = {.pool = pool, .count = &count, .tasks = 3};
        start(&submitter);
        join(&submitter);
        assert_int_equal(intakes_of(pool), 1);
    }
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, THREADS * 3);
}

static void test_tasks_of_a_thread_that_ended_still_run(void **state)
{
    (void)state;
    enum { THREADS = 10, TASKS = 200 };
    sil_executor *pool = create_pool(1);
    struct gate gate;
    atomic_uint count = 0;
    gate_init(&gate);
    sil_future *blocker = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    /* One after the other, so each but the first finds what its predecessor left. */
    for (int i = 0; i < THREADS; i++) {
        struct submitter submitter = {.pool = pool, .count = &count, .tasks = TASKS};
        start(&submitter);
        join(&submitter);
    }
    assert_int_equal(intakes_of(pool), 2); /* and ours */
    assert_int_equal(count, 0);
    gate_open(&gate);
    assert_code(sil_take(blocker, NULL, SIL_FOREVER), 0);
    eventually(count == THREADS * TASKS);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, THREADS * TASKS);
    gate_fini(&gate);
}

static void test_more_threads_than_intakes(void **state)
{
    (void)state;
    enum { THREADS = SIL__INTAKES + 16, TASKS = 20 };
    sil_executor *pool = create_pool(2);
    atomic_uint count = 0;
    struct gate gate;
    static struct submitter submitters[THREADS];
    gate_init(&gate);
    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] =
            (struct submitter){.pool = pool, .count = &count, .tasks = TASKS, .gate = &gate};
        start(&submitters[i]);
    }
    gate_wait_for_arrivals(&gate, THREADS);
    assert_int_equal(intakes_of(pool), SIL__INTAKES);
    eventually(count == THREADS * TASKS);
    gate_open(&gate);
    for (int i = 0; i < THREADS; i++)
        join(&submitters[i]);
    /* Now there are intakes again for those who come. */
    assert_int_equal(hand_over(pool, &count, TASKS), 0);
    assert_int_equal(intakes_of(pool), SIL__INTAKES);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, (THREADS + 1) * TASKS);
    gate_fini(&gate);
}

static void test_thread_that_submits_to_many_pools_in_turns(void **state)
{
    (void)state;
    enum { POOLS = 9, ROUNDS = 50 };
    sil_executor *pools[POOLS];
    atomic_uint counts[POOLS] = {0};
    for (int i = 0; i < POOLS; i++)
        pools[i] = create_pool(1);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < POOLS; i++)
            assert_int_equal(hand_over(pools[(i * round) % POOLS], &counts[(i * round) % POOLS], 1),
                             0);
    unsigned total = 0;
    for (int i = 0; i < POOLS; i++) {
        assert_in_range(intakes_of(pools[i]), 0, 1);
        assert_code(sil_executor_close(pools[i]), 0);
        total += counts[i];
    }
    assert_int_equal(total, POOLS * ROUNDS);
}

/* Closed ones are kept for a while: only after that many does an address come again. */
static void test_pools_one_after_the_other_at_the_same_addresses(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(400) + 70; i++) {
        sil_executor *pool = create_pool(1);
        atomic_uint count = 0;
        assert_int_equal(hand_over(pool, &count, 4), 0);
        assert_int_equal(intakes_of(pool), 1);
        assert_code(sil_executor_close(pool), 0);
        assert_int_equal(count, 4);
    }
}

/* --- the end of a thread ------------------------------------------------------------------- */

/* Hands over tasks in the destructor of a key, in each round of destructors that there is. */
static pthread_key_t at_end;

/* There are four rounds; the library may need one after ours, and ThreadSanitizer the last. */
#ifdef TEST_TSAN
enum { ROUNDS_AT_END = 2 };
#else
enum { ROUNDS_AT_END = 3 };
#endif

struct late {
    sil_executor *pool;
    atomic_uint *count;
    unsigned first_round; /* the first round in which it does */
    bool before;          /* and also before the thread's end begins */
    unsigned rounds;
    unsigned refused;
};

static void submit_late(void *arg)
{
    struct late *late = arg;
    if (late->rounds++ >= late->first_round)
        late->refused += hand_over(late->pool, late->count, 4);
    if (late->rounds < ROUNDS_AT_END)
        (void)pthread_setspecific(at_end, late);
}

static void *end_late(void *arg)
{
    struct late *late = arg;
    if (late->before)
        late->refused += hand_over(late->pool, late->count, 4);
    (void)pthread_setspecific(at_end, late);
    return NULL;
}

static void test_thread_submits_while_it_ends(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&at_end, submit_late), 0);
    sil_executor *pool = create_pool(2);
    atomic_uint count = 0;
    unsigned expected = 0;
    for (unsigned i = 0; i < 6 * SIL__INTAKES; i++) {
        struct late late = {
            .pool = pool, .count = &count, .first_round = i % ROUNDS_AT_END, .before = i % 4 < 2};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, end_late, &late), 0);
        (void)pthread_join(thread, NULL);
        assert_int_equal(late.refused, 0);
        assert_int_equal(late.rounds, ROUNDS_AT_END);
        expected += 4 * (ROUNDS_AT_END - i % ROUNDS_AT_END + (i % 4 < 2));
        /* They all gave theirs back. */
        assert_int_equal(intakes_of(pool), 1);
    }
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, expected);
    (void)pthread_key_delete(at_end);
}

static void *make_use_and_close(void *arg)
{
    atomic_uint *count = arg;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    if (pool == NULL || hand_over(pool, count, 4) != 0 || sil_executor_close(pool) != 0)
        return arg;
    return NULL;
}

static void test_pool_may_end_before_and_after_its_submitters(void **state)
{
    (void)state;
    atomic_uint count = 0;
    for (int i = 0; i < TEST_SCALE(100); i++) {
        pthread_t thread;
        void *failure = NULL;
        count = 0;
        assert_int_equal(pthread_create(&thread, NULL, make_use_and_close, &count), 0);
        (void)pthread_join(thread, &failure);
        assert_null(failure);
        assert_int_equal(count, 4);
        sil_executor *pool = create_pool(1);
        struct submitter submitter = {.pool = pool, .count = &count, .tasks = 4};
        start(&submitter);
        join(&submitter);
        assert_code(sil_executor_close(pool), 0);
        assert_int_equal(count, 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_thread_has_its_own),
        TEST(test_workers_and_refused_threads_have_none),
        TEST(test_thread_that_ended_gives_its_to_the_next),
        TEST(test_tasks_of_a_thread_that_ended_still_run),
        TEST(test_more_threads_than_intakes),
        TEST(test_thread_that_submits_to_many_pools_in_turns),
        TEST(test_pools_one_after_the_other_at_the_same_addresses),
        TEST(test_thread_submits_while_it_ends),
        TEST(test_pool_may_end_before_and_after_its_submitters),
    };
    return test_run("intakes", tests);
}
