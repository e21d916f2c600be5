/* SPDX-License-Identifier: MIT */
/*
 * A one-shot event on a futex word: how a peer without futures tells that a task has run.
 */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include "harness/futex.h"

enum { EVENT_CLEAR = 0, EVENT_SET = 1, EVENT_SLEEPER = 2 };

static inline void event_clear(uint32_t *event)
{
    __atomic_store_n(event, (uint32_t)EVENT_CLEAR, __ATOMIC_RELAXED);
}

/** The kernel is called only when somebody sleeps. */
static inline void event_set(uint32_t *event)
{
    if (__atomic_exchange_n(event, (uint32_t)EVENT_SET, __ATOMIC_ACQ_REL) == EVENT_SLEEPER)
        futex_wake(event, 1);
}

static inline void event_wait(uint32_t *event)
{
    uint32_t seen = EVENT_CLEAR;
    if (!__atomic_compare_exchange_n(event, &seen, (uint32_t)EVENT_SLEEPER, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_ACQUIRE))
        return;
    while (__atomic_load_n(event, __ATOMIC_ACQUIRE) == EVENT_SLEEPER)
        futex_wait(event, EVENT_SLEEPER);
}

/** A task: sets the event that arg points to. */
static inline void task_event(void *arg)
{
    event_set((uint32_t *)arg);
}

#endif
