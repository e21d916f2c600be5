/* SPDX-License-Identifier: MIT */
/*
 * SplitMix64: one multiply-and-shift chain a number, any seed will do.
 */
#include "support/random.h"

#include <sched.h>

uint64_t random_next(struct random *random)
{
    uint64_t x = random->state += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

size_t random_below(struct random *random, size_t limit)
{
    return (size_t)(random_next(random) % limit);
}

void random_permutation(struct random *random, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t j = random_below(random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

void random_yield(struct random *random)
{
    uint64_t dice = random_next(random);
    if (dice % 8 == 0) {
        (void)sched_yield();
    } else if (dice % 8 == 1) {
        for (volatile unsigned spins = (unsigned)(dice >> 8) % 300; spins > 0; spins--) {
        }
    }
}

void random_yield_here(void)
{
    static _Thread_local struct random random;
    random_yield(&random);
}
