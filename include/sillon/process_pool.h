/* SPDX-License-Identifier: MIT */
/*
 * The process pool: an executor whose workers are processes.
 *
 * What a task breaks is its own worker: one that crashes, exits, is killed or exceeds a limit fails
 * with an error that names the task, the process and the signal or status; the worker is replaced,
 * and no other task notices.
 *
 * Tasks are plain functions, static ones and those of libraries loaded later too. Arguments and
 * results travel as bytes; a pointer into memory of sil_shared_alloc (shared.h) may be among them,
 * since it lies at the same address in every worker. Everything else a task sees is its own
 * process's: globals have the values the program starts with (or, with SIL_START_FORK, those they
 * had when the pool was made), and what one task leaves in them the next finds there.
 *
 * The queue stays in this process. A task handed to a worker that has not begun it can be called
 * back: cancelled, overtaken by one with a higher priority, or given to another worker.
 *
 * Workers do not get the signals of the terminal, read from /dev/null, and die with this process,
 * however it ends.
 */
#ifndef SILLON_PROCESS_POOL_H
#define SILLON_PROCESS_POOL_H

#include <sillon/executor.h>

/** Where workers come from. */
typedef enum sil_start {
    SIL_START_SPAWN, /**< the program is executed anew up to main, which it does not enter; workers
                          are forked from that clean, small process. Safe with threads, and costs
                          the same in a program of any size. Descriptors are not inherited */
    SIL_START_FORK,  /**< from a fork of this process as it is when the pool is made: workers share
                          its memory, copied when written to, and its descriptors. What other
                          threads held at that moment, their locks included, stays as it was:
                          for programs that have no other threads, or know what they hold */
} sil_start;

/** What tasks may do that handle input nobody trusts. Whatever is not allowed fails with EPERM.
 *  Calls are filtered by the kernel (seccomp), and no privileges can be gained any more. */
typedef enum sil_sandbox {
    SIL_SANDBOX_NONE,
    SIL_SANDBOX_READ_ONLY, /**< may read files; no writing to them, no sockets, programs, signals */
    SIL_SANDBOX_COMPUTE, /**< nothing but compute: memory, threads, clocks, and reading and writing
                                descriptors that are open already */
} sil_sandbox;

/** All zero is the default. */
typedef struct sil_process_pool_options {
    unsigned workers;   /**< 0: sil_process_cpu_count(); at most 1024 */
    const char *name;   /**< of workers: name-0, name-1, ...; copied; "sillon" */
    sil_start start;    /**< where workers come from */
    size_t max_pending; /**< tasks waiting for a worker; 0: no bound */
    sil_when_full
        when_full; /**< what a submit does when there are max_pending; SIL_FULL_CALLER runs
                                  the task in this process */

    int (*initializer)(void *arg); /**< each worker calls it first; non-zero breaks the pool: all
                                        its tasks, present and future, fail with SIL_EBROKEN */
    const void *initializer_arg; /**< initializer_arg_size bytes, copied; each worker gets a copy */
    size_t initializer_arg_size;

    double task_timeout;       /**< seconds a task may run: then its worker is killed, and it fails
                                    with SIL_ETIMEDOUT; 0: no limit. A submit may say otherwise */
    unsigned retries;          /**< how often a task whose worker died is run again; 0: it fails. A
                                    submit may say otherwise */
    bool kill_on_cancel;       /**< cancelling a running task kills its worker; otherwise it is only
                                    asked, as on threads. sil_future_kill always kills */
    unsigned tasks_per_worker; /**< a worker is replaced after so many; 0: never */
    double idle_time;          /**< seconds without work until a worker is let go; 0: never */

    uint64_t memory_limit; /**< bytes of private memory of a worker (RLIMIT_DATA); 0: none */
    unsigned cpu_limit;    /**< seconds of processor time of one task, 1 s more or less
                                 (RLIMIT_CPU); 0: none */
    int niceness;          /**< added to this process's; 0 to 19 */
    const unsigned *cpus;  /**< the CPUs workers may run on, copied; NULL: those of this process */
    size_t cpu_count;      /**< how many are in cpus */
    const char *const *environment; /**< "NAME=value" to add or replace, "NAME" to remove; ends with
                                         NULL; copied */
    sil_sandbox sandbox;            /**< closed after the initializer has run */

    uint64_t reserved[4]; /**< 0 */
} sil_process_pool_options;

SIL_BEGIN_DECLS

/**
 * Make a process pool. Workers are started when there is work for them.
 *
 * @param options  borrows; NULL for the defaults.
 * @return returns owned: sil_executor_close. NULL with sil_last_error: SIL_ENOMEM, SIL_EAGAIN (no
 *         process or thread could be started), SIL_ENOTSUP (the program cannot be executed anew,
 *         or the kernel has no sandbox), SIL_EINVAL (an option out of range, a reserved field set,
 *         an initializer in a module that workers cannot load).
 * @threads any
 */
SIL_API sil_executor *sil_process_pool(const sil_process_pool_options *options);

/**
 * The processes of a pool's workers, as they are now.
 *
 * @param out_pids  receives up to capacity of them; NULL if capacity is 0.
 * @return how many there are; 0 for an executor that is no process pool.
 * @threads any
 */
SIL_API size_t sil_process_pool_pids(sil_executor *pool, int64_t *out_pids, size_t capacity);

/**
 * End a pool at once: nothing new is accepted, what is pending is cancelled, and every worker is
 * sent SIGTERM (one just being started: SIGKILL), and a second later SIGKILL. Running tasks fail
 * with SIL_EBROKEN. The pool is still to be closed.
 *
 * @return 0; SIL_EINVAL it is no process pool; SIL_ESHUTDOWN it was closed; SIL_EFORKED.
 * @threads any
 */
SIL_API int sil_process_pool_terminate_workers(sil_executor *pool);

/**
 * The same, with SIGKILL at once.
 *
 * @threads any
 */
SIL_API int sil_process_pool_kill_workers(sil_executor *pool);

SIL_END_DECLS

#endif
