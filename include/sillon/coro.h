/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: tasks of a loop (loop.h), started from others.
 *
 * A coroutine is a future like any other: awaited, combined, cancelled, named. Cancelling one that
 * waits ends its wait with SIL_ECANCELLED; one that runs gets it from its next wait. The request is
 * delivered once: what the coroutine waits for afterwards, to clean up, is waited for as usual.
 * sil_cancelled() stays true. A coroutine that returns SIL_ECANCELLED ends as cancelled.
 *
 * A coroutine begins with the floating-point rounding mode of whoever starts it, and keeps its own
 * from one wait to the next.
 *
 * In the child of a fork(2) made in a coroutine nothing of the loop may be used, and waits are refused
 * with SIL_EFORKED: call exec or _exit.
 */
#ifndef SILLON_CORO_H
#define SILLON_CORO_H

#include <sillon/executor.h>
#include <sillon/loop.h>

/** All zero is the default. */
typedef struct sil_go_options {
    const char *name;   /**< for descriptions, messages and dumps; copied */
    sil_executor *loop; /**< NULL: the calling coroutine's */
    size_t stack_size;  /**< bytes; 0: as the loop says. Rounded up: 16 KiB, 64 KiB, 256 KiB, 1 MiB
                                and so on, at most 1 GiB; what is never touched takes no memory */
    sil_priority priority; /**< of its beginning: later all take turns */
    sil_deadline deadline; /**< 0: none; as in sil_submit_options: all its waits end by then */
} sil_go_options;

SIL_BEGIN_DECLS

/**
 * Start a coroutine on the loop of the calling one. It begins when the caller next waits.
 *
 * @param arg          borrows; arg_size bytes are copied.
 * @param result_size  bytes it may fill.
 * @return returns owned, as sil_submit: never NULL; it has failed already with SIL_ENOTASK outside
 *         coroutines.
 * @threads coroutine
 */
SIL_API sil_future *sil_go(sil_task_fn fn, const void *arg, size_t arg_size, size_t result_size);

/**
 * Start a coroutine with a name, a stack of another size, or on another loop.
 *
 * @param options  borrows; NULL for the defaults.
 * @return as sil_go; SIL_EINVAL too, if options.loop is no loop.
 * @threads any if options.loop is given, else coroutine
 */
SIL_API sil_future *sil_go_with(const sil_go_options *options, sil_task_fn fn, const void *arg,
                                size_t arg_size, size_t result_size);

/**
 * Let the others run. They all have had their turn when it returns.
 *
 * @return 0; SIL_ECANCELLED the coroutine was cancelled.
 * @threads any; outside coroutines it gives way to other threads
 */
SIL_API int sil_yield(void);

SIL_END_DECLS

#endif
