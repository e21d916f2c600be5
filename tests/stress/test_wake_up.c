/* SPDX-License-Identifier: MIT */
/*
 * The hunt for lost wake-ups: workers that fall asleep at the very moment a task arrives. One
 * lost wake-up hangs the test.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { ROUNDS = TEST_SCALE(200000) };

static void ping(sil_executor *pool, int rounds, bool yield)
{
    int wrong = 0;
    for (int i = 0; i < rounds; i++) {
        int value = -1;
        wrong += sil_take(submit_int(pool, task_int, i), &value, SIL_FOREVER) != 0 || value != i;
        if (yield)
            random_yield_here();
    }
    assert_int_equal(wrong, 0);
}

static void test_one_task_at_a_time(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers *= 2) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        ping(pool, ROUNDS / 3, workers == 2);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* The next task is submitted by a callback of the former: the producer is the worker itself. */
struct relay {
    sil_executor *pool;
    int left;
    struct latch done;
};

static void submit_next(sil_future *future, void *user)
{
    struct relay *relay = user;
    (void)future;
    if (relay->left-- == 0) {
        latch_down(&relay->done);
        return;
    }
    sil_future *next = submit_nothing(relay->pool);
    if (sil_future_add_done_callback(next, submit_next, relay) != 0)
        test_hung("no memory for a callback", __FILE__, __LINE__);
    sil_future_release(next);
}

static void test_one_task_at_a_time_from_callbacks(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        struct relay relay = {.pool = pool, .left = ROUNDS / 4};
        latch_init(&relay.done, 1);
        sil_future *first = submit_nothing(pool);
        assert_code(sil_future_add_done_callback(first, submit_next, &relay), 0);
        sil_future_release(first);
        latch_wait(&relay.done);
        assert_code(sil_executor_close(pool), 0);
        latch_fini(&relay.done);
    }
}

/* Two pools throw one task back and forth, each awaiting the other. */
struct game {
    sil_executor *here;
    sil_executor *there;
    int left;
};

static int play(void *arg, void *result)
{
    (void)result;
    struct game *game = arg;
    if (game->left == 0)
        return 0;
    struct game next = {game->there, game->here, game->left - 1};
    return sil_take(sil_submit(next.here, play, &next, sizeof next, 0), NULL, SIL_FOREVER);
}

static void test_blocked_and_replaced_all_the_time(void **state)
{
    (void)state;
    sil_executor *pools[2];
    for (int i = 0; i < 2; i++)
        pools[i] = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    for (int round = 0; round < ROUNDS / 1000; round++) {
        struct game game = {pools[0], pools[1], 20};
        assert_code(sil_take(sil_submit(pools[0], play, &game, sizeof game, 0), NULL, SIL_FOREVER),
                    0);
    }
    for (int i = 0; i < 2; i++)
        assert_code(sil_executor_close(pools[i]), 0);
}

static void *ping_thread(void *arg)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        if (sil_take(submit_nothing(arg), NULL, SIL_FOREVER) != 0)
            return arg;
        random_yield_here();
    }
    return NULL;
}

static void test_several_producers_one_task_each(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 3});
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ping_thread, pool), 0);
    for (int i = 0; i < 3; i++) {
        void *failure = NULL;
        (void)pthread_join(threads[i], &failure);
        assert_null(failure);
    }
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_one_task_at_a_time),
        TEST(test_one_task_at_a_time_from_callbacks),
        TEST(test_blocked_and_replaced_all_the_time),
        TEST(test_several_producers_one_task_each),
    };
    return test_run("wake-ups", tests);
}
