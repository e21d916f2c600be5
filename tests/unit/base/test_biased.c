/* SPDX-License-Identifier: MIT */
/*
 * The biased lock: who has the bias, and how it goes. Exclusion itself: stress/test_sync_biased.c.
 */
#include "base/biased.h"

#include <pthread.h>

#include "support/gate.h"
#include "support/test.h"

static uintptr_t owner_of(struct sil__biased *biased)
{
    return atomic_load(&biased->owner);
}

static void take_and_drop(struct sil__biased *biased)
{
    sil__biased_take(biased);
    sil__biased_drop(biased);
}

static void *take_elsewhere(void *biased)
{
    take_and_drop(biased);
    return NULL;
}

static void *borrow_elsewhere(void *biased)
{
    sil__biased_borrow(biased);
    sil__biased_return(biased);
    return NULL;
}

static void on_a_thread(void *(*fn)(void *), struct sil__biased *biased)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fn, biased), 0);
    (void)pthread_join(thread, NULL);
}

/* Runs the check where there is a bias; ThreadSanitizer has none to offer. */
static bool there_is_a_bias(void)
{
    return !sil__barrier_symmetric;
}

static void test_first_to_take_it_is_its_owner(void **state)
{
    (void)state;
    struct sil__biased biased;
    sil__biased_init(&biased);
    if (!there_is_a_bias())
        return;
    assert_int_equal(owner_of(&biased), SIL__BIASED_FRESH);
    assert_false(sil__biased_enter(&biased));
    take_and_drop(&biased);
    assert_int_equal(owner_of(&biased), sil__biased_identity());
    assert_int_equal(atomic_load(&biased.lock.word), 0);
    for (int i = 0; i < 3; i++) {
        sil__biased_take(&biased);
        assert_int_equal(atomic_load(&biased.busy), sil__biased_identity());
        assert_int_equal(atomic_load(&biased.lock.word), 0);
        sil__biased_drop(&biased);
        assert_int_equal(atomic_load(&biased.busy), 0);
    }
    assert_true(sil__biased_enter(&biased));
    sil__biased_leave(&biased);
    assert_false(sil__biased_is_over(&biased));
}

static void test_another_thread_ends_the_bias(void **state)
{
    (void)state;
    struct sil__biased biased;
    sil__biased_init(&biased);
    take_and_drop(&biased);
    on_a_thread(take_elsewhere, &biased);
    assert_true(sil__biased_is_over(&biased));
    assert_false(sil__biased_enter(&biased));
    sil__biased_take(&biased);
    assert_int_equal(atomic_load(&biased.lock.word), 1);
    assert_int_equal(atomic_load(&biased.busy), 0);
    sil__biased_drop(&biased);
    assert_int_equal(atomic_load(&biased.lock.word), 0);
    on_a_thread(take_elsewhere, &biased);
}

static void test_borrowing_leaves_the_bias(void **state)
{
    (void)state;
    struct sil__biased biased;
    sil__biased_init(&biased);
    on_a_thread(borrow_elsewhere, &biased); /* fresh */
    take_and_drop(&biased);
    uintptr_t owner = owner_of(&biased);
    on_a_thread(borrow_elsewhere, &biased); /* biased */
    assert_int_equal(owner_of(&biased), owner);
    sil__biased_borrow(&biased); /* by the owner itself */
    sil__biased_return(&biased);
    assert_int_equal(owner_of(&biased), owner);
    take_and_drop(&biased);
    on_a_thread(take_elsewhere, &biased);
    on_a_thread(borrow_elsewhere, &biased); /* over */
    assert_true(sil__biased_is_over(&biased));
    take_and_drop(&biased);
}

struct borrower {
    struct sil__biased biased;
    struct gate borrowed;
    struct gate give_back;
    int value;
};

static void *borrow_for_long(void *arg)
{
    struct borrower *borrower = arg;
    sil__biased_borrow(&borrower->biased);
    gate_open(&borrower->borrowed);
    gate_wait(&borrower->give_back);
    borrower->value = 1;
    sil__biased_return(&borrower->biased);
    return NULL;
}

static void *open_soon(void *arg)
{
    struct borrower *borrower = arg;
    for (int i = 0; i < 1000; i++)
        test_yield();
    gate_open(&borrower->give_back);
    return NULL;
}

static void test_owner_waits_while_it_is_borrowed(void **state)
{
    (void)state;
    struct borrower borrower = {.value = 0};
    pthread_t threads[2];
    sil__biased_init(&borrower.biased);
    gate_init(&borrower.borrowed);
    gate_init(&borrower.give_back);
    take_and_drop(&borrower.biased);
    assert_int_equal(pthread_create(&threads[0], NULL, borrow_for_long, &borrower), 0);
    gate_wait(&borrower.borrowed);
    assert_false(sil__biased_enter(&borrower.biased));
    assert_int_equal(pthread_create(&threads[1], NULL, open_soon, &borrower), 0);
    sil__biased_take(&borrower.biased);
    int value = borrower.value;
    sil__biased_drop(&borrower.biased);
    assert_int_equal(value, 1);
    assert_int_equal(sil__biased_enter(&borrower.biased), there_is_a_bias());
    if (there_is_a_bias())
        sil__biased_leave(&borrower.biased);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    gate_fini(&borrower.borrowed);
    gate_fini(&borrower.give_back);
}

/* The identity of a thread that has ended may be another's: it then has the bias, and that is all. */
static void test_bias_of_a_thread_that_has_ended(void **state)
{
    (void)state;
    struct sil__biased biased;
    sil__biased_init(&biased);
    for (int i = 0; i < 10; i++)
        on_a_thread(take_elsewhere, &biased);
    take_and_drop(&biased);
    assert_true(sil__biased_is_over(&biased));
}

static void test_without_membarrier_there_is_no_bias(void **state)
{
    (void)state;
    bool symmetric = sil__barrier_symmetric;
    struct sil__biased biased;
    sil__barrier_symmetric = true;
    sil__biased_init(&biased);
    assert_true(sil__biased_is_over(&biased));
    take_and_drop(&biased);
    on_a_thread(take_elsewhere, &biased);
    on_a_thread(borrow_elsewhere, &biased);
    sil__biased_borrow(&biased);
    sil__biased_return(&biased);
    assert_true(sil__biased_is_over(&biased));
    sil__barrier_symmetric = symmetric;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_to_take_it_is_its_owner),   TEST(test_another_thread_ends_the_bias),
        TEST(test_borrowing_leaves_the_bias),       TEST(test_owner_waits_while_it_is_borrowed),
        TEST(test_bias_of_a_thread_that_has_ended), TEST(test_without_membarrier_there_is_no_bias),
    };
    return test_run("biased", tests);
}
