/* SPDX-License-Identifier: MIT */
/*
 * A thread of its own for one task: for the one that blocks for long and would hold up a pool.
 */
#ifndef SILLON_THREAD_H
#define SILLON_THREAD_H

#include <sillon/future.h>
#include <sillon/task.h>

/** All zero is the default. */
typedef struct sil_thread_options {
    const char *name;     /**< of the task and of its thread (its first 15 bytes); copied */
    size_t stack_size;    /**< bytes; 0: the system's default */
    uint64_t reserved[2]; /**< 0 */
} sil_thread_options;

SIL_BEGIN_DECLS

/**
 * Start a thread that runs one task. The thread ends with the task; when the future has been
 * awaited and released, nothing of it is left.
 *
 * @param options  borrows; NULL for the defaults.
 * @param arg, arg_size, result_size  as sil_submit.
 * @return returns owned, never NULL; failed already with SIL_EINVAL, SIL_ENOMEM or SIL_EAGAIN
 *         where that applies.
 * @threads any
 */
SIL_API sil_future *sil_thread_start(const sil_thread_options *options, sil_task_fn fn,
                                     const void *arg, size_t arg_size, size_t result_size);

SIL_END_DECLS

#endif
