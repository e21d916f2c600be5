/* SPDX-License-Identifier: MIT */
/*
 * Executors: where tasks run. One interface, many engines.
 *
 *     sil_executor *pool = sil_thread_pool(NULL);
 *     sil_future *f = sil_submit(pool, square, &(int){12}, sizeof(int), sizeof(int));
 *     int y;
 *     if (sil_take(f, &y, SIL_FOREVER) == 0)
 *         printf("%d\n", y);
 *     sil_executor_close(pool);
 *
 * Only the line that makes the executor names an engine. Submitting never returns NULL: what
 * could not be submitted is a future that has failed already and says why, so that there is one
 * place to look for errors.
 *
 * To add an engine, see executor_impl.h.
 */
#ifndef SILLON_EXECUTOR_H
#define SILLON_EXECUTOR_H

#include <sillon/future.h>
#include <sillon/task.h>

typedef struct sil_executor sil_executor;

/** Which tasks a worker takes first. Within one priority, outside submits run in order. */
typedef enum sil_priority {
    SIL_PRIORITY_NORMAL = 0,
    SIL_PRIORITY_HIGH = 1,
    SIL_PRIORITY_LOW = -1,
} sil_priority;

/** What a submit to a full queue does. */
typedef enum sil_when_full {
    SIL_FULL_BLOCK,  /**< waits for room, at most until the task's deadline */
    SIL_FULL_FAIL,   /**< a future failed with SIL_EFULL */
    SIL_FULL_CALLER, /**< the submitting thread runs the task itself */
} sil_when_full;

/** All zero is the default. */
typedef struct sil_submit_options {
    const char *name;      /**< for descriptions, messages and traces; copied */
    sil_priority priority; /**< normal */
    sil_deadline deadline; /**< 0: none. Not started by then: it never runs, SIL_ETIMEDOUT.
                                Running: sil_cancelled() becomes true, and a task that heeds it
                                (returns SIL_ECANCELLED) has failed with SIL_ETIMEDOUT; its waits
                                end with that by then (sil_deadline_scope) */
    double timeout;        /**< seconds it may run; 0: as the executor says. In a process: it is
                                killed then, and fails with SIL_ETIMEDOUT. Elsewhere: as if its
                                deadline had passed */
    unsigned retries;      /**< how often it may be run again if the process it ran in died: for
                                tasks that do no harm when run twice; 0: as the executor says */
    uint32_t reserved;     /**< 0 */
} sil_submit_options;

/** Counts since the executor was made, and a glance at the present. */
typedef struct sil_executor_stats {
    uint64_t submitted; /**< tasks accepted */
    uint64_t done;      /**< of those, no longer pending or running: ran, failed, was cancelled */
    uint64_t stolen;    /**< taken from another worker: queued tasks, forked children */
    uint64_t helped;    /**< run by a task that awaited them */
    uint64_t pending;   /**< waiting for a worker now, cancelled ones not yet dropped included */
    uint64_t running;   /**< being run now, those that wait inside included */
    uint64_t blocked;   /**< of the running, waiting for a future */
    uint64_t sleeping;  /**< workers with nothing to do */
    uint64_t threads;   /**< workers alive */
    uint64_t workers;   /**< workers meant to run at the same time */
    uint64_t replaced;  /**< workers that ended before they were to, and were replaced */
    uint64_t retried;   /**< tasks that were given to another worker since theirs had ended */
    uint64_t reserved[4];
} sil_executor_stats;

SIL_BEGIN_DECLS

/**
 * Hand over a task.
 *
 * @param executor     borrows; it must outlive the task.
 * @param arg          borrows; arg_size bytes are copied.
 * @param result_size  bytes the task may fill.
 * @return returns owned: sil_future_release or sil_take. Never NULL. It has failed already with
 *         SIL_EINVAL (executor or fn NULL, arg NULL with a size, an absurd size), SIL_ENOMEM,
 *         SIL_ESHUTDOWN, SIL_EFULL, SIL_ETIMEDOUT (its deadline came before there was room),
 *         SIL_EBROKEN, SIL_EFORKED or SIL_EAGAIN (no worker could be started) where that applies.
 * @threads any, also tasks and callbacks
 * @blocks  only when the queue is bounded, full, and meant to block
 */
SIL_API sil_future *sil_submit(sil_executor *executor, sil_task_fn fn, const void *arg,
                               size_t arg_size, size_t result_size);

/**
 * Hand over a task with a name, a priority or a deadline.
 *
 * @param options  borrows; NULL for the defaults.
 * @return as sil_submit.
 * @threads any, also tasks and callbacks
 * @blocks  as sil_submit
 */
