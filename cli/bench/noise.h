/* SPDX-License-Identifier: MIT */
/*
 * How much of the machine did others use meanwhile? /proc/stat says how busy it was, getrusage how much
 * of that we were.
 */
#ifndef CLI_BENCH_NOISE_H
#define CLI_BENCH_NOISE_H

#include <stdbool.h>
#include <stdint.h>

struct noise {
    uint64_t busy, all; /**< ticks of all CPUs */
    double own;         /**< seconds of ours, and of processes we have waited for */
};

/** Read the first line of /proc/stat. Interrupts are not counted as busy: they are nobody's. */
bool noise_parse(const char *line, uint64_t *out_busy, uint64_t *out_all);

/** Now. @return false: this system does not say. */
bool noise_look(struct noise *out);

/** The share of the machine that others used between the two: 0 to 1. @param ticks  a second. */
double noise_share(const struct noise *before, const struct noise *after, long ticks);

#endif
