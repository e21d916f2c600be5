/* SPDX-License-Identifier: MIT */
/*
 * The contract between an executor's engine and the library, for those who write engines.
 *
 * An engine is a struct that begins with a struct sil_executor and a table of operations. The
 * library makes a task (a sil_future with a function), hands it to submit, and the engine brings
 * it to its end: it runs it (sil_task_run), or fails it (sil_task_fail), or, when the work happens
 * elsewhere, starts and finishes it (sil_task_start, sil_task_finish). An engine that hands a task
 * on before it is known to have begun sends it (sil_task_send), can have it back as long as it has
 * not begun (sil_task_recall), and ends it (sil_task_end). Cancelling, waiting, callbacks, errors
 * and combinations are not the engine's business.
 *
 * To add an engine:
 *   1. begin your struct with `sil_executor base`, made by malloc, and fill a sil_executor_ops;
 *   2. create: sil_executor_init last, when nothing can fail any more;
 *   3. submit: the reference of each task is yours; give each back with sil_future_release when
 *      it has ended, cancelled ones (sil_task_run returns false) included;
 *   4. close: when the last of your threads is gone, sil_executor_retire;
 *   5. put it in the list of tests/contract, and pass.
 * src/core/inline_executor.c is the shortest complete engine.
 */
#ifndef SILLON_EXECUTOR_IMPL_H
#define SILLON_EXECUTOR_IMPL_H

#include <sillon/executor.h>

/** How a thread that waits for a task helps to bring in results, if the engine wants that: no other
 *  thread need be woken then. All required. */
typedef struct sil_attend_ops {
    /** A task of the executor has not ended: until leave, a thread attends, and the executor must
     *  not be closed. Called with the task's lock held: quick. */
    void (*enter)(sil_executor *executor);
    void (*leave)(sil_executor *executor);

    /** From look to rest the thread may keep others from attending. look: end what has come in;
     *  false if another thread is at it. It runs no callbacks: those are for a thread of the
     *  engine's. rest: so many looks are enough. */
    bool (*look)(sil_executor *executor);
    void (*rest)(sil_executor *executor);

    /** Sleep, and end what comes in, until *woken is not 0, or the deadline. True: it is not 0.
     *  What woken points to is read and written atomically. */
    bool (*wait)(sil_executor *executor, uint32_t *woken, sil_deadline until);

    /** Make *woken 1, and see that its waiter looks. Neither may be there any more afterwards. */
    void (*wake)(sil_executor *executor, uint32_t *woken);
} sil_attend_ops;

/** Memory of the engine's, for large arguments and results: so that they need not be copied once
 *  more. All required. */
typedef struct sil_block_ops {
    size_t least; /**< for what is at least so large */

    /** Uninitialised, aligned for any type; NULL: there is none, and ordinary memory is used. */
    void *(*alloc)(sil_executor *executor, size_t size);

    /** Any thread, also after the executor was closed. */
    void (*free)(void *block);
} sil_block_ops;

typedef struct sil_executor_ops {
    size_t size;        /**< sizeof(sil_executor_ops): what the engine was compiled with */
    const char *kind;   /**< "thread pool" */
    bool shares_memory; /**< tasks see the memory of whoever submits them */

    /**
     * Take over tasks, each with a reference. What cannot be accepted is failed with
     * sil_task_fail and released. Any thread; may block only if the queue is bounded.
     */
    void (*submit)(sil_executor *executor, sil_future *const *tasks, size_t count);

    /** As sil_executor_shutdown. Any thread, again and again. */
    int (*shutdown)(sil_executor *executor, bool cancel_pending, sil_deadline until);

    /** Shut down, wait, free what the engine holds, and retire; or see to it that the last task
     *  does. As sil_executor_close. */
    int (*close)(sil_executor *executor);

    /** Fill in what is known; the rest is 0. Any thread. */
    void (*stats)(sil_executor *executor, sil_executor_stats *out);

    /** As sil_post_many, count > 0, arguments checked. Any thread. NULL: the library submits
     *  tasks and drops their futures. */
    int (*post)(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                size_t count);

    /** A task that was sent is to stop. Called with its lock held: quick, and it must not end it.
     *  force: whatever it takes. 0: it has not begun and never will, and the library ends it; the
     *  engine's reference is given up. SIL_EINPROGRESS: it was told. SIL_EAGAIN: it is not sent any
     *  more. NULL: nobody can be told. */
    int (*stop)(sil_executor *executor, sil_future *task, bool force);

    /** Has a task that was sent begun? Called with its lock held: quick. NULL: nobody knows. */
    bool (*begun)(sil_executor *executor, sil_future *task);

    /** How far a task is that was sent. As begun. */
    void (*progress)(sil_executor *executor, sil_future *task, uint64_t *out_done,
                     uint64_t *out_total);

    const sil_attend_ops *attend; /**< NULL: waiters just sleep */
    const sil_block_ops *blocks;  /**< NULL: none */
    bool takes_items;             /**< a task may be for several elements (sil_task_items) */
} sil_executor_ops;

/** How a task ended that ran elsewhere. */
typedef struct sil_outcome {
    int code;            /**< of the task */
    const char *message; /**< borrows; NULL: the text of the code */
    const void *value;   /**< borrows size bytes to copy; NULL: none */
    size_t size;
    void *block;        /**< takes; from sil_block_ops.alloc, size bytes: in place of value */
    const char *worker; /**< where it happened; borrows; NULL: here */
    int64_t pid;        /**< 0: here */
    int signal;         /**< that ended the worker */
} sil_outcome;

