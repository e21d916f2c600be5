/* SPDX-License-Identifier: MIT */
/*
 * Combining futures: a new future made of others.
 *
 * A combined future waits without a thread. Its inputs go on whatever becomes of it; cancelling
 * it before it has ended asks them to stop. All functions keep their inputs (yours stay yours)
 * and never return NULL: what could not be made has failed already, with SIL_EINVAL (a NULL
 * input), SIL_ENOMEM, SIL_ENOTSUP or SIL_EFORKED (the executor of then and catch).
 */
#ifndef SILLON_COMBINE_H
#define SILLON_COMBINE_H

#include <sillon/executor.h>
#include <sillon/future.h>

/**
 * What follows a future.
 *
 * @param source  borrows; final.
 * @param arg, result  as for a task (task.h).
 * @return as a task.
 */
typedef int (*sil_then_fn)(sil_future *source, void *arg, void *result);

SIL_BEGIN_DECLS

/**
 * When source succeeds, run fn; its result is the new future's. When source fails, the new future
 * fails with the same error and fn is not run.
 *
 * @param executor  where fn runs (one whose tasks share our memory); NULL: in the thread that
 *                  completes source, for short work that does not wait.
 * @param arg       borrows; arg_size bytes are copied.
 * @return returns owned.
 * @threads any
 */
SIL_API sil_future *sil_then(sil_future *source, sil_executor *executor, sil_then_fn fn,
                             const void *arg, size_t arg_size, size_t result_size);

/**
 * When source fails or is cancelled, run fn, whose outcome is the new future's: it can put a
 * value in place of the error. When source succeeds, the new future has a copy of its value.
 * (sil_error_code(sil_future_error(source)) tells fn what went wrong.)
 *
 * @return returns owned.
 * @threads any
 */
SIL_API sil_future *sil_catch(sil_future *source, sil_executor *executor, sil_then_fn fn,
                              const void *arg, size_t arg_size, size_t result_size);

/**
 * Succeeds when all have, with their values one after the other in the order given; fails as soon
 * as one fails, with that error. All of none succeeds at once, empty.
 *
 * @return returns owned.
 * @threads any
 */
SIL_API sil_future *sil_all(sil_future *const *futures, size_t count);

/**
 * Succeeds as soon as one does, with its value; fails when all have failed, with the last error.
 * Any of none fails with SIL_EINVAL.
 *
 * @return returns owned.
 * @threads any
 */
SIL_API sil_future *sil_any(sil_future *const *futures, size_t count);

/**
 * Ends as the first that ends, with its value or its error. A race of none fails with SIL_EINVAL.
 *
 * @return returns owned.
 * @threads any
 */
SIL_API sil_future *sil_race(sil_future *const *futures, size_t count);

SIL_END_DECLS

#endif
