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
#include "base/asymmetric.h"
#include "base/clock.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/remote.h"
#include "core/trace.h"

static bool deadline_passed(const sil_future *task)
{
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    return details && details->deadline != 0 && details->deadline != SIL_FOREVER &&
           sil__clock_now() >= details->deadline;
}

/* Whose process cannot be ended can still be asked: from now on its deadline is so far away. */
static void begin_timeout(sil_future *task)
{
    struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    if (!details || details->timeout == 0)
        return;
    const double longest = 1e9; /* seconds: longer than any program runs */
    double seconds = details->timeout < longest ? details->timeout : longest;
    sil_deadline end = sil__clock_now() + (sil_deadline)(seconds * 1e9);
    if (details->deadline == 0 || end < details->deadline)
        details->deadline = end;
}

static int call(sil_future *task, struct sil__context *context)
{
    begin_timeout(task);
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    context->deadline = details && details->deadline != SIL_FOREVER ? details->deadline : 0;
    if (deadline_passed(task))
        return sil__fail(SIL_ETIMEDOUT, "the deadline came before the task was started");
    int code = task->kind && task->kind->run
                   ? task->kind->run(task)
                   : task->fn(sil__future_arg(task), sil__future_result_room(task));
    /* A task that heeds its deadline says "cancelled", though nobody cancelled it. */
    if (code == SIL_ECANCELLED && !sil__state_cancel_asked(task) && deadline_passed(task))
        return sil__fail(SIL_ETIMEDOUT, "the deadline came while the task ran");
    return code;
}

__attribute__((noinline, cold)) static int call_traced(sil_future *task,
                                                       struct sil__context *context)
{
    struct sil__traced traced;
    sil__trace_task_begin(&traced, task, context->ops->interrupt != NULL);
    int code = call(task, context);
    sil__trace_task_end(&traced, task);
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
    sil__context_push(context, &frame);
    context->last_error = NULL;
    /* Release: who follows it (deadlock.c) finds a context that is ready. */
    atomic_store_explicit(&task->runner, context, memory_order_release);
    if (context->ops->interrupt && !frame.outer) {
        /* Pairs with the heavy one in interrupt (state.c): who did not see us, has asked already. */
        sil__barrier_light();
        if (sil__state_cancel_asked(task))
            sil__context_cancel(context);
    }

    sil_deadline outer_deadline = context->deadline;
    int code = sil__trace_library() ? call_traced(task, context) : call(task, context);
    context->deadline = outer_deadline;

    sil_error *error = error_of(context, code);
    sil__error_release(context->last_error);
    if (code != 0 && !error) {
        /* Made now, while we know where: the origin would be lost. */
        error = sil__error_create_text(code, sil_future_name(task), sil_strerror(code));
    }
    sil__context_pop(context, frame.outer);
    context->last_error = outer_error;
    (release ? sil__state_finish_release : sil__state_finish)(task, code, error);
}

/* --- ambient calls ------------------------------------------------------------------------- */

bool sil_cancelled(void)
{
    const struct sil__context *context = sil__context();
    struct sil__remote *remote = sil__context_remote(context);
    if (remote)
        return remote->cancelled(remote);
    const sil_future *task = sil__context_task(context);
    return task && (sil__state_cancel_asked(task) || deadline_passed(task));
}

void sil_progress(uint64_t done, uint64_t total)
{
    struct sil__remote *remote = sil__context_remote(sil__context());
    if (remote)
        remote->progress(remote, done, total);
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
    const struct sil__remote *remote = sil__context_remote(sil__context());
    const char *name = remote ? remote->name : sil_future_name(sil__context_task(sil__context()));
    return name ? name : sil__thread_name(thread_name, sizeof thread_name);
}

