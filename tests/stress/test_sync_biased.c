/* SPDX-License-Identifier: MIT */
/*
 * The biased lock tried out: the owner in a tight loop, and another that takes the bias away, or
 * borrows, at any moment of it. What the lock guards is plain memory, so two that are inside at once
 * lose steps of it.
 */
#include "base/biased.h"

#include <pthread.h>

#include <sillon/sync.h>

#include "support/random.h"
#include "support/test.h"

struct guarded {
    _Alignas(128) struct sil__biased biased;
    _Alignas(128) volatile long first; /* guarded by biased; always as many as */
    _Alignas(128) volatile long second;
    _Alignas(128) atomic_uint ready;
    atomic_bool enough; /* the other has done its part */
    uint64_t seed;
    long owner_steps;
    long odd; /* looks that found the two different */
};

static void meet(struct guarded *guarded)
{
    (void)atomic_fetch_add(&guarded->ready, 1);
    while (atomic_load(&guarded->ready) < 2)
        test_yield();
}

static void step(struct guarded *guarded)
{
    guarded->odd += guarded->first != guarded->second;
    guarded->first = guarded->first + 1;
    guarded->second = guarded->second + 1;
}

static void pass_some_time(struct random *random)
{
    for (volatile size_t n = random_below(random, 2000); n > 0; n--) {
    }
}

static void *own(void *arg)
{
    struct guarded *guarded = arg;
    sil__biased_take(&guarded->biased); /* it is ours from now on */
    sil__biased_drop(&guarded->biased);
    meet(guarded);
    long steps = 0;
    for (; !atomic_load_explicit(&guarded->enough, memory_order_relaxed) || steps < 100; steps++) {
        sil__biased_take(&guarded->biased);
        step(guarded);
        sil__biased_drop(&guarded->biased);
    }
    guarded->owner_steps = steps;
    return NULL;
}

enum { REVOCATIONS = TEST_SCALE(500), BORROWS = TEST_SCALE(20000), INTRUSIONS = 20 };

static void begin(struct guarded *guarded, pthread_t *owner, uint64_t seed)
{
    *guarded = (struct guarded){.seed = seed};
    sil__biased_init(&guarded->biased);
    assert_int_equal(pthread_create(owner, NULL, own, guarded), 0);
    meet(guarded);
}

static void end(struct guarded *guarded, pthread_t owner, long steps)
{
    atomic_store(&guarded->enough, true);
    (void)pthread_join(owner, NULL);
    assert_int_equal(guarded->odd, 0);
    assert_int_equal(guarded->first, guarded->owner_steps + steps);
    assert_int_equal(guarded->second, guarded->first);
}

static void test_revocation_at_any_moment(void **state)
{
    (void)state;
    struct random random = {1};
    for (int round = 0; round < REVOCATIONS; round++) {
        struct guarded guarded;
        pthread_t owner;
        begin(&guarded, &owner, (uint64_t)round);
        pass_some_time(&random);
        for (int i = 0; i < INTRUSIONS; i++) {
            sil__biased_take(&guarded.biased);
            step(&guarded);
            sil__biased_drop(&guarded.biased);
        }
        end(&guarded, owner, INTRUSIONS);
        assert_true(sil__biased_is_over(&guarded.biased));
    }
}

static void test_borrowing_again_and_again(void **state)
{
    (void)state;
    struct random random = {2};
    struct guarded guarded;
    pthread_t owner;
    begin(&guarded, &owner, 2);
    for (int i = 0; i < BORROWS; i++) {
        sil__biased_borrow(&guarded.biased);
        step(&guarded);
        sil__biased_return(&guarded.biased);
        if (random_below(&random, 4) == 0)
            pass_some_time(&random);
    }
    assert_int_equal(sil__biased_is_over(&guarded.biased), sil__barrier_symmetric);
    end(&guarded, owner, BORROWS);
}

/* One borrows, then another revokes, while the owner goes on. */
static void test_borrowing_and_then_revocation(void **state)
{
    (void)state;
    struct random random = {3};
    for (int round = 0; round < REVOCATIONS / 4; round++) {
        struct guarded guarded;
        pthread_t owner;
        begin(&guarded, &owner, (uint64_t)round);
        long steps = 0;
        for (size_t i = random_below(&random, 8); i > 0; i--, steps++) {
            sil__biased_borrow(&guarded.biased);
            step(&guarded);
            sil__biased_return(&guarded.biased);
        }
        sil__biased_take(&guarded.biased);
        step(&guarded);
        sil__biased_drop(&guarded.biased);
        end(&guarded, owner, steps + 1);
    }
}

/* --- the mutex's own way, with the bias and after it --------------------------------------------- */

struct shared {
    sil_mutex *mutex;
    volatile long value; /* guarded by the mutex */
    atomic_uint ready;
    atomic_bool enough;
    long owner_steps;
    unsigned failures;
};

static bool add_one(struct shared *shared)
{
    if (sil_mutex_lock(shared->mutex, SIL_FOREVER) != 0)
        return false;
    shared->value = shared->value + 1;
    return sil_mutex_unlock(shared->mutex) == 0;
}

static void *own_mutex(void *arg)
{
    struct shared *shared = arg;
    bool fine = add_one(shared) && add_one(shared);
    atomic_store(&shared->ready, 1);
    long steps = 2;
    while (!atomic_load_explicit(&shared->enough, memory_order_relaxed) || steps < 100) {
        fine = fine && add_one(shared);
        steps++;
    }
    shared->owner_steps = steps;
    shared->failures += !fine;
    return NULL;
}

static void test_mutex_that_is_no_more_of_one_thread(void **state)
{
    (void)state;
    struct random random = {4};
    for (int round = 0; round < REVOCATIONS; round++) {
        struct shared shared = {.mutex = sil_mutex_create(NULL)};
        pthread_t owner;
        unsigned failures = 0;
        assert_int_equal(pthread_create(&owner, NULL, own_mutex, &shared), 0);
        while (atomic_load(&shared.ready) == 0)
            test_yield();
        pass_some_time(&random);
        for (int i = 0; i < INTRUSIONS; i++)
            failures += !add_one(&shared);
        atomic_store(&shared.enough, true);
        (void)pthread_join(owner, NULL);
        assert_int_equal(failures + shared.failures, 0);
        assert_int_equal(shared.value, shared.owner_steps + INTRUSIONS);
        assert_false(sil_mutex_locked(shared.mutex));
        sil_mutex_destroy(shared.mutex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_revocation_at_any_moment),
        TEST(test_borrowing_again_and_again),
        TEST(test_borrowing_and_then_revocation),
        TEST(test_mutex_that_is_no_more_of_one_thread),
    };
    return test_run("sync_biased", tests);
}
