/* SPDX-License-Identifier: MIT */
/*
 * When to try again, see runner.h.
 */
#include <sys/random.h>

#include "run/runner.h"

/* From 0 to 1. */
static double chance(void)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
        bits = (uint32_t)(sil_clock() * 2654435761);
    return (double)bits / 4294967296.0;
}

int64_t runner_backoff(unsigned tries, double first, double most, double least)
{
    double longest = first;
    for (unsigned i = 1; i < tries && longest < most; i++)
        longest *= 2;
    if (longest > most)
        longest = most;
    return sil_clock() + (int64_t)((least + longest * chance()) * 1e9);
}
