/* SPDX-License-Identifier: MIT */
/*
 * Map: one function over many inputs, on any executor.
 *
 * sil_map works on arrays in place and returns when all is done. The iterator pulls its inputs
 * one by one and yields results in input order with a bounded number under way, so that a million
 * inputs need the memory of a few. In both, the first error stops the rest.
 */
#ifndef SILLON_MAP_H
#define SILLON_MAP_H

#include <sillon/executor.h>

/**
 * Gives the next input. Runs on the thread that calls sil_map_next.
 *
 * @param arg   receives arg_size bytes.
 * @return 0; SIL_EEND there are no more; any other code ends the iteration with it.
 */
typedef int (*sil_input_fn)(void *user, void *arg);

/** All zero is the default, but for the sizes and the input. */
typedef struct sil_map_options {
    sil_task_fn fn;     /**< required */
    size_t arg_size;    /**< bytes of one input */
    size_t result_size; /**< bytes of one result */
    const void *args;   /**< inputs as an array of count elements; borrows until the end ... */
    size_t count;
    sil_input_fn input; /**< ... or one by one from a function, with user */
    void *user;
    size_t buffer;        /**< most tasks under way or waiting to be yielded; 0: 4 a worker */
    const char *name;     /**< of each task; copied */
    uint64_t reserved[4]; /**< 0 */
} sil_map_options;

typedef struct sil_map_iterator sil_map_iterator;

SIL_BEGIN_DECLS

/**
 * results[i] = fn(args[i]) for all i, cut into chunks to fit the executor. On an executor whose
 * tasks share our memory nothing is copied: fn works on the arrays themselves.
 *
 * @param args     borrows; count elements of arg_size bytes; not const, as fn may write to its
 *                 argument. The alignment of an element is its array's. NULL if arg_size is 0.
 * @param results  receives count elements of result_size bytes; NULL if result_size is 0. May be
 *                 args itself when the sizes agree and fn reads before it writes. After an error
 *                 some elements are filled.
 * @return 0; the code of the first element (in time) that failed, with its error; SIL_EINVAL;
 *         SIL_ENOMEM; or why the executor refused.
 * @threads any
 * @blocks  until all that was started has ended
 */
SIL_API int sil_map(sil_executor *executor, sil_task_fn fn, void *args, size_t arg_size,
                    void *results, size_t result_size, size_t count);

/**
 * Start to map lazily.
 *
 * @param executor  borrows until destroy.
 * @param options   borrows; copied.
 * @return returns owned: sil_map_iterator_destroy. NULL with sil_last_error: SIL_EINVAL,
 *         SIL_ENOMEM.
 * @threads any
 */
SIL_API sil_map_iterator *sil_map_iterator_create(sil_executor *executor,
                                                  const sil_map_options *options);

/**
 * The next result, in input order. Keeps the buffer filled with tasks.
 *
 * @param out  receives result_size bytes if the code is 0; NULL allowed.
 * @return 0; SIL_EEND no more; SIL_ETIMEDOUT (call again); the code of the task or of the input
 *         function: the rest was cancelled, and every later call returns SIL_EEND; SIL_EBROKEN
 *         in place of such a code if it is SIL_EEND or SIL_ETIMEDOUT; what a wait may fail with
 *         (SIL_EDEADLK, SIL_EFORKED): the task goes on, as after SIL_ETIMEDOUT.
 * @threads one
 * @blocks  until the deadline; beyond it as long as the input function does, or a submit to a
 *          bounded queue
 */
SIL_API int sil_map_next(sil_map_iterator *iterator, void *out, sil_deadline until);

/**
 * End the iteration: cancel what has not started, and wait for what runs.
 *
 * @param iterator  takes; NULL allowed.
 * @threads one
 * @blocks  until running tasks have ended
 */
SIL_API void sil_map_iterator_destroy(sil_map_iterator *iterator);

SIL_END_DECLS

#endif
