/* SPDX-License-Identifier: MIT */
/*
 * Parking a thread: on a futex word on its own stack, see park.h.
 */
#include "core/park.h"

#include <sillon/status.h>

#include "base/futex.h"
#include "base/work.h"
#include "core/context.h"

const struct sil__park_ops sil__park_thread = {
    .wait = sil__park_thread_wait,
    .wake = sil__park_thread_wake,
};

int sil__park_thread_wait(struct sil__context *context, struct sil__waiter *waiter,
                          sil_deadline until)
{
    bool asleep = true;
    sil__context_sleeps(context, waiter);
    while (asleep && !sil__waiter_woken(waiter))
        asleep = sil__futex_wait(&waiter->word, 0, until);
    sil__context_wakes(context);
    return sil__waiter_woken(waiter) ? 0 : SIL_ETIMEDOUT;
}

void sil__park_thread_wake(struct sil__waiter *waiter)
{
    sil__work_wakeup();
    _Atomic uint32_t *word = &waiter->word;
    /* I1: release, and the last touch; the wake below only names the address. */
    atomic_store_explicit(word, 1, memory_order_release);
    sil__futex_wake(word, 1);
}

void sil__waiter_init(struct sil__waiter *waiter, struct sil__context *context)
{
    atomic_init(&waiter->word, 0);
    waiter->ops = context->ops;
    waiter->context = context;
    waiter->purpose = NULL;
}

void sil__waiter_wake(struct sil__waiter *waiter)
{
    waiter->ops->wake(waiter);
}

void sil__waiter_settle(struct sil__waiter *waiter)
{
    struct sil__context *context = waiter->context;
    waiter->purpose = NULL; /* it may be gone by now */
    context->shielded++;
    while (!sil__waiter_woken(waiter))
        (void)waiter->ops->wait(context, waiter, SIL_FOREVER);
    context->shielded--;
}
