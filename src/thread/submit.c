/* SPDX-License-Identifier: MIT */
/*
 * How tasks get into a pool: into the submitting worker's own queue, into the intake of a thread
 * outside, or, with a priority or a bound, into the common queue.
 */
#include <sillon/status.h>

#include "base/asymmetric.h"
#include "core/context.h"
#include "core/executor.h"
#include "core/future.h"
#include "core/room.h"
#include "thread/crew.h"
#include "thread/pool.h"

/* Tasks handed over in one go. */
#define GROUP 64

/* --- bounded queues ------------------------------------------------------------------------ */

static void run_in_caller(struct sil__pool *pool, sil_future *task)
{
    if (!sil__crew_caller_enter(pool)) {
        sil__pool_refuse_task(pool, task, sil__pool_refusal(pool));
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
        sil__pool_refuse_task(pool, task, code);
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
        sil__pool_refuse_task(pool, task, code == SIL_ESHUTDOWN ? sil__pool_refusal(pool) : code);
    return code == 0;
}

/* --- unbounded queues ---------------------------------------------------------------------- */

/*
 * Somebody has to be told of what was put in. What was refused calls nobody: the pool may be
 * closed, and its threads gone. After the rest we are still inside the pool, and said so: what we
 * put in may have ended, and the pool be closed meanwhile by somebody who cannot know of us (what
 * follows a future is submitted by whoever ends that one). False: nobody can be had.
 */
static bool call_inside(struct sil__pool *pool)
{
    bool ok = sil__crew_notify(pool) == 0;
    if (!ok)
        sil__pool_empty(pool, SIL_EAGAIN);
    if (sil__crew_submitter_leave(pool))
        sil__pool_destroy(pool);
    return ok;
}

static inline bool push(struct sil__deque *deque, const struct sil__cell *cells, size_t count)
{
    return count == 1 ? sil__deque_push_one(deque, cells[0]) : sil__deque_push(deque, cells, count);
}

/* Into the queue of the submitting worker. */
static bool put_own(struct sil__worker *worker, const struct sil__cell *cells, size_t count)
{
    struct sil__pool *pool = worker->pool;
    if (atomic_load_explicit(&pool->refusing, memory_order_relaxed) ||
        !push(&worker->deque, cells, count))
        return false;
    sil__worker_count(&worker->submitted, count);
    if (sil__crew_wants(pool))
        (void)sil__crew_notify(pool); /* we are here ourselves: it cannot be SIL_EAGAIN for good */
    return true;
}

/* Into the queue of the submitting thread. */
static bool put_intake(struct sil__pool *pool, const struct sil__cell *cells, size_t count,
                       bool *out_called)
{
    struct sil__submitter *self = sil__submitter_self();
    *out_called = true;
    if (!self)
        return false;
    atomic_store_explicit(&self->busy, 1, memory_order_relaxed);
    sil__barrier_light(); /* intake.h, I1 */
    struct sil__intake *intake = NULL;
    if (!atomic_load_explicit(&pool->refusing, memory_order_relaxed))
        intake = sil__intake_mine(pool, pool->serial);
    bool put = intake && push(&intake->deque, cells, count);
    bool call = put && sil__crew_wants(pool);
    if (call)
        atomic_fetch_add_explicit(&pool->injector.inside, 1, memory_order_seq_cst);
    /* Release: the last we do with the pool, unless we are inside. */
    atomic_store_explicit(&self->busy, 0, memory_order_release);
    if (call)
        *out_called = call_inside(pool);
    return put;
}

/* False: it is for the injector. *out_called: somebody will see to them. */
static bool put_cells(struct sil__pool *pool, const struct sil__cell *cells, size_t count,
                      bool *out_called)
{
    struct sil__worker *worker = sil__worker_self(&pool->base);
    *out_called = true;
    return worker ? put_own(worker, cells, count) : put_intake(pool, cells, count, out_called);
}

static void put_common(struct sil__pool *pool, sil_future *const *tasks, size_t count)
{
    if (sil__injector_put(&pool->injector, tasks, count, 0) == SIL__INJECTED) {
        (void)call_inside(pool);
        return;
    }
    for (size_t i = 0; i < count; i++)
        sil__pool_refuse_task(pool, tasks[i], sil__pool_refusal(pool));
}

/* --- the operations ------------------------------------------------------------------------ */

/* How many tasks from the first on have no priority. */
static size_t count_normal(sil_future *const *tasks, size_t count)
{
    size_t normal = 0;
    while (normal < count && tasks[normal]->priority == SIL_PRIORITY_NORMAL)
        normal++;
    return normal;
}

static void submit_unbounded(struct sil__pool *pool, sil_future *const *tasks, size_t count)
{
    while (count > 0) {
        struct sil__cell cells[GROUP];
        bool called;
        size_t normal = count_normal(tasks, count < GROUP ? count : GROUP);
        for (size_t i = 0; i < normal; i++)
            cells[i] = sil__cell_of_task(tasks[i]);
        size_t group = normal > 0 ? normal : 1;
        if (normal == 0 || !put_cells(pool, cells, normal, &called))
            put_common(pool, tasks, group);
        tasks += group;
        count -= group;
    }
}

void sil__pool_submit(sil_executor *executor, sil_future *const *tasks, size_t count)
{
    struct sil__pool *pool = (struct sil__pool *)executor;
    if (pool->max_pending == 0) {
        if (count == 1 && tasks[0]->priority == SIL_PRIORITY_NORMAL) {
            struct sil__cell cell = sil__cell_of_task(tasks[0]);
            bool called;
            if (!put_cells(pool, &cell, 1, &called))
                put_common(pool, tasks, 1);
        } else {
            submit_unbounded(pool, tasks, count);
        }
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (put_bounded(pool, tasks[i]))
            (void)call_inside(pool);
}

/* Make cells of one function; how many could be made. */
static size_t make_cells(struct sil__cell *cells, sil_task_fn fn, const void *args, size_t arg_size,
                         size_t count)
{
    size_t made = 0;
    while (made < count && sil__cell_post(&cells[made], fn, args, arg_size)) {
        made++;
        if (arg_size)
            args = (const unsigned char *)args + arg_size;
    }
    return made;
}

/* Post one group; *count: of how many, and how many it was. */
static int post_group(struct sil__pool *pool, sil_task_fn fn, const void *args, size_t arg_size,
                      size_t *count)
{
    struct sil__cell cells[GROUP];
    bool called;
    size_t wanted = *count < GROUP ? *count : GROUP;
    size_t made = make_cells(cells, fn, args, arg_size, wanted);
    if (made > 0 && put_cells(pool, cells, made, &called)) {
        *count = made;
        if (!called)
            return sil__pool_refuse_post(pool, SIL_EAGAIN);
        return made == wanted ? 0 : sil__fail(SIL_ENOMEM, "no memory for a posted task");
    }
    for (size_t i = 0; i < made; i++)
        sil__cell_drop(cells[i]);
    if (atomic_load_explicit(&pool->refusing, memory_order_relaxed))
        return sil__pool_refuse_post(pool, sil__pool_refusal(pool));
    *count = 1;
    return sil__post_tasks(&pool->base, fn, args, arg_size, 1);
}

int sil__pool_post(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                   size_t count)
{
    struct sil__pool *pool = (struct sil__pool *)executor;
    if (pool->max_pending > 0)
        return sil__post_tasks(executor, fn, args, arg_size, count);
    if (count == 1 && arg_size <= sizeof(uintptr_t)) {
        struct sil__cell cell; /* holds nothing that had to be dropped */
        bool called;
        (void)sil__cell_post(&cell, fn, args, arg_size);
        if (put_cells(pool, &cell, 1, &called))
            return called ? 0 : sil__pool_refuse_post(pool, SIL_EAGAIN);
    }
    int code = 0;
    while (count > 0 && code == 0) {
        size_t group = count;
        code = post_group(pool, fn, args, arg_size, &group);
        if (arg_size)
            args = (const unsigned char *)args + group * arg_size;
        count -= group;
    }
    return code;
}
