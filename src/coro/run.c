/* SPDX-License-Identifier: MIT */
/*
 * Ways to run a loop: on the calling thread, on a thread of its own, on a loop of libuv of its user's.
 */
#include <sillon/loop.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <sillon/status.h>

#include "base/biased.h"
#include "base/clock.h"
#include "base/spawn.h"
#include "core/error.h"
#include "core/executor.h"
#include "coro/loop.h"

/* --- on the calling thread ------------------------------------------------------------------- */

/* The main coroutine has ended: on the loop's thread. */
static void main_ended(sil_future *future, void *user)
{
    (void)future;
    struct sil__loop *loop = user;
    loop->stopping = true;
    sil__intake_close(loop, true, false);
    sil__loop_accept(loop);
    if (!loop->current)
        sil__loop_kick(loop); /* it never began, and there may be nothing else to wake the loop */
}

struct interrupt {
    uv_signal_t signal;
    sil_future *main;
    bool asked;
};

static void on_interrupt(uv_signal_t *signal, int number)
{
    struct interrupt *interrupt = signal->data;
    if (interrupt->asked) {
        /* A second time: as if nobody had listened. */
        struct sigaction ordinary = {.sa_handler = SIG_DFL};
        (void)sigaction(number, &ordinary, NULL);
        (void)raise(number);
    }
    interrupt->asked = true;
    (void)sil_future_cancel(interrupt->main);
}

static void interrupt_begin(struct interrupt *interrupt, struct sil__loop *loop, sil_future *task)
{
    interrupt->main = task;
    interrupt->asked = false;
    (void)uv_signal_init(loop->reactor.uv, &interrupt->signal);
    interrupt->signal.data = interrupt;
    (void)uv_signal_start(&interrupt->signal, on_interrupt, SIGINT);
    uv_unref((uv_handle_t *)&interrupt->signal);
}

static void interrupt_closed(uv_handle_t *handle)
{
    ((struct interrupt *)handle->data)->main = NULL;
}

static void interrupt_end(struct interrupt *interrupt, struct sil__loop *loop)
{
    uv_close((uv_handle_t *)&interrupt->signal, interrupt_closed);
    while (interrupt->main)
        (void)uv_run(loop->reactor.uv, UV_RUN_NOWAIT);
}

/* A task that runs a loop: told to stop, it passes that on. */
struct outer {
    struct sil__listener listener;
    struct sil__loop *loop;
    sil_future *task; /* NULL: there is none */
};

static void outer_asked(struct sil__listener *listener, sil_future *task)
{
    (void)task;
    sil__intake_cancel_main(((struct outer *)listener)->loop);
}

/* Its pool lets another worker take its place meanwhile, as in any wait. */
static void run_inside(struct sil__loop *loop)
{
    struct sil__context *context = sil__context();
    struct outer outer = {.listener = {.notify = outer_asked, .on_cancel = true},
                          .loop = loop,
                          .task = sil__context_task(context)};
    bool listening = outer.task && sil__state_listen(outer.task, &outer.listener);
    if (listening && sil__state_cancel_asked(outer.task))
        sil__intake_cancel_main(loop);
    if (context->ops->block)
        (void)context->ops->block(context);
    sil__loop_run(loop);
    if (context->ops->unblock)
        context->ops->unblock(context);
    if (listening)
        (void)sil__state_unlisten(outer.task, &outer.listener);
}

