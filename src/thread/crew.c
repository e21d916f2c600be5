/* SPDX-License-Identifier: MIT */
/*
 * The crew, see crew.h.
 */
#include "thread/crew.h"

#include <limits.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/depot.h"
#include "base/futex.h"
#include "base/spawn.h"
#include "core/context.h"
#include "thread/lane.h"

/* Sleepers kept beyond the workers: tasks that block do so again and again, and starting a thread
 * costs ten times what waking one does. */
#define KEPT_SPARES 8

/* What the counts of the gate grow by. */
#define THREAD (UINT64_C(1) << 48)
#define IDLE (UINT64_C(1) << 32)
#define SEARCHING (UINT64_C(1) << 16)
#define BLOCKED UINT64_C(1)

/* Sequentially consistent (I2); returns the crew as it is afterwards. */
static struct sil__crew change(struct sil__pool *pool, uint64_t plus, uint64_t minus)
{
    uint64_t delta = plus - minus;
    return sil__crew_unpack(atomic_fetch_add_explicit(&pool->gate, delta, memory_order_seq_cst) +
                            delta);
}

bool sil__crew_has_work(const struct sil__pool *pool)
{
    if (sil__injector_total(&pool->injector) > 0)
        return true;
    unsigned count = atomic_load_explicit(&pool->intakes.count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (sil__deque_size(&sil__intake_at(pool, i)->deque) > 0)
            return true;
    count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        const struct sil__worker *worker =
            atomic_load_explicit(&pool->slots[i], memory_order_acquire);
        if (sil__deque_size(&worker->deque) > 0 || sil__deque_size(&worker->batch) > 0 ||
            sil__lane_any(worker))
            return true;
    }
    return false;
}

/* --- starting ------------------------------------------------------------------------------ */

static struct sil__worker *create_worker(struct sil__pool *pool, unsigned index)
{
    struct sil__worker *worker = sil__alloc_lines(sizeof *worker);
    if (!worker)
        return NULL;
    if (!sil__deque_init(&worker->deque) || !sil__deque_init(&worker->batch)) {
        sil__deque_fini(&worker->deque);
        sil__free(worker);
        return NULL;
    }
    worker->pool = pool;
    worker->index = index;
    worker->random = index * 2654435761u + 1;
    return worker;
}

/* A slot without a thread: one that had one, or a new one. NULL without memory. */
static struct sil__worker *take_slot_locked(struct sil__pool *pool)
{
    struct sil__worker *worker = pool->free;
    if (worker) {
        pool->free = worker->next;
        return worker;
    }
    unsigned index = atomic_load_explicit(&pool->slot_count, memory_order_relaxed);
    worker = create_worker(pool, index);
    if (!worker)
        return NULL;
    atomic_store_explicit(&pool->slots[index], worker, memory_order_release);
    /* Release: who sees the count sees the slot. */
    atomic_store_explicit(&pool->slot_count, index + 1, memory_order_release);
    return worker;
}

/* Started already counted as a searching thread. */
static bool start_worker(struct sil__pool *pool)
{
    sil__lock_take(&pool->lock);
    struct sil__worker *worker = take_slot_locked(pool);
    bool join = worker && worker->to_join;
    if (join)
        worker->to_join = false;
    sil__lock_drop(&pool->lock);
    if (!worker)
        return false;
    if (join)
        pthread_join(worker->thread, NULL);
    pthread_t thread; /* the worker notes it itself: it may end before we could */
    if (sil__spawn(&thread, pool->stack_size, sil__worker_main, worker))
        return true;
    sil__lock_take(&pool->lock);
    worker->next = pool->free;
    pool->free = worker;
    sil__lock_drop(&pool->lock);
    return false;
}

/* --- waking -------------------------------------------------------------------------------- */

static void signal_worker(struct sil__worker *worker)
{
    /* Release pairs with the acquire of the sleeper. */
    atomic_store_explicit(&worker->wake, 1, memory_order_release);
    sil__futex_wake(&worker->wake, 1);
}

static struct sil__worker *pop_idle_locked(struct sil__pool *pool)
{
    struct sil__worker *worker = pool->idle;
    if (worker) {
        pool->idle = worker->next;
        worker->in_idle_list = false;
        change(pool, SEARCHING, IDLE);
    }
    return worker;
}

/* Is there a place for one more, and nobody on the way to it? */
static bool wanted(const struct sil__pool *pool, struct sil__crew crew)
{
    return crew.searching == 0 && sil__crew_active(crew) < pool->base.workers;
}

