/* SPDX-License-Identifier: MIT */
/*
 * Making a process pool, and freeing it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <sillon/status.h>
#include <sillon/thread_pool.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "core/context.h"
#include "process/death.h"
#include "process/environment.h"
#include "process/pool.h"

#define MOST_WORKERS 1024
#define MOST_SECONDS 1e9

/* --- blocks -------------------------------------------------------------------------------- */

/* What does not fit into a ring. Results have a little more room there: they go by the same. */
static void *block_alloc(sil_executor *executor, size_t size)
{
    return sil__region_alloc(sil__procs_of(executor)->region, size);
}

static void block_free(void *block)
{
    (void)sil__region_free(block);
}

static const sil_block_ops blocks = {
    .least = SIL__ANSWER_BYTES + 1, .alloc = block_alloc, .free = block_free};

/* --- looking at it ------------------------------------------------------------------------- */

static void procs_stats(sil_executor *executor, sil_executor_stats *out)
{
    struct sil__procs *pool = sil__procs_of(executor);
    sil__lock_take(&pool->lock);
    out->submitted = pool->submitted;
    out->pending = pool->queue.count;
    for (unsigned i = 0; i < pool->base.workers; i++) {
        const struct sil__staff *staff = &pool->staff[i];
        uint64_t running = 0;
        for (uint32_t at = staff->oldest; staff->channel && at != staff->sent; at++)
            if (staff->flights[at % SIL__RING].task)
                running += sil__begun_locked(staff, at);
        out->running += running;
        out->pending += staff->load - (running < staff->load ? running : staff->load);
        out->sleeping += staff->channel && staff->load == 0;
    }
    out->threads = pool->live;
    out->replaced = pool->replaced;
    out->retried = pool->retried;
    sil__lock_drop(&pool->lock);
    out->done = atomic_load_explicit(&pool->done, memory_order_relaxed);
}

const sil_executor_ops sil__procs_ops = {
    .size = sizeof sil__procs_ops,
    .kind = "process pool",
    .shares_memory = false,
    .submit = sil__procs_submit,
    .shutdown = sil__procs_shutdown,
    .close = sil__procs_close,
    .stats = procs_stats,
    .stop = sil__procs_stop,
    .begun = sil__procs_begun,
    .progress = sil__procs_progress,
    .attend = &sil__procs_attend,
    .blocks = &blocks,
    .takes_items = true,
};

size_t sil_process_pool_pids(sil_executor *executor, int64_t *out_pids, size_t capacity)
{
    if (!executor || __atomic_load_n(&executor->ops, __ATOMIC_ACQUIRE) != &sil__procs_ops)
        return 0;
    struct sil__procs *pool = sil__procs_of(executor);
    size_t count = 0;
    sil__lock_take(&pool->lock);
    for (unsigned i = 0; i < pool->base.workers; i++) {
        int64_t pid = pool->staff[i].channel ? pool->staff[i].pid : 0;
        if (pid != 0 && count++ < capacity)
            out_pids[count - 1] = pid;
    }
    sil__lock_drop(&pool->lock);
    return count;
}

/* --- making -------------------------------------------------------------------------------- */

static bool in_range(double seconds)
{
    return seconds >= 0 && seconds <= MOST_SECONDS;
}

static int check(const sil_process_pool_options *options)
{
    bool ok = options->workers <= MOST_WORKERS && options->start >= SIL_START_SPAWN &&
              options->start <= SIL_START_FORK && options->when_full >= SIL_FULL_BLOCK &&
              options->when_full <= SIL_FULL_CALLER && in_range(options->task_timeout) &&
              in_range(options->idle_time) &&
              (options->initializer_arg || options->initializer_arg_size == 0) &&
              options->initializer_arg_size <= SIL__SIZE_LIMIT;
    for (size_t i = 0; i < sizeof options->reserved / sizeof *options->reserved; i++)
        ok = ok && options->reserved[i] == 0;
    if (!ok)
        return sil__fail(SIL_EINVAL, "sil_process_pool: an option is out of range");
    if (!sil__environment_valid(options->environment))
        return sil__fail(SIL_EINVAL, "sil_process_pool: the environment has an odd entry");
    return 0;
}

