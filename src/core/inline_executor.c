/* SPDX-License-Identifier: MIT */
/*
 * The inline executor: runs each task at once, in the thread that submits it.
 *
 * The shortest complete engine, and the one to read first. What it needs of the library beyond
 * executor_impl.h is how to fail with a message, how to sleep, and memory with a fault point.
 * Its work is done when submit returns, so a shutdown has to wait only for tasks that other
 * threads submitted and are still running.
 */
#include <sillon/executor_impl.h>

#include <limits.h>
#include <stdatomic.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/futex.h"
#include "core/context.h"

/* In gate, beside the count of tasks that run. */
#define CLOSED 0x80000000u

struct inline_executor {
    sil_executor base;
    /* Atomic. */
    _Atomic uint32_t gate; /* running tasks, and CLOSED; its sleepers wait for the former's end */
    _Atomic uint64_t submitted;
    _Atomic uint64_t done;
};

/* Acquire and release: what a task did comes before what follows the shutdown. */
static bool enter(struct inline_executor *executor)
{
    uint32_t gate = atomic_load_explicit(&executor->gate, memory_order_relaxed);
    do {
        if (gate & CLOSED)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&executor->gate, &gate, gate + 1,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

static void leave(struct inline_executor *executor)
{
    if (atomic_fetch_sub_explicit(&executor->gate, 1, memory_order_release) == (CLOSED | 1))
        sil__futex_wake(&executor->gate, INT_MAX);
}

static void inline_submit(sil_executor *base, sil_future *const *tasks, size_t count)
{
    struct inline_executor *executor = (struct inline_executor *)base;
    for (size_t i = 0; i < count; i++) {
        if (enter(executor)) {
            atomic_fetch_add_explicit(&executor->submitted, 1, memory_order_relaxed);
            (void)sil_task_run(tasks[i]);
            atomic_fetch_add_explicit(&executor->done, 1, memory_order_relaxed);
            leave(executor);
        } else {
            (void)sil_task_fail(tasks[i], SIL_ESHUTDOWN, "the inline executor was shut down");
        }
        sil_future_release(tasks[i]);
    }
}

static int inline_shutdown(sil_executor *base, bool cancel_pending, sil_deadline until)
{
    (void)cancel_pending; /* nothing is ever pending */
    struct inline_executor *executor = (struct inline_executor *)base;
    uint32_t gate =
        atomic_fetch_or_explicit(&executor->gate, CLOSED, memory_order_acquire) | CLOSED;
    if (until <= SIL_NOW)
        return 0;
    if (sil_executor_inside(base))
        return sil__fail(SIL_EDEADLK, "a task cannot wait for the end of its own executor");
    while (gate != CLOSED) {
        if (!sil__futex_wait(&executor->gate, gate, until))
            return sil__fail(SIL_ETIMEDOUT, "tasks of the inline executor still run");
        gate = atomic_load_explicit(&executor->gate, memory_order_acquire);
    }
    return 0;
}

static int inline_close(sil_executor *base)
{
    (void)inline_shutdown(base, false, sil_executor_inside(base) ? SIL_NOW : SIL_FOREVER);
    sil_executor_retire(base);
    return 0;
}

static void inline_stats(sil_executor *base, sil_executor_stats *out)
{
    struct inline_executor *executor = (struct inline_executor *)base;
    out->done = atomic_load_explicit(&executor->done, memory_order_relaxed);
    out->submitted = atomic_load_explicit(&executor->submitted, memory_order_relaxed);
    out->running = atomic_load_explicit(&executor->gate, memory_order_relaxed) & ~CLOSED;
}

static const sil_executor_ops inline_ops = {
    .size = sizeof inline_ops,
    .kind = "inline",
    .shares_memory = true,
    .submit = inline_submit,
    .shutdown = inline_shutdown,
    .close = inline_close,
    .stats = inline_stats,
};

sil_executor *sil_inline_executor(void)
{
    struct inline_executor *executor = sil__alloc(sizeof *executor);
    if (!executor) {
        sil__fail(SIL_ENOMEM, "no memory for an inline executor");
        return NULL;
    }
    sil_executor_init(&executor->base, &inline_ops, 1);
    return &executor->base;
}