/* Wake or start one, if wanted. False: one was to be started, and could not be. */
static bool call_one(struct sil__pool *pool, bool may_start)
{
    sil__lock_take(&pool->lock);
    struct sil__crew crew = sil__crew_look(pool);
    bool still = wanted(pool, crew);
    struct sil__worker *worker = still ? pop_idle_locked(pool) : NULL;
    bool start = still && !worker && crew.threads < pool->max_threads && may_start;
    if (start)
        change(pool, THREAD + SEARCHING, 0);
    sil__lock_drop(&pool->lock);
    if (worker || start)
        sil__context()->woke = true;
    if (worker)
        signal_worker(worker);
    return !start || start_worker(pool);
}

int sil__crew_notify(struct sil__pool *pool)
{
    sil__barrier_full(); /* I3: who searches now looks again after what we added is seen */
    if (!wanted(pool, sil__crew_look(pool)) || call_one(pool, true))
        return 0;
    (void)change(pool, 0, THREAD + SEARCHING);
    sil__barrier_heavy(); /* I2: we looked active to others, who relied on us */
    /*
     * Others may have trusted in our searcher (I3), also a worker that fell asleep meanwhile. If
     * there is none, the caller must answer for all tasks that wait.
     */
    (void)call_one(pool, false);
    return sil__crew_active(sil__crew_look(pool)) == 0 ? SIL_EAGAIN : 0;
}

void sil__crew_wake_all(struct sil__pool *pool)
{
    for (;;) {
        sil__lock_take(&pool->lock);
        struct sil__worker *worker = pop_idle_locked(pool);
        sil__lock_drop(&pool->lock);
        if (!worker)
            return;
        signal_worker(worker);
    }
}

/* --- a worker's steps ---------------------------------------------------------------------- */

void sil__crew_search(struct sil__worker *worker)
{
    if (!worker->searching) {
        worker->searching = true;
        change(worker->pool, SEARCHING, 0);
    }
}

void sil__crew_found(struct sil__worker *worker)
{
    if (!worker->searching)
        return;
    worker->searching = false;
    sil__crew_busy_again(worker);
    struct sil__crew crew = change(worker->pool, 0, SEARCHING);
    if (wanted(worker->pool, crew) && sil__crew_has_work(worker->pool))
        (void)sil__crew_notify(worker->pool); /* we are active: it cannot be SIL_EAGAIN */
}

bool sil__crew_too_many(const struct sil__pool *pool)
{
    return sil__crew_active(sil__crew_look(pool)) > pool->base.workers;
}

/* It turns away from its queues: what is in them is older than what waits outside. */
static void hold(struct sil__worker *worker)
{
    if (worker->held ||
        (sil__deque_is_empty(&worker->batch) && sil__deque_is_empty(&worker->deque)))
        return;
    atomic_store_explicit(&worker->held, true, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->pool->held, 1, memory_order_relaxed);
}

void sil__crew_back(struct sil__worker *worker)
{
    if (!worker->held)
        return;
    atomic_store_explicit(&worker->held, false, memory_order_relaxed);
    atomic_fetch_sub_explicit(&worker->pool->held, 1, memory_order_relaxed);
}

static void fall_asleep_locked(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    atomic_store_explicit(&worker->wake, 0, memory_order_relaxed);
    worker->next = pool->idle;
    worker->in_idle_list = true;
    pool->idle = worker;
    change(pool, IDLE, worker->searching ? SEARCHING : 0);
    worker->searching = false;
}

/* Take back what fall_asleep did, unless somebody wakes us just now. */
static void get_up(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    sil__lock_take(&pool->lock);
    /* Not where enough others are active by now: two who do this would do it for ever. */
    if (worker->in_idle_list && sil__crew_active(sil__crew_look(pool)) < pool->base.workers) {
        struct sil__worker **link = &pool->idle;
        while (*link != worker)
            link = &(*link)->next;
        *link = worker->next;
        worker->in_idle_list = false;
        change(pool, SEARCHING, IDLE);
        atomic_store_explicit(&worker->wake, 1, memory_order_relaxed);
    }
    sil__lock_drop(&pool->lock);
}

static bool gone_locked(struct sil__pool *pool)
{
    return sil__crew_look(pool).threads == 0 && pool->callers == 0 &&
           atomic_load_explicit(&pool->injector.inside, memory_order_seq_cst) == 0;
}

/*
 * Somebody left: tell those who wait for all to have left. True for one caller only, if all have
 * and nobody waits: it must destroy the pool.
 */
