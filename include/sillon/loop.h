/* SPDX-License-Identifier: MIT */
/*
 * Loops: an executor of one thread on which any number of coroutines take turns.
 *
 *     static int main_task(void *arg, void *result)
 *     {
 *         sil_future *a = sil_go(fetch_employees, NULL, 0, sizeof(int));
 *         sil_future *b = sil_go(fetch_projects, NULL, 0, sizeof(int));
 *         ...
 *     }
 *
 *     int main(void)
 *     {
 *         return sil_run(main_task, NULL, 0, NULL, 0);
 *     }
 *
 * A task of a loop is a coroutine: a function with a stack of its own. Whenever it waits (sil_await,
 * sil_sleep, sil_read, sil_mutex_lock ...) only it waits, and the loop runs others. Between two waits
 * nothing else runs on the loop, so coroutines of one loop need no locks among themselves; and one
 * that computes for long, or calls what blocks the thread, holds up all the others: give such work to
 * a thread pool and await it. A coroutine stays on its loop's thread for life.
 *
 * Coroutines run with SIGPIPE blocked, so that writing to a closed pipe is an error. A child of your
 * own fork and exec inherits that, unless it unblocks the signal; sil_program_start's do not.
 *
 * Beneath lies libuv, for readiness, signals and child programs: sil_loop_uv lends its loop to other
 * libraries, and sil_loop_attach runs coroutines on a loop of yours.
 */
#ifndef SILLON_LOOP_H
#define SILLON_LOOP_H

#include <sillon/executor.h>

struct uv_loop_s;

/** A coroutine held the loop for longer than it should have. Called on the loop's thread; it must not
 *  wait. name: the coroutine's, or "" if it has none; fn: its function. */
typedef void (*sil_slow_fn)(const char *name, sil_task_fn fn, double seconds, void *user);

/** All zero is the default. */
typedef struct sil_loop_options {
    const char *name;        /**< of the loop, and of its thread; copied; "loop" */
    size_t stack_size;       /**< bytes of stack for each coroutine: 64 KiB; at least 16 KiB */
    size_t max_pending;      /**< tasks that wait to be begun; 0: no limit */
    sil_when_full when_full; /**< what a submit does when there are so many; a coroutine of the loop
                                  itself that is to wait lets the others run meanwhile */
    sil_executor *blocking;  /**< borrows: where calls that block are run (files, name look-up); it
                                  must share memory. NULL: threads of the loop's own, at most 8,
                                  started when needed */
    double slow_after;       /**< seconds; > 0: tell on_slow of whoever holds the loop for longer */
    sil_slow_fn on_slow;     /**< NULL: the library says it on stderr */
    void *user;              /**< for on_slow */
    bool leave_sigsegv;      /**< do not install the handler that names a coroutine whose stack
                                  overflowed; it is installed once, and passes everything else on */
    bool interruptible;      /**< sil_run: SIGINT cancels the main coroutine, a second one meanwhile
                                  ends the program */
} sil_loop_options;

SIL_BEGIN_DECLS

/**
 * Run a loop on the calling thread until fn has ended: the main coroutine. What else still runs then
 * is cancelled, and waited for.
 *
 * @param arg         borrows; arg_size bytes are copied.
 * @param out_result  receives result_size bytes if fn succeeds; NULL allowed when result_size is 0.
 * @return fn's own code; SIL_EBUSY a loop runs on this thread already; SIL_ENOMEM, SIL_EAGAIN no
 *         descriptors for a loop; SIL_EINVAL. sil_last_error has the error.
 * @threads any, but not a coroutine
 * @blocks  until everything has ended
 */
SIL_API int sil_run(sil_task_fn fn, const void *arg, size_t arg_size, void *out_result,
                    size_t result_size);

/**
 * The same with options.
 *
 * @param options  borrows; NULL for the defaults.
 * @return as sil_run.
 * @threads any, but not a coroutine
 * @blocks  until everything has ended
 */
SIL_API int sil_run_with(const sil_loop_options *options, sil_task_fn fn, const void *arg,
                         size_t arg_size, void *out_result, size_t result_size);

/**
 * A loop on a thread of its own: an executor like any other, whose tasks are coroutines.
 *
 * @param options  borrows; NULL for the defaults.
 * @return returns owned: sil_executor_close. NULL with sil_last_error: SIL_ENOMEM, SIL_EAGAIN (no
 *         thread, no descriptors), SIL_EINVAL.
 * @threads any
 */
SIL_API sil_executor *sil_loop_thread(const sil_loop_options *options);

/**
 * A loop on a loop of libuv that you run yourself: coroutines run whenever you are in uv_run. It keeps
 * uv_run going as long as there are coroutines.
 *
 * @param uv       borrows: until the executor is closed, which must happen on the same thread, outside
 *                 coroutines, and runs uv until what was submitted has ended.
 * @param options  borrows; NULL for the defaults.
 * @return returns owned: sil_executor_close. NULL with sil_last_error, as sil_loop_thread.
 * @threads one: the one that runs uv
 */
SIL_API sil_executor *sil_loop_attach(struct uv_loop_s *uv, const sil_loop_options *options);

/**
 * The loop of the calling coroutine.
 *
 * @return returns borrowed; NULL outside coroutines.
 * @threads any
 */
SIL_API sil_executor *sil_loop_current(void);

/**
 * The loop of libuv beneath, for other libraries that need one: use it on the loop's thread only. Its
 * callbacks are no coroutines; they may submit, resolve promises and set events, and must not wait.
 *
 * @return returns borrowed; NULL if the executor is no loop.
 * @threads any
 */
SIL_API struct uv_loop_s *sil_loop_uv(sil_executor *loop);

SIL_END_DECLS

#endif
