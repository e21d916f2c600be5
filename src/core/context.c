/* SPDX-License-Identifier: MIT */
/*
 * Contexts, see context.h.
 *
 * A thread's own context goes with its thread. The walker of the deadlock graph may be looking at
 * it just then, so fini passes through the graph's lock (deadlock.h).
 */
#include "core/context.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include <sillon/status.h>

#include "base/fork.h"
#include "core/deadlock.h"
#include "core/dump_thread.h"
#include "core/error.h"
#include "core/future.h"

static _Thread_local struct sil__thread own = {
    .context = {.ops = &sil__park_thread, .spin_credit = 1}};
_Thread_local struct sil__context *sil__context_current;
static pthread_key_t at_thread_end;

static void thread_ends(void *context)
{
    sil__thread_leave(&own);
    sil__hold_abandon_all(context);
    sil__context_fini(context);
}

/* The thread that forks goes on alone: whatever it was a worker of is gone, and so is the loop of the
 * coroutine that it was. */
static void in_child(void)
{
    own.context.ops = &sil__park_thread;
    if (sil__context_current)
        sil__context_current->ops = &sil__park_thread;
    sil__dump_in_child(&own);
}

__attribute__((constructor)) static void prepare(void)
{
    (void)pthread_key_create(&at_thread_end, thread_ends);
    sil__fork_on_child(in_child);
}

/* Keys are not called for the thread that ends the program. */
__attribute__((destructor)) static void program_ends(void)
{
    sil__thread_leave(&own);
    sil__context_fini(&own.context);
}

struct sil__context *sil__context_own(void)
{
    sil__context_current = &own.context;
    if (!own.context.registered) {
        own.context.registered = true;
        if (pthread_setspecific(at_thread_end, &own.context) == 0)
            sil__thread_enlist(&own); /* since it will leave */
    }
    return &own.context;
}

bool sil__context_runs(const struct sil__context *context, const sil_executor *executor)
{
    for (const struct sil__frame *frame = context->frame; frame; frame = frame->outer)
        if (frame->executor == executor)
            return true;
    return false;
}

void sil__context_restart(struct sil__context *context)
{
    sil_error *error = context->last_error;
    bool registered = context->registered;
    *context = (struct sil__context){.ops = &sil__park_thread, .registered = registered};
    sil__error_release(error);
}

void sil__context_end(struct sil__context *context)
{
    if (context->held)
        sil__hold_abandon_all(context);
    if (context->last_error) {
        sil__error_release(context->last_error);
        context->last_error = NULL;
    }
    context->cancel_due = context->cancel_told = false;
    context->causes = NULL;
    context->shielded = 0;
    context->deadline = 0;
}

void sil__context_fini(struct sil__context *context)
{
    sil__deadlock_forget(context);
    sil__error_release(context->last_error);
    context->last_error = NULL;
    context->registered = false;
    if (sil__context_current == context)
        sil__context_current = NULL;
}

bool sil__context_caused(const struct sil__context *context)
{
    for (const struct sil__cause *cause = context->causes; cause; cause = cause->outer)
        if (atomic_load_explicit(&cause->asks, memory_order_relaxed))
            return true;
    return false;
}

int sil__context_deliver_cancel(struct sil__context *context, const char *what)
{
    context->cancel_due = false;
    for (struct sil__cause *cause = context->causes; cause; cause = cause->outer)
        atomic_store_explicit(&cause->asks, false, memory_order_relaxed);
    return sil__fail(SIL_ECANCELLED, "cancelled in %s", what);
}

void sil__context_set_error(sil_error *error)
{
    struct sil__context *context = sil__context();
    sil_error *last = context->last_error;
    context->last_error = error;
    sil__error_release(last);
}

static int fail_with(int code, const char *format, va_list arguments)
{
    struct sil__context *context = sil__context();
    const char *task = sil_future_name(sil__context_task(context));
    sil__context_set_error(sil__error_create(code, task, format, arguments));
    return code;
}

int sil__fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_with(code, format, arguments);
    va_end(arguments);
    return code;
}

int sil_fail(int code, const char *format, ...)
{
    if (code == 0)
        code = SIL_EINVAL;
    va_list arguments;
    va_start(arguments, format);
    fail_with(code, format, arguments);
    va_end(arguments);
    return code;
}

const sil_error *sil_last_error(void)
{
    return sil__context()->last_error;
}

const char *sil__thread_name(char *buffer, size_t size)
{
    char name[SIL__WORKER_NAME_SIZE] = "";
    if (prctl(PR_GET_NAME, name) != 0 || name[0] == '\0')
        (void)snprintf(name, sizeof name, "thread");
    (void)snprintf(buffer, size, "%s", name);
    return buffer;
}
