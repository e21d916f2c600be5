/* SPDX-License-Identifier: MIT */
/*
 * Errors as values: a code, a message, and the origin (which task, worker and process).
 *
 * An error belongs to the future that failed, or to the calling thread (sil_last_error). When a
 * task returns the code of an await that failed, its own future carries the very same error, so
 * the origin stays the place where things first went wrong.
 */
#ifndef SILLON_ERROR_H
#define SILLON_ERROR_H

#include <sillon/export.h>
#include <sillon/status.h>
#include <stdint.h>

/** Immutable once made. */
typedef struct sil_error sil_error;

SIL_BEGIN_DECLS

/**
 * Fail with a message: `return sil_fail(ERANGE, "%d is too large", n);`
 *
 * In a task the message becomes the error of its future when the task returns this code. Anywhere
 * else it becomes sil_last_error() of the thread. Memory running out costs the message, never
 * the code.
 *
 * @param code    non-zero; 0 counts as SIL_EINVAL.
 * @param format  as printf; borrows. NULL: the text of the code (sil_strerror).
 * @return code
 * @threads any
 */
SIL_API int sil_fail(int code, const char *format, ...) SIL_PRINTF(2, 3);

/**
 * The error of the calling thread's (or, inside a task, the task's) last call that failed.
 * Calls that succeed leave it alone.
 *
 * @return returns borrowed; valid until the next call that fails on this thread. NULL before the
 *         first failure.
 * @threads any
 */
SIL_API const sil_error *sil_last_error(void);

/**
 * The code; 0 for NULL.
 *
 * @param error  borrows; NULL allowed, here and below.
 * @threads any
 */
SIL_API int sil_error_code(const sil_error *error);

/**
 * One line for people; never NULL, "" for a NULL error.
 *
 * @return returns borrowed; lives as long as the error. So do the strings below.
 * @threads any
 */
SIL_API const char *sil_error_message(const sil_error *error);

/**
 * The name of the task in which it happened; NULL if it happened outside tasks or the task has
 * no name.
 *
 * @threads any
 */
SIL_API const char *sil_error_task(const sil_error *error);

/**
 * The name of the thread in which it happened, such as "decode-2"; never NULL.
 *
 * @threads any
 */
SIL_API const char *sil_error_worker(const sil_error *error);

/**
 * The process in which it happened; 0 for NULL.
 *
 * @threads any
 */
SIL_API int64_t sil_error_pid(const sil_error *error);

/**
 * The host on which it happened; NULL means this one.
 *
 * @threads any
 */
SIL_API const char *sil_error_host(const sil_error *error);

/**
 * The signal that ended the worker; 0 if none did.
 *
 * @threads any
 */
SIL_API int sil_error_signal(const sil_error *error);

SIL_END_DECLS

#endif
