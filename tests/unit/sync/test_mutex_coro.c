/* SPDX-License-Identifier: MIT */
/*
 * Mutexes between coroutines, and between coroutines and threads.
 */
#include <sillon/sync.h>

#include "unit/sync/coroutines.h"

enum { MOST = 5 };

/* A mutex, and who had it, in turn. */
struct shop {
    sil_mutex *mutex;
    int served[MOST * 2];
    int count;
};

struct customer {
    struct shop *shop;
    int number;
    sil_future *first; /* awaits this while it has the mutex; NULL: nothing */
    sil_deadline until;
};

static int visit(void *arg, void *result)
{
    (void)result;
    struct customer *self = *(struct customer **)arg;
    int code = sil_mutex_lock(self->shop->mutex, self->until ? self->until : SIL_FOREVER);
    if (code != 0)
        return code;
    self->shop->served[self->shop->count++] = self->number;
    if (self->first)
        code = sil_await(self->first, SIL_FOREVER);
    int unlocked = sil_mutex_unlock(self->shop->mutex);
    return code ? code : unlocked;
}

static sil_future *enter(struct customer *customer, struct shop *shop, int number)
{
    *customer = (struct customer){.shop = shop, .number = number};
    return go(visit, customer);
}

SCENARIO(mutex_acquire)
{
    (void)arg, (void)result;
    struct shop shop = {.mutex = sil_mutex_create("shop")};
    struct customer customers[3];
    sil_future *futures[3];
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
    for (int i = 0; i < 3; i++)
        futures[i] = enter(&customers[i], &shop, i);
    settle();
    EXPECT(shop.count == 0);
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    EXPECT(sil_mutex_locked(shop.mutex)); /* it is the first one's, who has not run yet */
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT(shop.count == 0);
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0); /* after all of them */
    EXPECT(shop.count == 3);
    for (int i = 0; i < 3; i++)
        EXPECT(shop.served[i] == i);
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    sil_mutex_destroy(shop.mutex);
    return 0;
}

SCENARIO(mutex_acquire_cancel)
{
    (void)arg, (void)result;
    struct shop shop = {.mutex = sil_mutex_create("shop")};
    struct customer customer;
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
    sil_future *future = enter(&customer, &shop, 1);
    settle();
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    EXPECT(!sil_mutex_locked(shop.mutex)); /* nobody is left in line */
    EXPECT(shop.count == 0);
    sil_mutex_destroy(shop.mutex);
    return 0;
}

/* A has it; B, in line before C, is cancelled at the moment when A lets go: whether the cancel or the
 * mutex comes first, C is served, and nothing stays locked. */
SCENARIO(mutex_cancel_race)
{
    (void)arg, (void)result;
    for (int cancel_first = 0; cancel_first <= 1; cancel_first++) {
        struct shop shop = {.mutex = sil_mutex_create("shop")};
        struct customer customers[2];
        EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
        sil_future *b = enter(&customers[0], &shop, 1);
        sil_future *c = enter(&customers[1], &shop, 2);
        settle();
        if (cancel_first)
            (void)sil_future_cancel(b);
        EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
        if (!cancel_first)
            (void)sil_future_cancel(b);
        /* B was in line when it was handed over, and has it: its visit waits for nothing more. */
        EXPECT_CODE(finish(b), 0);
        EXPECT_CODE(finish(c), 0);
        EXPECT(shop.count == 2);
        EXPECT(!sil_mutex_locked(shop.mutex));
        sil_mutex_destroy(shop.mutex);
    }
    return 0;
}

SCENARIO(mutex_cancel_release_race)
{
    (void)arg, (void)result;
    struct shop shop = {.mutex = sil_mutex_create("shop")};
    struct customer customers[3];
    sil_promise *promise = NULL;
    sil_future *closing = promise_int(&promise);
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
    sil_future *one = enter(&customers[0], &shop, 1);
    sil_future *two = enter(&customers[1], &shop, 2);
    sil_future *three = enter(&customers[2], &shop, 3);
    customers[1].first = closing; /* keeps it */
    settle();
    (void)sil_future_cancel(one);
    settle(); /* it leaves the line */
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    EXPECT_CODE(finish(one), SIL_ECANCELLED);
    settle();
    EXPECT(shop.count == 1); /* only one of the others has it */
    EXPECT(shop.served[0] == 2);
    (void)sil_future_cancel(three);
    EXPECT_CODE(finish(three), SIL_ECANCELLED);
    (void)sil_promise_resolve(promise, NULL);
    EXPECT_CODE(finish(two), 0);
    EXPECT(!sil_mutex_locked(shop.mutex));
    sil_promise_destroy(promise);
    sil_future_release(closing);
    sil_mutex_destroy(shop.mutex);
    return 0;
}

