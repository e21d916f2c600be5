/* SPDX-License-Identifier: MIT */
/*
 * The life of a loop: made, run until nothing is left, destroyed.
 */
#include "coro/loop.h"

#include <stdio.h>

#include <sillon/status.h>
#include <sillon/thread_pool.h>

#include "base/alloc.h"
#include "base/biased.h"
#include "base/clock.h"
#include "core/executor.h"
#include "core/trace.h"

#define DEFAULT_STACK ((size_t)64 * 1024)
#define FIRST_ALLOWANCE 64
#define BLOCKING_THREADS 8

/* For whoever reports an overflow, in a signal handler. */
static const char *name_of(const struct sil__stack *stack)
{
    const struct sil__coroutine *coroutine = (const struct sil__coroutine *)stack;
    const char *name = coroutine->task ? sil_future_name(coroutine->task) : NULL;
    return name ? name : "";
}

static int check(const sil_loop_options *options, const char *who)
{
    size_t stack = options->stack_size ? options->stack_size : DEFAULT_STACK;
    if (sil__stack_class(stack) >= SIL__STACK_CLASSES || options->when_full < SIL_FULL_BLOCK ||
        options->when_full > SIL_FULL_CALLER || !(options->slow_after >= 0))
        return sil__fail(SIL_EINVAL, "%s: an option is out of range", who);
    if (options->blocking && !sil__executor_shares_memory(options->blocking))
        return sil__fail(SIL_EINVAL, "%s: a %s cannot run blocking calls: it shares no memory", who,
                         sil_executor_kind(options->blocking));
    return 0;
}

static void take_options(struct sil__loop *loop, const sil_loop_options *options)
{
    (void)snprintf(loop->name, sizeof loop->name, "%s", options->name ? options->name : "loop");
    loop->stack_class = sil__stack_class(options->stack_size ? options->stack_size : DEFAULT_STACK);
    loop->max_pending = options->max_pending;
    loop->when_full = options->when_full;
    loop->blocking = options->blocking;
    const double longest = 1e9; /* seconds: longer than any program runs */
    double slow = options->slow_after < longest ? options->slow_after : longest;
    loop->slow_after = (int64_t)(slow * 1e9);
    if (options->slow_after > 0 && loop->slow_after == 0)
        loop->slow_after = 1;
    loop->on_slow = options->on_slow;
    loop->user = options->user;
    loop->leave_sigsegv = options->leave_sigsegv;
    loop->allowance = FIRST_ALLOWANCE;
}

struct sil__loop *sil__loop_create(const sil_loop_options *options, struct uv_loop_s *uv,
                                   const char *who)
{
    static const sil_loop_options defaults;
    if (!options)
        options = &defaults;
    if (check(options, who) != 0)
        return NULL;
    struct sil__loop *loop = sil__alloc(sizeof *loop);
    sil_promise *end = loop ? sil_promise_create("the end of a loop", 0) : NULL;
    if (!end) {
        sil__free(loop);
        sil__fail(SIL_ENOMEM, "%s: no memory for a loop", who);
        return NULL;
    }
    take_options(loop, options);
    if (sil__reactor_init(&loop->reactor, uv, &sil__loop_driver) != 0) {
        sil_promise_destroy(end);
        sil__free(loop);
        return NULL;
    }
    loop->end = end;
    loop->end_future = sil_promise_future(end);
    loop->attached = uv != NULL;
    sil__loop_init_stacks(loop);
    sil__loop_init_executor(loop);
    sil__loop_show(loop);
    return loop;
}

void sil__loop_destroy(struct sil__loop *loop)
{
    sil__loop_hide(loop);
    if (loop->own_blocking)
        (void)sil_executor_close(loop->blocking);
    if (loop->attached) {
        sil__loop_fini_stacks(loop);
        sil__loop_unwatch_stacks(loop);
    }
    sil__reactor_fini(&loop->reactor);
    sil_promise_destroy(loop->end);
    sil_future_release(loop->end_future);
    sil_executor_retire(&loop->base);
}

/* Loops of the calling thread that want it. */
static _Thread_local unsigned watching;

void sil__loop_watch_stacks(const struct sil__loop *loop)
{
    if (!loop->leave_sigsegv && watching++ == 0)
        sil__stack_watch(name_of);
}

