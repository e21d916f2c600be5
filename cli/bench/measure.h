/* SPDX-License-Identifier: MIT */
/*
 * Times of several runs: their median, and how far they lie apart.
 */
#ifndef CLI_BENCH_MEASURE_H
#define CLI_BENCH_MEASURE_H

#include <stddef.h>

enum { MEASURE_RUNS = 99 };

/** The caller's storage; all zero is empty. */
struct measure {
    size_t count;
    double seconds[MEASURE_RUNS];
};

/** Add the time of a run. There are at most MEASURE_RUNS. */
void measure_add(struct measure *measure, double seconds);

/** @return 0 when there was no run. */
double measure_median(const struct measure *measure);

/** The slowest less the fastest, as a share of the median: 0.05 is 5 %. */
double measure_spread(const struct measure *measure);

#endif
