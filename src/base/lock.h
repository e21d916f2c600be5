/* SPDX-License-Identifier: MIT */
/*
 * A mutex of four bytes, small enough for one in every future.
 *
 * 0 free, 1 held, 2 held and somebody may sleep. After U. Drepper, "Futexes Are Tricky" (2011),
 * mutex 3. Not recursive; not fair. All zero is a free lock.
 */
#ifndef SIL__BASE_LOCK_H
#define SIL__BASE_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct sil__lock {
    _Atomic uint32_t word;
};

void sil__lock_wait(struct sil__lock *lock);
void sil__lock_wake(struct sil__lock *lock);

static inline void sil__lock_take(struct sil__lock *lock)
{
    uint32_t free_word = 0;
    /* Acquire pairs with the release in sil__lock_drop. */
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &free_word, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        sil__lock_wait(lock);
}

static inline void sil__lock_drop(struct sil__lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        sil__lock_wake(lock);
}

#endif
