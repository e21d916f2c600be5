/* SPDX-License-Identifier: MIT */
/*
 * Child programs, for coroutines: start one, talk with it through pipes, wait for its end.
 *
 *     int status;
 *     int code = sil_program_run(
 *         &(sil_program_options){.arguments = (const char *const[]){"make", "-j4", NULL}}, &status,
 *         sil_in(60));
 *
 * A program belongs to the loop of the coroutine that started it. It has the signals as it would
 * have them without us, none blocked or ignored (a child of your own fork and exec in a coroutine
 * inherits SIGPIPE blocked, loop.h), and none of this process's descriptors but 0, 1 and 2. It is
 * not ended when this process dies (sil_process_run has that), but sil_program_close ends it, and
 * so do sil_program_run's deadline and cancel. Neither SIGCHLD nor the children that others in this
 * process have started are touched.
 */
#ifndef SILLON_PROGRAM_H
#define SILLON_PROGRAM_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <sillon/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sil_program sil_program;

/** Where a program's input, output or error may lead, beside to a descriptor of ours. */
enum {
    SIL_INHERIT = 0, /**< to the same as this process's own */
    SIL_PIPE = -1,   /**< to a stream: sil_program_input, sil_program_output, sil_program_error */
    SIL_NULL = -2,   /**< nowhere: /dev/null */
    SIL_MERGE = -3,  /**< error only: to where output leads */
};

/** All zero but arguments is the default. */
typedef struct sil_program_options {
    const char *const *arguments;   /**< arguments[0] is the program, looked up in this process's
                                         PATH unless it has a slash; a relative path starts in its
                                         directory; ends with NULL */
    const char *program;            /**< what to look up instead of arguments[0] */
    const char *const *environment; /**< "NAME=value": all it has; ends with NULL. NULL: as ours */
    const char *directory;          /**< to start in; NULL: this process's */
    int input;                      /**< SIL_INHERIT and so on, or a descriptor: borrowed */
    int output;
    int error;
    bool new_group;   /**< it leads a process group of its own, and the signals that are sent to it
                           reach all of the group, as long as the program itself runs */
    bool new_session; /**< it leads a session of its own, without a terminal; as new_group, too */
    double grace;     /**< seconds between SIGTERM and SIGKILL when it is ended; 0: 5; negative:
                           SIGKILL at once */
    const char *name; /**< for messages; copied; NULL: the program */
} sil_program_options;

/** What a program has used, and what those that it waited for have. */
typedef struct sil_program_usage {
    double user_seconds;   /**< of CPU time, in the program */
    double system_seconds; /**< of CPU time, in the kernel for it */
    uint64_t peak_memory;  /**< bytes that one of them had at most; on Linux never less than this
                                process had when it started the program */
} sil_program_usage;

SIL_BEGIN_DECLS

/**
 * Start a program. It has begun when this returns; what cannot be executed is an error here.
 *
 * @param options  borrows.
 * @return returns owned: sil_program_close. NULL with sil_last_error: SIL_EINVAL; SIL_ENOMEM;
 *         SIL_EAGAIN no process or descriptors to be had; SIL_ENOTASK; SIL_ECANCELLED the caller
 *         was cancelled; errno's code for a program that cannot be executed (ENOENT, EACCES,
 *         ENOEXEC ...) or a directory that cannot be entered.
 * @threads coroutine
 * @blocks  the loop, for the fraction of a millisecond that a fork and an exec take
 */
SIL_API sil_program *sil_program_start(const sil_program_options *options);

/**
 * The end of the pipe that is its input: to write to.
 *
 * @return returns borrowed; valid until sil_program_end_input or sil_program_close: never to be
 *         closed otherwise. NULL if input was not SIL_PIPE, or has ended.
 * @threads home
 */
SIL_API sil_stream *sil_program_input(const sil_program *program);

/**
 * The end of the pipe that is its output: to read from.
 *
 * @return returns borrowed; valid until sil_program_close. NULL if output was not SIL_PIPE.
 * @threads home
 */
SIL_API sil_stream *sil_program_output(const sil_program *program);

/**
 * The same for its error.
 *
 * @threads home
 */
SIL_API sil_stream *sil_program_error(const sil_program *program);

/**
 * No more input: the program reads the end.
 *
 * @return 0; SIL_EALREADY; SIL_EINVAL NULL, or input was not SIL_PIPE; SIL_ENOTASK.
 * @threads home
 */
