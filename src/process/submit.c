/* SPDX-License-Identifier: MIT */
/*
 * How tasks get into the pool, or why they do not.
 */
#include <stdio.h>

#include <sillon/status.h>

#include "core/context.h"
#include "core/room.h"
#include "process/pool.h"

#define EXPLAIN_SIZE (SIL__TEXT_SIZE + 256)
/* So many tasks wait: who submits more gives a hand in taking answers. */
#define CROWD 256

/* --- refusing ------------------------------------------------------------------------------ */

int sil__refusal_locked(const struct sil__procs *pool)
{
    return pool->broken ? pool->broken : pool->closing ? SIL_ESHUTDOWN : 0;
}

static void explain(struct sil__procs *pool, int code, char *text, size_t size)
{
    switch (code) {
    case SIL_EFULL:
        (void)snprintf(text, size, "%zu tasks wait already in pool '%s'", pool->max_pending,
                       pool->name);
        break;
    case SIL_ETIMEDOUT:
        (void)snprintf(text, size, "the deadline came before pool '%s' had room", pool->name);
        break;
    case SIL_EAGAIN:
        (void)snprintf(text, size, "no worker process could be started for pool '%s'", pool->name);
        break;
    case SIL_EBROKEN:
        sil__lock_take(&pool->lock);
        (void)snprintf(text, size, "pool '%s' is broken: %s", pool->name,
                       pool->why ? pool->why : "out of memory");
        sil__lock_drop(&pool->lock);
        break;
    case SIL_ENOMEM:
        (void)snprintf(text, size, "pool '%s' has no shared memory for the task", pool->name);
        break;
    case SIL_ESHUTDOWN:
        (void)snprintf(text, size, "pool '%s' was shut down", pool->name);
        break;
    default:
        (void)snprintf(text, size,
                       "the task cannot run in another process: its function is in no "
                       "module that workers could load");
    }
}

static void refuse(struct sil__procs *pool, sil_future *task, int code)
{
    char text[EXPLAIN_SIZE];
    explain(pool, code, text, sizeof text);
    (void)sil_task_fail(task, code, "%s", text);
    sil_future_release(task);
}

static uint32_t drop_held(struct sil__procs *pool, sil_future *tasks, int code)
{
    uint32_t count = 0;
    for (; tasks; count++) {
        sil_future *task = tasks;
        tasks = task->next;
        task->next = NULL;
        if (code == SIL_ECANCELLED) {
            (void)sil_task_cancel(task);
            sil_future_release(task);
        } else {
            refuse(pool, task, code);
        }
    }
    return count;
}

/* By whoever happens to: so callbacks are for others. */
void sil__procs_drop(struct sil__procs *pool, sil_future *tasks, int code)
{
    if (!tasks)
        return;
    struct sil__context *context = sil__context();
    struct sil__held held;
    sil__state_hold(context, &held);
    uint32_t count = drop_held(pool, tasks, code);
    struct sil__listener *callbacks = sil__state_unhold(context, &held);
    if (callbacks)
        sil__callbacks_owe(pool, callbacks, count);
    else
        sil__procs_closed(pool, count);
    sil__room_made();
}

/* --- taking in ----------------------------------------------------------------------------- */

/* Full of tasks that nobody has cancelled? What was is given back, to be dropped. */
static bool is_full_locked(struct sil__procs *pool, sil_future **out_swept)
{
    if (pool->max_pending == 0 || pool->queue.count < pool->max_pending)
        return false;
    *out_swept = sil__queue_sweep(&pool->queue);
    return pool->queue.count >= pool->max_pending;
}

static void accept_locked(struct sil__procs *pool, sil_future *task)
{
    pool->submitted++;
    atomic_fetch_add_explicit(&pool->open, 1, memory_order_relaxed);
    sil__queue_append(&pool->queue, task);
    sil__guard_locked(pool);
}

/* More workers would find something to do. */
static bool wants_more_locked(const struct sil__procs *pool)
{
    unsigned most = pool->base.workers;
    return pool->keep < most && pool->in_flight + pool->queue.count > pool->keep;
}

/* 0 it is in; else why not. */
static int put(struct sil__procs *pool, sil_future *task)
{
    sil_future *swept = NULL;
    sil__lock_take(&pool->lock);
    int code = sil__refusal_locked(pool);
    if (code == 0 && is_full_locked(pool, &swept))
        code = SIL_EFULL;
    if (code == 0) {
        accept_locked(pool, task);
        sil__send_locked(pool);
    }
    bool kick = wants_more_locked(pool);
    bool crowded = pool->queue.count >= CROWD;
    bool misfits = pool->misfits;
    sil__lock_drop(&pool->lock);
    sil__procs_drop(pool, swept, SIL_ECANCELLED);
    if (misfits)
        sil__misfits_end(pool);
    if (kick)
        sil__kick(pool);
    if (crowded && sil__watch_take(pool)) {
        (void)sil__collect(pool);
        sil__watch_drop(pool);
    }
    return code;
}

/* 0 it is in, or the reason to refuse it. */
static int put_when_room(struct sil__procs *pool, sil_future *task)
{
    struct sil__context *context = sil__context();
    sil_deadline deadline = sil_task_deadline(task);
    sil_deadline until = deadline ? deadline : SIL_FOREVER;
    int code;
    sil__state_drain(context); /* callbacks we owe may make room */
    if (context->ops->block)
        (void)context->ops->block(context);
    sil__room_watch();
    for (;;) {
        uint32_t ticket = sil__room_ticket();
        code = put(pool, task);
        if (code != SIL_EFULL)
            break;
        if (!sil__room_wait(ticket, until)) {
            code = SIL_ETIMEDOUT;
            break;
        }
    }
    sil__room_unwatch();
    if (context->ops->unblock)
        context->ops->unblock(context);
    return code;
}

/* In this process, by the thread that submits. It counts like a task that was accepted. */
static void run_here(struct sil__procs *pool, sil_future *task)
{
    sil__lock_take(&pool->lock);
    int code = sil__refusal_locked(pool);
    if (code == 0) {
        pool->submitted++;
        atomic_fetch_add_explicit(&pool->open, 1, memory_order_relaxed);
    }
    sil__lock_drop(&pool->lock);
    if (code != 0) {
        refuse(pool, task, code);
        return;
    }
    (void)sil_task_run(task);
    sil_future_release(task);
    sil__procs_closed(pool, 1);
}

static void submit_one(struct sil__procs *pool, sil_future *task)
{
    if (!sil_task_function(task)) {
        refuse(pool, task, SIL_ENOTSUP);
        return;
    }
    int code = put(pool, task);
    if (code == SIL_EFULL && !task->no_wait && pool->when_full == SIL_FULL_CALLER) {
        run_here(pool, task);
        return;
    }
    if (code == SIL_EFULL && !task->no_wait && pool->when_full == SIL_FULL_BLOCK)
        code = put_when_room(pool, task);
    if (code != 0)
        refuse(pool, task, code);
}

/* While we are inside nobody may free the pool: what we put in may end, and a callback close it. */
void sil__procs_submit(sil_executor *executor, sil_future *const *tasks, size_t count)
{
    struct sil__procs *pool = sil__procs_of(executor);
    sil__procs_attend.enter(executor);
    for (size_t i = 0; i < count; i++)
        submit_one(pool, tasks[i]);
    sil__procs_attend.leave(executor);
}
