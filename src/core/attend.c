/* SPDX-License-Identifier: MIT */
/*
 * Attending, see attend.h.
 */
#include "core/attend.h"

#include <sillon/status.h>

#include "core/park.h"

static int attend_wait(struct sil__context *context, struct sil__waiter *waiter, sil_deadline until)
{
    sil__context_sleeps(context, waiter);
    bool woken = waiter->executor->attend->wait(waiter->executor, (uint32_t *)&waiter->word, until);
    sil__context_wakes(context);
    return woken ? 0 : SIL_ETIMEDOUT;
}

static void attend_wake(struct sil__waiter *waiter)
{
    waiter->executor->attend->wake(waiter->executor, (uint32_t *)&waiter->word);
}

static const struct sil__park_ops park_attending = {.wait = attend_wait, .wake = attend_wake};

sil_executor *sil__attend_enter(struct sil__context *context, sil_future *future)
{
    bool sent = atomic_load_explicit(&future->word, memory_order_relaxed) & SIL__STATE_SENT;
    if (!sent || !future->executor->attend || context->ops->wait != sil__park_thread_wait ||
        !sil__state_attend(future))
        return NULL;
    return future->executor;
}

void sil__attend_leave(sil_executor *executor)
{
    if (executor)
        executor->attend->leave(executor);
}

void sil__attend_waiter(struct sil__waiter *waiter, sil_executor *executor)
{
    if (!executor)
        return;
    waiter->executor = executor;
    waiter->ops = &park_attending;
}
