/* SPDX-License-Identifier: MIT */
/*
 * Work that needs a CPU and nothing else: primes are counted, up to a number that is found first, so
 * that it takes as long as wanted on this machine.
 *
 * I1  The answer is checked against another way to count (a sieve).
 */
#ifndef CLI_BENCH_WORK_CPU_H
#define CLI_BENCH_WORK_CPU_H

#include <stdint.h>

/** How many primes are below, by trying divisors: the work. */
uint64_t cpu_count_primes(uint64_t below);

/** The same by a sieve: to check. @return UINT64_MAX: out of memory. */
uint64_t cpu_count_by_sieve(uint64_t below);

/** Seconds that counting took once. */
typedef double (*cpu_clock_fn)(uint64_t below, void *user);

/**
 * Up to which number must be counted for it to take so long?
 *
 * @param clock  NULL: this machine's.
 */
uint64_t cpu_calibrate(double seconds, cpu_clock_fn clock, void *user);

/** The task. arg: uint64_t below; result: struct record. */
int cpu_task(void *arg, void *result);

#endif
