/* SPDX-License-Identifier: MIT */
/*
 * What users ask of a task that was sent: to stop, whether it has begun, how far it is. All are
 * called with the task's lock held, so it cannot end meanwhile.
 */
#include <signal.h>

#include <sillon/status.h>

#include "core/room.h"
#include "process/pool.h"

int sil__procs_stop(sil_executor *executor, sil_future *task, bool force)
{
    struct sil__procs *pool = sil__procs_of(executor);
    int outcome = SIL_EINPROGRESS; /* not there: its answer is being taken */
    unsigned index;
    sil__lock_take(&pool->lock);
    struct sil__flight *flight = sil__flight_of_locked(pool, task, &index);
    if (flight && sil__revoke_locked(&pool->staff[index], flight->position)) {
        if (flight->result)
            (void)sil__region_free(flight->result);
        flight->result = NULL;
        (void)sil__land_locked(pool, index, flight);
        outcome = 0;
        sil__send_locked(pool); /* there is room for another */
        if (pool->misfits)
            sil__kick(pool);
    } else if (flight) {
        struct sil__staff *staff = &pool->staff[index];
        atomic_fetch_or_explicit(&staff->channel->slots[flight->position % SIL__RING].state,
                                 SIL__SLOT_CANCEL, memory_order_relaxed);
        uint32_t passed = atomic_load_explicit(&staff->channel->passed, memory_order_acquire);
        bool is_at_it = (int32_t)(passed - flight->position) <= 0;
        if ((force || pool->kill_on_cancel) && is_at_it) {
            staff->cancelled = true;
            staff->kill_task = flight->position;
            sil__kill_locked(staff, SIGKILL);
        }
    } else if (!(atomic_load_explicit(&task->word, memory_order_relaxed) & SIL__STATE_SENT)) {
        outcome = SIL_EAGAIN; /* it was called back: it can be cancelled like any other */
    }
    sil__lock_drop(&pool->lock);
    if (outcome == 0) {
        sil__procs_closed(pool, 1);
        sil__room_made();
    }
    return outcome;
}

bool sil__procs_begun(sil_executor *executor, sil_future *task)
{
    struct sil__procs *pool = sil__procs_of(executor);
    unsigned index;
    sil__lock_take(&pool->lock);
    const struct sil__flight *flight = sil__flight_of_locked(pool, task, &index);
    bool sent = atomic_load_explicit(&task->word, memory_order_relaxed) & SIL__STATE_SENT;
    bool begun = flight ? sil__begun_locked(&pool->staff[index], flight->position) : sent;
    sil__lock_drop(&pool->lock);
    return begun;
}

void sil__procs_progress(sil_executor *executor, sil_future *task, uint64_t *out_done,
                         uint64_t *out_total)
{
    struct sil__procs *pool = sil__procs_of(executor);
    unsigned index;
    sil__lock_take(&pool->lock);
    const struct sil__flight *flight = sil__flight_of_locked(pool, task, &index);
    const struct sil__channel *channel = flight ? pool->staff[index].channel : NULL;
    if (channel &&
        atomic_load_explicit(&channel->progress_of, memory_order_acquire) == flight->position + 1) {
        *out_done = atomic_load_explicit(&channel->progress_done, memory_order_relaxed);
        *out_total = atomic_load_explicit(&channel->progress_total, memory_order_relaxed);
    }
    sil__lock_drop(&pool->lock);
}
