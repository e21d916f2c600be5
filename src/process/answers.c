/* SPDX-License-Identifier: MIT */
/*
 * Taking a worker's answers. What it wrote may be rubbish: each field is read once and checked. A
 * worker that makes no sense is killed, and what it had goes to others.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/futex.h"
#include "core/trace.h"
#include "process/pool.h"

/* --- blocks a task asked for --------------------------------------------------------------- */

static bool remember_block(struct sil__staff *staff, void *block)
{
    if (staff->block_count == staff->block_room) {
        size_t room = staff->block_room ? 2 * staff->block_room : 8;
        void **more = sil__alloc_array(room, sizeof *more);
        if (!more)
            return false;
        if (staff->block_count)
            memcpy(more, staff->blocks, staff->block_count * sizeof *more);
        sil__free(staff->blocks);
        staff->blocks = more;
        staff->block_room = room;
    }
    staff->blocks[staff->block_count++] = block;
    return true;
}

/* True: it was one of them, and is not any more. */
static bool forget_block(struct sil__staff *staff, const void *block)
{
    for (size_t i = staff->block_count; i-- > 0;) {
        if (staff->blocks[i] == block) {
            staff->blocks[i] = staff->blocks[--staff->block_count];
            return true;
        }
    }
    return false;
}

void sil__blocks_free(struct sil__staff *staff)
{
    for (size_t i = 0; i < staff->block_count; i++)
        (void)sil__region_free(staff->blocks[i]);
    staff->block_count = 0;
}

static void reply(struct sil__procs *pool, struct sil__staff *staff, uint64_t size)
{
    struct sil__channel *channel = staff->channel;
    void *block = NULL;
    /* None that is larger than all there is; and none for a sandbox but the result. */
    if (size <= sil__region_size(pool->region))
        block = sil__region_alloc(pool->region, size);
    if (block && !remember_block(staff, block)) {
        (void)sil__region_free(block);
        block = NULL;
    }
    atomic_store_explicit(&channel->reply, (uintptr_t)block, memory_order_relaxed);
    atomic_store_explicit(&channel->replies, ++staff->replies, memory_order_release);
    sil__futex_wake_shared(&channel->replies, 1);
}

static void free_for(struct sil__procs *pool, struct sil__staff *staff, void *block)
{
    bool own = forget_block(staff, block);
    if (own || pool->hello.region_base == 0)
        (void)sil__region_free(block);
}

/* --- the end of a task --------------------------------------------------------------------- */

static void take_text(struct sil__staff *staff, const struct sil__answer *answer, uint64_t size)
{
    size_t room = sizeof staff->text - 1 - staff->text_size;
    size_t part = size < room ? size : room;
    memcpy(staff->text + staff->text_size, answer->bytes, part);
    staff->text_size += part;
}

static char *copy_text(struct sil__staff *staff)
{
    staff->text[staff->text_size] = 0;
    char *text = staff->text_size ? sil__alloc_text(staff->text) : NULL;
    staff->text_size = 0;
    return text;
}

/* The flight an answer is for: the oldest, what was revoked before it left out. */
static struct sil__flight *oldest_flight(struct sil__staff *staff, uint32_t position)
{
    if (position - staff->oldest >= staff->sent - staff->oldest)
        return NULL;
    for (uint32_t at = staff->oldest; at != position; at++)
        if (staff->flights[at % SIL__RING].task)
            return NULL;
    struct sil__flight *flight = &staff->flights[position % SIL__RING];
    return flight->task ? flight : NULL;
}

