/* SPDX-License-Identifier: MIT */
/*
 * What is due: tasks over their time limit, workers that were idle too long, those that did not
 * leave when told.
 *
 * The time a task begins is the worker's word, believed only between the task's sending and the
 * moment it was first seen to have begun.
 */
#include <signal.h>

#include "base/spin.h"
#include "process/pool.h"

#define GUARD INT64_C(1000000000)

static const struct sil__flight *oldest_locked(const struct sil__staff *staff)
{
    for (uint32_t at = staff->oldest; at != staff->sent; at++)
        if (staff->flights[at % SIL__RING].task)
            return &staff->flights[at % SIL__RING];
    return NULL;
}

/* When it began, or may begin at the earliest. */
static int64_t began_locked(struct sil__staff *staff, const struct sil__flight *flight, int64_t now)
{
    if (staff->timed_task == flight->position + 1)
        return staff->timed_since;
    if (!sil__begun_locked(staff, flight->position))
        return now;
    int64_t since = now;
    const struct sil__channel *channel = staff->channel;
    if (atomic_load_explicit(&channel->timed, memory_order_acquire) == flight->position + 1) {
        int64_t told = atomic_load_explicit(&channel->begun_at, memory_order_relaxed);
        if (told < now)
            since = told > flight->sent ? told : flight->sent;
    }
    staff->timed_task = flight->position + 1;
    staff->timed_since = since;
    return since;
}

/* False: it is done already, so its time was enough. */
static bool is_at_it(const struct sil__staff *staff, uint32_t position)
{
    uint32_t passed = atomic_load_explicit(&staff->channel->passed, memory_order_acquire);
    return (int32_t)(passed - position) <= 0;
}

static void look_at_task_locked(struct sil__procs *pool, struct sil__staff *staff, int64_t now)
{
    const struct sil__flight *flight = oldest_locked(staff);
    if (!flight || flight->limit == 0) {
        /* One behind it may be timed: it begins later than now. */
        for (uint32_t at = staff->oldest; flight && at != staff->sent; at++)
            if (staff->flights[at % SIL__RING].task && staff->flights[at % SIL__RING].limit)
                sil__alarm_locked(pool, now + staff->flights[at % SIL__RING].limit);
        return;
    }
    int64_t end = began_locked(staff, flight, now) + flight->limit;
    if (now < end) {
        sil__alarm_locked(pool, end);
    } else if (!staff->timed_out && is_at_it(staff, flight->position)) {
        staff->timed_out = true;
        staff->kill_task = flight->position;
        sil__kill_locked(staff, SIGKILL);
    }
}

static void look_at_leaving_locked(struct sil__procs *pool, struct sil__staff *staff, int64_t now)
{
    if (staff->state != SIL__STAFF_LEAVING || staff->gone_by == 0)
        return;
    if (now >= staff->gone_by)
        sil__kill_locked(staff, SIGKILL);
    else
        sil__alarm_locked(pool, staff->gone_by);
}

static void look_at_idle_locked(struct sil__procs *pool, unsigned index, int64_t now)
{
    struct sil__staff *staff = &pool->staff[index];
    if (staff->idle_since == 0 || staff->state != SIL__STAFF_WORKING)
        return;
    if (now < staff->idle_since + pool->idle_time) {
        sil__alarm_locked(pool, staff->idle_since + pool->idle_time);
        return;
    }
    if (pool->keep > 0)
        pool->keep--;
    sil__leave_locked(pool, index);
}

void sil__guard_locked(struct sil__procs *pool)
{
    if (pool->guarded)
        return;
    pool->guarded = true;
    sil__alarm_locked(pool, sil__spin_now() + GUARD);
}

void sil__timing_look_locked(struct sil__procs *pool)
{
    int64_t now = sil__spin_now();
    pool->alarm = 0;
    pool->guarded = false;
    /* What a worker gone mad wrote may keep it asleep. */
    if (atomic_load_explicit(&pool->open, memory_order_relaxed) & ~SIL__OPEN_WAITED) {
        sil__guard_locked(pool);
        sil__collector_call(pool);
    }
    for (unsigned i = 0; i < pool->base.workers; i++) {
        struct sil__staff *staff = &pool->staff[i];
        if (!staff->channel)
            continue;
        look_at_task_locked(pool, staff, now);
        if (staff->silent_until != 0 && now >= staff->silent_until) {
            sil__ended_locked(pool, staff);
            sil__control_call(pool->control);
        } else if (staff->silent_until != 0) {
            sil__alarm_locked(pool, staff->silent_until);
        }
        look_at_idle_locked(pool, i, now);
        look_at_leaving_locked(pool, staff, now);
        if (pool->kill_at != 0 && now >= pool->kill_at)
            sil__kill_locked(staff, SIGKILL);
    }
    if (pool->kill_at > now)
        sil__alarm_locked(pool, pool->kill_at);
    else
        pool->kill_at = 0;
}
