/* SPDX-License-Identifier: MIT */
/*
 * How tasks get into a pool: into the submitting worker's own queue, or into the common one.
 */
#include <sillon/status.h>

#include "core/context.h"
#include "core/future.h"
#include "core/room.h"
#include "thread/crew.h"
#include "thread/pool.h"

static void refuse(struct sil__pool *pool, sil_future *task, int code)
{
    switch (code) {
    case SIL_EFULL:
        (void)sil_task_fail(task, code, "%zu tasks wait already in pool '%s'", pool->max_pending,
                            pool->name);
        break;
    case SIL_ETIMEDOUT:
        (void)sil_task_fail(task, code, "the deadline came before pool '%s' had room", pool->name);
        break;
    case SIL_EAGAIN:
        (void)sil_task_fail(task, code, "no thread could be started for pool '%s'", pool->name);
        break;
    default:
        /* Acquire pairs with the release that follows broken_by. */
        if (atomic_load_explicit(&pool->broken, memory_order_acquire))
            (void)sil_task_fail(task, SIL_EBROKEN,
                                "the initializer of pool '%s' failed with %d (%s)", pool->name,
                                pool->broken_by,
                                pool->broken_error ? sil_error_message(pool->broken_error)
                                                   : sil_strerror(pool->broken_by));
        else
            (void)sil_task_fail(task, SIL_ESHUTDOWN, "pool '%s' was shut down", pool->name);
    }
    sil_future_release(task);
}

/* Take everything out of all queues, linked through sil_task_next. */
static sil_future *take_all(struct sil__pool *pool)
{
    sil_future *first = sil__injector_drain(&pool->injector);
    unsigned count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__worker *victim = atomic_load_explicit(&pool->slots[i], memory_order_acquire);
        bool lost = true;
        sil_future *task;
        while ((task = sil__deque_steal(&victim->deque, &lost)) || lost)
            if (task) {
                task->next = first;
                first = task;
            }
    }
    return first;
}

void sil__pool_empty(struct sil__pool *pool, int code)
{
    sil_future *task = take_all(pool);
    while (task) {
        sil_future *next = task->next;
        /* What an awaiter has begun is counted there. */
        uint64_t here = sil__state_ready(task) || sil__future_never_ran(task);
        atomic_fetch_add_explicit(&pool->dropped, here, memory_order_relaxed);
        if (code == SIL_ECANCELLED) {
            (void)sil_task_cancel(task);
            sil_future_release(task);
        } else {
            refuse(pool, task, code);
        }
        task = next;
    }
    sil__room_made();
}

/* --- bounded queues ------------------------------------------------------------------------ */

static void run_in_caller(struct sil__pool *pool, sil_future *task)
{
    if (!sil__crew_caller_enter(pool)) {
        refuse(pool, task, SIL_ESHUTDOWN);
        return;
    }
    (void)sil_task_run(task);
    sil_future_release(task);
    atomic_fetch_add_explicit(&pool->caller_runs, 1, memory_order_relaxed);
    if (sil__crew_caller_leave(pool))
        sil__pool_destroy(pool);
}

static int put(struct sil__pool *pool, sil_future *task)
{
    switch (sil__injector_put(&pool->injector, &task, 1, pool->max_pending)) {
    case SIL__INJECTED:
        return 0;
    case SIL__INJECT_FULL:
        return SIL_EFULL;
    default:
        return SIL_ESHUTDOWN;
    }
}

/* 0 it is in, or the reason to refuse it; SIL_EFULL: it cannot be waited for. */
static int put_when_room(struct sil__pool *pool, sil_future *task)
{
    struct sil__context *context = sil__context();
    sil_deadline deadline = sil_task_deadline(task);
    sil_deadline until = deadline ? deadline : SIL_FOREVER;
    int code = SIL_EFULL;
    sil__state_drain(context); /* callbacks we owe may make room */
    bool replaced = !context->ops->block || context->ops->block(context);
    sil__room_watch();
    while (replaced) {
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

/* False: it was not put into the queue. */
static bool put_bounded(struct sil__pool *pool, sil_future *task)
{
    int code = put(pool, task);
    if (code == SIL_EFULL && task->no_wait) {
        refuse(pool, task, code);
        return false;
    }
    if (code == SIL_EFULL && pool->when_full == SIL_FULL_BLOCK) {
        /* A worker that nobody can replace would wait for itself. */
        code = put_when_room(pool, task);
        if (code == SIL_EFULL) {
            run_in_caller(pool, task);
            return false;
        }
    } else if (code == SIL_EFULL && pool->when_full == SIL_FULL_CALLER) {
        run_in_caller(pool, task);
        return false;
    }
    if (code != 0)
        refuse(pool, task, code);
    return code == 0;
}

/* --- the operation ------------------------------------------------------------------------- */

static bool put_own(struct sil__worker *worker, sil_future *task)
{
    if (task->priority != SIL_PRIORITY_NORMAL ||
        atomic_load_explicit(&worker->pool->closing, memory_order_relaxed) ||
        atomic_load_explicit(&worker->pool->broken, memory_order_relaxed) ||
        !sil__deque_push(&worker->deque, task))
        return false;
    sil__worker_count(&worker->submitted);
    return true;
}

/* What became of a group: who has to be told. */
enum put { REFUSED, PUT_OWN, PUT_COMMON };

static enum put put_unbounded(struct sil__pool *pool, sil_future *const *tasks, size_t count)
{
    struct sil__worker *worker = sil__worker_self(&pool->base);
    size_t own = 0;
    while (worker && own < count && put_own(worker, tasks[own]))
        own++;
    if (own == count)
        return PUT_OWN;
    if (sil__injector_put(&pool->injector, tasks + own, count - own, 0) == SIL__INJECTED)
        return PUT_COMMON;
    for (size_t i = own; i < count; i++)
        refuse(pool, tasks[i], SIL_ESHUTDOWN);
    return own > 0 ? PUT_OWN : REFUSED;
}

/*
 * What was refused calls nobody: the pool may be closed, and its threads gone. After the rest we
 * are still inside the pool: what we put in may have ended, and the pool be closed meanwhile by
 * somebody who cannot know of us (what follows a future is submitted by whoever ends that one).
 */
static void notify(struct sil__pool *pool, enum put put)
{
    if (put == REFUSED)
        return;
    if (sil__crew_notify(pool) != 0)
        sil__pool_empty(pool, SIL_EAGAIN);
    if (put == PUT_COMMON && sil__crew_submitter_leave(pool))
        sil__pool_destroy(pool);
}

void sil__pool_submit(sil_executor *executor, sil_future *const *tasks, size_t count)
{
    struct sil__pool *pool = (struct sil__pool *)executor;
    if (pool->max_pending == 0) {
        notify(pool, put_unbounded(pool, tasks, count));
        return;
    }
    for (size_t i = 0; i < count; i++)
        notify(pool, put_bounded(pool, tasks[i]) ? PUT_COMMON : REFUSED);
}
