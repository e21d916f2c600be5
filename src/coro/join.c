/* SPDX-License-Identifier: MIT */
/*
 * Awaiting a coroutine of one's own loop: the one that waits is noted in the one that is awaited, and
 * nothing else is needed, no lock and no listener. A task that has not begun is begun at once.
 *
 * I1: the deadlock graph does not know of such waits, as long as they lead to coroutines that can go
 *     on. When one of these is about to wait for what the graph knows, it first makes known who waits
 *     for it, and for them in turn (expose); and who would join one that waits like that, or close a
 *     circle, waits in the common way.
 */
#include <sillon/status.h>

#include "core/deadlock.h"
#include "coro/loop.h"

void sil__coroutine_expose(struct sil__context *context)
{
    struct sil__coroutine *joined = sil__coroutine_of(context);
    for (struct sil__coroutine *joiner = joined->joiner; joiner && joiner->join_watched;
         joiner = joiner->joiner) {
        if (joiner->exposed)
            break;
        /* No cycle yet: the one it waits for is not blocked. */
        joiner->exposed = sil__deadlock_enter(&joiner->context, NULL, &joiner->join_future, 1,
                                              SIL__NEED_ALL) == 0;
    }
}

/* Would self, by joining this one, wait for itself? */
static bool closes_circle(const struct sil__coroutine *self, const struct sil__coroutine *target)
{
    if (!self->joiner)
        return false; /* nobody waits for it, like this */
    while (target && target != self)
        target = target->joins;
    return target == self;
}

/* The coroutine that runs the future, if it can be joined. */
static struct sil__coroutine *target_of(struct sil__coroutine *self, sil_future *future)
{
    struct sil__context *runner = atomic_load_explicit(&future->runner, memory_order_relaxed);
    if (!runner || runner->ops != &sil__park_coroutine)
        return NULL;
    struct sil__coroutine *target = sil__coroutine_of(runner);
    if (target == self || target->joiner || target->task != future)
        return NULL;
    /* I1; only we write that, on this thread. */
    bool blocked = runner->blocked_count > 0 || runner->blocked_hold;
    return blocked || closes_circle(self, target) ? NULL : target;
}

/* Where it is in ready it stays, to be dropped when its turn comes; unless that would be now. */
static struct sil__coroutine *begin_pending(struct sil__coroutine *self, sil_future *future,
                                            bool taken)
{
    if (!sil__state_ready(future))
        return NULL;
    if (sil__loop_pop_task(self->loop, future))
        return sil__coroutine_take(self->loop, future, taken ? SIL__FROM_TAKE : SIL__FROM_QUEUE);
    return sil__coroutine_take(self->loop, sil_future_retain(future), SIL__FROM_MIDDLE);
}

static int wait_joined(struct sil__coroutine *self, sil_future *future, sil_deadline until)
{
    int code = sil__coroutine_end_wait(self);
    while (code == 0 && self->joins) {
        if (sil__coroutine_begin_wait(self, until))
            sil__coroutine_suspend(self);
        code = sil__coroutine_end_wait(self);
    }
    (void)future;
    return code;
}

/* Not any more. */
static void part(struct sil__coroutine *self)
{
    if (self->joins)
        self->joins->joiner = NULL;
    self->joins = NULL;
}

int sil__coroutine_join(struct sil__context *context, sil_future *future, sil_deadline until,
                        bool taken)
{
    struct sil__coroutine *self = sil__coroutine_of(context);
    if (future->executor != &self->loop->base || future->kind || context->deferred)
        return SIL_ENOTSUP;
    /* With a limit on them, tasks may be in the intake, or be run by who submits them. */
    if (self->loop->max_pending > 0)
        return SIL_ENOTSUP;
    bool fresh = sil__future_phase(future) == SIL_PENDING;
    if (fresh && sil__context_cancel_due(context))
        return SIL_ENOTSUP;
    struct sil__coroutine *target =
        fresh ? begin_pending(self, future, taken) : target_of(self, future);
    if (!target)
        return sil__future_final(future) ? 0 : SIL_ENOTSUP;
    self->joins = target;
    self->join_future = future;
    self->join_watched = until == SIL_FOREVER;
    self->timed_out = false;
    target->joiner = self;
    if (fresh) {
        bool waits = sil__coroutine_begin_wait(self, until);
        if (!waits)
            sil__loop_push(self->loop, self);
        sil__coroutine_suspend_for(self, target);
    }
    int code = wait_joined(self, future, until);
    part(self);
    if (self->exposed) {
        self->exposed = false;
        if (sil__deadlock_leave(context) != 0 && code == 0)
            code = SIL_EDEADLK;
    }
    return sil__future_final(future) ? 0 : code;
}
