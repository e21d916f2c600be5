/* SPDX-License-Identifier: MIT */
/*
 * What a pool does not run: tasks it refuses, and says why, and tasks that wait when it ends.
 */
#include <stdio.h>

#include <sillon/status.h>

#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/room.h"
#include "thread/pool.h"

#define EXPLAIN_SIZE 320

/* Why the pool does not take a task, as a text. */
static void explain(struct sil__pool *pool, int code, char *text, size_t size)
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
        (void)snprintf(text, size, "no thread could be started for pool '%s'", pool->name);
        break;
    case SIL_EBROKEN:
        (void)snprintf(text, size, "the initializer of pool '%s' failed with %d (%s)", pool->name,
                       pool->broken_by,
                       pool->broken_error ? sil_error_message(pool->broken_error)
                                          : sil_strerror(pool->broken_by));
        break;
    default:
        (void)snprintf(text, size, "pool '%s' was shut down", pool->name);
    }
}

/* Closed, or broken? */
int sil__pool_refusal(struct sil__pool *pool)
{
    /* Acquire pairs with the release that follows broken_by. */
    return atomic_load_explicit(&pool->broken, memory_order_acquire) ? SIL_EBROKEN : SIL_ESHUTDOWN;
}

void sil__pool_refuse_task(struct sil__pool *pool, sil_future *task, int code)
{
    char text[EXPLAIN_SIZE];
    explain(pool, code, text, sizeof text);
    (void)sil_task_fail(task, code, "%s", text);
    sil_future_release(task);
}

int sil__pool_refuse_post(struct sil__pool *pool, int code)
{
    char text[EXPLAIN_SIZE];
    explain(pool, code, text, sizeof text);
    return sil__fail(code, "%s", text);
}

/* A task of a queue that is being emptied. */
static void end_task(struct sil__pool *pool, sil_future *task, int code)
{
    /* What an awaiter has begun is counted there. */
    uint64_t here = sil__state_ready(task) || sil__future_never_ran(task);
    atomic_fetch_add_explicit(&pool->dropped, here, memory_order_relaxed);
    if (code == SIL_ECANCELLED) {
        (void)sil_task_cancel(task);
        sil_future_release(task);
    } else {
        sil__pool_refuse_task(pool, task, code);
    }
}

static void drop_post(struct sil__pool *pool, struct sil__cell cell)
{
    sil__cell_drop(cell);
    atomic_fetch_add_explicit(&pool->dropped, 1, memory_order_relaxed);
}

void sil__pool_cancel(struct sil__pool *pool, struct sil__cell cell)
{
    if (sil__cell_kind(cell) == SIL__CELL_FUTURE)
        end_task(pool, sil__cell_task(cell), SIL_ECANCELLED);
    else
        drop_post(pool, cell);
}

/* Take the tasks out of a queue and put those with a future before first; drop the others. */
static sil_future *take_deque(struct sil__pool *pool, struct sil__deque *deque, sil_future *first)
{
    struct sil__cell cell;
    bool lost = true;
    size_t taken;
    while ((taken = sil__deque_steal(deque, &cell, 1, &lost)) > 0 || lost) {
        if (taken == 0)
            continue;
        if (sil__cell_kind(cell) == SIL__CELL_FUTURE) {
            sil_future *task = sil__cell_task(cell);
            task->next = first;
            first = task;
        } else {
            drop_post(pool, cell);
        }
    }
    return first;
}

/* Take everything out of all queues before anything is ended: that may call the user's code. */
static sil_future *take_all(struct sil__pool *pool)
{
    sil_future *first = sil__injector_drain(&pool->injector);
    unsigned count = atomic_load_explicit(&pool->intakes.count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        first = take_deque(pool, &sil__intake_at(pool, i)->deque, first);
    count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__worker *victim = atomic_load_explicit(&pool->slots[i], memory_order_acquire);
        first = take_deque(pool, &victim->batch, first);
        first = take_deque(pool, &victim->deque, first);
    }
    return first;
}

void sil__pool_empty(struct sil__pool *pool, int code)
{
    sil_future *task = take_all(pool);
    while (task) {
        sil_future *next = task->next;
        end_task(pool, task, code);
        task = next;
    }
    sil__room_made();
}

void sil__pool_refuse(struct sil__pool *pool)
{
    sil__lock_take(&pool->lock);
    atomic_store_explicit(&pool->refusing, true, memory_order_seq_cst);
    sil__lock_drop(&pool->lock);
    sil__injector_close(&pool->injector);
    sil__intakes_settle(pool);
}
