/* SPDX-License-Identifier: MIT */
/*
 * The four-byte lock: nobody is in twice, and nobody waits for ever.
 */
#include "base/lock.h"

#include <pthread.h>

#include "support/test.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct sil__lock lock;
static long counter; /* guarded by lock */

static void *count(void *argument)
{
    (void)argument;
    for (int i = 0; i < TEST_SCALE(ROUNDS); i++) {
        sil__lock_take(&lock);
        counter++;
        sil__lock_drop(&lock);
    }
    return NULL;
}

static void test_threads_take_turns(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(counter, (long)THREADS * TEST_SCALE(ROUNDS));
    assert_int_equal(lock.word, 0);
}

static void *take_and_drop(void *argument)
{
    (void)argument;
    sil__lock_take(&lock);
    counter++;
    sil__lock_drop(&lock);
    return NULL;
}

static void test_sleeper_is_woken_by_the_drop(void **state)
{
    (void)state;
    pthread_t thread;
    counter = 0;
    sil__lock_take(&lock);
    assert_int_equal(pthread_create(&thread, NULL, take_and_drop, NULL), 0);
    eventually(atomic_load(&lock.word) == 2); /* it sleeps, or is about to */
    assert_int_equal(counter, 0);
    sil__lock_drop(&lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(counter, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_threads_take_turns),
        TEST(test_sleeper_is_woken_by_the_drop),
    };
    return test_run("lock", tests);
}
