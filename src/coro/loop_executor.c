/* SPDX-License-Identifier: MIT */
/*
 * A loop as an executor: submitting, shutting down, counting.
 */
#include <sillon/status.h>

#include "base/clock.h"
#include "core/room.h"
#include "coro/loop.h"

/* --- submitting ---------------------------------------------------------------------------- */

static void refuse(struct sil__loop *loop, sil_future *task, int code)
{
    if (code == SIL_EFULL)
        (void)sil_task_fail(task, code, "%zu tasks wait already in loop '%s'", loop->max_pending,
                            loop->name);
    else if (code == SIL_ETIMEDOUT)
        (void)sil_task_fail(task, code, "the deadline came before loop '%s' had room", loop->name);
    else
        (void)sil_task_fail(task, code, "loop '%s' was shut down", loop->name);
    sil_future_release(task);
}

/* Until there is room, or the task's deadline. As sil__intake_task, or SIL_ETIMEDOUT. */
static int wait_for_room(struct sil__loop *loop, sil_future *task)
{
    sil_deadline until = sil_task_deadline(task);
    int code;
    sil__room_watch();
    for (;;) {
        uint32_t ticket = sil__room_ticket();
        code = sil__intake_task(loop, task);
        if (code != SIL_EFULL)
            break;
        if (!sil__room_wait(ticket, until ? until : SIL_FOREVER)) {
            code = SIL_ETIMEDOUT;
            break;
        }
    }
    sil__room_unwatch();
    return code;
}

/* A coroutine of the loop lets the others go on, who are what there is no room for. */
static int give_way_for_room(struct sil__loop *loop, sil_future *task)
{
    sil_deadline until = sil_task_deadline(task);
    struct sil__coroutine *self = sil__coroutine_self();
    int code;
    do {
        if (until != 0 && sil__clock_now() >= until)
            return SIL_ETIMEDOUT;
        sil__loop_push(loop, self);
        sil__coroutine_suspend(self);
        code = sil__intake_task(loop, task);
    } while (code == SIL_EFULL);
    return code;
}

static int wait_full(struct sil__loop *loop, sil_future *task, bool here)
{
    if (!here)
        return wait_for_room(loop, task);
    return loop->current ? give_way_for_room(loop, task) : SIL_EFULL;
}

static void submit_full(struct sil__loop *loop, sil_future *task, bool here)
{
    if (loop->when_full == SIL_FULL_CALLER && !task->no_wait) {
        (void)sil_task_run(task);
        sil_future_release(task);
        return;
    }
    bool may_wait = loop->when_full == SIL_FULL_BLOCK && !task->no_wait;
    int code = may_wait ? wait_full(loop, task, here) : SIL_EFULL;
    if (code != 0)
        refuse(loop, task, code);
}

/* On the loop's thread nothing need be locked. */
static bool is_here(const struct sil__loop *loop)
{
    return sil__loop_here() == loop ||
           (loop->attached && pthread_equal(loop->thread, pthread_self()));
}

static void submit_one(struct sil__loop *loop, sil_future *task, bool here)
{
    if (here && !loop->closed && loop->max_pending == 0 && task->priority >= SIL_PRIORITY_NORMAL) {
        sil__loop_count(&loop->submitted);
        (task->priority > SIL_PRIORITY_NORMAL ? sil__loop_push_urgent : sil__loop_push_task)(loop,
                                                                                             task);
        return;
    }
    int code = sil__intake_task(loop, task);
    if (code == SIL_EFULL)
        submit_full(loop, task, here);
    else if (code != 0)
        refuse(loop, task, code);
}

static void loop_submit(sil_executor *base, sil_future *const *tasks, size_t count)
{
    struct sil__loop *loop = (struct sil__loop *)base;
    bool here = is_here(loop);
    for (size_t i = 0; i < count; i++)
        submit_one(loop, tasks[i], here);
    if (here && !loop->current)
        sil__loop_kick(loop);
}

/* --- the end ------------------------------------------------------------------------------- */

static void begin_shutdown(struct sil__loop *loop, bool cancel_pending, bool orphan)
{
    sil__intake_close(loop, cancel_pending, orphan);
    if (is_here(loop)) {
        sil__loop_accept(loop);
        if (!loop->current)
            sil__loop_kick(loop);
    }
}

