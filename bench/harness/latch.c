/* SPDX-License-Identifier: MIT */
#include "harness/latch.h"

struct latch bench_latch;
long bench_nothing __attribute__((aligned(128)));

void latch_set(long count)
{
    __atomic_store_n(&bench_latch.open, 0u, __ATOMIC_RELAXED);
    __atomic_store_n(&bench_latch.left, count, __ATOMIC_RELEASE);
}

void latch_wait(void)
{
    while (!__atomic_load_n(&bench_latch.open, __ATOMIC_ACQUIRE))
        futex_wait(&bench_latch.open, 0);
}

void task_count_down(void *arg)
{
    (void)arg;
    latch_count_down();
}

void task_nothing(void *arg)
{
    (void)arg;
    nothing_count();
}
