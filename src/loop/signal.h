/* SPDX-License-Identifier: MIT */
/*
 * Watched signals: a uv_signal_t each, which leaves no trace.
 *
 * When the last handle that watches a signal stops, libuv gives it the default action, whatever it
 * did before. Here it gets back what it had when the first of ours began.
 */
#ifndef SIL__LOOP_SIGNAL_H
#define SIL__LOOP_SIGNAL_H

#include "loop/reactor.h"

/* Lies on the heap, since libuv closes it with some delay. */
struct sil__signal;

/* Called on the reactor's thread, each time the signal has come. */
typedef void (*sil__signal_fn)(void *user, int number);

/*
 * Watch a signal on the calling thread's reactor. NULL with the last error: SIL_ENOMEM; SIL_EINVAL
 * no such signal, or one that cannot be caught; SIL_EAGAIN no descriptors; SIL_ENOTASK no reactor
 * runs here.
 */
struct sil__signal *sil__signal_open(int number, sil__signal_fn on_signal, void *user);

/* takes; NULL allowed. On the reactor's thread, also when it has ended. on_signal rests. */
void sil__signal_close(struct sil__signal *signal);

/* The reactor ends: what is still open on it is closed, as far as libuv is concerned. Its owners
 * close it later, or never. */
void sil__signal_abandon_all(struct sil__reactor *reactor);

#endif
