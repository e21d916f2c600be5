/* SPDX-License-Identifier: MIT */
/*
 * What the machine itself costs: the parts of limits.c. Each prints
 * limits,WHAT,THREADS,UNIT,VALUE
 */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include <pthread.h>

void limits_print(const char *what, int threads, const char *unit, double value);
pthread_t limits_thread(void *(*body)(void *arg), void *arg);

/** One thread: atomics, fences, calls, the clock, the kernel, malloc (limits_one.c). */
void limits_one_thread(void);

/** Two threads: cache lines, futex wakes, round trips, membarrier (limits_two.c). */
void limits_two_threads(void);

#endif
