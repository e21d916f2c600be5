/* SPDX-License-Identifier: MIT */
/*
 * Pools by the hundred, made and closed on several threads at once, each with some work on it.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/random.h"
#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

struct builder {
    struct random random;
    unsigned wrong;
};

static int submit_and_await(void *arg, void *result)
{
    sil_executor *pool = *(sil_executor **)arg;
    return sil_take(submit_int(pool, task_square, 3), result, SIL_FOREVER);
}

static void *build_and_close(void *arg)
{
    struct builder *builder = arg;
    struct random *random = &builder->random;
    for (int round = 0; round < TEST_SCALE(600); round++) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){
            .workers = 1 + (unsigned)random_below(random, 4),
            .max_pending = random_below(random, 4),
        });
        atomic_uint count = 0;
        unsigned submits = (unsigned)random_below(random, 20);
        for (unsigned i = 0; i < submits; i++)
            sil_future_release(submit_count(pool, &count));
        int value = 9;
        if (random_below(random, 2) == 0)
            builder->wrong +=
                sil_take(sil_submit(pool, submit_and_await, &pool, sizeof pool, sizeof value),
                         &value, SIL_FOREVER) != 0;
        bool cancel = random_below(random, 4) == 0;
        builder->wrong += value != 9;
        builder->wrong += sil_executor_shutdown(pool, cancel, SIL_NOW) != 0;
        builder->wrong += sil_executor_close(pool) != 0;
        builder->wrong += cancel ? count > submits : count != submits;
    }
    return NULL;
}

static void test_many_pools_in_parallel(void **state)
{
    (void)state;
    struct builder builders[3];
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++) {
        builders[i] = (struct builder){.random = {i}};
        assert_int_equal(pthread_create(&threads[i], NULL, build_and_close, &builders[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(builders[i].wrong, 0);
}

static int close_own(void *arg, void *result)
{
    (void)result;
    random_yield_here();
    return sil_executor_close(*(sil_executor **)arg);
}

static void test_many_pools_closed_by_their_tasks(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(500); round++) {
        sil_executor *pool = sil_thread_pool(
            &(sil_thread_pool_options){.workers = 1 + (unsigned)round % 3, .name = "self"});
        atomic_uint count = 0;
        sil_future *counted[4];
        for (int i = 0; i < 4; i++)
            counted[i] = submit_count(pool, &count);
        sil_future *closer = sil_submit(pool, close_own, &pool, sizeof pool, 0);
        for (int i = 0; i < 4; i++)
            assert_code(sil_take(counted[i], NULL, SIL_FOREVER), 0);
        assert_code(sil_take(closer, NULL, SIL_FOREVER), 0);
        assert_int_equal(count, 4);
    }
    eventually(self_threads("self-") == 0);
}

static void *start_many(void *arg)
{
    unsigned *wrong = arg;
    for (int i = 0; i < TEST_SCALE(500); i++) {
        int value = 0;
        sil_future *future = sil_thread_start(&(sil_thread_options){.name = "single"}, task_square,
                                              &i, sizeof i, sizeof i);
        if (i % 3 == 0)
            sil_future_release(future);
        else
            *wrong += sil_take(future, &value, SIL_FOREVER) != 0 || value != i * i;
    }
    return NULL;
}

static void test_many_single_threads(void **state)
{
    (void)state;
    unsigned wrong[3] = {0};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start_many, &wrong[i]), 0);
    for (int i = 0; i < 3; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(wrong[0] + wrong[1] + wrong[2], 0);
    eventually(self_threads("single") == 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_many_pools_in_parallel),
        TEST(test_many_pools_closed_by_their_tasks),
        TEST(test_many_single_threads),
    };
    return test_run("many pools", tests);
}