/* Cancelled with the mutex on its way to it: it has it, and the cancel comes with its next wait. */
SCENARIO(mutex_finished_waiter_cancelled)
{
    (void)arg, (void)result;
    struct shop shop = {.mutex = sil_mutex_create("shop")};
    struct customer customers[2];
    sil_promise *promise = NULL;
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
    sil_future *b = enter(&customers[0], &shop, 1);
    sil_future *c = enter(&customers[1], &shop, 2);
    customers[0].first = promise_int(&promise);
    settle();
    (void)sil_future_cancel(b);
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    EXPECT_CODE(finish(b), SIL_ECANCELLED); /* in sil_await, and so it has unlocked */
    EXPECT_CODE(finish(c), 0);
    EXPECT(shop.count == 2);
    EXPECT(shop.served[0] == 1);
    EXPECT(!sil_mutex_locked(shop.mutex));
    sil_promise_destroy(promise);
    sil_future_release(customers[0].first);
    sil_mutex_destroy(shop.mutex);
    return 0;
}

SCENARIO(mutex_one_in_the_middle_of_the_line_gives_up)
{
    (void)arg, (void)result;
    struct shop shop = {.mutex = sil_mutex_create("shop")};
    struct customer customers[3];
    sil_future *futures[3];
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
    for (int i = 0; i < 3; i++)
        futures[i] = enter(&customers[i], &shop, i);
    customers[1].until = sil_in(0.005);
    EXPECT_CODE(sil_await(futures[1], SIL_FOREVER), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    EXPECT_CODE(finish(futures[0]), 0);
    EXPECT_CODE(finish(futures[1]), SIL_ETIMEDOUT);
    EXPECT_CODE(finish(futures[2]), 0);
    EXPECT(shop.count == 2);
    sil_mutex_destroy(shop.mutex);
    return 0;
}

/* --- its holder ends --------------------------------------------------------------------------- */

static int lock_and_end(void *arg, void *result)
{
    (void)result;
    return sil_mutex_lock(*(sil_mutex **)arg, SIL_FOREVER);
}

SCENARIO(mutex_of_an_ended_coroutine_is_lost)
{
    (void)arg, (void)result;
    struct shop shop = {.mutex = sil_mutex_create("shop")};
    struct customer customer;
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), 0);
    sil_future *ending = go(lock_and_end, shop.mutex);
    settle();
    sil_future *waiting = enter(&customer, &shop, 1);
    settle();
    EXPECT_CODE(sil_mutex_unlock(shop.mutex), 0);
    EXPECT_CODE(finish(ending), 0);
    EXPECT_CODE(finish(waiting), SIL_EDEADLK);
    EXPECT_CODE(sil_mutex_lock(shop.mutex, SIL_FOREVER), SIL_EDEADLK);
    sil_mutex_destroy(shop.mutex);
    return 0;
}

/* --- coroutines and threads -------------------------------------------------------------------- */

enum { ROUNDS = TEST_SCALE(2000) };

struct counter {
    sil_mutex *mutex;
    long value; /* guarded by the mutex */
};

static int count_up(void *arg, void *result)
{
    (void)result;
    struct counter *counter = *(struct counter **)arg;
    int code = 0;
    for (int i = 0; i < ROUNDS && code == 0; i++) {
        code = sil_mutex_lock(counter->mutex, i % 3 ? SIL_FOREVER : sil_in(1000));
        if (code != 0)
            break;
        long value = counter->value;
        if (i % 16 == 0)
            (void)sil_yield();
        counter->value = value + 1;
        code = sil_mutex_unlock(counter->mutex);
    }
    return code;
}

static struct counter *shared_counter;

static int count_on_loop(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = go(count_up, shared_counter);
    for (int i = 0; i < 4; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    return 0;
}

static void test_mutex_between_coroutines_and_threads(void **state)
{
    (void)state;
    struct counter counter = {.mutex = sil_mutex_create("counter")};
    struct counter *arg = &counter;
    sil_future *threads[2];
    shared_counter = &counter;
    for (int i = 0; i < 2; i++)
        threads[i] = sil_thread_start(NULL, count_up, &arg, sizeof arg, 0);
    run_scenario(count_on_loop);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(threads[i], NULL, SIL_FOREVER), 0);
    assert_int_equal(counter.value, 6 * ROUNDS);
    sil_mutex_destroy(counter.mutex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mutex_acquire),
        TEST(test_mutex_acquire_cancel),
        TEST(test_mutex_cancel_race),
        TEST(test_mutex_cancel_release_race),
        TEST(test_mutex_finished_waiter_cancelled),
        TEST(test_mutex_one_in_the_middle_of_the_line_gives_up),
        TEST(test_mutex_of_an_ended_coroutine_is_lost),
        TEST(test_mutex_between_coroutines_and_threads),
    };
    begin_scenarios();
    return test_run("mutex_coro", tests);
}
