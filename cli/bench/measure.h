/* SPDX-License-Identifier: MIT */
/*
 * Figures of several runs: their median, and how far they lie apart.
 */
#ifndef CLI_BENCH_MEASURE_H
#define CLI_BENCH_MEASURE_H

#include <stddef.h>

enum { MEASURE_RUNS = 1000 };

/** The caller's storage; all zero is empty. */
struct measure {
    size_t count;
    double sorted[MEASURE_RUNS];
};

/** Add that of a run. There are at most MEASURE_RUNS. */
void measure_add(struct measure *measure, double figure);

/** @return 0 when there was no run; so do those below. */
double measure_median(const struct measure *measure);
double measure_least(const struct measure *measure);
double measure_most(const struct measure *measure);

/** The most less the least, as a share of the median: 0.05 is 5 %. */
double measure_spread(const struct measure *measure);

#endif