SIL_API int sil_program_end_input(sil_program *program);

/**
 * Wait until it has ended; any number of coroutines may. What others that it started go on with is
 * not waited for.
 *
 * @param out_status  its exit code, 0 to 255; minus the signal that ended it; SIL_EALREADY if
 *                    somebody else in this process took its status away (a wait for any child,
 *                    SIGCHLD ignored). NULL allowed.
 * @return 0 it has ended; SIL_ETIMEDOUT, SIL_ECANCELLED: it goes on; SIL_EINVAL;
 *         SIL_ENOTASK.
 * @threads home
 * @blocks  until the deadline
 */
SIL_API int sil_program_wait(sil_program *program, int *out_status, sil_deadline until);

/**
 * What it has used, once it has ended.
 *
 * @param out  untouched after a failure.
 * @return 0; SIL_EAGAIN it has not ended; SIL_EALREADY somebody else in this process took its
 *         status away; SIL_EINVAL NULL; SIL_ENOTASK.
 * @threads home
 */
SIL_API int sil_program_usage_get(const sil_program *program, sil_program_usage *out);

/**
 * Give it its input, take all that it writes, and wait until it has ended; all at once, so that
 * neither side waits for the other for ever. A program that does not want all of the input is no
 * error. Others that it started may have its pipes, too: then these end when they do. How it ended
 * says sil_program_wait, which does not wait any more.
 *
 * @param input       borrows; NULL with size 0. Its input ends behind that. Only NULL if its input
 *                    is no pipe.
 * @param limit       the most bytes of its output, and of its error; 0: no limit.
 * @param out_output  returns borrowed: what it wrote to its output; valid until sil_program_close.
 *                    A '\0' follows it. NULL allowed, here and below; "" is what it gets if output
 *                    is no pipe.
 * @param out_output_size  receives how many bytes, without the '\0'.
 * @param out_error        the same of its error.
 * @return 0; SIL_ETOOLONG it writes more than limit; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ENOMEM;
 *         SIL_EBUSY; SIL_EINVAL; SIL_ENOTASK; an errno value. After a failure the program goes on:
 *         close it.
 * @threads home
 * @blocks  until the deadline
 */
SIL_API int sil_program_communicate(sil_program *program, const void *input, size_t input_size,
                                    size_t limit, const char **out_output, size_t *out_output_size,
                                    const char **out_error, size_t *out_error_size,
                                    sil_deadline until);

/**
 * Send it a signal; never one to a process that took its id after it.
 *
 * @return 0; SIL_EALREADY it has ended; SIL_EINVAL no such signal; SIL_ENOTASK; EPERM it has become
 *         another user's.
 * @threads home
 */
SIL_API int sil_program_signal(sil_program *program, int signal);

/**
 * Ask it to end: SIGTERM.
 *
 * @return as sil_program_signal.
 * @threads home
 */
SIL_API int sil_program_terminate(sil_program *program);

/**
 * End it: SIGKILL.
 *
 * @return as sil_program_signal.
 * @threads home
 */
SIL_API int sil_program_kill(sil_program *program);

/**
 * Its process id, valid until it was waited for; 0 for NULL.
 *
 * @threads any
 */
SIL_API int64_t sil_program_pid(const sil_program *program);

/**
 * Let go of it, with its pipes. One that still runs is ended: SIGTERM, after the grace SIGKILL; and
 * waited for, by a cancelled caller too, so that nothing of it is left. When the loop has ended
 * already, the thread waits.
 *
 * @param program  takes; NULL allowed. Nobody else may be using it.
 * @threads home
 * @blocks  until it has ended
 */
SIL_API void sil_program_close(sil_program *program);

/**
 * Run a program, and wait until it has ended. At the deadline, and when the caller is cancelled,
 * it is ended as sil_program_close does, before this returns.
 *
 * @param options     borrows; input, output and error must not be SIL_PIPE.
 * @param out_status  as sil_program_wait; written when this returns 0.
 * @return 0 it has ended by itself; SIL_ETIMEDOUT; SIL_ECANCELLED; else as sil_program_start.
 * @threads coroutine
 * @blocks  until it has ended
 */
SIL_API int sil_program_run(const sil_program_options *options, int *out_status,
                            sil_deadline until);

SIL_END_DECLS

#endif
