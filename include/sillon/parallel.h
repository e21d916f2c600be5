/* SPDX-License-Identifier: MIT */
/*
 * Parallel loops over an index range, for executors whose tasks share our memory.
 *
 * The caller takes part: it works on the range too, so a loop makes progress even on a pool that
 * is busy, and loops may be nested. Nothing is allocated per index.
 */
#ifndef SILLON_PARALLEL_H
#define SILLON_PARALLEL_H

#include <sillon/executor.h>

/**
 * Works on indexes begin <= i < end. Runs on workers and on the calling thread.
 *
 * @return 0; any other code stops the loop: pieces not begun are not run.
 */
typedef int (*sil_range_fn)(size_t begin, size_t end, void *user);

/** Folds indexes begin <= i < end into *accumulator. @return as sil_range_fn. */
typedef int (*sil_fold_fn)(size_t begin, size_t end, void *accumulator, void *user);

/** Folds the accumulator of a later piece into that of an earlier one. Runs on the caller. */
typedef void (*sil_combine_fn)(void *accumulator, const void *later, void *user);

SIL_BEGIN_DECLS

/**
 * Run body over the range, in pieces, on the executor's workers and the caller.
 *
 * @param grain  fewest indexes a piece has, but for the last; 0: chosen from the range and the workers.
 * @param user   handed to body.
 * @return 0; the first code (in time) with which a piece failed, with its error; SIL_EINVAL;
 *         SIL_ENOTSUP the executor does not share our memory. An executor that refuses work
 *         (shut down, full) is no error: the caller runs the range alone.
 * @threads any
 * @blocks  until the loop is done
 */
SIL_API int sil_parallel_for(sil_executor *executor, size_t begin, size_t end, size_t grain,
                             sil_range_fn body, void *user);

/**
 * Reduce the range to one value. Each piece starts from a copy of *out (the identity), and pieces
 * are combined in index order: for one range and grain the result is the same at every run, on
 * any number of workers, floating point included.
 *
 * @param grain  indexes a piece has (the last may have fewer); 0: chosen from the range alone.
 * @param out    the identity element on entry, size bytes; the result on return of 0, untouched
 *               otherwise.
 * @param size   bytes of the accumulator.
 * @return as sil_parallel_for; SIL_ENOMEM.
 * @threads any
 * @blocks  until the loop is done
 */
SIL_API int sil_parallel_reduce(sil_executor *executor, size_t begin, size_t end, size_t grain,
                                sil_fold_fn fold, sil_combine_fn combine, void *user, void *out,
                                size_t size);

SIL_END_DECLS

#endif
