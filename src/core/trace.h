/* SPDX-License-Identifier: MIT */
/*
 * Traces: what the engines tell of the tasks they run. Each place asks sil__trace_library() first;
 * that is all it costs while no trace is on.
 */
#ifndef SIL__CORE_TRACE_H
#define SIL__CORE_TRACE_H

#include <sillon/executor.h>
#include <sillon/future.h>

#include "base/trace.h"

/* A task that runs, on the stack of who runs it. */
struct sil__traced {
    int64_t begun;
    uint64_t id; /* of a coroutine's life, which is no bar of a thread; 0: it is a bar */
    uint32_t trace;
};

/* Around the task's function, on the same thread. */
void sil__trace_task_begin(struct sil__traced *traced, const sil_future *task, bool in_coroutine);
void sil__trace_task_end(const struct sil__traced *traced, const sil_future *task);

/* A bar in the calling thread's row: a task without a future has been run; */
void sil__trace_posted(sil_task_fn fn, int64_t begun);
/* a coroutine that runs this task had the thread. */
void sil__trace_slice(const sil_future *task, int64_t begun, int64_t until);

/* A task has been run by another process, whose row is named "worker PID" once: *named, 0 at first,
 * says when that was. */
void sil__trace_elsewhere(const sil_future *task, uint32_t pid, uint64_t *named, int64_t begun,
                          int64_t until);

#endif
