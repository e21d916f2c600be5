/* SPDX-License-Identifier: MIT */
/*
 * The slow paths of the lock, see lock.h.
 */
#include "base/lock.h"

#include "base/futex.h"

/* Looks before sleeping: what a lock guards here takes tens of nanoseconds. */
#define LOOKS 100

void sil__lock_wait(struct sil__lock *lock)
{
    for (int i = 0; i < LOOKS; i++) {
        uint32_t free_word = 0;
        if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->word, &free_word, 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    /* From here on we leave 2 behind: we cannot know whether others sleep. */
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
        sil__futex_wait(&lock->word, 2, INT64_MAX);
}

void sil__lock_wake(struct sil__lock *lock)
{
    sil__futex_wake(&lock->word, 1);
}