static void keep_progress(const struct sil__staff *staff, sil_future *task, uint32_t position)
{
    const struct sil__channel *channel = staff->channel;
    if (atomic_load_explicit(&channel->progress_of, memory_order_acquire) != position + 1)
        return;
    struct sil__details *details = sil__future_details(task);
    if (!details)
        return;
    atomic_store_explicit(&details->progress_done,
                          atomic_load_explicit(&channel->progress_done, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&details->progress_total,
                          atomic_load_explicit(&channel->progress_total, memory_order_relaxed),
                          memory_order_relaxed);
}

/* What came of it. False: it makes no sense. */
static bool take_value(struct sil__procs *pool, struct sil__staff *staff,
                       struct sil__flight *flight, const struct sil__answer *answer, uint64_t size,
                       void *block, struct sil__ending *ending)
{
    sil_outcome *outcome = &ending->outcome;
    outcome->size = size;
    if (!block) {
        if (size > SIL__ANSWER_BYTES)
            return false;
        void *room = sil__future_result_bytes(flight->task);
        if (room && size == flight->task->result_size) {
            memcpy(room, answer->bytes, size);
        } else if (size != flight->task->result_size) {
            /* A size of the task's own, copied before the answer's place is used again. */
            ending->text = sil__alloc_raw(SIL__ANSWER_BYTES);
            if (!ending->text)
                outcome->code = SIL_ENOMEM;
            else
                outcome->value = memcpy(ending->text, answer->bytes, size);
        }
    } else if (block == flight->result && size == flight->task->result_size) {
        outcome->block = block;
        flight->result = NULL;
    } else if (sil__region_is_block(pool->region, block, size) && forget_block(staff, block)) {
        outcome->block = block;
    } else {
        return false;
    }
    return true;
}

/* It began when it was sent, or when the one before it had ended, as far as we know. */
static void trace_done(struct sil__staff *staff, const struct sil__flight *flight)
{
    int64_t now = sil__clock_now();
    int64_t begun = flight->traced > staff->answered_at ? flight->traced : staff->answered_at;
    if (flight->traced && staff->pid > 0)
        sil__trace_elsewhere(flight->task, (uint32_t)staff->pid, &staff->traced_named, begun, now);
    staff->answered_at = now;
}

static bool take_done(struct sil__procs *pool, unsigned index, const struct sil__answer *answer,
                      struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    uint32_t position = answer->position;
    uint64_t size = answer->size;
    void *block = sil__address(answer->block);
    struct sil__flight *flight = oldest_flight(staff, position);
    if (!flight)
        return false;
    struct sil__ending *ending = &endings->of[endings->count];
    ending->text = NULL;
    ending->outcome = (sil_outcome){.code = answer->code, .pid = staff->pid};
    if (ending->outcome.code == 0) {
        if (!take_value(pool, staff, flight, answer, size, block, ending))
            return false;
        staff->block_count = 0; /* they are the program's now */
    } else {
        ending->outcome.message = ending->text = copy_text(staff);
        (void)snprintf(ending->worker, sizeof ending->worker, "%.9s-%u", pool->name, index);
        ending->outcome.worker = ending->worker;
        sil__blocks_free(staff);
    }
    staff->text_size = 0;
    if (flight->result)
        (void)sil__region_free(flight->result);
    flight->result = NULL;
    keep_progress(staff, flight->task, position);
    if (sil__trace_library())
        trace_done(staff, flight);
    ending->task = sil__land_locked(pool, index, flight);
    staff->oldest = position + 1;
    endings->count++;
    return true;
}

/* False: it makes no sense. */
static bool take(struct sil__procs *pool, unsigned index, const struct sil__answer *answer,
                 struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    uint64_t size = answer->size;
    switch (answer->kind) {
    case SIL__ANSWER_DONE:
        return take_done(pool, index, answer, endings);
    case SIL__ANSWER_PASSED:
        return true; /* that it came is all: there is room again */
    case SIL__ANSWER_TEXT:
        if (size > SIL__ANSWER_BYTES)
            return false;
        take_text(staff, answer, size);
        return true;
    case SIL__ANSWER_READY:
        staff->was_ready = true;
        /* Before a task has run, and only until the helper tells. */
        if (staff->pid == 0)
            staff->pid = (int32_t)size;
        staff->block_count = 0; /* what its initializer made is the program's */
        pool->failed_starts = 0;
        return true;
    case SIL__ANSWER_BROKEN:
        staff->said_broken = true;
        staff->broken_code = answer->code;
        return true;
    case SIL__ANSWER_ALLOC:
        reply(pool, staff, size);
        return true;
    case SIL__ANSWER_FREE:
        free_for(pool, staff, sil__address(answer->block));
        return true;
    default:
        return false;
    }
}

/* --- rubbish ------------------------------------------------------------------------------- */

static void end_mad(struct sil__procs *pool, unsigned index)
{
    pool->staff[index].mad = true;
    sil__no_more_locked(pool, index);
    sil__kill_locked(&pool->staff[index], SIGKILL);
}

/* Does the task ring hold what we put there, or what a worker makes of it? */
static bool ring_is_sane(const struct sil__staff *staff)
{
    for (uint32_t at = staff->oldest; at != staff->sent; at++) {
        uint32_t state = atomic_load_explicit(&staff->channel->slots[at % SIL__RING].state,
                                              memory_order_relaxed);
        state &= ~(uint32_t)SIL__SLOT_CANCEL;
        bool sane = staff->flights[at % SIL__RING].task
                        ? state == sil__slot_state(at, SIL__SLOT_SENT) ||
                              state == sil__slot_state(at, SIL__SLOT_BEGUN)
                        : state == sil__slot_state(at, SIL__SLOT_REVOKED);
        if (!sane)
            return false;
    }
    return true;
}

/* What nobody but us writes, or what can have but one of two values. */
static bool is_sane(const struct sil__staff *staff)
{
    const struct sil__channel *channel = staff->channel;
    uint32_t taken = staff->answers;
    uint32_t number =
        atomic_load_explicit(&channel->answers[taken % SIL__RING].number, memory_order_relaxed);
    bool fits = number == taken + 1 || number == taken + 1 - SIL__RING ||
                (number == 0 && taken < SIL__RING);
    return fits && atomic_load_explicit(&channel->answers_taken, memory_order_relaxed) == taken &&
           atomic_load_explicit(&channel->replies, memory_order_relaxed) == staff->replies &&
           atomic_load_explicit(&channel->leave, memory_order_relaxed) ==
               (staff->state == SIL__STAFF_LEAVING) &&
           ring_is_sane(staff);
}

void sil__answers_inspect(struct sil__procs *pool)
{
    for (unsigned i = 0; i < pool->base.workers; i++) {
        struct sil__staff *staff = &pool->staff[i];
        if (!staff->channel || staff->mad)
            continue;
        if (!is_sane(staff))
            end_mad(pool, i);
        else if (staff->load > 0 && !sil__begun_locked(staff, staff->oldest))
            sil__channel_wake(staff->channel);
    }
}

/* --- taking -------------------------------------------------------------------------------- */

void sil__answers_take(struct sil__procs *pool, unsigned index, struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    struct sil__channel *channel = staff->channel;
    uint32_t before = staff->answers;
    /* No more at a time than there is room for: nobody may keep the pool busy for ever. */
    for (unsigned i = 0; i < SIL__RING && endings->count < SIL__ENDINGS && !staff->mad; i++) {
        const struct sil__answer *answer = &channel->answers[staff->answers % SIL__RING];
        /* Acquire pairs with the worker's release: the answer after its number. */
        if (atomic_load_explicit(&answer->number, memory_order_acquire) != staff->answers + 1)
            break;
        if (!take(pool, index, answer, endings))
            end_mad(pool, index);
        staff->answers++;
    }
    if (staff->answers == before)
        return;
    atomic_store_explicit(&channel->answers_taken, staff->answers, memory_order_release);
    /* It may wait for room. */
    if (staff->answers - before > 1 || atomic_load_explicit(&channel->asleep, memory_order_relaxed))
        (void)sil__channel_call(channel);
}
