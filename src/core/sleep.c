/* SPDX-License-Identifier: MIT */
/*
 * Sleeping: a wait for nothing but the clock, or a cancel request.
 */
#include <sillon/deadline.h>

#include <stddef.h>

#include <sillon/status.h>

#include "core/context.h"
#include "core/future.h"

struct sleeper {
    struct sil__listener listener;
    struct sil__waiter waiter;
    bool told; /* guarded by the task's lock: a waiter is woken once */
};

static const struct sil__purpose sleeping = {.text = "sleep"};

static void sleeper_notify(struct sil__listener *listener, sil_future *task)
{
    (void)task;
    struct sleeper *sleeper = (struct sleeper *)listener;
    if (sleeper->told)
        return;
    sleeper->told = true;
    sil__waiter_wake(&sleeper->waiter);
}

/* The deadline of the task counts as a request to stop. */
static sil_deadline earlier(sil_deadline until, sil_deadline of_task)
{
    return of_task != 0 && of_task < until ? of_task : until;
}

static int sleep_in_task(struct sil__context *context, sil_future *task, sil_deadline until)
{
    struct sleeper sleeper = {.listener = {.notify = sleeper_notify, .on_cancel = true}};
    sil__waiter_init(&sleeper.waiter, context);
    sleeper.waiter.purpose = &sleeping;
    int code = 0;
    if (sil__state_listen(task, &sleeper.listener)) {
        /* Asked before we listened: nobody would tell us any more. */
        if (!sil_cancelled()) {
            const struct sil__details *details =
                atomic_load_explicit(&task->details, memory_order_acquire);
            code = context->ops->wait(context, &sleeper.waiter,
                                      earlier(until, details ? details->deadline : 0));
        }
        (void)sil__state_unlisten(task, &sleeper.listener);
        if (sleeper.told)
            sil__waiter_settle(&sleeper.waiter);
    }
    if (code == SIL_ECANCELLED) /* what the coroutine itself was asked */
        return sil__context_deliver_cancel(context, "sil_sleep");
    return sil_cancelled() ? sil__fail(SIL_ECANCELLED, "asked to stop while it slept") : 0;
}

/* Where a cancel ends every wait, nothing need be listened to. */
static int sleep_interruptibly(struct sil__context *context, sil_deadline until)
{
    struct sil__waiter waiter;
    sil__waiter_init(&waiter, context);
    waiter.purpose = &sleeping;
    int code = context->ops->wait(context, &waiter, until);
    return code == SIL_ECANCELLED ? sil__context_deliver_cancel(context, "sil_sleep") : 0;
}

static int sleep_in(struct sil__context *context, sil_deadline until)
{
    sil_future *task = sil__context_task(context);
    /* A task on top of a coroutine's own: its requests do not interrupt. */
    if (context->ops->interrupt && !(context->frame && context->frame->outer))
        return sleep_interruptibly(context, until);
    if (task)
        return sleep_in_task(context, task, until);
    if (until == SIL_FOREVER)
        return sil__fail(SIL_EINVAL, "sil_sleep: nothing could end a sleep for ever here");
    struct sil__waiter waiter;
    sil__waiter_init(&waiter, context);
    waiter.purpose = &sleeping;
    (void)context->ops->wait(context, &waiter, until);
    return 0;
}

int sil_sleep(sil_deadline until)
{
    struct sil__context *context = sil__context();
    sil__state_drain(context);
    sil_deadline end = sil__context_until(context, until);
    int code = sleep_in(context, end);
    if (code == 0 && end < until)
        return sil__fail(SIL_ETIMEDOUT, "the deadline of the scope came while it slept");
    return code;
}

sil_deadline sil_deadline_scope(sil_deadline until)
{
    struct sil__context *context = sil__context();
    sil_deadline outer = context->deadline;
    if (until <= SIL_NOW)
        until = 1; /* 0 is no deadline at all */
    if (until != SIL_FOREVER)
        context->deadline = sil__context_until(context, until);
    return outer;
}

void sil_deadline_restore(sil_deadline outer)
{
    sil__context()->deadline = outer;
}

sil_deadline sil_deadline_current(void)
{
    sil_deadline deadline = sil__context()->deadline;
    return deadline != 0 ? deadline : SIL_FOREVER;
}
