/* SPDX-License-Identifier: MIT */
/*
 * The slow paths of the biased lock, see biased.h.
 */
#include "base/biased.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "base/spin.h"

/* Looks at a busy owner: with a pause between, then giving way to others, then asleep for a moment,
 * since the owner may be one of a lower priority that needs our CPU. */
#define LOOKS_TIGHT 200
#define LOOKS_YIELDING 2000
#define NAP_NANOSECONDS 50000

_Thread_local char sil__biased_self;

void sil__biased_init(struct sil__biased *biased)
{
    atomic_init(&biased->owner, sil__barrier_symmetric ? SIL__BIASED_NOBODY : SIL__BIASED_FRESH);
    atomic_init(&biased->busy, 0);
    biased->lock = (struct sil__lock){0};
    biased->lent = 0;
}

static void look_again(unsigned looks)
{
    if (looks < LOOKS_TIGHT) {
        sil__spin_pause();
    } else if (looks < LOOKS_YIELDING) {
        (void)sched_yield();
    } else {
        int saved = errno;
        (void)nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
        errno = saved;
    }
}

/* The owner is another thread: from here on it takes the lock, which we hold. */
static void oust_locked(struct sil__biased *biased)
{
    atomic_store_explicit(&biased->owner, SIL__BIASED_OUSTED, memory_order_relaxed);
    sil__barrier_heavy();
    /* Acquire pairs with the release store in leave. */
    for (unsigned looks = 0; atomic_load_explicit(&biased->busy, memory_order_acquire) != 0;)
        look_again(looks++);
}

/* Under the lock it is never ousted: whoever ousts holds the lock until that is settled. */
static bool is_anothers(uintptr_t owner)
{
    return owner != SIL__BIASED_FRESH && owner != SIL__BIASED_NOBODY &&
           owner != sil__biased_identity();
}

void sil__biased_take_slow(struct sil__biased *biased)
{
    sil__lock_take(&biased->lock);
    uintptr_t owner = atomic_load_explicit(&biased->owner, memory_order_relaxed);
    if (is_anothers(owner)) {
        oust_locked(biased);
        /* Release pairs with the acquire load in is_over. */
        atomic_store_explicit(&biased->owner, SIL__BIASED_NOBODY, memory_order_release);
    } else if (owner == SIL__BIASED_FRESH) {
        /* This time we are inside by the lock, the next time by the bias. */
        atomic_store_explicit(&biased->owner, sil__biased_identity(), memory_order_relaxed);
    }
}

void sil__biased_borrow(struct sil__biased *biased)
{
    sil__lock_take(&biased->lock);
    uintptr_t owner = atomic_load_explicit(&biased->owner, memory_order_relaxed);
    if (!is_anothers(owner))
        return;
    biased->lent = owner;
    oust_locked(biased);
}

void sil__biased_return(struct sil__biased *biased)
{
    if (biased->lent) {
        /* Release pairs with the acquire load in take. */
        atomic_store_explicit(&biased->owner, biased->lent, memory_order_release);
        biased->lent = 0;
    }
    sil__lock_drop(&biased->lock);
}
