/* SPDX-License-Identifier: MIT */
/*
 * Traces, see sillon/trace.h: the public functions, and what is told of tasks.
 */
#include <sillon/trace.h>

#include <errno.h>
#include <stdio.h>

#include <sillon/executor_impl.h>
#include <sillon/status.h>

#include "base/clock.h"
#include "core/context.h"
#include "core/future.h"
#include "core/trace.h"

#define DEFAULT_BUFFER ((size_t)64 << 20)
/* A program's own rows have numbers above those of all threads and processes. */
#define FIRST_TRACK UINT32_C(0x10000000)

/* --- tasks ---------------------------------------------------------------------------------- */

static int64_t queued_until(const sil_future *task, int64_t begun)
{
    const struct sil__details *details = atomic_load_explicit(&task->details, memory_order_acquire);
    return details && details->queued_at ? begun - details->queued_at : -1;
}

/* Of a task, with its name or its function's. */
static struct sil__trace_event event_of(char phase, const char *category, const sil_future *task)
{
    return (struct sil__trace_event){
        .phase = phase,
        .category = category,
        .name = sil_future_name(task),
        .function = (const void *)(uintptr_t)sil_task_function(task), // NOLINT
        .queued = -1,
    };
}

void sil__trace_task_begin(struct sil__traced *traced, const sil_future *task, bool in_coroutine)
{
    *traced = (struct sil__traced){.begun = sil__clock_now(), .trace = sil__trace_number()};
    if (!in_coroutine)
        return;
    traced->id = sil__trace_next();
    struct sil__trace_event event = event_of('b', "coroutine", task);
    event.trace = traced->trace;
    event.at = traced->begun;
    event.queued = queued_until(task, traced->begun);
    event.id = traced->id;
    sil__trace_put(&event);
}

void sil__trace_task_end(const struct sil__traced *traced, const sil_future *task)
{
    struct sil__trace_event event =
        traced->id ? event_of('e', "coroutine", task) : event_of('X', "task", task);
    event.trace = traced->trace;
    event.id = traced->id;
    event.until = sil__clock_now();
    event.at = traced->id ? event.until : traced->begun;
    if (!traced->id)
        event.queued = queued_until(task, traced->begun);
    sil__trace_put(&event);
}

void sil__trace_posted(sil_task_fn fn, int64_t begun)
{
    sil__trace_put(&(struct sil__trace_event){
        .phase = 'X',
        .category = "task",
        .function = (const void *)(uintptr_t)fn, // NOLINT
        .at = begun,
        .until = sil__clock_now(),
        .queued = -1,
    });
}

void sil__trace_slice(const sil_future *task, int64_t begun, int64_t until)
{
    const int64_t least = 1000; /* nobody could see it */
    if (until - begun < least)
        return;
    struct sil__trace_event event = event_of('X', "coroutine", task);
    event.at = begun;
    event.until = until;
    sil__trace_put(&event);
}

void sil__trace_elsewhere(const sil_future *task, uint32_t pid, uint64_t *named, int64_t begun,
                          int64_t until)
{
    uint64_t present = (uint64_t)sil__trace_number() << 32 | pid;
    if (*named != present) {
        char name[32];
        (void)snprintf(name, sizeof name, "worker %u", pid);
        sil__trace_put(&(struct sil__trace_event){.phase = 'M', .row = pid, .name = name});
        *named = present;
    }
    struct sil__trace_event event = event_of('X', "task", task);
    event.row = pid;
    event.at = begun;
    event.until = until;
    event.queued = queued_until(task, begun);
    sil__trace_put(&event);
}

/* --- public --------------------------------------------------------------------------------- */

int sil_trace_start(const char *path, const sil_trace_options *options)
{
    static const sil_trace_options none;
    if (!path)
        return sil__fail(SIL_EINVAL, "sil_trace_start: the path is NULL");
    if (!options)
        options = &none;
    int code = sil__trace_start(
        path, options->process ? options->process : program_invocation_short_name,
        options->buffer_size ? options->buffer_size : DEFAULT_BUFFER, !options->only_own);
    if (code == SIL_EALREADY)
        return sil__fail(code, "sil_trace_start: a trace is being written already");
    if (code == SIL_EAGAIN)
        return sil__fail(code, "sil_trace_start: no thread for the writer");
    return code != 0 ? sil__fail(code, "sil_trace_start: %s: %s", path, sil_strerror(code)) : 0;
}

int sil_trace_stop(uint64_t *out_lost)
{
    int code = sil__trace_stop(out_lost);
    if (code == SIL_EALREADY)
        return sil__fail(code, "sil_trace_stop: there is no trace");
    return code != 0 ? sil__fail(code, "sil_trace_stop: %s", sil_strerror(code)) : 0;
}

bool sil_tracing(void)
{
    return sil__trace_on();
}

sil_track sil_trace_track(const char *name)
{
    uint32_t trace = sil__trace_number();
    if (trace == 0)
        return 0;
    uint32_t row = FIRST_TRACK + sil__trace_next() % FIRST_TRACK;
    sil__trace_put(&(struct sil__trace_event){
        .phase = 'M', .row = row, .trace = trace, .name = name ? name : ""});
    return (sil_track)trace << 32 | row;
}

/* Tell of something in a row; nothing if that is none, or another trace's. */
static void tell(sil_track track, struct sil__trace_event event)
{
    event.row = (uint32_t)track;
    event.trace = (uint32_t)(track >> 32);
    event.queued = -1;
    if (track != 0)
        sil__trace_put(&event);
}

void sil_trace_span(sil_track track, const char *name, const char *category, int64_t begin,
                    int64_t end, const char *arguments)
{
    tell(track, (struct sil__trace_event){.phase = 'X',
                                          .name = name,
                                          .category = category,
                                          .arguments = arguments,
                                          .at = begin,
                                          .until = end > begin ? end : begin});
}

void sil_trace_mark(sil_track track, const char *name, const char *category)
{
    if (sil__trace_on())
        tell(track, (struct sil__trace_event){
                        .phase = 'i', .name = name, .category = category, .at = sil__clock_now()});
}

void sil_trace_counter(const char *name, double value)
{
    if (sil__trace_on())
        sil__trace_put(&(struct sil__trace_event){
            .phase = 'C', .name = name, .at = sil__clock_now(), .queued = -1, .value = value});
}