/* In a coroutine of it; or of another on the same thread, where libuv cannot be run for an attached one. */
static bool inside(struct sil__loop *loop)
{
    struct sil__loop *here = sil__loop_here();
    return here == loop || (here && loop->attached && is_here(loop)) ||
           sil_executor_inside(&loop->base);
}

static int loop_shutdown(sil_executor *base, bool cancel_pending, sil_deadline until)
{
    struct sil__loop *loop = (struct sil__loop *)base;
    begin_shutdown(loop, cancel_pending, false);
    if (until <= SIL_NOW)
        return 0;
    if (inside(loop))
        return sil__fail(SIL_EDEADLK, "a coroutine cannot await the end of loop '%s' on its thread",
                         loop->name);
    bool runs_it = loop->attached && pthread_equal(loop->thread, pthread_self());
    int code = runs_it ? sil__loop_run_attached(loop, until) : sil_await(loop->end_future, until);
    if (code == SIL_ETIMEDOUT)
        return sil__fail(code, "coroutines of loop '%s' still run", loop->name);
    return code;
}

static int close_from_inside(struct sil__loop *loop)
{
    if (!loop->has_thread)
        return sil__fail(SIL_EDEADLK, "loop '%s' is not closed by coroutines of its thread",
                         loop->name);
    sil__lock_take(&loop->intake.lock);
    bool before = loop->intake.orphan;
    sil__lock_drop(&loop->intake.lock);
    if (before)
        return sil__fail(SIL_ESHUTDOWN, "loop '%s' was closed before", loop->name);
    sil_executor_disown(&loop->base);
    begin_shutdown(loop, false, true);
    return 0;
}

static int loop_close(sil_executor *base)
{
    struct sil__loop *loop = (struct sil__loop *)base;
    if (inside(loop))
        return close_from_inside(loop);
    if (!loop->has_thread && !loop->attached)
        return sil__fail(SIL_EBUSY,
                         "a loop of sil_run ends by itself, when its main coroutine does");
    if (loop->attached && !pthread_equal(loop->thread, pthread_self()))
        return sil__fail(SIL_EINVAL, "loop '%s' is closed on the thread it is attached on",
                         loop->name);
    struct sil__context *context = sil__context();
    sil_deadline scope = context->deadline;
    context->deadline = 0;
    context->shielded++;
    (void)loop_shutdown(base, false, SIL_FOREVER);
    context->shielded--;
    context->deadline = scope;
    if (loop->has_thread)
        pthread_join(loop->thread, NULL);
    sil__loop_destroy(loop);
    return 0;
}

static void loop_stats(sil_executor *base, sil_executor_stats *out)
{
    struct sil__loop *loop = (struct sil__loop *)base;
    uint64_t dropped = atomic_load_explicit(&loop->intake.dropped, memory_order_relaxed);
    out->done = atomic_load_explicit(&loop->done, memory_order_relaxed) + dropped;
    uint64_t begun = atomic_load_explicit(&loop->begun, memory_order_relaxed) + dropped;
    out->submitted = atomic_load_explicit(&loop->submitted, memory_order_relaxed) +
                     atomic_load_explicit(&loop->intake.submitted, memory_order_relaxed);
    out->pending = out->submitted > begun ? out->submitted - begun : 0;
    out->running = begun > out->done ? begun - out->done : 0;
    out->threads = out->workers = 1;
    out->sleeping = atomic_load_explicit(&loop->reactor.asleep, memory_order_relaxed);
}

static const sil_executor_ops loop_ops = {
    .size = sizeof loop_ops,
    .kind = "loop",
    .shares_memory = true,
    .submit = loop_submit,
    .shutdown = loop_shutdown,
    .close = loop_close,
    .stats = loop_stats,
};

void sil__loop_init_executor(struct sil__loop *loop)
{
    sil_executor_init(&loop->base, &loop_ops, 1);
}

struct sil__loop *sil__loop_of(sil_executor *executor)
{
    return executor && executor->ops == &loop_ops ? (struct sil__loop *)executor : NULL;
}
