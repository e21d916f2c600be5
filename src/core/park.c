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
    (void)context;
    while (!sil__waiter_woken(waiter))
        if (!sil__futex_wait(&waiter->word, 0, until))
            return sil__waiter_woken(waiter) ? 0 : SIL_ETIMEDOUT;
    return 0;
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
}

void sil__waiter_wake(struct sil__waiter *waiter)
{
    waiter->ops->wake(waiter);
}

void sil__waiter_settle(struct sil__waiter *waiter)
{
    struct sil__context *context = waiter->context;
    context->shielded++;
    while (!sil__waiter_woken(waiter))
        (void)waiter->ops->wait(context, waiter, SIL_FOREVER);
    context->shielded--;
}
