/* SPDX-License-Identifier: MIT */
/*
 * Intakes: how tasks come in from outside, one queue a submitting thread.
 *
 * Only its thread puts tasks into an intake, so that takes no lock and no locked instruction;
 * workers steal from it, several cells at a time. When the thread ends, its intake goes to the
 * next thread that needs one. Threads beyond SIL__INTAKES, and those without memory for an
 * intake, use the injector.
 *
 * I1: a thread says that it is busy before it looks whether the pool refuses, and says that it is
 *     not when it is done with the pool. Who makes the pool refuse waits for the owners of all
 *     intakes to be not busy (sil__intakes_settle): then what was put in is seen, and nothing more
 *     gets in. Whoever comes later sees that the pool refuses, and does not touch its intake.
 * I2: an intake is not freed before the pool, nor what says whether a thread is busy before both
 *     the thread and its intakes are gone.
 */
#ifndef SIL__THREAD_INTAKE_H
#define SIL__THREAD_INTAKE_H

#include <stdatomic.h>
#include <stdint.h>

#include "thread/deque.h"

/* In one pool. */
#define SIL__INTAKES 64

struct sil__pool;
struct sil__submitter;

/* A thread that submits. */
struct sil__submitter {
    _Alignas(64) _Atomic uint32_t busy; /* I1; written by the thread */
    _Atomic uint32_t refs;              /* the thread's, and one for each intake */
    _Atomic bool gone;                  /* the thread has ended */
};

struct sil__intake {
    struct sil__deque deque;
    /* Guarded by the pool's lock; does not change once the pool refuses. */
    struct sil__submitter *owner; /* a reference */
};

/* Pools a thread submits to in turns without asking for its intake again. */
#define SIL__INTAKE_CACHED 4

/* Pools have serial numbers, so an entry of a pool that is gone never matches. */
struct sil__intake_entry {
    uint64_t serial;
    struct sil__intake *intake; /* NULL: there was none to be had, ... */
    unsigned patience;          /* ... and we ask again after so many times */
};

extern _Thread_local struct sil__intake_entry sil__intake_cache[SIL__INTAKE_CACHED];

struct sil__intake *sil__intake_find(struct sil__pool *pool);

struct sil__intakes {
    /* Set under the pool's lock before count counts them; read without. */
    _Atomic(struct sil__intake *) at[SIL__INTAKES];
    _Atomic unsigned count;
};

extern _Thread_local struct sil__submitter *sil__submitter_own;

struct sil__submitter *sil__submitter_create(void);

/* The calling thread; NULL without memory, or when it is about to end: use the injector. */
static inline struct sil__submitter *sil__submitter_self(void)
{
    return sil__submitter_own ? sil__submitter_own : sil__submitter_create();
}

/* The calling thread's intake in this pool, or NULL: use the injector. */
static inline struct sil__intake *sil__intake_mine(struct sil__pool *pool, uint64_t serial)
{
    struct sil__intake_entry *entry = &sil__intake_cache[serial % SIL__INTAKE_CACHED];
    if (entry->serial == serial && (entry->intake || entry->patience-- > 0))
        return entry->intake;
    return sil__intake_find(pool);
}

/* The pool refuses from now on: wait until no submitter can be past that question. */
void sil__intakes_settle(struct sil__pool *pool);

void sil__intakes_fini(struct sil__pool *pool);

#endif