void *sil_result_alloc(size_t size)
{
    struct sil__remote *remote = sil__context_remote(sil__context());
    sil_future *task = sil__context_task(sil__context());
    if (!task && !remote) {
        sil__fail(SIL_ENOTASK, "sil_result_alloc: only a running task has a result");
        return NULL;
    }
    if (size > SIL__SIZE_LIMIT) {
        sil__fail(SIL_EINVAL, "sil_result_alloc: %zu bytes are too many", size);
        return NULL;
    }
    if (remote)
        return remote->result_alloc(remote, size);
    void *block = sil__alloc(size);
    if (!block || !sil__future_take_block(task, block, size, sil__free)) {
        sil__fail(SIL_ENOMEM, "sil_result_alloc: no memory for %zu bytes", size);
        return NULL;
    }
    return block;
}

/* --- elements of a map --------------------------------------------------------------------- */

int sil__items_call(sil_task_fn fn, size_t items, void *args, size_t arg_size, void *results,
                    size_t result_size)
{
    for (size_t i = 0; i < items; i++) {
        int code = fn(arg_size ? (unsigned char *)args + i * arg_size : NULL,
                      result_size ? (unsigned char *)results + i * result_size : NULL);
        if (code != 0)
            return code;
    }
    return 0;
}

static int run_items(sil_future *task)
{
    size_t items = sil_task_items(task);
    return sil__items_call(task->fn, items, sil__future_arg(task), task->arg_size / items,
                           sil__future_result_room(task), task->result_size / items);
}

const struct sil__future_kind sil__items_kind = {.run = run_items};

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
    if (!sil__state_claim(task))
        return false;
    /* Not refused, whatever comes of it. */
    atomic_fetch_or_explicit(&task->word, SIL__STATE_SENT, memory_order_relaxed);
    return true;
}

static int take_value(sil_future *task, const void *value, size_t size)
{
    void *block = sil__alloc_raw(size);
    if (!block)
        return SIL_ENOMEM;
    if (size)
        memcpy(block, value, size);
    return sil__future_take_block(task, block, size, sil__free) ? 0 : SIL_ENOMEM;
}

void sil_task_finish(sil_future *task, int code, const void *value, size_t size)
{
    if (code == 0 && value)
        code = take_value(task, value, size);
    sil_error *error =
        code ? sil__error_create_text(code, sil_future_name(task), sil_strerror(code)) : NULL;
    sil__state_finish(task, code, error);
}

bool sil_task_send(sil_future *task)
{
    return sil__state_send(task);
}

void sil_task_recall(sil_future *task)
{
    sil__state_recall(task);
}

static int take_outcome(sil_future *task, const sil_outcome *outcome)
{
    if (outcome->block) {
        void (*block_free)(void *block) = task->executor->blocks->free;
        return sil__future_take_block(task, outcome->block, outcome->size, block_free) ? 0
                                                                                       : SIL_ENOMEM;
    }
    void *room = sil__future_result_bytes(task);
    if (outcome->value && (!room || outcome->size != task->result_size))
        return take_value(task, outcome->value, outcome->size);
    if (outcome->value)
        memcpy(room, outcome->value, outcome->size);
    return 0;
}

void sil_task_end(sil_future *task, const sil_outcome *outcome)
{
    int code = outcome->code;
    sil_error *error = NULL;
    if (code == 0)
        code = take_outcome(task, outcome);
    if (code != 0)
        error = sil__error_create_elsewhere(code, sil_future_name(task), outcome);
    sil__state_finish_release(task, code, error);
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
    return task->kind && task->kind->run && task->kind != &sil__items_kind ? NULL : task->fn;
}

static const struct sil__details *details_of(const sil_future *task)
{
    static const struct sil__details none;
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    return details ? details : &none;
}

size_t sil_task_items(const sil_future *task)
{
    size_t items = details_of(task)->items;
    return items ? items : 1;
}

double sil_task_timeout(const sil_future *task)
{
    return details_of(task)->timeout;
}

unsigned sil_task_retries(const sil_future *task)
{
    return details_of(task)->retries;
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
    return details_of(task)->deadline;
}

sil_future **sil_task_next(sil_future *task)
{
    return &task->next;
}
