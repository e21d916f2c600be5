/* SPDX-License-Identifier: MIT */
/*
 * Starting coroutines, and giving way to them.
 */
#include <sillon/coro.h>

#include <sched.h>
#include <string.h>

#include <sillon/status.h>

#include "core/executor.h"
#include "coro/loop.h"

sil_future *sil_go(sil_task_fn fn, const void *arg, size_t arg_size, size_t result_size)
{
    struct sil__coroutine *self = sil__coroutine_self();
    if (!self)
        return sil__future_failed(SIL_ENOTASK, "sil_go: only a coroutine has a loop to go on");
    return sil__submit(&(struct sil__task_spec){
        .executor = &self->loop->base,
        .fn = fn,
        .arg = arg,
        .arg_size = arg_size,
        .result_size = result_size,
    });
}

sil_future *sil_go_with(const sil_go_options *options, sil_task_fn fn, const void *arg,
                        size_t arg_size, size_t result_size)
{
    if (!options)
        return sil_go(fn, arg, arg_size, result_size);
    sil_executor *loop = options->loop ? options->loop : sil_loop_current();
    if (!loop)
        return sil__future_failed(SIL_ENOTASK, "sil_go: only a coroutine has a loop to go on");
    /* One that was closed may have been a loop: submitting there says what is wrong. */
    if (!sil__loop_of(loop) && strcmp(sil_executor_kind(loop), "closed") != 0)
        return sil__future_failed(SIL_EINVAL, "sil_go: a %s is no loop", sil_executor_kind(loop));
    unsigned size_class = options->stack_size ? sil__stack_class(options->stack_size) : 0;
    if (size_class >= SIL__STACK_CLASSES)
        return sil__future_failed(SIL_EINVAL, "sil_go: a stack of %zu bytes is too large",
                                  options->stack_size);
    sil_submit_options submit = {
        .name = options->name, .priority = options->priority, .deadline = options->deadline};
    return sil__submit(&(struct sil__task_spec){
        .executor = loop,
        .options = &submit,
        .fn = fn,
        .arg = arg,
        .arg_size = arg_size,
        .result_size = result_size,
        .stack_class = options->stack_size ? (unsigned char)(size_class + 1) : 0,
    });
}

int sil_yield(void)
{
    struct sil__coroutine *self = sil__coroutine_self();
    if (!self) {
        (void)sched_yield();
        return 0;
    }
    sil__state_drain(&self->context);
    struct sil__loop *loop = self->loop;
    /* What was started with a low priority lies there, and what others have left. */
    if (!loop->ready_first && atomic_load_explicit(&loop->intake.filled, memory_order_relaxed))
        sil__loop_accept(loop);
    if (loop->ready_first || loop->budget == 0) {
        sil__loop_push(loop, self);
        sil__coroutine_suspend(self);
    } else {
        loop->budget--; /* nobody else is ready, until the loop has looked around */
    }
    if (sil__context_cancel_due(&self->context))
        return sil__context_deliver_cancel(&self->context, "sil_yield");
    return 0;
}
