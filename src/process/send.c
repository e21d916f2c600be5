/* SPDX-License-Identifier: MIT */
/*
 * Sending tasks to workers, and calling them back.
 *
 * A task goes to a worker without any, one that is awake if possible, else to the one with fewest.
 * What a worker has not begun is called back when another is idle, when a task of a higher priority
 * comes, when the pool is shut down, and when the worker dies.
 */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/spin.h"
#include "base/trace.h"
#include "core/context.h"
#include "core/room.h"
#include "process/pool.h"

/* Who has left its tasks behind it but does not leave is killed after so many nanoseconds. */
#define LEAVE_PATIENCE INT64_C(2000000000)

/* --- choosing a worker --------------------------------------------------------------------- */

/* Learn from the worker that it has passed over what was revoked. */
static void pass_locked(struct sil__staff *staff)
{
    uint32_t passed = atomic_load_explicit(&staff->channel->passed, memory_order_acquire);
    if (passed - staff->oldest > staff->sent - staff->oldest)
        return; /* nonsense */
    while (staff->oldest != passed && !staff->flights[staff->oldest % SIL__RING].task)
        staff->oldest++;
}

static bool has_room_locked(struct sil__procs *pool, unsigned index)
{
    struct sil__staff *staff = &pool->staff[index];
    if (staff->load >= pool->depth)
        return false;
    if (staff->sent - staff->oldest == SIL__RING)
        pass_locked(staff);
    return staff->sent - staff->oldest < SIL__RING;
}

/* A place, or base.workers: there is none. */
static unsigned choose_locked(struct sil__procs *pool)
{
    unsigned best = pool->base.workers;
    uint16_t least = SIL__NO_MORE;
    for (unsigned i = 0; i < pool->base.workers; i++) {
        if (pool->loads[i] >= least || !has_room_locked(pool, i))
            continue;
        best = i;
        least = pool->loads[i];
        if (least == 0 &&
            !atomic_load_explicit(&pool->staff[i].channel->asleep, memory_order_relaxed))
            break;
    }
    return best;
}

static void set_load(struct sil__procs *pool, unsigned index, uint32_t load)
{
    struct sil__staff *staff = &pool->staff[index];
    staff->load = load;
    if (pool->loads[index] != SIL__NO_MORE)
        pool->loads[index] = (uint16_t)load;
}

/* --- one task ------------------------------------------------------------------------------ */

/* Its argument and the room for its result; false: there is no memory. */
static bool pack_locked(struct sil__procs *pool, sil_future *task, struct sil__slot *slot,
                        struct sil__flight *flight)
{
    size_t arg_size, result_size = task->result_size;
    void *arg = sil_task_arg(task, &arg_size);
    slot->arg_size = arg_size;
    slot->result_size = result_size;
    if (arg_size > SIL__SLOT_BYTES) {
        slot->flags |= SIL__TASK_ARG_BLOCK;
        if (!sil__region_holds(pool->region, arg, arg_size)) {
            flight->arg = sil__region_alloc(pool->region, arg_size);
            if (!flight->arg)
                return false;
            arg = memcpy(flight->arg, arg, arg_size);
        }
        slot->arg = (uintptr_t)arg;
    } else if (arg_size) {
        memcpy(slot->bytes, arg, arg_size);
    }
    if (result_size > SIL__ANSWER_BYTES) {
        slot->flags |= SIL__TASK_RESULT_BLOCK;
        flight->result = sil__region_alloc(pool->region, result_size);
        slot->result = (uintptr_t)flight->result;
    }
    return result_size <= SIL__ANSWER_BYTES || flight->result;
}

static void drop_blocks(struct sil__flight *flight)
{
    if (flight->arg)
        (void)sil__region_free(flight->arg);
    if (flight->result)
        (void)sil__region_free(flight->result);
    flight->arg = flight->result = NULL;
}

static void time_locked(struct sil__procs *pool, struct sil__slot *slot, struct sil__flight *flight)
{
    double seconds = sil_task_timeout(flight->task);
    flight->limit = seconds > 0 ? sil__nanoseconds(seconds) : pool->task_timeout;
    if (flight->limit == 0)
        return;
    slot->flags |= SIL__TASK_TIMED;
    flight->sent = sil__spin_now();
    sil__alarm_locked(pool, flight->sent + flight->limit);
}

