/* SPDX-License-Identifier: MIT */
/*
 * The reactor: a loop of libuv, the timers, and being woken from other threads. No idea of coroutines.
 *
 * Who drives it gives two functions: turn runs what is ready (and says whether there is more), and
 * arrive takes what other threads have left. Both are called on the reactor's thread, from within
 * uv_run. Waiting for readiness is watch.h's.
 */
#ifndef SIL__LOOP_REACTOR_H
#define SIL__LOOP_REACTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "loop/timers.h"

struct sil__reactor;

struct sil__reactor_driver {
    /* Run what is ready, for a while; true: there is more. */
    bool (*turn)(struct sil__reactor *reactor);
    /* Has another thread left something? Asked after asleep was set, before the poll. */
    bool (*awaited)(struct sil__reactor *reactor);
};

struct sil__reactor {
    /* Reactor thread only. */
    uv_loop_t *uv; /* own, or its user's */
    const struct sil__reactor_driver *driver;
    int64_t now; /* nanoseconds; as of the beginning of this turn */
    struct sil__timers timers;
    int64_t armed;    /* what the timer of libuv is set for; INT64_MAX: it is not */
    unsigned handles; /* of ours that libuv has not closed yet, watches included */
    unsigned keepers; /* reasons to keep uv_run going */
    struct {
        uint64_t *words; /* a bit for each descriptor that has a watch */
        size_t count;
    } watched;
    bool kicked; /* there is something to run: the next poll must not block */
    bool idling; /* ... and does not */
    struct sil__reactor
        *outer; /* whose thread it was, when a turn of ours began within another's */
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    uv_async_t async;
    uv_loop_t own;

    /* Atomic. */
    _Atomic uint32_t asleep; /* in the poll, or about to be: whoever has something must wake */
    _Atomic uint32_t wakers; /* threads that are about to wake it: until 0 it must stay */
};

/* 0, SIL_ENOMEM or SIL_EAGAIN, with the last error set. uv: NULL makes an own one. */
int sil__reactor_init(struct sil__reactor *reactor, uv_loop_t *uv,
                      const struct sil__reactor_driver *driver);

/* Close all handles, and run the loop until they are gone. Outside of uv_run. */
void sil__reactor_fini(struct sil__reactor *reactor);

/* uv_run goes on as long as it is kept so many times. */
void sil__reactor_keep(struct sil__reactor *reactor);
void sil__reactor_let_go(struct sil__reactor *reactor);

/* Run until stopped (own thread). */
void sil__reactor_run(struct sil__reactor *reactor);
void sil__reactor_stop(struct sil__reactor *reactor);

/* On the reactor's thread: there is something to run; the next poll does not block. */
void sil__reactor_kick(struct sil__reactor *reactor);

/*
 * From any thread. begin: the reactor stays until end. end: if it sleeps, it is woken. What it is to
 * find must be written between the two, with a read-modify-write.
 */
static inline void sil__reactor_wake_begin(struct sil__reactor *reactor)
{
    atomic_fetch_add_explicit(&reactor->wakers, 1, memory_order_relaxed);
}
void sil__reactor_wake_end(struct sil__reactor *reactor);

/* The reactor whose thread this is, while it runs; NULL. */
struct sil__reactor *sil__reactor_current(void);

#endif
