/* SPDX-License-Identifier: MIT */
/*
 * Numbers that look random and are the same at every run (SplitMix64), for stress tests.
 */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);

/** 0 <= number < limit; limit > 0. */
size_t random_below(struct random *random, size_t limit);

/** Fill with 0 .. count-1 in random order. */
void random_permutation(struct random *random, size_t *order, size_t count);

/** Now and then: give up the processor, or hold it for a moment. Shakes the order of threads. */
void random_yield(struct random *random);

/** The same with a generator of the calling thread's own. */
void random_yield_here(void);

#endif