void sil__loop_unwatch_stacks(const struct sil__loop *loop)
{
    if (!loop->leave_sigsegv && --watching == 0)
        sil__stack_unwatch_thread();
}

void sil__loop_run(struct sil__loop *loop)
{
    sil__fiber_init_own(&loop->root);
    sil__loop_watch_stacks(loop);
    atomic_store_explicit(&loop->home, sil__biased_identity(), memory_order_relaxed);
    sil__reactor_run(&loop->reactor);
    atomic_store_explicit(&loop->home, 0, memory_order_relaxed);
    sil__loop_fini_stacks(loop);
    sil__loop_unwatch_stacks(loop);
}

/* --- the end ------------------------------------------------------------------------------- */

/* Those that begin meanwhile are refused, since the loop is closing. */
static void cancel_live(struct sil__loop *loop)
{
    struct sil__coroutine *coroutine = loop->live;
    while (coroutine) {
        struct sil__coroutine *next = coroutine->next_live;
        if (coroutine->task)
            (void)sil_future_cancel(coroutine->task);
        coroutine = next;
    }
}

void sil__loop_check_end(struct sil__loop *loop)
{
    if (loop->cancels_main) {
        loop->cancels_main = false;
        (void)sil_future_cancel(loop->main);
    }
    if (loop->stopping) {
        loop->stopping = false;
        cancel_live(loop);
    }
    sil__loop_look_after_stacks(loop);
    bool busy = loop->live_count > 0 || loop->ready_first != 0 || loop->unlucky;
    if (loop->attached && busy != loop->kept) {
        loop->kept = busy;
        (busy ? sil__reactor_keep : sil__reactor_let_go)(&loop->reactor);
    }
    if (!loop->closed || loop->drained || busy ||
        atomic_load_explicit(&loop->intake.filled, memory_order_relaxed))
        return;
    loop->drained = true;
    (void)sil_promise_resolve(loop->end, NULL);
    if (!loop->attached)
        sil__reactor_stop(&loop->reactor);
}

void sil__loop_kick(struct sil__loop *loop)
{
    if (loop->attached && !loop->kept) {
        loop->kept = true;
        sil__reactor_keep(&loop->reactor);
    }
    sil__reactor_kick(&loop->reactor);
}

/* --- blocking calls ------------------------------------------------------------------------ */

sil_executor *sil__loop_blocking(void)
{
    struct sil__coroutine *self = sil__coroutine_self();
    if (!self) {
        sil__fail(SIL_ENOTASK, "only a coroutine may do this");
        return NULL;
    }
    struct sil__loop *loop = self->loop;
    if (!loop->blocking) {
        loop->blocking = sil_thread_pool(
            &(sil_thread_pool_options){.workers = BLOCKING_THREADS, .name = "blocking"});
        loop->own_blocking = loop->blocking != NULL;
    }
    return loop->blocking;
}

/* --- whoever holds the loop ---------------------------------------------------------------- */

static void report_slow(const struct sil__loop *loop, const sil_future *task, int64_t held)
{
    const char *name = sil_future_name(task);
    double seconds = (double)held / 1e9;
    if (loop->on_slow) {
        loop->on_slow(name ? name : "", task->fn, seconds, loop->user);
        return;
    }
    /* In one piece, and without the room on the stack that printing to an unbuffered file takes. */
    char function[80];
    char line[240];
    (void)snprintf(line, sizeof line, "sillon: coroutine '%s' %s held loop '%s' for %.3f s\n",
                   name ? name : "", sil__function_text(task->fn, function, sizeof function),
                   loop->name, seconds);
    (void)fputs(line, stderr);
}

void sil__loop_note(struct sil__loop *loop, const struct sil__coroutine *coroutine)
{
    int64_t now = sil__clock_now();
    int64_t held = now - loop->resumed_at;
    loop->resumed_at = now;
    /* One that has ended its task was noted then. */
    if (!coroutine || !coroutine->task)
        return;
    if (sil__trace_library())
        sil__trace_slice(coroutine->task, now - held, now);
    if (loop->slow_after != 0 && held >= loop->slow_after)
        report_slow(loop, coroutine->task, held);
}
