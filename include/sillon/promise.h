/* SPDX-License-Identifier: MIT */
/*
 * Promises: a future that your own code completes.
 *
 * The promise is the writing end, with one owner; its future is the reading end, for anybody. A
 * promise that is destroyed unresolved fails its future with SIL_EBROKEN, so nobody waits for a
 * value that cannot come.
 */
#ifndef SILLON_PROMISE_H
#define SILLON_PROMISE_H

#include <sillon/future.h>

typedef struct sil_promise sil_promise;

SIL_BEGIN_DECLS

/**
 * Make a promise of a value.
 *
 * @param name         for descriptions and messages; copied; NULL allowed.
 * @param result_size  bytes of the value.
 * @return returns owned: sil_promise_destroy. NULL with sil_last_error: SIL_ENOMEM, SIL_EINVAL
 *         an absurd size.
 * @threads any
 */
SIL_API sil_promise *sil_promise_create(const char *name, size_t result_size);

/**
 * The future that the promise completes; the same one at every call.
 *
 * @return returns owned: sil_future_release. A failed future (SIL_EINVAL) for NULL.
 * @threads any
 */
SIL_API sil_future *sil_promise_future(sil_promise *promise);

/**
 * Give the value: the future finishes with a copy of it. Callbacks of the future run here.
 *
 * @param value  borrows result_size bytes; NULL leaves zeros.
 * @return 0; SIL_EALREADY it was completed or cancelled before; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_promise_resolve(sil_promise *promise, const void *value);

/**
 * Fail the future with a code and a message.
 *
 * @param code  non-zero; 0 counts as SIL_EINVAL. SIL_ECANCELLED ends it as cancelled.
 * @param format  as printf; borrows. NULL: the text of the code (sil_strerror).
 * @return 0; SIL_EALREADY; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_promise_reject(sil_promise *promise, int code, const char *format, ...)
    SIL_PRINTF(3, 4);

/**
 * Give up the writing end. An unresolved future fails with SIL_EBROKEN.
 *
 * @param promise  takes; NULL allowed.
 * @threads one
 */
SIL_API void sil_promise_destroy(sil_promise *promise);

SIL_END_DECLS

#endif
