/* SPDX-License-Identifier: MIT */
/*
 * A lock for what one thread uses nearly always: it is biased to the first thread that takes it, whose
 * take and drop are a few plain loads and stores (2 ns; a locked instruction alone takes 5 to 20).
 *
 * The first take by another thread revokes the bias for good; from then on it is an ordinary lock
 * (lock.h). A borrow, for what is rare, takes the bias away for a moment only. Where barriers are
 * symmetric (asymmetric.h: no membarrier; ThreadSanitizer) there never is a bias.
 *
 * What it guards is short: it does not wait, and does not switch coroutines. Coroutines share the
 * identity of their thread, so they must not interleave inside; and need no more exclusion than that.
 *
 * I1: whoever is inside holds `lock`, or is the owner, has set busy, and has seen after that that it
 *     is the owner still.
 * I2: owner is changed by those who hold `lock` only; busy by the owner only.
 *
 * Memory order. The owner writes busy and then looks at owner; who takes the bias away writes owner and
 * then looks at busy: with the asymmetric barrier between the two on both sides, at least one sees
 * what the other wrote. If the owner does, it steps back and takes `lock`. Else the other sees it busy,
 * and waits: its acquire load of busy pairs with the release store in leave, so it sees what the owner
 * did. The other way, the owner's acquire load of owner pairs with the release store that gives the
 * bias back; after a revocation the owner synchronises by `lock` like everybody.
 *
 * Identities. A thread is known by the address of a thread-local variable, which a later thread may
 * have again after the end of the first: it then is the owner, as if it were the same thread. That does
 * no harm. The first is not inside, since nobody's section lasts beyond its thread; and the memory of
 * a thread is given to another only when the end of the first has happened before the start of the
 * second, so the second sees all that the first did, as it would see its own past.
 *
 * In the child of a fork the thread that forked keeps its identity. A lock that another thread was
 * inside of stays taken there, as with any other.
 */
#ifndef SIL__BASE_BIASED_H
#define SIL__BASE_BIASED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/asymmetric.h"
#include "base/lock.h"

/* Owners that are no threads. */
#define SIL__BIASED_FRESH ((uintptr_t)0)  /* the next to take it will be it */
#define SIL__BIASED_NOBODY ((uintptr_t)1) /* there is no bias any more */
#define SIL__BIASED_OUSTED ((uintptr_t)2) /* it is being taken away, or borrowed */

struct sil__biased {
    _Atomic uintptr_t owner; /* I2 */
    _Atomic uintptr_t busy;  /* the owner's identity while it is inside by its bias, else 0 */
    struct sil__lock lock;
    uintptr_t lent; /* guarded by lock: whose bias is to be given back */
};

extern _Thread_local char sil__biased_self __attribute__((visibility("hidden")));

static inline uintptr_t sil__biased_identity(void)
{
    return (uintptr_t)&sil__biased_self;
}

void sil__biased_init(struct sil__biased *biased);

void sil__biased_take_slow(struct sil__biased *biased);

/* If the calling thread has the bias: it is inside, until leave. For sections so short that the lock
 * would be most of their cost, with another way for those without a bias. */
static inline bool sil__biased_enter(struct sil__biased *biased)
{
    const uintptr_t self = sil__biased_identity();
    if (atomic_load_explicit(&biased->owner, memory_order_relaxed) != self)
        return false;
    atomic_store_explicit(&biased->busy, self, memory_order_relaxed);
    sil__barrier_light();
    /* Acquire pairs with the release store in sil__biased_return. */
    if (atomic_load_explicit(&biased->owner, memory_order_acquire) == self)
        return true;
    atomic_store_explicit(&biased->busy, 0, memory_order_release);
    return false;
}

static inline void sil__biased_leave(struct sil__biased *biased)
{
    /* Release pairs with the acquire load in biased.c. */
    atomic_store_explicit(&biased->busy, 0, memory_order_release);
}

/* Is nobody inside by a bias, now or ever after? All that was done so is seen then. */
static inline bool sil__biased_is_over(const struct sil__biased *biased)
{
    /* Acquire pairs with the release store at the end of a revocation. */
    return atomic_load_explicit(&biased->owner, memory_order_acquire) == SIL__BIASED_NOBODY;
}

static inline void sil__biased_take(struct sil__biased *biased)
{
    if (!sil__biased_enter(biased))
        sil__biased_take_slow(biased);
}

static inline void sil__biased_drop(struct sil__biased *biased)
{
    /* The last touch, in both cases: who comes next may free it. */
    if (atomic_load_explicit(&biased->busy, memory_order_relaxed) == sil__biased_identity())
        sil__biased_leave(biased);
    else
        sil__lock_drop(&biased->lock);
}

/* As take and drop, for what is rare (a dump): the owner keeps its bias. Costs microseconds. */
void sil__biased_borrow(struct sil__biased *biased);
void sil__biased_return(struct sil__biased *biased);

#endif
