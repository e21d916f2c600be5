/* SPDX-License-Identifier: MIT */
/*
 * How a worker waits for a future: it runs what it awaits if it can, and has another worker take
 * its place while it blocks.
 */
#include <sillon/status.h>

#include "core/context.h"
#include "core/future.h"
#include "core/park.h"
#include "core/room.h"
#include "thread/crew.h"
#include "thread/pool.h"

static bool worker_help(struct sil__context *context, sil_future *task, bool last_resort)
{
    (void)context;
    struct sil__worker *worker = sil__worker_self(task->executor);
    if (!worker)
        return false;
    if (sil__worker_stack_is_low(worker)) {
        if (last_resort)
            (void)sil_task_fail(task, SIL_EAGAIN,
                                "tasks await tasks too deeply: no stack is left to run this one "
                                "on, and all %u threads of pool '%s' are blocked",
                                worker->pool->max_threads, worker->pool->name);
        return false;
    }
    if (!sil__state_claim(task))
        return false;
    if (worker->pool->max_pending)
        sil__room_hole();
    uint32_t running = atomic_load_explicit(&worker->running, memory_order_relaxed);
    atomic_store_explicit(&worker->running, running + 1, memory_order_relaxed);
    sil__task_execute(task, false);
    atomic_store_explicit(&worker->running, running, memory_order_relaxed);
    sil__worker_count(&worker->helped, 1);
    sil__worker_count(&worker->done, 1);
    return true;
}

static bool worker_block(struct sil__context *context)
{
    (void)context;
    return sil__crew_block(sil__worker_current());
}

static void worker_unblock(struct sil__context *context)
{
    (void)context;
    sil__crew_unblock(sil__worker_current());
}

/*
 * Any task: it may be one that waits for what we do next, and then both are stuck. So only when
 * the system gives no thread; at the limit the user set, tasks wait as they were told to.
 */
static bool worker_help_any(struct sil__context *context)
{
    (void)context;
    struct sil__worker *worker = sil__worker_current();
    const struct sil__pool *pool = worker->pool;
    if (sil__crew_look(pool).threads >= pool->max_threads || sil__worker_stack_is_low(worker))
        return false;
    struct sil__cell cell = sil__worker_find(worker);
    if (sil__cell_kind(cell) == SIL__CELL_NONE)
        return false;
    sil__worker_run(worker, cell);
    return true;
}

const struct sil__park_ops sil__park_worker = {
    .wait = sil__park_thread_wait,
    .wake = sil__park_thread_wake,
    .help = worker_help,
    .block = worker_block,
    .unblock = worker_unblock,
    .help_any = worker_help_any,
};