static bool all_left_locked(struct sil__pool *pool)
{
    if (!gone_locked(pool))
        return false;
    atomic_fetch_add_explicit(&pool->gone, 1, memory_order_release);
    sil__futex_wake(&pool->gone, INT_MAX);
    bool destroys = pool->orphan;
    pool->orphan = false;
    return destroys;
}

bool sil__crew_caller_enter(struct sil__pool *pool)
{
    sil__lock_take(&pool->lock);
    bool open = !atomic_load_explicit(&pool->closing, memory_order_relaxed);
    pool->callers += open;
    sil__lock_drop(&pool->lock);
    return open;
}

bool sil__crew_caller_leave(struct sil__pool *pool)
{
    sil__lock_take(&pool->lock);
    pool->callers--;
    bool last = all_left_locked(pool);
    sil__lock_drop(&pool->lock);
    return last;
}

bool sil__crew_submitter_leave(struct sil__pool *pool)
{
    /*
     * Either we see that it closes, or whoever closes it sees that we have left. The pool may be
     * destroyed from here on; the struct itself is kept a while (sil_executor_retire).
     */
    if (atomic_fetch_sub_explicit(&pool->injector.inside, 1, memory_order_seq_cst) != 1 ||
        !atomic_load_explicit(&pool->closing, memory_order_seq_cst))
        return false;
    sil__lock_take(&pool->lock);
    bool last = all_left_locked(pool);
    sil__lock_drop(&pool->lock);
    return last;
}

bool sil__crew_gone(struct sil__pool *pool)
{
    sil__lock_take(&pool->lock);
    bool gone = gone_locked(pool);
    sil__lock_drop(&pool->lock);
    return gone;
}

/* Leave the crew, unless there is work and nobody else to do it (I2). */
static bool leave_locked(struct sil__worker *worker, bool even_with_work, bool *out_last)
{
    struct sil__pool *pool = worker->pool;
    struct sil__crew crew = change(pool, 0, THREAD + (worker->searching ? SEARCHING : 0));
    worker->searching = false;
    *out_last = false;
    sil__barrier_heavy(); /* I2 */
    if (!even_with_work && sil__crew_active(crew) < pool->base.workers &&
        sil__crew_has_work(pool)) {
        change(pool, THREAD + SEARCHING, 0);
        worker->searching = true;
        return false;
    }
    worker->next = pool->free;
    pool->free = worker;
    worker->to_join = true;
    *out_last = all_left_locked(pool);
    return true;
}

void sil__crew_leave(struct sil__worker *worker, bool *out_last)
{
    struct sil__pool *pool = worker->pool;
    *out_last = false;
    sil__lock_take(&pool->lock);
    (void)leave_locked(worker, true, out_last);
    sil__lock_drop(&pool->lock);
}

bool sil__crew_rest(struct sil__worker *worker, bool *out_last)
{
    struct sil__pool *pool = worker->pool;
    *out_last = false;
    hold(worker);
    sil__depot_tidy(false);
    sil__lock_take(&pool->lock);
    bool surplus = sil__crew_look(pool).idle >= pool->base.workers + KEPT_SPARES;
    /* Set before the lock was taken to wake all: either we see it, or we are woken. */
    bool closing = atomic_load_explicit(&pool->closing, memory_order_relaxed);
    if (surplus || closing) {
        bool left = leave_locked(worker, false, out_last);
        sil__lock_drop(&pool->lock);
        return !left;
    }
    fall_asleep_locked(worker);
    sil__lock_drop(&pool->lock);
    sil__barrier_heavy(); /* I2 */
    if (sil__crew_active(sil__crew_look(pool)) < pool->base.workers && sil__crew_has_work(pool))
        get_up(worker);
    while (atomic_load_explicit(&worker->wake, memory_order_acquire) == 0)
        sil__futex_wait(&worker->wake, 0, INT64_MAX);
    worker->searching = true;
    return true;
}

bool sil__crew_block(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    hold(worker);
    /* An initializer may wait while its worker still counts as searching. */
    change(pool, BLOCKED, worker->searching ? SEARCHING : 0);
    worker->searching = false;
    sil__barrier_heavy(); /* I2 */
    if (!sil__crew_has_work(pool))
        return true;
    if (sil__crew_notify(pool) != 0)
        return false;
    /*
     * Those who are active now may block next: count on a worker that is free, or could be had.
     * Whoever blocks last calls it, so it does not matter if by now none is active.
     */
    struct sil__crew crew = sil__crew_look(pool);
    return crew.searching > 0 || crew.idle > 0 || crew.threads < pool->max_threads;
}

void sil__crew_unblock(struct sil__worker *worker)
{
    change(worker->pool, 0, BLOCKED);
}
