/* SPDX-License-Identifier: MIT */
/*
 * Who runs next.
 *
 * A coroutine that stops switches straight to the next one that is ready; the loop's own stack gets its
 * turn when there is none, or when the turn's budget is spent. The budget is counted in resumptions, and
 * set so that it takes about TURN_TIME: however many coroutines yield to each other, the loop looks at
 * its descriptors and timers that often; one that computes makes it look after every resumption.
 * But all that was ready when the turn began is run first, unless that takes longer than LONGEST_TURN:
 * looking again before the data of a thousand connections has been read would only find the same.
 */
#include <sillon/status.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/trace.h"
#include "coro/cxx.h"
#include "coro/loop.h"

/* Nanoseconds. */
#define TURN_TIME INT64_C(50000)
#define LONGEST_TURN INT64_C(10000000)
#define MOST_ALLOWANCE 4096

/* --- ready: coroutines and tasks, linked through themselves; a task's address has the low bit set --- */

#define TASK_BIT ((uintptr_t)1)

static void *pointer_of(uintptr_t entry)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a pointer with a mark
    return (void *)(entry & ~TASK_BIT);
}

static void set_next(uintptr_t entry, uintptr_t next)
{
    if (entry & TASK_BIT)
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the mark goes with it
        ((sil_future *)pointer_of(entry))->next = (sil_future *)next;
    else
        ((struct sil__coroutine *)pointer_of(entry))->ready_next = next;
}

static uintptr_t get_next(uintptr_t entry)
{
    return entry & TASK_BIT ? (uintptr_t)((sil_future *)pointer_of(entry))->next
                            : ((struct sil__coroutine *)pointer_of(entry))->ready_next;
}

static void push(struct sil__loop *loop, uintptr_t entry)
{
    set_next(entry, 0);
    if (loop->ready_last)
        set_next(loop->ready_last, entry);
    else
        loop->ready_first = entry;
    loop->ready_last = entry;
}

static uintptr_t pop(struct sil__loop *loop)
{
    uintptr_t entry = loop->ready_first;
    loop->ready_first = get_next(entry);
    if (!loop->ready_first)
        loop->ready_last = 0;
    if (entry == loop->turn_last)
        loop->turn_last = 0;
    if (entry == loop->urgent_last)
        loop->urgent_last = 0;
    return entry;
}

void sil__loop_push_task(struct sil__loop *loop, sil_future *task)
{
    push(loop, (uintptr_t)task | TASK_BIT);
}

void sil__loop_push_urgent(struct sil__loop *loop, sil_future *task)
{
    uintptr_t entry = (uintptr_t)task | TASK_BIT;
    uintptr_t last = loop->urgent_last;
    set_next(entry, last ? get_next(last) : loop->ready_first);
    if (last)
        set_next(last, entry);
    else
        loop->ready_first = entry;
    if (loop->ready_last == last)
        loop->ready_last = entry;
    loop->urgent_last = entry;
}

void sil__loop_push(struct sil__loop *loop, struct sil__coroutine *coroutine)
{
    push(loop, (uintptr_t)coroutine);
}

bool sil__loop_pop_task(struct sil__loop *loop, const sil_future *task)
{
    if (loop->ready_first != ((uintptr_t)task | TASK_BIT))
        return false;
    (void)pop(loop);
    return true;
}

/* --- beginning ----------------------------------------------------------------------------- */

void sil__loop_drop_task(struct sil__loop *loop, sil_future *task)
{
    /* What was begun by who joined it is counted there. */
    if (sil__future_never_ran(task)) {
        sil__loop_count(&loop->begun);
        sil__loop_count(&loop->done);
    }
    sil_future_release(task);
}

/* It is pending, and cannot be begun. */
static void fail_task(struct sil__loop *loop, sil_future *task)
{
    if (sil_task_fail(task, SIL_ENOMEM, "no memory for the stack of a coroutine")) {
        sil__loop_count(&loop->begun);
        sil__loop_count(&loop->done);
    }
    sil__loop_drop_task(loop, task);
}

static unsigned class_of(const struct sil__loop *loop, const sil_future *task)
{
    return task->stack_class ? task->stack_class - 1u : loop->stack_class;
}

/* A task (takes) that is not begun now. */
static struct sil__coroutine *not_now(struct sil__loop *loop, sil_future *task,
                                      enum sil__origin origin)
{
    if (origin == SIL__FROM_MIDDLE)
        sil_future_release(task);
    else
        sil__loop_drop_task(loop, task);
    return NULL;
}

struct sil__coroutine *sil__coroutine_take(struct sil__loop *loop, sil_future *task,
                                           enum sil__origin origin)
{
    bool middle = origin == SIL__FROM_MIDDLE;
    if (!sil__state_ready(task) || (middle && loop->cancelling))
        return not_now(loop, task, origin);
    unsigned size_class = class_of(loop, task);
    struct sil__stack *stack = sil__stacks_take(&loop->stacks, size_class);
    if (!stack && middle)
        return not_now(loop, task, origin); /* there may be one when its turn comes */
    if (!stack) {
        /* Its callbacks may do anything, and we may be anywhere. */
        task->next = loop->unlucky;
        loop->unlucky = task;
        return NULL;
    }
    bool alone = origin == SIL__FROM_TAKE && !loop->cancelling && sil__state_claim_alone(task);
    if (!loop->cancelling && !alone && !sil__state_claim(task)) {
        /* Cancelled this moment. */
        sil__stacks_give(&loop->stacks, stack);
        return not_now(loop, task, origin);
    }
    struct sil__coroutine *coroutine = (struct sil__coroutine *)stack;
    coroutine->task = task;
    coroutine->revokes = loop->cancelling;
    if (!coroutine->warm) {
        coroutine->warm = true;
        coroutine->loop = loop;
        coroutine->context.ops = &sil__park_coroutine;
        sil__fiber_init(&coroutine->fiber, stack->low, stack->size, sil__coroutine_main);
    }
    return coroutine;
}

