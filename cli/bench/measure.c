/* SPDX-License-Identifier: MIT */
/*
 * Times of several runs, see measure.h.
 */
#include "bench/measure.h"

void measure_add(struct measure *measure, double seconds)
{
    if (measure->count == MEASURE_RUNS)
        return;
    /* Kept sorted. */
    size_t at = measure->count++;
    for (; at > 0 && measure->seconds[at - 1] > seconds; at--)
        measure->seconds[at] = measure->seconds[at - 1];
    measure->seconds[at] = seconds;
}

double measure_median(const struct measure *measure)
{
    if (measure->count == 0)
        return 0;
    double below = measure->seconds[(measure->count - 1) / 2];
    double above = measure->seconds[measure->count / 2];
    return (below + above) / 2;
}

double measure_spread(const struct measure *measure)
{
    double median = measure_median(measure);
    if (median <= 0)
        return 0;
    return (measure->seconds[measure->count - 1] - measure->seconds[0]) / median;
}
