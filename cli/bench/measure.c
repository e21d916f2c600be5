/* SPDX-License-Identifier: MIT */
/*
 * Figures of several runs, see measure.h.
 */
#include "bench/measure.h"

void measure_add(struct measure *measure, double figure)
{
    if (measure->count == MEASURE_RUNS)
        return;
    /* Kept sorted. */
    size_t at = measure->count++;
    for (; at > 0 && measure->sorted[at - 1] > figure; at--)
        measure->sorted[at] = measure->sorted[at - 1];
    measure->sorted[at] = figure;
}

double measure_median(const struct measure *measure)
{
    if (measure->count == 0)
        return 0;
    double below = measure->sorted[(measure->count - 1) / 2];
    double above = measure->sorted[measure->count / 2];
    return (below + above) / 2;
}

double measure_least(const struct measure *measure)
{
    return measure->count == 0 ? 0 : measure->sorted[0];
}

double measure_most(const struct measure *measure)
{
    return measure->count == 0 ? 0 : measure->sorted[measure->count - 1];
}

double measure_spread(const struct measure *measure)
{
    double median = measure_median(measure);
    if (median <= 0)
        return 0;
    return (measure_most(measure) - measure_least(measure)) / median;
}
