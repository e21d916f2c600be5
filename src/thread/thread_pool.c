/* SPDX-License-Identifier: MIT */
/*
 * The thread pool: its options, its creation, its figures. pool.h tells where the rest is.
 */
#include <sillon/thread_pool.h>

#include <stdio.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/cpus.h"
#include "core/context.h"
#include "thread/crew.h"
#include "thread/pool.h"

/* Threads beyond the workers that may stand in for blocked ones, unless the user says. */
#define DEFAULT_SPARES 256
/* A new pool expects its work in one go (spin.c). */
#define FIRST_CREDIT 2

static void pool_stats(sil_executor *executor, sil_executor_stats *out)
{
    struct sil__pool *pool = (struct sil__pool *)executor;
    uint64_t dropped;
    sil__injector_counts(&pool->injector, &out->submitted, &dropped);
    uint64_t caller_runs = atomic_load_explicit(&pool->caller_runs, memory_order_relaxed);
    sil__lock_take(&pool->lock);
    out->running = pool->callers;
    sil__lock_drop(&pool->lock);
    out->submitted += caller_runs + out->running;
    out->done = dropped + caller_runs + atomic_load_explicit(&pool->dropped, memory_order_relaxed);
    out->pending = sil__injector_total(&pool->injector);
    unsigned count = atomic_load_explicit(&pool->intakes.count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        const struct sil__deque *deque = &sil__intake_at(pool, i)->deque;
        out->submitted += (uint64_t)atomic_load_explicit(&deque->bottom, memory_order_relaxed);
        out->pending += sil__deque_size(deque);
    }
    count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__worker *worker = atomic_load_explicit(&pool->slots[i], memory_order_acquire);
        out->submitted += atomic_load_explicit(&worker->submitted, memory_order_relaxed);
        out->done += atomic_load_explicit(&worker->done, memory_order_relaxed);
        out->stolen += atomic_load_explicit(&worker->stolen, memory_order_relaxed);
        out->helped += atomic_load_explicit(&worker->helped, memory_order_relaxed);
        out->running += atomic_load_explicit(&worker->running, memory_order_relaxed);
        out->pending += sil__deque_size(&worker->deque) + sil__deque_size(&worker->batch);
    }
    struct sil__crew crew = sil__crew_look(pool);
    out->blocked = crew.blocked;
    out->sleeping = crew.idle;
    out->threads = crew.threads;
}

static const sil_executor_ops pool_ops = {
    .size = sizeof pool_ops,
    .kind = "thread pool",
    .shares_memory = true,
    .submit = sil__pool_submit,
    .shutdown = sil__pool_shutdown,
    .close = sil__pool_close,
    .stats = pool_stats,
    .post = sil__pool_post,
};

static bool fill(struct sil__source *source, struct sil__part *part)
{
    struct sil__pool *pool =
        (struct sil__pool *)((char *)source - offsetof(struct sil__pool, source));
    return sil__source_stats(source, part, &pool->base, pool->name);
}

static const struct sil__source_ops source_ops = {.fill = fill};

static bool valid(const sil_thread_pool_options *options)
{
    return options->workers <= SIL__POOL_MAX_THREADS &&
           options->max_threads <= SIL__POOL_MAX_THREADS && options->when_full >= SIL_FULL_BLOCK &&
           options->when_full <= SIL_FULL_CALLER && options->stack_size <= SIL__SIZE_LIMIT &&
           !options->reserved[0] && !options->reserved[1] && !options->reserved[2] &&
           !options->reserved[3];
}

static struct sil__pool *create(const sil_thread_pool_options *options, unsigned workers,
                                unsigned max_threads)
{
    struct sil__pool *pool = sil__alloc_lines(sizeof *pool);
    if (!pool)
        return NULL;
    pool->slots = sil__alloc_array(max_threads, sizeof pool->slots[0]);
    if (!pool->slots) {
        sil__free(pool);
        return NULL;
    }
    (void)snprintf(pool->name, sizeof pool->name, "%s", options->name ? options->name : "sillon");
    static _Atomic uint64_t last_serial;
    pool->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
    pool->max_threads = max_threads;
    unsigned cpus = sil_process_cpu_count();
    pool->max_spinners = cpus - 1 < workers ? cpus - 1 : workers;
    atomic_init(&pool->spin_credit, FIRST_CREDIT);
    pool->stack_size = options->stack_size;
    pool->max_pending = options->max_pending;
    pool->when_full = options->when_full;
    pool->initializer = options->initializer;
    pool->initializer_arg = options->initializer_arg;
    sil_executor_init(&pool->base, &pool_ops, workers);
    sil__source_add(&pool->source, &source_ops);
    return pool;
}

sil_executor *sil_thread_pool(const sil_thread_pool_options *options)
{
    static const sil_thread_pool_options defaults;
    if (!options)
        options = &defaults;
    if (!valid(options)) {
        sil__fail(SIL_EINVAL, "sil_thread_pool: an option is out of range");
        return NULL;
    }
    unsigned workers = options->workers ? options->workers : sil_process_cpu_count();
    unsigned most = workers + DEFAULT_SPARES;
    unsigned max_threads = options->max_threads           ? options->max_threads
                           : most > SIL__POOL_MAX_THREADS ? SIL__POOL_MAX_THREADS
                                                          : most;
    if (max_threads < workers) {
        sil__fail(SIL_EINVAL, "sil_thread_pool: max_threads %u is less than workers %u",
                  max_threads, workers);
        return NULL;
    }
    struct sil__pool *pool = create(options, workers, max_threads);
    if (!pool) {
        sil__fail(SIL_ENOMEM, "no memory for a thread pool");
        return NULL;
    }
    return &pool->base;
}

unsigned sil_process_cpu_count(void)
{
    return sil__cpus_usable("/proc/self", "");
}
