/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: the one argument of everything that may wait.
 *
 * A deadline is a moment, not a duration: nanoseconds on the monotonic clock. It can be made once
 * and passed down through any number of waits; together they end by that moment.
 */
#ifndef SILLON_DEADLINE_H
#define SILLON_DEADLINE_H

#include <sillon/export.h>
#include <stdint.h>

/** Nanoseconds on the monotonic clock (CLOCK_MONOTONIC). */
typedef int64_t sil_deadline;

/** Has passed already: poll, never block. */
#define SIL_NOW ((sil_deadline)0)
/** Never comes: wait as long as it takes. */
#define SIL_FOREVER INT64_MAX

SIL_BEGIN_DECLS

/**
 * The moment so many seconds from now; of half a second and more, at most two ticks of the kernel (some
 * 8 ms) later, for that costs a tenth. Zero, negative and NaN give a moment that has passed; what
 * lies beyond the clock's range gives SIL_FOREVER.
 *
 * @param seconds  fractions count: sil_in(0.25) is 250 milliseconds from now.
 * @threads any
 */
SIL_API sil_deadline sil_in(double seconds);

/**
 * The present moment on the same clock, in nanoseconds.
 *
 * @threads any
 */
SIL_API int64_t sil_clock(void);

/**
 * Sleep until the deadline. In a task, a cancel request ends the sleep at once. The worker that
 * sleeps is not replaced: a pool of four runs four tasks at a time, asleep or not. In a coroutine
 * only the coroutine sleeps.
 *
 * @param until  SIL_FOREVER sleeps until the task is cancelled. A moment that has passed does not give
 *               way to others: that is sil_yield's.
 * @return 0 the moment has come; SIL_ECANCELLED the calling task was asked to stop; SIL_ETIMEDOUT the
 *         end of a sil_deadline_scope came before; SIL_EINVAL SIL_FOREVER outside a task, which
 *         nothing could end.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_sleep(sil_deadline until);

/**
 * From now on nothing that the calling coroutine, task or thread waits for lasts longer than until:
 * all waits of this library end with SIL_ETIMEDOUT then. What it submits and starts meanwhile, on
 * any executor, has that deadline too, and so has what those start in turn.
 *
 *     sil_deadline outer = sil_deadline_scope(sil_in(2.5));
 *     ... any number of calls, each with its own deadline ...
 *     sil_deadline_restore(outer);
 *
 * A scope inside another can only end earlier.
 *
 * @param until  SIL_FOREVER changes nothing.
 * @return what held before, for sil_deadline_restore.
 * @threads any
 */
SIL_API sil_deadline sil_deadline_scope(sil_deadline until);

/**
 * End a scope: what held before it holds again.
 *
 * @param outer  what sil_deadline_scope returned.
 * @threads any
 */
SIL_API void sil_deadline_restore(sil_deadline outer);

/**
 * When the innermost scope ends; SIL_FOREVER without one.
 *
 * @threads any
 */
SIL_API sil_deadline sil_deadline_current(void);

SIL_END_DECLS

#endif
