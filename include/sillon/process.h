/* SPDX-License-Identifier: MIT */
/*
 * A single process: a function of this program, or a program, run beside this process.
 *
 * For work that needs a result, or more than one of its kind, see process_pool.h.
 */
#ifndef SILLON_PROCESS_H
#define SILLON_PROCESS_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <sillon/task.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sil_process sil_process;

/** All zero is the default. */
typedef struct sil_process_options {
    const char *name;               /**< what ps shows of a function's process; copied; "sillon" */
    const char *directory;          /**< to start in; NULL: this process's */
    const char *const *environment; /**< "NAME=value" to add or replace, "NAME" to remove; ends with
                                         NULL */
    const int *descriptors;         /**< open descriptors it gets, under the same numbers, beside 0,
                                         1 and 2; all others are closed */
    size_t descriptor_count;
    int standard_input;  /**< a descriptor that becomes its 0; 0: this process's own */
    int standard_output; /**< ... its 1; 0: this process's own */
    int standard_error;  /**< ... its 2; 0: this process's own */
    bool outlives_us;    /**< it goes on when this process ends; otherwise it is killed then, by the
                               kernel, however we end. That needs a thread of ours for as long as it
                               runs ("sil-keeper"), and is lost if it takes on other rights
                               (set-user-ID programs, setuid) */
    uint64_t reserved[4]; /**< 0 */
} sil_process_options;

SIL_BEGIN_DECLS

/**
 * Run a function in a process of its own: the program is executed anew up to main, and calls fn in
 * place of it. Its globals have the values the program starts with, and no signal is blocked or
 * ignored.
 *
 * @param options   borrows; NULL for the defaults.
 * @param fn        any function, also a static one; its result is NULL. What it returns is the exit
 *                  code: 0 for 0, the code itself from 1 to 255, and 255 for any other.
 * @param arg       borrows; arg_size bytes are copied. Pointers into sil_shared_alloc memory keep
 *                  their meaning.
 * @return returns owned: sil_process_destroy. NULL with sil_last_error: SIL_EINVAL, SIL_ENOMEM,
 *         SIL_EAGAIN (no process or thread could be started), SIL_ENOTSUP (the program cannot be
 *         executed anew, ends or hangs before main, or the function's module cannot be found
 *         there), or errno's code for a directory that cannot be entered.
 * @threads any
 * @blocks  until the new process has the function; 10 s at most if it does not take it
 */
SIL_API sil_process *sil_process_start(const sil_process_options *options, sil_task_fn fn,
                                       const void *arg, size_t arg_size);

/**
 * Run a program. No signal is blocked or ignored there.
 *
 * @param options    borrows; NULL for the defaults.
 * @param arguments  borrows; arguments[0] is the program, looked up in this process's PATH unless
 *                   it has a slash; ends with NULL. A relative path starts in its directory.
 * @return as sil_process_start; also NULL with errno's code for what cannot be executed: ENOENT,
 *         EACCES, ENOEXEC and so on. A script without #! is not given to a shell.
 * @threads any
 */
SIL_API sil_process *sil_process_run(const sil_process_options *options,
                                     const char *const *arguments);

/**
 * Wait until it has ended.
 *
 * @param process  borrows.
 * @return 0 it has ended; SIL_ETIMEDOUT; SIL_EINVAL; SIL_EFORKED it is another process's child.
 * @threads any
 * @blocks  until the deadline
 */
SIL_API int sil_process_join(sil_process *process, sil_deadline until);

/**
 * How it ended: its exit code, 0 to 255; minus the signal that ended it; SIL_EINPROGRESS while it
 * runs; SIL_EALREADY if somebody else in this process took its status away (a wait for any child,
 * SIGCHLD ignored); SIL_EINVAL for NULL; SIL_EFORKED.
 *
 * @threads any
 */
SIL_API int sil_process_exit_code(sil_process *process);

/**
 * Its process id, valid until it was joined; 0 for NULL.
 *
 * @threads any
 */
SIL_API int64_t sil_process_pid(const sil_process *process);

/**
 * A descriptor that becomes readable when it ends, for an event loop (a pidfd).
 *
 * @return returns borrowed; valid until destroy. -1 for NULL.
 * @threads any
 */
SIL_API int sil_process_descriptor(const sil_process *process);

/**
 * Send it a signal; never one to a process that took its id after it.
 *
 * @return 0; SIL_EALREADY it has ended; SIL_EINVAL no such signal; SIL_EFORKED; EPERM it has become
 *         another user's.
 * @threads any
 */
SIL_API int sil_process_signal(sil_process *process, int signal);

/**
 * Ask it to end: SIGTERM.
 *
 * @threads any
 */
SIL_API int sil_process_terminate(sil_process *process);

/**
 * End it: SIGKILL.
 *
 * @threads any
 */
SIL_API int sil_process_kill(sil_process *process);

/**
 * Let go of it. One that still runs is killed, and waited for, unless it outlives us: then its
 * status is collected by a later call of this function, if it ends before us.
 *
 * @param process  takes; NULL allowed.
 * @threads one
 */
SIL_API void sil_process_destroy(sil_process *process);

/**
 * How many CPUs the machine has that are on line; at least 1. What this process may use of them
 * is sil_process_cpu_count().
 *
 * @threads any
 */
SIL_API unsigned sil_cpu_count(void);

SIL_END_DECLS

#endif