static void describe(const sil_future *task, struct sil__slot *slot, char *name)
{
    slot->deadline = sil_task_deadline(task);
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    if (!details)
        return;
    if (details->items) {
        slot->flags |= SIL__TASK_ITEMS;
        slot->items = (uint32_t)details->items;
    }
    if (details->named) {
        slot->flags |= SIL__TASK_NAMED;
        size_t size = strnlen(details->name, SIL__TASK_NAME_SIZE - 1);
        memcpy(name, details->name, size);
        name[size] = 0;
    }
}

/* 0 it was sent, or dropped since it was cancelled; SIL_EAGAIN there is no memory for it now;
 * another code with an error set: it can never be sent. */
static int put_locked(struct sil__procs *pool, unsigned index, sil_future *task)
{
    struct sil__staff *staff = &pool->staff[index];
    uint32_t position = staff->sent;
    struct sil__slot *slot = &staff->channel->slots[position % SIL__RING];
    struct sil__flight *flight = &staff->flights[position % SIL__RING];
    struct sil__code code;
    int outcome = sil__encode(pool->encoder, task->fn, &code);
    if (outcome != 0)
        return outcome;
    *flight = (struct sil__flight){.position = position};
    if (sil__trace_library())
        flight->traced = sil__clock_now();
    slot->flags = 0;
    if (!pack_locked(pool, task, slot, flight)) {
        drop_blocks(flight);
        return SIL_EAGAIN;
    }
    if (!sil_task_send(task)) {
        drop_blocks(flight);
        sil_future_release(task);
        sil__procs_closed(pool, 1);
        return 0;
    }
    slot->module = code.module;
    slot->offset = code.offset;
    flight->task = task;
    describe(task, slot, staff->channel->names[position % SIL__RING]);
    time_locked(pool, slot, flight);
    task->next = (sil_future *)flight;
    staff->sent++;
    staff->given++;
    staff->idle_since = 0;
    pool->in_flight++;
    set_load(pool, index, staff->load + 1);
    /* Release pairs with the worker's acquire: the task before its state. */
    atomic_store_explicit(&slot->state, sil__slot_state(position, SIL__SLOT_SENT),
                          memory_order_release);
    if (pool->tasks_per_worker && staff->given >= pool->tasks_per_worker)
        sil__leave_locked(pool, index);
    if (sil__channel_call(staff->channel))
        sil__context()->woke = true;
    return 0;
}

/* --- the queue ----------------------------------------------------------------------------- */

/* One that cannot be sent: failed later, without the lock. */
static void misfit_locked(struct sil__procs *pool, sil_future *task, int code)
{
    task->next = pool->misfits;
    pool->misfits = task;
    pool->misfit_code = code;
}

/* False: no more can be sent now. */
static bool send_one_locked(struct sil__procs *pool)
{
    sil_future *task = sil__queue_peek(&pool->queue);
    unsigned index = task ? choose_locked(pool) : pool->base.workers;
    if (index == pool->base.workers)
        return false;
    (void)sil__queue_take(&pool->queue);
    int priority = sil_task_priority(task);
    if (pool->in_flight == 0 || priority < pool->lowest)
        pool->lowest = priority;
    int code = put_locked(pool, index, task);
    if (code == SIL_EAGAIN && pool->in_flight > 0) {
        sil__queue_prepend(&pool->queue, task); /* what is done gives memory back */
        return false;
    }
    if (code != 0)
        misfit_locked(pool, task, code == SIL_EAGAIN ? SIL_ENOMEM : code);
    if (pool->max_pending)
        sil__room_made();
    return true;
}

/* Somebody is idle, somebody else has tasks it has not begun: share. */
static void share_locked(struct sil__procs *pool)
{
    bool idle = false;
    unsigned most = pool->base.workers;
    for (unsigned i = 0; i < pool->base.workers; i++) {
        uint32_t load = pool->staff[i].load;
        idle = idle || pool->loads[i] == 0;
        if (load > 1 && (most == pool->base.workers || load > pool->staff[most].load))
            most = i;
    }
    if (idle && most < pool->base.workers)
        sil__recall_locked(pool, most, pool->staff[most].load / 2);
}

/* The next task's priority is higher than that of some which were sent. */
static bool overtakes_locked(const struct sil__procs *pool)
{
    const sil_future *task = sil__queue_peek(&pool->queue);
    return task && pool->in_flight > 0 && sil_task_priority(task) > pool->lowest;
}

void sil__send_locked(struct sil__procs *pool)
{
    if (pool->dropping)
        return;
    if (overtakes_locked(pool)) {
        sil__recall_all_locked(pool);
        pool->lowest = SIL_PRIORITY_HIGH;
        while (send_one_locked(pool))
            ;
        return;
    }
    while (send_one_locked(pool))
        ;
    if (pool->queue.count == 0 && pool->in_flight > 1) {
        share_locked(pool);
        while (send_one_locked(pool))
            ;
    }
}