static int make_control(struct sil__procs *pool, const sil_process_pool_options *options)
{
    size_t size = sizeof *pool->control + options->initializer_arg_size;
    pool->hello.control_size = size;
    pool->control_fd = sil__fault(SIL__FAULT_SYSTEM)
                           ? -1
                           : memfd_create("sillon-control", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *control = MAP_FAILED;
    if (pool->control_fd >= 0 && ftruncate(pool->control_fd, (off_t)size) == 0 &&
        fcntl(pool->control_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        control = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, pool->control_fd, 0);
    if (control == MAP_FAILED)
        return sil__fail(SIL_ENOMEM, "no shared memory for a process pool: %s", strerror(errno));
    pool->control = control;
    atomic_store_explicit(&pool->control->watch, SIL__WATCH_THREAD, memory_order_relaxed);
    if (options->initializer_arg_size)
        memcpy(pool->control->initializer_arg, options->initializer_arg,
               options->initializer_arg_size);
    return 0;
}

/* Workers in a sandbox see no memory but their pool's. */
static int make_region(struct sil__procs *pool)
{
    bool alone = pool->hello.limits.sandbox != SIL_SANDBOX_NONE;
    pool->region = alone ? sil__region_create(0) : sil__heap_hold();
    if (!pool->region)
        return sil_error_code(sil_last_error());
    if (alone) {
        pool->hello.region_base = (uintptr_t)sil__region_base(pool->region);
        pool->hello.region_size = sil__region_size(pool->region);
    }
    return 0;
}

static int make_tables(struct sil__procs *pool, const sil_process_pool_options *options)
{
    unsigned workers = pool->base.workers;
    pool->staff = sil__alloc_array(workers, sizeof *pool->staff);
    pool->loads = sil__alloc_array(workers, sizeof *pool->loads);
    pool->encoder = sil__encoder_create(&pool->control->modules);
    if (options->environment)
        pool->environment = sil__environment_copy(options->environment);
    if (!pool->staff || !pool->loads || !pool->encoder ||
        (options->environment && !pool->environment))
        return sil__fail(SIL_ENOMEM, "no memory for a process pool of %u", workers);
    for (unsigned i = 0; i < workers; i++) {
        pool->staff[i].pidfd = -1;
        pool->loads[i] = SIL__NO_MORE;
    }
    if (!options->initializer)
        return 0;
    pool->hello.initialized = 1;
    pool->hello.initializer_arg_size = options->initializer_arg_size;
    sil_task_fn fn = (sil_task_fn)(void (*)(void))options->initializer;
    int code = sil__encode(pool->encoder, fn, &pool->hello.initializer);
    return code == SIL_ENOTSUP ? sil__fail(SIL_EINVAL, "%s", sil_error_message(sil_last_error()))
                               : code;
}

static int make_descriptors(struct sil__procs *pool)
{
    if (!sil__fault(SIL__FAULT_SYSTEM)) {
        pool->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        pool->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    }
    if (pool->kick_fd < 0 || pool->timer_fd < 0 || pool->epoll_fd < 0)
        return sil__fail(SIL_EAGAIN, "no descriptors for a process pool: %s", strerror(errno));
    sil__keeper_watch(pool, pool->kick_fd, SIL__KEEPER_KICK);
    sil__keeper_watch(pool, pool->timer_fd, SIL__KEEPER_TIMER);
    return 0;
}

/* With all signals blocked: those of the process are for the program's threads. */
static int start_thread(pthread_t *thread, void *(*main)(void *arg), struct sil__procs *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = sil__fault(SIL__FAULT_THREAD) ? EAGAIN : pthread_create(thread, NULL, main, pool);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0
                      : sil__fail(SIL_EAGAIN, "no thread for a process pool: %s", strerror(error));
}

static int start_threads(struct sil__procs *pool)
{
    int code = start_thread(&pool->collector, sil__collector_main, pool);
    if (code != 0)
        return code;
    code = start_thread(&pool->keeper, sil__keeper_main, pool);
    if (code != 0) {
        atomic_store_explicit(&pool->collector_ends, true, memory_order_release);
        sil__collector_call(pool);
        (void)pthread_join(pool->collector, NULL);
    }
    return code;
}

static void take_options(struct sil__procs *pool, const sil_process_pool_options *options)
{
    pool->control_fd = pool->kick_fd = pool->timer_fd = pool->epoll_fd = pool->helper_socket = -1;
    pool->hello.magic = SIL__HELLO_MAGIC;
    pool->hello.size = sizeof pool->hello;
    pool->hello.forked = options->start == SIL_START_FORK;
    (void)snprintf(pool->hello.name, sizeof pool->hello.name, "%s",
                   options->name ? options->name : "sillon");
    pool->name = pool->hello.name;
    pool->base.workers = options->workers ? options->workers : sil_process_cpu_count();
    pool->max_pending = options->max_pending;
    pool->when_full = options->when_full;
    /* With a bound, what waits is what is in the queue: nothing waits in rings. */
    pool->depth = options->max_pending ? 1 : SIL__RING;
    pool->task_timeout = sil__nanoseconds(options->task_timeout);
    pool->retries = options->retries;
    pool->tasks_per_worker = options->tasks_per_worker;
    pool->idle_time = sil__nanoseconds(options->idle_time);
    pool->kill_on_cancel = options->kill_on_cancel;
    pool->oom_kills = sil__death_oom_kills("");
}

static void release_parts(struct sil__procs *pool)
{
    int fds[] = {pool->kick_fd, pool->timer_fd, pool->epoll_fd, pool->control_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    for (unsigned i = 0; pool->staff && i < pool->base.workers; i++)
        sil__free(pool->staff[i].blocks);
    sil__encoder_destroy(pool->encoder);
    if (pool->control)
        (void)munmap(pool->control, pool->hello.control_size);
    sil__region_release(pool->region);
    sil__free(pool->staff);
    sil__free(pool->loads);
    sil__free(pool->environment);
    sil__free(pool->why);
}

void sil__procs_destroy(struct sil__procs *pool)
{
    sil__source_remove(&pool->source);
    release_parts(pool);
    sil_executor_retire(&pool->base);
}

sil_executor *sil_process_pool(const sil_process_pool_options *options)
{
    static const sil_process_pool_options defaults;
    options = options ? options : &defaults;
    if (check(options) != 0)
        return NULL;
    struct sil__procs *pool = sil__alloc_lines(sizeof *pool);
    if (!pool) {
        sil__fail(SIL_ENOMEM, "no memory for a process pool");
        return NULL;
    }
    take_options(pool, options);
    if (sil__limits_take(options, &pool->hello.limits) != 0 || make_region(pool) != 0 ||
        make_control(pool, options) != 0 || make_tables(pool, options) != 0 ||
        make_descriptors(pool) != 0 || sil__helper_open(pool) != 0)
        goto fail;
    sil__keeper_watch(pool, pool->helper_socket, SIL__KEEPER_HELPER);
    sil_executor_init(&pool->base, &sil__procs_ops, pool->base.workers);
    if (start_threads(pool) != 0)
        goto fail_helper;
    sil__source_add(&pool->source, &sil__procs_source);
    return &pool->base;

fail_helper:
    sil__helper_close(pool);
fail:
    release_parts(pool);
    sil__free(pool);
    return NULL;
}
