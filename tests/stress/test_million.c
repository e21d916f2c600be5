/* SPDX-License-Identifier: MIT */
/*
 * A million futures, submitted from four threads at once and awaited in random order: none is
 * lost, none runs twice.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { SUBMITTERS = 4, MILLION = 1000000 };

/* How many futures: the first test has a million in every build, the others fewer under
 * sanitizers. */
static size_t all;
static sil_executor *pool;
static sil_future **futures;
static atomic_uint runs;

/* arg: an int. result: three times that. */
static int triple(void *arg, void *result)
{
    (void)atomic_fetch_add_explicit(&runs, 1, memory_order_relaxed);
    *(int *)result = 3 * *(int *)arg;
    return 0;
}

static void *submit_a_quarter(void *arg)
{
    int first = *(int *)arg;
    for (int i = first; i < first + (int)(all / SUBMITTERS); i++)
        futures[i] = sil_submit(pool, triple, &i, sizeof i, sizeof i);
    return NULL;
}

static void *submit_a_quarter_at_once(void *arg)
{
    int first = *(int *)arg;
    enum { CHUNK = 500 };
    int args[CHUNK];
    int each = (int)(all / SUBMITTERS);
    for (int done = 0; done < each; done += CHUNK) {
        int count = each - done < CHUNK ? each - done : CHUNK;
        for (int i = 0; i < count; i++)
            args[i] = first + done + i;
        (void)sil_submit_many(pool, NULL, triple, args, sizeof(int), sizeof(int), (size_t)count,
                              futures + first + done);
    }
    return NULL;
}

static void submit_from_all(void *(*submitter)(void *arg))
{
    pthread_t threads[SUBMITTERS];
    int firsts[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++) {
        firsts[i] = i * (int)(all / SUBMITTERS);
        assert_int_equal(pthread_create(&threads[i], NULL, submitter, &firsts[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        (void)pthread_join(threads[i], NULL);
}

/* Takes every future, in random order; how many were wrong. */
static size_t take_all(uint64_t seed)
{
    size_t *order = malloc(all * sizeof *order);
    struct random random = {seed};
    random_permutation(&random, order, all);
    size_t wrong = 0;
    for (size_t i = 0; i < all; i++) {
        int value = -1;
        int code = sil_take(futures[order[i]], &value, SIL_FOREVER);
        wrong += code != 0 || value != 3 * (int)order[i];
    }
    free(order);
    return wrong;
}

static void run(unsigned workers, size_t count, void *(*submitter)(void *arg))
{
    all = count;
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    futures = calloc(all, sizeof *futures);
    runs = 0;
    submit_from_all(submitter);
    assert_int_equal(take_all(workers), 0);
    assert_int_equal(runs, all);
    sil_executor_stats stats;
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    assert_int_equal(stats.submitted, all);
    assert_int_equal(stats.done, all);
    free(futures);
    assert_code(sil_executor_close(pool), 0);
}

static void test_a_million_futures_from_four_threads(void **state)
{
    (void)state;
    run(2, MILLION, submit_a_quarter);
}

static void test_a_million_futures_on_more_workers_than_cpus(void **state)
{
    (void)state;
    run(4, TEST_SCALE(MILLION), submit_a_quarter);
}

static void test_a_million_futures_in_bulk(void **state)
{
    (void)state;
    run(3, TEST_SCALE(MILLION), submit_a_quarter_at_once);
}

static void test_a_million_futures_waited_for_at_once(void **state)
{
    (void)state;
    all = TEST_SCALE(MILLION);
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    futures = calloc(all, sizeof *futures);
    runs = 0;
    submit_from_all(submit_a_quarter);
    size_t done = 0;
    assert_code(sil_wait(futures, all, SIL_ALL_COMPLETED, SIL_FOREVER, &done), 0);
    assert_int_equal(done, all);
    assert_int_equal(runs, all);
    assert_int_equal(take_all(9), 0);
    free(futures);
    assert_code(sil_executor_close(pool), 0);
}

static void test_a_million_futures_as_they_complete(void **state)
{
    (void)state;
    all = TEST_SCALE(MILLION);
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    futures = calloc(all, sizeof *futures);
    submit_from_all(submit_a_quarter);
    sil_as_completed *it = sil_as_completed_create(futures, all);
    sil_future *future = NULL;
    uint64_t sum = 0;
    size_t yielded = 0;
    for (; sil_as_completed_next(it, &future, SIL_FOREVER) == 0; yielded++)
        sum += *(const unsigned *)sil_future_result(future, NULL);
    assert_int_equal(yielded, all);
    assert_int_equal(sum, 3 * ((uint64_t)all * (all - 1) / 2));
    sil_as_completed_destroy(it);
    for (size_t i = 0; i < all; i++)
        sil_future_release(futures[i]);
    free(futures);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_a_million_futures_from_four_threads),
        TEST(test_a_million_futures_on_more_workers_than_cpus),
        TEST(test_a_million_futures_in_bulk),
        TEST(test_a_million_futures_waited_for_at_once),
        TEST(test_a_million_futures_as_they_complete),
    };
    return test_run("a million futures", tests);
}
