/* SPDX-License-Identifier: MIT */
/*
 * The life of a coroutine: one task after the other, on one stack.
 */
#include "base/fork.h"
#include "coro/cxx.h"
#include "coro/loop.h"

static void begin(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    self->next_live = loop->live;
    self->prev_live = NULL;
    if (loop->live)
        loop->live->prev_live = self;
    loop->live = self;
    if (++loop->live_count > loop->most_live)
        loop->most_live = loop->live_count;
    sil__loop_count(&loop->begun);
}

static void leave_live(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    if (self->next_live)
        self->next_live->prev_live = self->prev_live;
    if (self->prev_live)
        self->prev_live->next_live = self->next_live;
    else
        loop->live = self->next_live;
    loop->live_count--;
}

/* Its task forked, and came back in the child: the loop is the parent's (schedule.c ends the thread). */
_Noreturn static void leave_child(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    sil__context_current = loop->root_context;
    sil__fiber_leave(&self->fiber, &loop->root);
}

/* Nobody can interrupt it any more: its future is final. */
static void end(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    if (__builtin_expect(loop->base.generation != sil__fork_generation(), 0))
        leave_child(self);
    self->task = NULL;
    sil__coroutine_tell_joiner(self);
    /* Relaxed: who set it held a lock that our task's end, or a wait's, has passed since. */
    if (atomic_load_explicit(&self->interrupt_queued, memory_order_relaxed))
        sil__loop_accept(loop); /* I4 */
    leave_live(self);
    sil__context_end(&self->context);
    sil__loop_count(&loop->done);
}

/* Pending when the loop was told to cancel such: it is here that its callbacks may wait. */
static void cancel_unbegun(struct sil__coroutine *self)
{
    self->revokes = false;
    (void)sil_task_cancel(self->task);
    sil_future_release(self->task);
}

static void execute(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    if (__builtin_expect(self->revokes, 0)) {
        cancel_unbegun(self);
        return;
    }
    if (__builtin_expect(!loop->notes, 1)) {
        sil__task_execute(self->task, true);
        return;
    }
    sil__task_execute(self->task, false);
    sil__loop_note(loop, self); /* the next task is not to blame */
    sil_future_release(self->task);
}

void sil__coroutine_main(void)
{
    struct sil__coroutine *self = sil__coroutine_of(sil__context_current);
    sil__cxx_restore((struct sil__cxx){0});
    sil__loop_reap(self->loop);
    for (;;) {
        do {
            begin(self);
            execute(self);
            end(self);
        } while (sil__coroutine_go_on(self));
        sil__coroutine_retire(self);
        if (!self->task)
            sil__fiber_leave(&self->fiber, &self->loop->root); /* its stack is to be unmapped */
    }
}