/* --- calling back -------------------------------------------------------------------------- */

bool sil__revoke_locked(struct sil__staff *staff, uint32_t position)
{
    uint32_t state = sil__slot_state(position, SIL__SLOT_SENT);
    return atomic_compare_exchange_strong_explicit(
        &staff->channel->slots[position % SIL__RING].state, &state,
        sil__slot_state(position, SIL__SLOT_REVOKED), memory_order_relaxed, memory_order_relaxed);
}

bool sil__begun_locked(const struct sil__staff *staff, uint32_t position)
{
    uint32_t state = atomic_load_explicit(&staff->channel->slots[position % SIL__RING].state,
                                          memory_order_relaxed);
    return (state & ~(uint32_t)SIL__SLOT_CANCEL) == sil__slot_state(position, SIL__SLOT_BEGUN);
}

struct sil__flight *sil__flight_of_locked(struct sil__procs *pool, const sil_future *task,
                                          unsigned *out_index)
{
    if (!(atomic_load_explicit(&task->word, memory_order_relaxed) & SIL__STATE_SENT))
        return NULL;
    struct sil__flight *flight = (struct sil__flight *)task->next;
    /* Not there any more: it is being ended. */
    if (!flight || flight->task != task)
        return NULL;
    *out_index =
        (unsigned)(((char *)flight - (char *)pool->staff) / (ptrdiff_t)sizeof *pool->staff);
    return flight;
}

/* It has nothing to do any more, and was told to leave: if it does not, it is killed. */
static void go_locked(struct sil__procs *pool, struct sil__staff *staff)
{
    staff->gone_by = sil__spin_now() + LEAVE_PATIENCE;
    sil__alarm_locked(pool, staff->gone_by);
}

sil_future *sil__land_locked(struct sil__procs *pool, unsigned index, struct sil__flight *flight)
{
    sil_future *task = flight->task;
    flight->task = NULL;
    task->next = NULL;
    if (flight->arg)
        (void)sil__region_free(flight->arg);
    flight->arg = NULL;
    pool->in_flight--;
    struct sil__staff *staff = &pool->staff[index];
    set_load(pool, index, staff->load - 1);
    if (staff->load == 0 && staff->state == SIL__STAFF_LEAVING)
        go_locked(pool, staff);
    if (staff->load == 0 && pool->idle_time != 0 && staff->state == SIL__STAFF_WORKING) {
        staff->idle_since = sil__spin_now();
        sil__alarm_locked(pool, staff->idle_since + pool->idle_time);
    }
    return task;
}

void sil__recall_locked(struct sil__procs *pool, unsigned index, uint32_t most)
{
    struct sil__staff *staff = &pool->staff[index];
    if (!staff->channel)
        return;
    for (uint32_t position = staff->sent; position != staff->oldest && most > 0;) {
        struct sil__flight *flight = &staff->flights[--position % SIL__RING];
        if (!flight->task)
            continue;
        if (!sil__revoke_locked(staff, position))
            return; /* and what is older has begun, too */
        drop_blocks(flight);
        sil_future *task = sil__land_locked(pool, index, flight);
        sil_task_recall(task);
        sil__queue_prepend(&pool->queue, task);
        most--;
    }
}

void sil__recall_all_locked(struct sil__procs *pool)
{
    for (unsigned i = 0; i < pool->base.workers; i++)
        sil__recall_locked(pool, i, SIL__RING);
}

/* --- one worker ---------------------------------------------------------------------------- */

void sil__no_more_locked(struct sil__procs *pool, unsigned index)
{
    pool->loads[index] = SIL__NO_MORE;
    pool->staff[index].state = SIL__STAFF_LEAVING;
    if (pool->staff[index].load == 0)
        go_locked(pool, &pool->staff[index]);
}

void sil__leave_locked(struct sil__procs *pool, unsigned index)
{
    struct sil__staff *staff = &pool->staff[index];
    sil__no_more_locked(pool, index);
    atomic_store_explicit(&staff->channel->leave, 1, memory_order_release);
    (void)sil__channel_call(staff->channel);
}

void sil__kill_locked(struct sil__staff *staff, int signal)
{
    if (staff->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, staff->pidfd, signal, NULL, 0);
    else if (staff->started && !atomic_load_explicit(&staff->ended, memory_order_relaxed))
        (void)kill((pid_t)staff->pid, signal); /* there was no descriptor for it */
    else
        staff->doomed = true;
}
