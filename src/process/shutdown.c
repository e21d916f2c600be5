/* SPDX-License-Identifier: MIT */
/*
 * The end of a pool: nothing new, wait for what was accepted, let the workers go.
 */
#include <limits.h>
#include <signal.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/futex.h"
#include "base/spin.h"
#include "core/context.h"
#include "core/room.h"
#include "process/pool.h"

/* From SIGTERM to SIGKILL. */
#define GRACE INT64_C(1000000000)
/* Nobody waits for an orphan: its keeper looks so often whether all has ended. */
#define ORPHAN_LOOK INT64_C(1000000)

/* --- beginning ----------------------------------------------------------------------------- */

static void begin(struct sil__procs *pool, bool cancel_pending)
{
    sil_future *tasks = NULL;
    sil__lock_take(&pool->lock);
    pool->closing = true;
    if (cancel_pending) {
        pool->dropping = true;
        sil__recall_all_locked(pool);
        tasks = sil__queue_take_all(&pool->queue);
    }
    sil__lock_drop(&pool->lock);
    sil__procs_drop(pool, tasks, SIL_ECANCELLED);
    sil__room_made(); /* who waits for some waits in vain */
    sil__kick(pool);
}

void sil__procs_break(struct sil__procs *pool, int code, const char *text)
{
    sil__lock_take(&pool->lock);
    pool->broken = code;
    if (!pool->why && text)
        pool->why = sil__alloc_text(text);
    sil__recall_all_locked(pool);
    sil_future *tasks = sil__queue_take_all(&pool->queue);
    sil__lock_drop(&pool->lock);
    sil__procs_drop(pool, tasks, code);
    sil__room_made();
}

/* --- waiting ------------------------------------------------------------------------------- */

static uint32_t count_of(uint32_t word)
{
    return word & ~SIL__OPEN_WAITED;
}

/* Sleep until the count is 0; false: the deadline came first. */
static bool wait_for_none(_Atomic uint32_t *word, sil_deadline until)
{
    for (;;) {
        uint32_t value = atomic_fetch_or_explicit(word, SIL__OPEN_WAITED, memory_order_acq_rel) |
                         SIL__OPEN_WAITED;
        if (count_of(value) == 0)
            return true;
        if (!sil__futex_wait(word, value, until))
            return count_of(atomic_load_explicit(word, memory_order_acquire)) == 0;
    }
}

void sil__procs_all_closed(struct sil__procs *pool)
{
    _Atomic uint32_t *open = &pool->open;
    sil__futex_wake(open, INT_MAX);
}

static bool is_inside(const sil_executor *executor)
{
    return sil__context_runs(sil__context(), executor);
}

int sil__procs_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until)
{
    struct sil__procs *pool = sil__procs_of(executor);
    begin(pool, cancel_pending);
    if (until <= SIL_NOW)
        return 0;
    if (is_inside(executor))
        return sil__fail(SIL_EDEADLK, "a task cannot wait for the end of its own pool '%s'",
                         pool->name);
    static const struct sil__purpose purpose = {.text = "the end of a process pool's tasks"};
    struct sil__context *context = sil__context();
    struct sil__waiter waiter; /* only seen */
    sil__waiter_init(&waiter, context);
    waiter.purpose = &purpose;
    if (context->ops->block)
        (void)context->ops->block(context);
    sil__context_sleeps(context, &waiter);
    bool ended = wait_for_none(&pool->open, until);
    sil__context_wakes(context);
    if (context->ops->unblock)
        context->ops->unblock(context);
    return ended ? 0 : sil__fail(SIL_ETIMEDOUT, "tasks of pool '%s' still run", pool->name);
}

/* --- closing ------------------------------------------------------------------------------- */

static void leave(struct sil__procs *pool)
{
    sil__lock_take(&pool->lock);
    pool->leaving = true;
    sil__lock_drop(&pool->lock);
    sil__kick(pool);
}

/* For the keeper of a pool that a task of its own closed. */
void sil__procs_see_closed(struct sil__procs *pool)
{
    sil__lock_take(&pool->lock);
    bool alone = pool->orphan && !pool->leaving;
    sil__lock_drop(&pool->lock);
    if (!alone)
        return;
    /* Nobody tells: so look again until it is so. */
    bool open = count_of(atomic_load_explicit(&pool->open, memory_order_acquire)) ||
                count_of(atomic_load_explicit(&pool->attending, memory_order_acquire));
    sil__lock_take(&pool->lock);
    if (!open)
        pool->leaving = true;
    else
        sil__alarm_locked(pool, sil__spin_now() + ORPHAN_LOOK);
    sil__lock_drop(&pool->lock);
}

static int close_from_inside(struct sil__procs *pool)
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

int sil__procs_close(sil_executor *executor)
{
    struct sil__procs *pool = sil__procs_of(executor);
    if (is_inside(executor))
        return close_from_inside(pool);
    (void)sil__procs_shutdown(executor, false, SIL_FOREVER);
    (void)wait_for_none(&pool->attending, SIL_FOREVER);
    leave(pool);
    (void)pthread_join(pool->keeper, NULL);
    sil__procs_destroy(pool);
    return 0;
}

/* --- at once ------------------------------------------------------------------------------- */

static int end_workers(sil_executor *executor, int signal)
{
    if (!executor)
        return sil__fail(SIL_EINVAL, "the executor is NULL");
    const sil_executor_ops *ops = __atomic_load_n(&executor->ops, __ATOMIC_ACQUIRE);
    if (ops != &sil__procs_ops)
        return strcmp(ops->kind, "closed") == 0
                   ? sil__fail(SIL_ESHUTDOWN, "the pool was closed before")
                   : sil__fail(SIL_EINVAL, "the executor is no process pool");
    int code = sil_executor_shutdown(executor, true, SIL_NOW);
    if (code != 0)
        return code;
    struct sil__procs *pool = sil__procs_of(executor);
    sil__lock_take(&pool->lock);
    for (unsigned i = 0; i < pool->base.workers; i++)
        if (pool->staff[i].channel)
            sil__kill_locked(&pool->staff[i], signal);
    if (signal != SIGKILL) {
        pool->kill_at = sil__spin_now() + GRACE;
        sil__alarm_locked(pool, pool->kill_at);
    }
    sil__lock_drop(&pool->lock);
    return 0;
}

int sil_process_pool_terminate_workers(sil_executor *pool)
{
    return end_workers(pool, SIGTERM);
}

int sil_process_pool_kill_workers(sil_executor *pool)
{
    return end_workers(pool, SIGKILL);
}
