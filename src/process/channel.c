/* SPDX-License-Identifier: MIT */
/*
 * Waking each other, see channel.h.
 */
#include "process/channel.h"

#include <limits.h>

#include "base/futex.h"

static void wake(_Atomic uint32_t *word)
{
    atomic_fetch_add_explicit(word, 1, memory_order_release);
    sil__futex_wake_shared(word, INT_MAX);
}

void sil__control_ring(struct sil__control *control)
{
    sil__channel_fence(); /* I1 */
    uint32_t watch = atomic_load_explicit(&control->watch, memory_order_relaxed);
    if (watch == SIL__WATCH_AWAKE ||
        !atomic_compare_exchange_strong_explicit(&control->watch, &watch, SIL__WATCH_AWAKE,
                                                 memory_order_acq_rel, memory_order_relaxed))
        return;
    wake(watch == SIL__WATCH_WAITER ? &control->waiter : &control->thread);
}

void sil__control_call(struct sil__control *control)
{
    wake(&control->waiter);
    wake(&control->thread);
}

void sil__channel_wake(struct sil__channel *channel)
{
    wake(&channel->call);
}

bool sil__channel_call(struct sil__channel *channel)
{
    sil__channel_fence(); /* I1 */
    bool asleep = atomic_load_explicit(&channel->asleep, memory_order_relaxed);
    if (asleep)
        wake(&channel->call);
    return asleep;
}