SIL_API sil_future *sil_submit_with(sil_executor *executor, const sil_submit_options *options,
                                    sil_task_fn fn, const void *arg, size_t arg_size,
                                    size_t result_size);

/**
 * Hand over the same function for each element of an array, in one go: workers are woken once.
 *
 * @param options      borrows; NULL for the defaults; applies to each.
 * @param args         borrows; count elements of arg_size bytes, one after the other; may be
 *                     NULL when arg_size is 0.
 * @param out_futures  receives count futures, each returns owned, as sil_submit. Never a NULL.
 * @return 0 all were accepted; else the code of the first that was not.
 * @threads any, also tasks and callbacks
 * @blocks  as sil_submit
 */
SIL_API int sil_submit_many(sil_executor *executor, const sil_submit_options *options,
                            sil_task_fn fn, const void *args, size_t arg_size, size_t result_size,
                            size_t count, sil_future **out_futures);

/**
 * Hand over a task that nobody will ask about: no future is made, its code is dropped, and the
 * ambient calls of task.h have nothing to act on. The cheapest way to get work done; a task that
 * waits takes tens of bytes.
 *
 * @param executor  borrows; it must outlive the task.
 * @param fn        called with its copy of the argument; its result is NULL.
 * @param arg       borrows; arg_size bytes are copied.
 * @return 0 it was accepted, and runs unless the executor is shut down with cancel_pending, breaks,
 *         or gets no thread at all; else why not, as the future of sil_submit would say.
 * @threads any, also tasks and callbacks
 * @blocks  as sil_submit
 */
SIL_API int sil_post(sil_executor *executor, sil_task_fn fn, const void *arg, size_t arg_size);

/**
 * The same for each element of an array, in one go: far cheaper than as many single posts.
 *
 * @param args   borrows; count elements of arg_size bytes, one after the other; may be NULL when
 *               arg_size is 0.
 * @return 0 all were accepted; else why the first was not that was not. Those before it run.
 * @threads any, also tasks and callbacks
 * @blocks  as sil_submit
 */
SIL_API int sil_post_many(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                          size_t count);

/**
 * Refuse new tasks, and wait until those accepted have ended, their done callbacks included. Safe
 * to call again and again, and from several threads.
 *
 * @param cancel_pending  what has not started is cancelled; otherwise it still runs.
 * @param until           SIL_NOW starts the shutdown and returns at once.
 * @return 0 everything has ended, or until was SIL_NOW; SIL_ETIMEDOUT some work goes on;
 *         SIL_EDEADLK called by a task of this executor with a deadline: the shutdown has begun,
 *         but a task cannot wait for its own end; SIL_EFORKED; SIL_EINVAL.
 * @threads any, also tasks and callbacks of the executor itself
 * @blocks  until the deadline
 */
SIL_API int sil_executor_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until);

/**
 * Shut down, wait for everything, free. From a task of the executor itself it does not wait: the
 * executor goes away when its last task has ended.
 *
 * @param executor  takes; NULL allowed. Nobody else may be using it, nor may a callback close it
 *                  that runs in a sil_executor_shutdown of the same executor. Closing it again, or
 *                  submitting to it, is caught for the last 64 executors closed.
 * @return 0; SIL_ESHUTDOWN it was closed before; SIL_EFORKED its workers are not in this process. Of a
 *         loop also, and then it is not closed: SIL_EDEADLK a coroutine closes the sil_run or the
 *         attached loop that it is on; SIL_EBUSY the loop of a sil_run, from another thread;
 *         SIL_EINVAL an attached loop, on another thread than its own.
 * @threads one
 * @blocks  until what was submitted has ended
 */
SIL_API int sil_executor_close(sil_executor *executor);

/**
 * Counts and a glance at the present; each figure is right by itself, not all at one moment.
 *
 * @param out  receives them.
 * @return 0; SIL_EINVAL; SIL_EFORKED.
 * @threads any
 */
SIL_API int sil_executor_stats_get(sil_executor *executor, sil_executor_stats *out);

/**
 * The kind of engine, such as "thread pool"; for messages.
 *
 * @return returns borrowed; valid for ever. "" for NULL.
 * @threads any
 */
SIL_API const char *sil_executor_kind(const sil_executor *executor);

/**
 * How many tasks it runs at the same time; 0 for NULL.
 *
 * @threads any
 */
SIL_API unsigned sil_executor_workers(const sil_executor *executor);

/**
 * An executor that runs each task at once, in the thread that submits it. The plainest of all:
 * for tests, for debugging, and to read first.
 *
 * @return returns owned: sil_executor_close. NULL with sil_last_error: SIL_ENOMEM.
 * @threads any
 */
SIL_API sil_executor *sil_inline_executor(void);

SIL_END_DECLS

#endif
