/* SPDX-License-Identifier: MIT */
/*
 * Running callbacks: on threads of their own, so that neither a waiting user nor the collector does.
 *
 * One runs them all, one after the other. When it blocks in a callback another takes its place: what
 * the callback waits for may need callbacks itself.
 */
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/futex.h"
#include "core/context.h"
#include "core/park.h"
#include "process/pool.h"

/* Blocked in callbacks at the same time; what is owed then waits. */
#define MOST_CALLERS 256

struct sil__caller {
    struct sil__caller *next; /* guarded by owed_lock, as the pool's list */
    pthread_t thread;
    struct sil__procs *pool;
};

static _Thread_local struct sil__procs *calling;

static bool run_owed(struct sil__procs *pool)
{
    sil__lock_take(&pool->owed_lock);
    struct sil__listener *callbacks = pool->owed;
    uint32_t count = pool->owed_open;
    pool->owed = NULL;
    pool->owed_open = 0;
    sil__lock_drop(&pool->owed_lock);
    if (callbacks)
        sil__state_run(callbacks);
    sil__procs_closed(pool, count);
    return count > 0;
}

static void *caller_main(void *arg);

/* With owed_lock: somebody is to see to what is owed. False: nobody can. */
static bool call_one_locked(struct sil__procs *pool)
{
    if (pool->callers > pool->callers_blocked) {
        atomic_fetch_add_explicit(&pool->owed_calls, 1, memory_order_release);
        sil__futex_wake(&pool->owed_calls, 1);
        return true;
    }
    struct sil__caller *caller = pool->callers < MOST_CALLERS ? sil__alloc(sizeof *caller) : NULL;
    if (!caller)
        return pool->callers > 0;
    caller->pool = pool;
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = !sil__fault(SIL__FAULT_THREAD) &&
                   pthread_create(&caller->thread, NULL, caller_main, caller) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        sil__free(caller);
        return pool->callers > 0;
    }
    caller->next = pool->caller_list;
    pool->caller_list = caller;
    pool->callers++;
    return true;
}

/* --- the threads --------------------------------------------------------------------------- */

static bool caller_block(struct sil__context *context)
{
    (void)context;
    struct sil__procs *pool = calling;
    sil__lock_take(&pool->owed_lock);
    pool->callers_blocked++;
    if (pool->owed_open > 0)
        (void)call_one_locked(pool);
    sil__lock_drop(&pool->owed_lock);
    return true;
}

static void caller_unblock(struct sil__context *context)
{
    (void)context;
    struct sil__procs *pool = calling;
    sil__lock_take(&pool->owed_lock);
    pool->callers_blocked--;
    sil__lock_drop(&pool->owed_lock);
}

static const struct sil__park_ops park_caller = {
    .wait = sil__park_thread_wait,
    .wake = sil__park_thread_wake,
    .block = caller_block,
    .unblock = caller_unblock,
};

static void *caller_main(void *arg)
{
    const struct sil__caller *caller = arg;
    struct sil__procs *pool = caller->pool;
    (void)prctl(PR_SET_NAME, "sil-callbacks");
    calling = pool;
    sil__context()->ops = &park_caller;
    for (;;) {
        uint32_t calls = atomic_load_explicit(&pool->owed_calls, memory_order_acquire);
        if (run_owed(pool))
            continue;
        if (atomic_load_explicit(&pool->callers_end, memory_order_acquire))
            return NULL;
        (void)sil__futex_wait(&pool->owed_calls, calls, INT64_MAX);
    }
}

/* --- for the others ------------------------------------------------------------------------ */

void sil__callbacks_owe(struct sil__procs *pool, struct sil__listener *callbacks, uint32_t count)
{
    sil__lock_take(&pool->owed_lock);
    sil__state_join(&pool->owed, callbacks);
    pool->owed_open += count;
    bool called = call_one_locked(pool);
    sil__lock_drop(&pool->owed_lock);
    /* Without a thread at all: better here than never. */
    if (!called)
        (void)run_owed(pool);
}

void sil__callbacks_end(struct sil__procs *pool)
{
    atomic_store_explicit(&pool->callers_end, true, memory_order_release);
    atomic_fetch_add_explicit(&pool->owed_calls, 1, memory_order_release);
    sil__futex_wake(&pool->owed_calls, INT_MAX);
    while (pool->caller_list) {
        struct sil__caller *caller = pool->caller_list;
        pool->caller_list = caller->next;
        (void)pthread_join(caller->thread, NULL);
        sil__free(caller);
    }
}
