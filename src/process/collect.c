/* SPDX-License-Identifier: MIT */
/*
 * Taking what workers have to say, by whoever has the watch: ending tasks and sending the next.
 *
 * Callbacks are not run here: the thread may be a user's that waits for something else, with locks
 * held. They are owed (callbacks.c).
 */
#include <limits.h>
#include <sched.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/futex.h"
#include "base/spin.h"
#include "core/context.h"
#include "core/room.h"
#include "process/pool.h"

/* Rounds of what others wait for, by a thread that has what it wanted. */
#define MOST_ROUNDS 8
/* Nanoseconds from one look at what workers may have spoilt to the next. */
#define INSPECT_AGAIN INT64_C(500000000)

/* --- counting ------------------------------------------------------------------------------ */

void sil__procs_closed(struct sil__procs *pool, uint32_t count)
{
    if (count == 0)
        return;
    atomic_fetch_add_explicit(&pool->done, count, memory_order_relaxed);
    /* Release: what we did comes before what follows a shutdown. Whoever waits for 0 says so in
     * the highest bit; and afterwards the pool may be gone. */
    if (atomic_fetch_sub_explicit(&pool->open, count, memory_order_acq_rel) ==
        (SIL__OPEN_WAITED | count))
        sil__procs_all_closed(pool);
}

/* --- ending -------------------------------------------------------------------------------- */

static void end_one(struct sil__ending *ending)
{
    if (ending->outcome.code == 0 && !ending->outcome.value && !ending->outcome.block)
        sil__state_finish_release(ending->task, 0, NULL);
    else
        sil_task_end(ending->task, &ending->outcome);
    sil__free(ending->text);
}

static void end_all(struct sil__procs *pool, struct sil__endings *endings)
{
    struct sil__context *context = sil__context();
    struct sil__held held;
    sil__state_hold(context, &held);
    for (unsigned i = 0; i < endings->count; i++)
        end_one(&endings->of[i]);
    struct sil__listener *callbacks = sil__state_unhold(context, &held);
    if (callbacks)
        sil__callbacks_owe(pool, callbacks, endings->count);
    else
        sil__procs_closed(pool, endings->count);
}

void sil__misfits_end(struct sil__procs *pool)
{
    sil__lock_take(&pool->lock);
    sil_future *misfits = pool->misfits;
    int code = pool->misfit_code;
    pool->misfits = NULL;
    sil__lock_drop(&pool->lock);
    sil__procs_drop(pool, misfits, code);
}

/* --- taking -------------------------------------------------------------------------------- */

static bool answered(const struct sil__staff *staff)
{
    const struct sil__answer *answer = &staff->channel->answers[staff->answers % SIL__RING];
    return atomic_load_explicit(&answer->number, memory_order_acquire) == staff->answers + 1;
}

/* Places change only with the watch, but for new ones. */
static struct sil__channel *channel_of(struct sil__staff *staff)
{
    return __atomic_load_n(&staff->channel, __ATOMIC_ACQUIRE);
}

bool sil__has_news(struct sil__procs *pool)
{
    if (atomic_load_explicit(&pool->ends, memory_order_acquire) > 0)
        return true;
    for (unsigned i = 0; i < pool->base.workers; i++)
        if (channel_of(&pool->staff[i]) && !pool->staff[i].mad && answered(&pool->staff[i]))
            return true;
    return false;
}

static void take_locked(struct sil__procs *pool, unsigned index, struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    if (!staff->channel)
        return;
    sil__answers_take(pool, index, endings);
    /* All its answers first: it may have done what it was killed after. */
    if (atomic_load_explicit(&staff->ended, memory_order_acquire) &&
        endings->count < SIL__ENDINGS && (staff->mad || !answered(staff)))
        sil__vacate(pool, index, endings);
}

unsigned sil__collect(struct sil__procs *pool)
{
    if (!sil__has_news(pool))
        return 0;
    struct sil__endings endings;
    endings.count = 0;
    sil__lock_take(&pool->lock);
    unsigned first = pool->turn++ % pool->base.workers; /* nobody's come last for ever */
    for (unsigned i = 0; i < pool->base.workers && endings.count < SIL__ENDINGS; i++)
        take_locked(pool, (first + i) % pool->base.workers, &endings);
    sil__send_locked(pool);
    sil_future *dropped = pool->dropping ? sil__queue_take_all(&pool->queue) : NULL;
    bool misfits = pool->misfits;
    sil__lock_drop(&pool->lock);
    if (misfits)
        sil__misfits_end(pool);
    if (dropped)
        sil__procs_drop(pool, dropped, SIL_ECANCELLED);
    unsigned ended = endings.count;
    end_all(pool, &endings);
    return ended;
}

/* --- inspecting ---------------------------------------------------------------------------- */

void sil__inspect(struct sil__procs *pool)
{
    int64_t now = sil__spin_now();
    if (now < pool->inspect_at)
        return;
    pool->inspect_at = now + INSPECT_AGAIN;
    sil__lock_take(&pool->lock);
    sil__answers_inspect(pool);
    sil__lock_drop(&pool->lock);
}

/* --- the watch ----------------------------------------------------------------------------- */

enum { WATCH_FREE, WATCH_HELD, WATCH_LEAVING };

bool sil__watch_take(struct sil__procs *pool)
{
    uint32_t watch;
    /* Who leaves it has looked for the last time, perhaps: it will be free in a moment. */
    for (int i = 0;
         (watch = atomic_load_explicit(&pool->watch, memory_order_relaxed)) == WATCH_LEAVING; i++)
        if (i < 64)
            sil__spin_pause();
        else
            (void)sched_yield();
    if (watch != WATCH_FREE ||
        !atomic_compare_exchange_strong_explicit(&pool->watch, &watch, WATCH_HELD,
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    /* Not a needless write: the workers read this line. */
    _Atomic uint32_t *word = &pool->control->watch;
    if (atomic_load_explicit(word, memory_order_relaxed) != SIL__WATCH_AWAKE)
        atomic_store_explicit(word, SIL__WATCH_AWAKE, memory_order_relaxed);
    return true;
}

void sil__watch_drop(struct sil__procs *pool)
{
    _Atomic uint32_t *word = &pool->control->watch;
    for (int rounds = 0;; rounds++) {
        atomic_store_explicit(&pool->watch, WATCH_LEAVING, memory_order_relaxed);
        atomic_store_explicit(word, SIL__WATCH_THREAD, memory_order_relaxed);
        sil__channel_fence(); /* pool.h, I2 */
        bool news = sil__has_news(pool);
        if (!news || rounds == MOST_ROUNDS) {
            atomic_store_explicit(&pool->watch, WATCH_FREE, memory_order_release);
            if (news)
                sil__collector_call(pool); /* we have something else to do */
            return;
        }
        atomic_store_explicit(&pool->watch, WATCH_HELD, memory_order_relaxed);
        atomic_store_explicit(word, SIL__WATCH_AWAKE, memory_order_relaxed);
        (void)sil__collect(pool);
    }
}