int sil_run_with(const sil_loop_options *options, sil_task_fn fn, const void *arg, size_t arg_size,
                 void *out_result, size_t result_size)
{
    if (!fn || (!out_result && result_size > 0))
        return sil__fail(SIL_EINVAL, "sil_run: the function or the room for its result is NULL");
    if (sil__loop_here() || sil__coroutine_self())
        return sil__fail(SIL_EBUSY, "sil_run: a loop runs on this thread already");
    struct sil__loop *loop = sil__loop_create(options, NULL, "sil_run");
    if (!loop)
        return sil_error_code(sil_last_error());
    sil_future *task = sil_submit_with(&loop->base, &(sil_submit_options){.name = "main"}, fn, arg,
                                       arg_size, result_size);
    int refused = sil_future_add_done_callback(task, main_ended, loop);
    if (refused != 0) {
        (void)sil_future_cancel(task);
        sil__intake_close(loop, true, false);
    }
    loop->main = task;
    struct interrupt interrupt;
    bool interruptible = options && options->interruptible;
    if (interruptible)
        interrupt_begin(&interrupt, loop, task);
    run_inside(loop);
    if (interruptible)
        interrupt_end(&interrupt, loop);
    sil__loop_destroy(loop);
    int code = sil_take(task, out_result, SIL_FOREVER);
    return refused != 0 ? sil__fail(refused, "sil_run: no memory") : code;
}

int sil_run(sil_task_fn fn, const void *arg, size_t arg_size, void *out_result, size_t result_size)
{
    return sil_run_with(NULL, fn, arg, arg_size, out_result, result_size);
}

/* --- on a thread of its own ------------------------------------------------------------------ */

static void *loop_thread(void *argument)
{
    struct sil__loop *loop = argument;
    (void)prctl(PR_SET_NAME, loop->name);
    sil__loop_run(loop);
    sil__lock_take(&loop->intake.lock);
    bool orphan = loop->intake.orphan;
    sil__lock_drop(&loop->intake.lock);
    if (orphan) {
        (void)pthread_detach(pthread_self());
        sil__loop_destroy(loop);
    }
    return NULL;
}

sil_executor *sil_loop_thread(const sil_loop_options *options)
{
    struct sil__loop *loop = sil__loop_create(options, NULL, "sil_loop_thread");
    if (!loop)
        return NULL;
    loop->has_thread = true;
    if (!sil__spawn(&loop->thread, 0, loop_thread, loop)) {
        sil__loop_destroy(loop);
        sil__fail(SIL_EAGAIN, "no thread could be started for a loop");
        return NULL;
    }
    return &loop->base;
}

/* --- on a loop of libuv ---------------------------------------------------------------------- */

sil_executor *sil_loop_attach(struct uv_loop_s *uv, const sil_loop_options *options)
{
    if (!uv) {
        sil__fail(SIL_EINVAL, "sil_loop_attach: the loop of libuv is NULL");
        return NULL;
    }
    struct sil__loop *loop = sil__loop_create(options, uv, "sil_loop_attach");
    if (!loop)
        return NULL;
    loop->thread = pthread_self();
    sil__fiber_init_own(&loop->root);
    sil__loop_watch_stacks(loop);
    atomic_store_explicit(&loop->home, sil__biased_identity(), memory_order_relaxed);
    return &loop->base;
}

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
}

static void limit_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

int sil__loop_run_attached(struct sil__loop *loop, sil_deadline until)
{
    uv_loop_t *uv = loop->reactor.uv;
    uv_timer_t limit;
    bool closed = false;
    (void)uv_timer_init(uv, &limit);
    limit.data = &closed;
    if (until != SIL_FOREVER) {
        int64_t left = until - sil__clock_now();
        (void)uv_timer_start(&limit, on_limit, left > 0 ? (uint64_t)(left / 1000000 + 1) : 0, 0);
    }
    sil__reactor_keep(&loop->reactor);
    while (!loop->drained && (until == SIL_FOREVER || sil__clock_now() < until))
        (void)uv_run(uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, limit_closed);
    while (!closed)
        (void)uv_run(uv, UV_RUN_NOWAIT);
    sil__reactor_let_go(&loop->reactor);
    return loop->drained ? 0 : SIL_ETIMEDOUT;
}

/* --- asking ---------------------------------------------------------------------------------- */

sil_executor *sil_loop_current(void)
{
    struct sil__coroutine *self = sil__coroutine_self();
    return self ? &self->loop->base : NULL;
}

struct uv_loop_s *sil_loop_uv(sil_executor *executor)
{
    struct sil__loop *loop = sil__loop_of(executor);
    return loop ? loop->reactor.uv : NULL;
}
