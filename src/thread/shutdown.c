/* SPDX-License-Identifier: MIT */
/*
 * How a pool ends: nothing more gets in, what is in is run or cancelled, the threads leave, and
 * are joined.
 */
#include <sillon/status.h>

#include "base/alloc.h"
#include "base/depot.h"
#include "base/futex.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/room.h"
#include "thread/crew.h"
#include "thread/lane.h"
#include "thread/pool.h"

static void begin(struct sil__pool *pool, bool cancel_pending)
{
    sil__lock_take(&pool->lock);
    atomic_store_explicit(&pool->closing, true, memory_order_seq_cst);
    sil__lock_drop(&pool->lock);
    sil__pool_refuse(pool);
    sil__room_made();
    if (cancel_pending) {
        /* For the cells that a worker is just moving from one queue to another. */
        atomic_store_explicit(&pool->cancelling, true, memory_order_seq_cst);
        sil__pool_empty(pool, SIL_ECANCELLED);
    }
    sil__crew_wake_all(pool);
}

/* Join the threads that have left; each is joined by one caller only. */
static void join_all(struct sil__pool *pool)
{
    unsigned count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__worker *worker = atomic_load_explicit(&pool->slots[i], memory_order_acquire);
        sil__lock_take(&pool->lock);
        bool join = worker->to_join;
        worker->to_join = false;
        sil__lock_drop(&pool->lock);
        if (join)
            pthread_join(worker->thread, NULL);
    }
}

/* True when nobody and no task is left. A task without a thread gets one. */
static bool has_ended(struct sil__pool *pool)
{
    while (sil__crew_gone(pool)) {
        if (!sil__crew_has_work(pool))
            return true;
        if (sil__crew_notify(pool) != 0)
            sil__pool_empty(pool, SIL_EAGAIN);
    }
    return false;
}

static bool wait_until_gone(struct sil__pool *pool, sil_deadline until)
{
    static const struct sil__purpose purpose = {.text = "the end of a thread pool's tasks"};
    struct sil__context *context = sil__context();
    struct sil__waiter waiter; /* only seen */
    sil__waiter_init(&waiter, context);
    waiter.purpose = &purpose;
    if (context->ops->block)
        (void)context->ops->block(context);
    bool ended;
    sil__context_sleeps(context, &waiter);
    for (;;) {
        uint32_t gone = atomic_load_explicit(&pool->gone, memory_order_acquire);
        ended = has_ended(pool);
        if (ended || !sil__futex_wait(&pool->gone, gone, until))
            break;
    }
    sil__context_wakes(context);
    if (context->ops->unblock)
        context->ops->unblock(context);
    return ended || has_ended(pool);
}

static bool called_from_inside(const sil_executor *executor)
{
    return sil__worker_self(executor) || sil__context_runs(sil__context(), executor);
}

int sil__pool_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until)
{
    struct sil__pool *pool = (struct sil__pool *)executor;
    begin(pool, cancel_pending);
    if (until <= SIL_NOW)
        return 0;
    if (called_from_inside(executor))
        return sil__fail(SIL_EDEADLK, "a task cannot wait for the end of its own pool '%s'",
                         pool->name);
    if (!wait_until_gone(pool, until))
        return sil__fail(SIL_ETIMEDOUT, "tasks of pool '%s' still run", pool->name);
    join_all(pool);
    return 0;
}

/* We are in it: somebody leaves after us, and the last one destroys the pool. */
static int close_from_inside(struct sil__pool *pool)
{
    sil__lock_take(&pool->lock);
    bool before = pool->orphan;
    pool->orphan = true;
    sil__lock_drop(&pool->lock);
    if (before)
        return sil__fail(SIL_ESHUTDOWN, "pool '%s' was closed before", pool->name);
    sil_executor_disown(&pool->base);
    begin(pool, false);
    return 0;
}

int sil__pool_close(sil_executor *executor)
{
    struct sil__pool *pool = (struct sil__pool *)executor;
    if (called_from_inside(executor))
        return close_from_inside(pool);
    (void)sil__pool_shutdown(executor, false, SIL_FOREVER);
    sil__pool_destroy(pool);
    return 0;
}

void sil__pool_destroy(struct sil__pool *pool)
{
    sil__source_remove(&pool->source);
    join_all(pool);
    unsigned count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__worker *worker = atomic_load_explicit(&pool->slots[i], memory_order_relaxed);
        sil__deque_fini(&worker->deque);
        sil__deque_fini(&worker->batch);
        sil__lane_fini(worker);
        sil__free(worker);
    }
    sil__intakes_fini(pool);
    sil__free(pool->slots);
    sil__error_release(pool->broken_error);
    sil__depot_tidy(true);
    sil_executor_retire(&pool->base);
}
