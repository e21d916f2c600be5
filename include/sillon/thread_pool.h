/* SPDX-License-Identifier: MIT */
/*
 * The thread pool: an executor whose workers are threads of this process.
 *
 * Workers start when there is work for them, take tasks from their own queue first, then from the
 * common one, then from each other, and sleep in the kernel when there is none: an idle pool
 * costs nothing. Tasks may submit to their own pool and await what they submitted; one worker is
 * enough for any depth.
 *
 * Workers block all signals but those of their own faults, so a signal sent to the process reaches
 * a thread of the program's own.
 */
#ifndef SILLON_THREAD_POOL_H
#define SILLON_THREAD_POOL_H

#include <sillon/executor.h>

/** All zero is the default. */
typedef struct sil_thread_pool_options {
    unsigned workers;              /**< running at the same time; 0: sil_process_cpu_count() */
    unsigned max_threads;          /**< alive at the same time, with those that stand in for
                                        workers blocked in an await; 0: workers + 256. When all
                                        of them are blocked, tasks wait until one goes on */
    const char *name;              /**< threads are called name-0, name-1, ...; copied; "sillon" */
    size_t stack_size;             /**< bytes of a worker's stack; 0: the system's default */
    size_t max_pending;            /**< tasks waiting for a worker; 0: no bound */
    sil_when_full when_full;       /**< what a submit does when there are max_pending */
    int (*initializer)(void *arg); /**< each worker calls it first; non-zero breaks the pool: all
                                        its tasks, present and future, fail with SIL_EBROKEN */
    void *initializer_arg;
    uint64_t reserved[4]; /**< 0 */
} sil_thread_pool_options;

SIL_BEGIN_DECLS

/**
 * Make a thread pool. No thread is started before there is a task.
 *
 * @param options  borrows; NULL for the defaults.
 * @return returns owned: sil_executor_close. NULL with sil_last_error: SIL_ENOMEM, SIL_EINVAL
 *         (more than 32767 workers or threads, fewer threads than workers, an unknown policy, a
 *         reserved field set).
 * @threads any
 */
SIL_API sil_executor *sil_thread_pool(const sil_thread_pool_options *options);

/**
 * How many CPUs this process may use: its affinity, cut down by the CPU quota of its cgroup (v1
 * and v2, and all its parents), rounded up; at least 1. Read anew at each call.
 *
 * @threads any
 */
SIL_API unsigned sil_process_cpu_count(void);

SIL_END_DECLS

#endif
