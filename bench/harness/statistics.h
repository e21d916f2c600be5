/* SPDX-License-Identifier: MIT */
/*
 * Order statistics of a series of times.
 */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

void statistics_sort(uint64_t *values, size_t count);

/** Of a sorted series: the value that so many per cent lie below. */
uint64_t statistics_percentile(const uint64_t *sorted, size_t count, unsigned percent);

#endif
