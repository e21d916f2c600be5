/* SPDX-License-Identifier: MIT */
/*
 * A worker's life: find a task, run it, and rest when there is none.
 *
 * Where it looks: high priority first; its own queue, newest first, for what it submitted itself
 * is warm and probably awaited next; the common queue, oldest first; other workers' queues, oldest
 * first; low priority last. Now and then it looks into the common queue before its own, so that
 * tasks that submit tasks without end do not starve what comes from outside.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include <sillon/status.h>

#include "base/fork.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/room.h"
#include "thread/crew.h"
#include "thread/pool.h"

/* Every so many turns the common queue comes before one's own. */
#define FAIR_TURNS 61

static _Thread_local struct sil__worker *self;

static void in_child(void)
{
    self = NULL;
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(in_child);
}

struct sil__worker *sil__worker_current(void)
{
    return self;
}

struct sil__worker *sil__worker_self(const sil_executor *executor)
{
    return self && &self->pool->base == executor ? self : NULL;
}

/* --- finding ------------------------------------------------------------------------------- */

static sil_future *take(struct sil__worker *worker, enum sil__level level)
{
    return sil__injector_take(&worker->pool->injector, level);
}

static uint32_t next_random(struct sil__worker *worker)
{
    /* xorshift32, G. Marsaglia (2003) */
    uint32_t x = worker->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return worker->random = x;
}

/* One look at each other worker; *out_again: somebody was faster, so there may be more. */
static sil_future *steal(struct sil__worker *worker, bool *out_again)
{
    struct sil__pool *pool = worker->pool;
    unsigned count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    unsigned start = next_random(worker) % count;
    *out_again = false;
    for (unsigned i = 0; i < count; i++) {
        struct sil__worker *victim =
            atomic_load_explicit(&pool->slots[(start + i) % count], memory_order_acquire);
        if (victim == worker)
            continue;
        bool lost;
        sil_future *task = sil__deque_steal(&victim->deque, &lost);
        if (task) {
            sil__worker_count(&worker->stolen);
            return task;
        }
        *out_again |= lost;
    }
    return NULL;
}

sil_future *sil__worker_find(struct sil__worker *worker)
{
    sil_future *task = take(worker, SIL__LEVEL_HIGH);
    if (!task && ++worker->turn % FAIR_TURNS == 0)
        task = take(worker, SIL__LEVEL_NORMAL);
    if (!task)
        task = sil__deque_pop(&worker->deque);
    if (!task)
        task = take(worker, SIL__LEVEL_NORMAL);
    for (bool again = true; !task && again;)
        task = steal(worker, &again);
    if (!task)
        task = take(worker, SIL__LEVEL_LOW);
    if (task && worker->pool->max_pending)
        sil__room_made();
    return task;
}

/* --- running ------------------------------------------------------------------------------- */

void sil__worker_run(struct sil__worker *worker, sil_future *task)
{
    uint32_t running = atomic_load_explicit(&worker->running, memory_order_relaxed);
    atomic_store_explicit(&worker->running, running + 1, memory_order_relaxed);
    bool ran = sil_task_run(task);
    atomic_store_explicit(&worker->running, running, memory_order_relaxed);
    /* What an awaiter ran is counted there; what was cancelled and never ran is done now. */
    if (ran || sil__future_never_ran(task))
        sil__worker_count(&worker->done);
    sil_future_release(task);
}

/* False: the initializer failed, and with it the pool. */
static bool initialize(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    int code = pool->initializer ? pool->initializer(pool->initializer_arg) : 0;
    if (code == 0)
        return true;
    sil_error *error = sil__context()->last_error;
    sil__lock_take(&pool->lock);
    if (!atomic_load_explicit(&pool->broken, memory_order_relaxed)) {
        pool->broken_by = code;
        if (sil_error_code(error) == code)
            pool->broken_error = sil__error_retain(error);
        /* Release: who sees broken sees by what. */
        atomic_store_explicit(&pool->broken, true, memory_order_release);
    }
    sil__lock_drop(&pool->lock);
    sil__injector_close(&pool->injector);
    sil__pool_empty(pool, SIL_EBROKEN);
    return false;
}

static void name_thread(const struct sil__worker *worker)
{
    char name[SIL__POOL_NAME_SIZE];
    char number[8];
    int digits = snprintf(number, sizeof number, "-%u", worker->index);
    (void)snprintf(name, sizeof name, "%.*s%s", (int)sizeof name - 1 - digits, worker->pool->name,
                   number);
    (void)prctl(PR_SET_NAME, name);
}

/* The address below which the stack counts as low: a quarter is left, or enough for most. */
static const char *find_stack_mark(void)
{
    const size_t enough = (size_t)256 * 1024;
    pthread_attr_t attributes;
    void *low;
    size_t size;
    const char *mark = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) == 0)
            mark = (const char *)low + (size / 4 < enough ? size / 4 : enough);
        pthread_attr_destroy(&attributes);
    }
    return mark;
}

/* Until there is nothing left to do and no reason to wait for more. */
static void work(struct sil__worker *worker, bool *out_last)
{
    struct sil__pool *pool = worker->pool;
    for (;;) {
        bool too_many = sil__crew_too_many(pool);
        sil_future *task = too_many ? NULL : sil__worker_find(worker);
        if (task) {
            sil__crew_found(worker);
            sil__worker_run(worker, task);
            /* The task forked and came back in the child: the pool is the parent's. */
            if (pool->base.generation != sil__fork_generation())
                return;
        } else if (!too_many && !worker->searching) {
            /* Once more, now that others rely on us. */
            sil__crew_search(worker);
        } else if (!sil__crew_rest(worker, out_last)) {
            return;
        }
    }
}

void *sil__worker_main(void *argument)
{
    struct sil__worker *worker = argument;
    struct sil__pool *pool = worker->pool;
    struct sil__context *context = sil__context();
    bool last = false;
    self = worker;
    worker->thread = pthread_self();
    context->ops = &sil__park_worker;
    worker->searching = true;
    worker->stack_mark = find_stack_mark();
    name_thread(worker);
    if (initialize(worker))
        work(worker, &last);
    else
        sil__crew_leave(worker, &last);
    /* From here on the pool may be gone, unless we are the last. */
    self = NULL;
    context->ops = &sil__park_thread;
    if (last) {
        pthread_detach(pthread_self());
        worker->to_join = false;
        sil__pool_destroy(pool);
    }
    return NULL;
}