bool sil__coroutine_go_on(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    while ((loop->ready_first & TASK_BIT) && loop->budget > 0) {
        sil_future *task = pointer_of(loop->ready_first);
        if (class_of(loop, task) != self->stack.size_class)
            return false;
        (void)pop(loop);
        if (loop->cancelling ? sil__state_ready(task) : sil__state_claim(task)) {
            loop->budget--;
            self->task = task;
            self->revokes = loop->cancelling;
            return true;
        }
        sil__loop_drop_task(loop, task);
    }
    return false;
}

static struct sil__coroutine *pick(struct sil__loop *loop)
{
    while (loop->ready_first) {
        uintptr_t entry = pop(loop);
        if (!(entry & TASK_BIT))
            return pointer_of(entry);
        struct sil__coroutine *fresh =
            sil__coroutine_take(loop, pointer_of(entry), SIL__FROM_QUEUE);
        if (fresh)
            return fresh;
    }
    return NULL;
}

/* --- switching ----------------------------------------------------------------------------- */

/* From the running one, whose fiber is from, to next; NULL: the root. */
static inline void switch_to(struct sil__loop *loop, struct sil__fiber *from,
                             struct sil__coroutine *next)
{
    if (__builtin_expect(loop->notes, 0))
        sil__loop_note(loop, loop->current);
    __atomic_store_n(&loop->current, next, __ATOMIC_RELEASE); /* read by dumps */
    sil__context_current = next ? &next->context : loop->root_context;
    struct sil__cxx cxx = sil__cxx_save();
    sil__fiber_switch(from, next ? &next->fiber : &loop->root);
    sil__cxx_restore(cxx);
    sil__loop_reap(loop);
}

void sil__coroutine_suspend(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    struct sil__coroutine *next = NULL;
    if (loop->budget > 0) {
        loop->budget--;
        next = pick(loop);
    }
    if (next != self)
        switch_to(loop, &self->fiber, next);
}

void sil__coroutine_suspend_for(struct sil__coroutine *self, struct sil__coroutine *next)
{
    switch_to(self->loop, &self->fiber, next);
}

void sil__coroutine_retire(struct sil__coroutine *self)
{
    struct sil__loop *loop = self->loop;
    struct sil__coroutine *next = NULL;
    if (loop->budget > 0) {
        loop->budget--;
        next = pick(loop);
    }
    loop->ended = self;
    switch_to(loop, &self->fiber, next);
}

/* --- a turn -------------------------------------------------------------------------------- */

/* The budget was spent: was that too long, or needlessly short? */
static void adapt(struct sil__loop *loop, int64_t elapsed)
{
    if (elapsed > 2 * TURN_TIME) {
        int64_t fitting = (int64_t)loop->allowance * TURN_TIME / elapsed;
        loop->allowance = fitting > 1 ? (unsigned)fitting : 1;
    } else if (elapsed < TURN_TIME / 2 && loop->allowance < MOST_ALLOWANCE) {
        loop->allowance *= 2;
    }
}

static void run_ready(struct sil__loop *loop)
{
    loop->root_context = sil__context();
    loop->notes = loop->slow_after != 0 || sil__trace_library();
    if (loop->notes)
        loop->resumed_at = sil__clock_now();
    loop->turn_last = loop->ready_last;
    int64_t begun = loop->reactor.now, now = begun;
    do {
        int64_t since = now;
        loop->budget = loop->allowance;
        struct sil__coroutine *next = pick(loop);
        if (next)
            switch_to(loop, &loop->root, next);
        if (loop->base.generation != sil__fork_generation())
            pthread_exit(NULL); /* as a pool's worker does; libuv's loop is the parent's, too */
        if (loop->budget > 0)
            break;
        now = sil__clock_now();
        adapt(loop, now - since);
    } while (loop->turn_last && now - begun < LONGEST_TURN);
}

bool sil__loop_turn(struct sil__reactor *reactor)
{
    struct sil__loop *loop =
        (struct sil__loop *)((char *)reactor - offsetof(struct sil__loop, reactor));
    atomic_store_explicit(&loop->turn_at, reactor->now, memory_order_relaxed);
    if (atomic_load_explicit(&loop->intake.filled, memory_order_relaxed)) {
        sil__loop_accept(loop);
        if (loop->asked)
            sil__loop_answer(loop);
    }
    if (loop->ready_first)
        run_ready(loop);
    while (loop->unlucky) {
        sil_future *task = loop->unlucky;
        loop->unlucky = task->next;
        fail_task(loop, task);
    }
    sil__loop_check_end(loop);
    return loop->ready_first != 0;
}
