/* SPDX-License-Identifier: MIT */
/*
 * Who takes answers: threads that wait for tasks, and the collector.
 *
 * A thread that waits takes the watch if nobody has it, so that the worker wakes it and nobody
 * else. Others who wait sleep until one of those ends their task. The collector takes what comes
 * while nobody waits.
 */
#include <limits.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/spin.h"
#include "core/context.h"
#include "process/pool.h"

/* A worker gone mad may keep others from waking us: somebody looks now and then. */
#define LOOK_AGAIN INT64_C(1000000000)
/* While much comes in, the collector looks every so often, rather than have each answer wake it. */
#define NAP INT64_C(50000)

/* The pool whose watch this thread has, between look and rest. */
static _Thread_local struct sil__procs *watching;
/* What this thread waits for: it need not be woken by itself. */
static _Thread_local _Atomic uint32_t *own;

/* --- threads that wait --------------------------------------------------------------------- */

static void attend_enter(sil_executor *executor)
{
    atomic_fetch_add_explicit(&sil__procs_of(executor)->attending, 1, memory_order_relaxed);
}

static void attend_leave(sil_executor *executor)
{
    _Atomic uint32_t *attending = &sil__procs_of(executor)->attending;
    /* Whoever waits for 0 says so in the highest bit; and afterwards the pool may be gone. */
    if (atomic_fetch_sub_explicit(attending, 1, memory_order_release) == (SIL__OPEN_WAITED | 1))
        sil__futex_wake(attending, INT_MAX);
}

static bool attend_look(sil_executor *executor)
{
    struct sil__procs *pool = sil__procs_of(executor);
    if (watching != pool) {
        if (watching || !sil__watch_take(pool))
            return false;
        watching = pool;
    }
    (void)sil__collect(pool);
    return true;
}

static void attend_rest(sil_executor *executor)
{
    struct sil__procs *pool = sil__procs_of(executor);
    if (watching != pool)
        return;
    watching = NULL;
    sil__watch_drop(pool);
}

static int64_t at_most(sil_deadline until)
{
    int64_t again = sil__spin_now() + LOOK_AGAIN;
    return until < again ? until : again;
}

static bool is_woken(_Atomic uint32_t *woken)
{
    return atomic_load_explicit(woken, memory_order_acquire) != 0;
}

/* Sleep as the one whom workers wake. */
static void sleep_watching(struct sil__procs *pool, _Atomic uint32_t *woken, sil_deadline until)
{
    struct sil__control *control = pool->control;
    uint32_t calls = atomic_load_explicit(&control->waiter, memory_order_acquire);
    atomic_store_explicit(&control->watch, SIL__WATCH_WAITER, memory_order_relaxed);
    sil__channel_fence(); /* pool.h, I2 */
    if (!is_woken(woken) && !sil__has_news(pool))
        (void)sil__futex_wait_shared(&control->waiter, calls, at_most(until));
    atomic_store_explicit(&control->watch, SIL__WATCH_AWAKE, memory_order_relaxed);
}

static void sleep_beside(struct sil__procs *pool, _Atomic uint32_t *woken, sil_deadline until)
{
    uint32_t calls = atomic_load_explicit(&pool->asleep, memory_order_acquire);
    if (!is_woken(woken))
        (void)sil__futex_wait(&pool->asleep, calls, at_most(until));
}

static bool attend_wait(sil_executor *executor, uint32_t *word, sil_deadline until)
{
    _Atomic uint32_t *woken = (_Atomic uint32_t *)word;
    struct sil__procs *pool = sil__procs_of(executor);
    bool have = false;
    bool in_time = true;
    _Atomic uint32_t *outer = own;
    own = woken;
    while (!is_woken(woken) && in_time) {
        have = have || sil__watch_take(pool);
        if (have && sil__collect(pool) > 0)
            continue;
        if (have)
            sil__inspect(pool);
        if (have)
            sleep_watching(pool, woken, until);
        else
            sleep_beside(pool, woken, until);
        in_time = until == SIL_FOREVER || sil__clock_now() < until;
    }
    own = outer;
    if (have) {
        sil__watch_drop(pool);
        /* Somebody who waits beside may want it. */
        atomic_fetch_add_explicit(&pool->asleep, 1, memory_order_release);
        sil__futex_wake(&pool->asleep, 1);
    }
    return is_woken(woken);
}

/* Afterwards the waiter may be gone, and the pool with it: only addresses are named then. */
static void attend_wake(sil_executor *executor, uint32_t *word)
{
    _Atomic uint32_t *woken = (_Atomic uint32_t *)word;
    struct sil__procs *pool = sil__procs_of(executor);
    if (woken == own) {
        atomic_store_explicit(woken, 1, memory_order_release);
        return;
    }
    _Atomic uint32_t *waiter = &pool->control->waiter;
    _Atomic uint32_t *beside = &pool->asleep;
    atomic_fetch_add_explicit(waiter, 1, memory_order_release);
    atomic_fetch_add_explicit(beside, 1, memory_order_release);
    atomic_store_explicit(woken, 1, memory_order_release);
    sil__futex_wake_shared(waiter, INT_MAX);
    sil__futex_wake(beside, INT_MAX);
}

const sil_attend_ops sil__procs_attend = {
    .enter = attend_enter,
    .leave = attend_leave,
    .look = attend_look,
    .rest = attend_rest,
    .wait = attend_wait,
    .wake = attend_wake,
};

/* --- the collector ------------------------------------------------------------------------- */

void sil__collector_call(struct sil__procs *pool)
{
    _Atomic uint32_t *thread = &pool->control->thread;
    atomic_fetch_add_explicit(thread, 1, memory_order_release);
    sil__futex_wake_shared(thread, 1);
}

/* True: something came. */
static bool collect_alone(struct sil__procs *pool)
{
    if (!sil__watch_take(pool))
        return false;
    unsigned ended = sil__collect(pool);
    if (ended == 0)
        sil__inspect(pool);
    sil__watch_drop(pool);
    return ended > 0;
}

void *sil__collector_main(void *arg)
{
    struct sil__procs *pool = arg;
    (void)prctl(PR_SET_NAME, "sil-collector");
    struct sil__control *control = pool->control;
    while (!atomic_load_explicit(&pool->collector_ends, memory_order_acquire)) {
        uint32_t calls = atomic_load_explicit(&control->thread, memory_order_acquire);
        bool came = collect_alone(pool);
        if (came) {
            uint32_t nobody = SIL__WATCH_THREAD;
            (void)atomic_compare_exchange_strong_explicit(&control->watch, &nobody,
                                                          SIL__WATCH_AWAKE, memory_order_relaxed,
                                                          memory_order_relaxed);
            (void)sil__futex_wait_shared(&control->thread, calls, sil__spin_now() + NAP);
            continue;
        }
        bool busy = atomic_load_explicit(&pool->open, memory_order_relaxed) & ~SIL__OPEN_WAITED;
        (void)sil__futex_wait_shared(&control->thread, calls,
                                     busy ? at_most(SIL_FOREVER) : SIL_FOREVER);
    }
    return NULL;
}
