/* SPDX-License-Identifier: MIT */
/*
 * Watches: until a descriptor can be read or written.
 *
 * One uv_poll_t a descriptor, level-triggered, armed when somebody first waits and left armed: an event
 * that finds nobody waiting is remembered, and disarms. So a connection that answers request after
 * request needs no epoll_ctl, and a wait that is given up (a deadline, a cancel) leaves nothing in
 * flight. Reading and writing is the caller's: it tries first, where that is likely to succeed, and
 * waits when it has EAGAIN.
 *
 * Used from coroutines of the reactor's thread (anything whose context parks will do).
 */
#ifndef SIL__LOOP_WATCH_H
#define SIL__LOOP_WATCH_H

#include <sillon/deadline.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/park.h"
#include "loop/reactor.h"

enum sil__watch_side { SIL__WATCH_READ, SIL__WATCH_WRITE };

/* Lies on the heap, since libuv closes it with some delay. */
struct sil__watch;

/*
 * Watch a descriptor (borrows; it is made non-blocking) on the calling thread's reactor. NULL with the
 * last error: SIL_ENOMEM; SIL_ENOTASK no reactor runs here; an errno value (EPERM: a regular file,
 * which is always ready; EEXIST: it has a watch of this reactor already). Reading is not promising at first, writing is.
 */
struct sil__watch *sil__watch_open(int fd);

/* Wait until it can be read or written, or has failed: 0, at once if it is promising. SIL_ETIMEDOUT,
 * SIL_ECANCELLED (delivered, with what in the message), SIL_ECLOSED the watch was closed meanwhile. until:
 * as it came from the user; the scope's end is looked at here. Several may wait for the same. */
int sil__watch_wait(struct sil__watch *watch, enum sil__watch_side side, sil_deadline until,
                    const char *what);

/* So many at a time, at most. */
enum { SIL__WATCH_ANY = 16 };

/* Wait until one of several, of one thread, can be. *out_index: the first one that can. */
int sil__watch_wait_any(struct sil__watch *const *watches, size_t count, enum sil__watch_side side,
                        sil_deadline until, const char *what, size_t *out_index);

/* Is it worth trying before waiting? False after drained, until an event says otherwise. */
bool sil__watch_promising(const struct sil__watch *watch, enum sil__watch_side side);

/* A read or write moved less than it could, or had EAGAIN: the next one waits first. */
void sil__watch_drained(struct sil__watch *watch, enum sil__watch_side side);

/* The opposite: try, whatever is known. */
void sil__watch_hope(struct sil__watch *watch, enum sil__watch_side side);

/* takes; NULL allowed. Whoever waits gets SIL_ECLOSED. The descriptor may be closed at once. */
void sil__watch_close(struct sil__watch *watch);

/* The reactor ends: what is still open on it is closed, as far as libuv is concerned. Its owners close it
 * later, or never. */
void sil__watch_abandon_all(struct sil__reactor *reactor);

#endif
