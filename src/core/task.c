/* SPDX-License-Identifier: MIT */
/*
 * Running a task, and what it may call while it runs.
 *
 * Tasks nest: a worker that awaits a task may run it on its own stack. Each has its own last
 * error; the one of the outer task is put aside meanwhile.
 */
#include <sillon/task.h>

#include <stdarg.h>
#include <string.h>

#include <sillon/executor_impl.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"

static bool deadline_passed(const sil_future *task)
{
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    return details && details->deadline != 0 && details->deadline != SIL_FOREVER &&
           sil__clock_now() >= details->deadline;
}

static int call(sil_future *task)
{
    if (deadline_passed(task))
        return sil__fail(SIL_ETIMEDOUT, "the deadline came before the task was started");
    int code = task->kind && task->kind->run
                   ? task->kind->run(task)
                   : task->fn(sil__future_arg(task), sil__future_result_bytes(task));
    /* A task that heeds its deadline says "cancelled", though nobody cancelled it. */
    if (code == SIL_ECANCELLED && !sil__state_cancel_asked(task) && deadline_passed(task))
        return sil__fail(SIL_ETIMEDOUT, "the deadline came while the task ran");
    return code;
}

/* The error that goes with code, if the task said one; owned. */
static sil_error *error_of(const struct sil__context *context, int code)
{
    return code != 0 && sil_error_code(context->last_error) == code
               ? sil__error_retain(context->last_error)
               : NULL;
}

void sil__task_execute(sil_future *task, bool release)
{
    struct sil__context *context = sil__context();
    struct sil__frame frame = {.task = task, .executor = task->executor, .outer = context->frame};
    sil_error *outer_error = context->last_error;
    context->frame = &frame;
    context->last_error = NULL;
    /* Release: who follows it (deadlock.c) finds a context that is ready. */
    atomic_store_explicit(&task->runner, context, memory_order_release);

    int code = call(task);

    sil_error *error = error_of(context, code);
    sil__error_release(context->last_error);
    if (code != 0 && !error) {
        /* Made now, while we know where: the origin would be lost. */
        error = sil__error_create_text(code, sil_future_name(task), sil_strerror(code));
    }
    context->frame = frame.outer;
    context->last_error = outer_error;
    (release ? sil__state_finish_release : sil__state_finish)(task, code, error);
}

/* --- ambient calls ------------------------------------------------------------------------- */

bool sil_cancelled(void)
{
    const sil_future *task = sil__context_task(sil__context());
    return task && (sil__state_cancel_asked(task) || deadline_passed(task));
}

void sil_progress(uint64_t done, uint64_t total)
{
    sil_future *task = sil__context_task(sil__context());
    struct sil__details *details = task ? sil__future_details(task) : NULL;
    if (!details)
        return;
    atomic_store_explicit(&details->progress_done, done, memory_order_relaxed);
    atomic_store_explicit(&details->progress_total, total, memory_order_relaxed);
}

const char *sil_current_name(void)
{
    static _Thread_local char thread_name[SIL__WORKER_NAME_SIZE];
    const char *name = sil_future_name(sil__context_task(sil__context()));
    return name ? name : sil__thread_name(thread_name, sizeof thread_name);
}

void *sil_result_alloc(size_t size)
{
    sil_future *task = sil__context_task(sil__context());
    if (!task) {
        sil__fail(SIL_ENOTASK, "sil_result_alloc: only a running task has a result");
        return NULL;
    }
    if (size > SIL__SIZE_LIMIT) {
        sil__fail(SIL_EINVAL, "sil_result_alloc: %zu bytes are too many", size);
        return NULL;
    }
    struct sil__details *details = sil__future_details(task);
    void *block = details ? sil__alloc(size) : NULL;
    if (!block) {
        sil__fail(SIL_ENOMEM, "sil_result_alloc: no memory for %zu bytes", size);
        return NULL;
    }
    sil__free(details->block);
    details->block = block;
    details->block_size = size;
    return block;
}

/* --- for engines (executor_impl.h) --------------------------------------------------------- */

bool sil_task_run(sil_future *task)
{
    if (!sil__state_claim(task))
        return false;
    sil__task_execute(task, false);
    return true;
}

bool sil_task_start(sil_future *task)
{
    return sil__state_claim(task);
}

static int take_value(sil_future *task, const void *value, size_t size)
{
    struct sil__details *details = sil__future_details(task);
    void *block = details ? sil__alloc_raw(size) : NULL;
    if (!block)
        return SIL_ENOMEM;
    if (size)
        memcpy(block, value, size);
    sil__free(details->block);
    details->block = block;
    details->block_size = size;
    return 0;
}

void sil_task_finish(sil_future *task, int code, const void *value, size_t size)
{
    if (code == 0 && value)
        code = take_value(task, value, size);
    sil_error *error =
        code ? sil__error_create_text(code, sil_future_name(task), sil_strerror(code)) : NULL;
    sil__state_finish(task, code, error);
}

bool sil_task_fail(sil_future *task, int code, const char *format, ...)
{
    if (!sil__state_claim(task))
        return false;
    va_list arguments;
    va_start(arguments, format);
    sil_error *error = sil__error_create(code, sil_future_name(task), format, arguments);
    va_end(arguments);
    sil__state_finish(task, code, error);
    return true;
}

bool sil_task_cancel(sil_future *task)
{
    return sil__state_cancel_pending(task);
}

sil_task_fn sil_task_function(const sil_future *task)
{
    return task->kind && task->kind->run ? NULL : task->fn;
}

void *sil_task_arg(sil_future *task, size_t *out_size)
{
    if (out_size)
        *out_size = task->arg_size;
    return sil__future_arg(task);
}

void *sil_task_result(sil_future *task, size_t *out_size)
{
    if (out_size)
        *out_size = task->result_size;
    return sil__future_result_bytes(task);
}

sil_priority sil_task_priority(const sil_future *task)
{
    return (sil_priority)task->priority;
}

sil_deadline sil_task_deadline(const sil_future *task)
{
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    return details ? details->deadline : 0;
}

sil_future **sil_task_next(sil_future *task)
{
    return &task->next;
}
