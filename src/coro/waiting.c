/* SPDX-License-Identifier: MIT */
/*
 * How a coroutine waits: the park contract (core/park.h), filled.
 */
#include <sillon/status.h>

#include "core/deadlock.h"
#include "coro/loop.h"

static void on_deadline(struct sil__timer *timer)
{
    struct sil__coroutine *coroutine =
        (struct sil__coroutine *)((char *)timer - offsetof(struct sil__coroutine, timer));
    coroutine->timed_out = true;
    sil__coroutine_unpark(coroutine);
}

/* Why the wait of a coroutine must end that has not been woken; 0: it need not. */
static int reason_of(struct sil__coroutine *self)
{
    if (self->condemned) {
        self->condemned = false;
        /* Unless it was for a wait that has ended otherwise, while the word was on its way. */
        if (sil__deadlock_condemned(&self->context))
            return SIL_EDEADLK;
    }
    if (sil__context_cancel_due(&self->context))
        return SIL_ECANCELLED;
    return self->timed_out ? SIL_ETIMEDOUT : 0;
}

void sil__coroutine_tell_joiner(struct sil__coroutine *self)
{
    struct sil__coroutine *joiner = self->joiner;
    if (!joiner)
        return;
    self->joiner = NULL;
    joiner->joins = NULL;
    sil__coroutine_unpark(joiner);
}

bool sil__coroutine_begin_wait(struct sil__coroutine *self, sil_deadline until)
{
    struct sil__loop *loop = self->loop;
    /* A callback of its task waits: who joined it must not wait for that. */
    if (self->joiner && sil__future_final(self->task))
        sil__coroutine_tell_joiner(self);
    self->timed_out = until <= loop->reactor.now;
    if (self->timed_out)
        return false;
    if (until != SIL_FOREVER) {
        self->timer.fire = on_deadline;
        sil__timer_set(&loop->reactor.timers, &self->timer, until);
    }
    self->since = loop->reactor.now;
    self->parked = true;
    return true;
}

int sil__coroutine_end_wait(struct sil__coroutine *self)
{
    sil__timer_cancel(&self->loop->reactor.timers, &self->timer);
    return reason_of(self);
}

/* What goes on without waiting gives way now and then. */
static void coroutine_pace(struct sil__context *context)
{
    enum { PACE = 64 };
    struct sil__coroutine *self = sil__coroutine_of(context);
    if (++self->loop->pace < PACE)
        return;
    self->loop->pace = 0;
    sil__loop_push(self->loop, self);
    sil__coroutine_suspend(self);
}

static int coroutine_wait(struct sil__context *context, struct sil__waiter *waiter,
                          sil_deadline until)
{
    struct sil__coroutine *self = sil__coroutine_of(context);
    self->timed_out = false;
    int code = 0;
    while (!sil__waiter_woken(waiter) && (code = reason_of(self)) == 0) {
        if (!sil__coroutine_begin_wait(self, until)) {
            if (until > SIL_NOW)
                coroutine_pace(context);
            continue;
        }
        self->waiter = waiter;
        sil__coroutine_suspend(self);
        self->waiter = NULL;
        code = sil__coroutine_end_wait(self);
        if (code != 0)
            break;
    }
    return sil__waiter_woken(waiter) ? 0 : code;
}

/* I3: the word is set on the loop's thread, and only there. */
static void coroutine_wake(struct sil__waiter *waiter)
{
    struct sil__coroutine *coroutine = sil__coroutine_of(waiter->context);
    if (sil__loop_here() == coroutine->loop)
        sil__coroutine_woken(waiter);
    else
        sil__intake_waiter(coroutine->loop, waiter);
}

static void coroutine_interrupt(struct sil__context *context, enum sil__interrupt why)
{
    struct sil__coroutine *coroutine = sil__coroutine_of(context);
    if (sil__loop_here() == coroutine->loop)
        sil__coroutine_interrupted(coroutine, why);
    else
        sil__intake_interrupt(coroutine, why);
}

void sil__coroutine_interrupted(struct sil__coroutine *coroutine, uint32_t why)
{
    /* Not if it was for a task that runs on top of its own, in the place of another executor's. */
    if ((why & SIL__INTERRUPT_CANCEL) && coroutine->task &&
        sil__state_cancel_asked(coroutine->task))
        sil__context_cancel(&coroutine->context);
    if (why & SIL__INTERRUPT_CONDEMN)
        coroutine->condemned = true;
    if ((why & SIL__INTERRUPT_CONDEMN) || coroutine->context.shielded == 0)
        sil__coroutine_unpark(coroutine);
}

static bool coroutine_parks(sil_executor *executor)
{
    return sil__loop_of(executor) != NULL;
}

const struct sil__park_ops sil__park_coroutine = {
    .wait = coroutine_wait,
    .wake = coroutine_wake,
    .join = sil__coroutine_join,
    .expose = sil__coroutine_expose,
    .interrupt = coroutine_interrupt,
    .pace = coroutine_pace,
    .parks = coroutine_parks,
};
