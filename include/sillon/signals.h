/* SPDX-License-Identifier: MIT */
/*
 * Signals, for coroutines: wait for them like for anything else.
 *
 *     sil_signals *signals = sil_signals_open((const int[]){SIGINT, SIGTERM}, 2);
 *     int number;
 *     while (sil_signals_next(signals, &number, SIL_FOREVER) == 0)
 *         ...
 *     sil_signals_close(signals);
 *
 * While a signal is watched by anybody it does not do what it does otherwise (end the program,
 * say). Any number of coroutines, of any loops, may watch the same one, each with an object of its
 * own, and all get it. A signal must not be blocked in all threads to be seen.
 */
#ifndef SILLON_SIGNALS_H
#define SILLON_SIGNALS_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stddef.h>

typedef struct sil_signals sil_signals;

SIL_BEGIN_DECLS

/**
 * Watch signals, from now on.
 *
 * @param numbers  borrows. Not SIGKILL and SIGSTOP, nor those that a fault of the program's own
 *                 raises: SIGSEGV, SIGBUS, SIGFPE, SIGILL.
 * @param count    > 0.
 * @return returns owned: sil_signals_close. NULL with sil_last_error: SIL_EINVAL; SIL_ENOMEM;
 *         SIL_EAGAIN no descriptors; SIL_ENOTASK.
 * @threads coroutine
 */
SIL_API sil_signals *sil_signals_open(const int *numbers, size_t count);

/**
 * Wait for the next one. Those that come while nobody waits are kept and counted, as far as the
 * kernel tells them apart (one that is sent again before it was delivered is one); who waited
 * longest is told first.
 *
 * @param out_number  receives its number.
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EBUSY another coroutine waits here; SIL_EINVAL;
 *         SIL_ENOTASK.
 * @threads home
 * @blocks  until the deadline
 */
SIL_API int sil_signals_next(sil_signals *signals, int *out_number, sil_deadline until);

/**
 * Watch no more. When nobody watches a signal any more, it does what it did before somebody began.
 *
 * @param signals  takes; NULL allowed. Nobody else may be using it.
 * @threads home
 */
SIL_API void sil_signals_close(sil_signals *signals);

SIL_END_DECLS

#endif