/** Belongs to the library; engines read workers. */
struct sil_executor {
    const sil_executor_ops *ops;
    const sil_attend_ops *attend; /* these two stay when it is closed */
    const sil_block_ops *blocks;
    sil_executor *next_retired;
    uint32_t generation;
    unsigned workers;
};

SIL_BEGIN_DECLS

/**
 * Make the base of an engine ready.
 *
 * @param executor  borrows; memory from malloc, which sil_executor_retire will free.
 * @param ops       keeps; for ever.
 * @param workers   tasks that run at the same time, for sil_executor_workers.
 * @threads one
 */
SIL_API void sil_executor_init(sil_executor *executor, const sil_executor_ops *ops,
                               unsigned workers);

/**
 * From now on users are answered as if the executor were closed, though its last tasks still run.
 * For an executor that a task of its own closes; sil_executor_retire follows.
 *
 * @threads any
 */
SIL_API void sil_executor_disown(sil_executor *executor);

/**
 * The engine is closed and holds nothing any more. Its memory is freed with some delay, so that
 * a mistaken use of it is answered with SIL_ESHUTDOWN.
 *
 * @param executor  takes.
 * @threads any
 */
SIL_API void sil_executor_retire(sil_executor *executor);

/**
 * Does the calling thread run a task of this executor, or a callback of one, at any depth? Then
 * it cannot wait for the executor's end.
 *
 * @threads any
 */
SIL_API bool sil_executor_inside(const sil_executor *executor);

/**
 * Run a pending task here, to its end.
 *
 * @param task  borrows.
 * @return false it was not pending any more (cancelled, or run by whoever awaited it).
 * @threads any
 * @blocks  while the task runs
 */
SIL_API bool sil_task_run(sil_future *task);

/**
 * Take a pending task: it is now RUNNING, and you must finish it.
 *
 * @return false it was not pending any more.
 * @threads any
 */
SIL_API bool sil_task_start(sil_future *task);

/**
 * End a task that you started. On success its value is what sil_task_result points to, or the
 * bytes given here.
 *
 * @param code   0, or the error.
 * @param value  borrows size bytes to copy; NULL: the bytes of sil_task_result as they are.
 * @threads any
 */
SIL_API void sil_task_finish(sil_future *task, int code, const void *value, size_t size);

/**
 * Hand a pending task on: from now on whoever cancels it, or asks for its state, asks the engine
 * (sil_executor_ops.stop, begun).
 *
 * @return false it was not pending any more.
 * @threads any
 */
SIL_API bool sil_task_send(sil_future *task);

/**
 * It comes back, and has not begun: pending again.
 *
 * @threads any
 */
SIL_API void sil_task_recall(sil_future *task);

/**
 * End a task that you sent or started.
 *
 * @param task     takes.
 * @param outcome  borrows.
 * @threads any
 */
SIL_API void sil_task_end(sil_future *task, const sil_outcome *outcome);

/**
 * End a task with an error, if it is still pending.
 *
 * @return false it was not pending any more.
 * @threads any
 */
SIL_API bool sil_task_fail(sil_future *task, int code, const char *format, ...) SIL_PRINTF(3, 4);

/**
 * Cancel a task, if it is still pending.
 *
 * @return false it was not pending any more.
 * @threads any
 */
SIL_API bool sil_task_cancel(sil_future *task);

/**
 * The function of a task; NULL when it can only run here, by sil_task_run.
 *
 * @threads any
 */
SIL_API sil_task_fn sil_task_function(const sil_future *task);

/**
 * How many elements of sil_map it is for: its function is to be called for each of them in turn,
 * until one fails; argument and result are arrays.
 *
 * @return 1 for any other task.
 * @threads any
 */
SIL_API size_t sil_task_items(const sil_future *task);

/**
 * Seconds it may run, as it was submitted; 0 for no limit of its own.
 *
 * @threads any
 */
SIL_API double sil_task_timeout(const sil_future *task);

/**
 * How often it may be run again, as it was submitted.
 *
 * @threads any
 */
SIL_API unsigned sil_task_retries(const sil_future *task);

/**
 * The argument's bytes.
 *
 * @return returns borrowed; valid while you hold the task. NULL when there are none.
 * @threads any
 */
SIL_API void *sil_task_arg(sil_future *task, size_t *out_size);

/**
 * The result's bytes, to be filled before sil_task_finish.
 *
 * @return returns borrowed; NULL when there are none, or they are to come as a block.
 * @threads any
 */
SIL_API void *sil_task_result(sil_future *task, size_t *out_size);

/**
 * Its priority.
 *
 * @threads any
 */
SIL_API sil_priority sil_task_priority(const sil_future *task);

/**
 * Its deadline; 0 for none.
 *
 * @threads any
 */
SIL_API sil_deadline sil_task_deadline(const sil_future *task);

/**
 * A link for the engine's queue: while you hold the task you may keep any future here.
 *
 * @return returns borrowed; never NULL.
 * @threads one
 */
SIL_API sil_future **sil_task_next(sil_future *task);

SIL_END_DECLS

#endif
