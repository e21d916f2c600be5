/* SPDX-License-Identifier: MIT */
/*
 * Tasks: the function that does the work, and what it may call while it runs.
 *
 * A task is a plain function. Its argument and its result are bytes: the argument is the task's
 * own copy, made at submit; the result starts as zeros and is copied to whoever takes it. To
 * hand over a pointer, copy the pointer.
 *
 * The ambient calls below act on the task that the calling thread runs now. Outside a task they
 * do nothing harmful and say so.
 */
#ifndef SILLON_TASK_H
#define SILLON_TASK_H

#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Does one piece of work. Runs on a worker of the executor it was submitted to.
 *
 * @param arg     this task's copy of the argument; aligned for any type, may be written to; NULL
 *                when arg_size was 0.
 * @param result  zeroed bytes to fill; aligned for any type; NULL when result_size was 0.
 * @return 0: the result counts. Any other code: the task failed with it. SIL_ECANCELLED: the task
 *         heeded a request to stop.
 */
typedef int (*sil_task_fn)(void *arg, void *result);

SIL_BEGIN_DECLS

/**
 * Has this task been asked to stop, or has its deadline passed? Long tasks look now and then and
 * return SIL_ECANCELLED.
 *
 * @return false outside a task.
 * @threads task
 */
SIL_API bool sil_cancelled(void);

/**
 * Say how far this task is; whoever holds its future reads it with sil_future_progress.
 *
 * @param done   in units of your choice.
 * @param total  0 when not known.
 * @threads task
 */
SIL_API void sil_progress(uint64_t done, uint64_t total);

/**
 * The name of the running task; outside a task, and for a task without a name, the thread's.
 *
 * @return returns borrowed; valid until the task ends or the thread's next call. Never NULL.
 * @threads any
 */
SIL_API const char *sil_current_name(void);

/**
 * Memory for a result whose size only the task knows. It takes the place of the task's result
 * bytes if the task then succeeds; called again, the former block is given up.
 *
 * @param size  bytes; 0 gives an empty result.
 * @return returns borrowed; belongs to the future, zeroed, aligned for any type. NULL with
 *         sil_last_error: SIL_ENOTASK outside a task, SIL_ENOMEM, SIL_EINVAL an absurd size.
 * @threads task
 */
SIL_API void *sil_result_alloc(size_t size);

SIL_END_DECLS

#endif
