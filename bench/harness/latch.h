/* SPDX-License-Identifier: MIT */
/*
 * The latch: opens when as many tasks have run as it was set to. Counting it down is the body of
 * the empty task. There is one, in fixed memory, so that a task needs no argument to find it.
 */
#ifndef BENCH_LATCH_H
#define BENCH_LATCH_H

#include "harness/futex.h"

#ifdef __cplusplus
extern "C" {
#endif

struct latch {
    long left __attribute__((aligned(128)));
    uint32_t open __attribute__((aligned(128)));
};

extern struct latch bench_latch;
extern long bench_nothing;

void latch_set(long count);
void latch_wait(void);

/** A task: counts the latch down. */
void task_count_down(void *arg);

/** A task: one atomic addition, so that it is not quite nothing. */
void task_nothing(void *arg);

static inline void latch_count_down(void)
{
    if (__atomic_fetch_sub(&bench_latch.left, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    __atomic_store_n(&bench_latch.open, 1u, __ATOMIC_RELEASE);
    futex_wake(&bench_latch.open, 1);
}

static inline void nothing_count(void)
{
    __atomic_fetch_add(&bench_nothing, 1, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif

#endif
