/* SPDX-License-Identifier: MIT */
/*
 * The body of the loops: the same machine code for every C and C++ peer.
 */
#ifndef BENCH_SUM_H
#define BENCH_SUM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many values a piece has, for peers that cut the array themselves. */
enum { SUM_GRAIN = 8192 };

/** Sum of values[begin] to values[end - 1]. */
double sum_range(const double *values, size_t begin, size_t end);

#ifdef __cplusplus
}
#endif

#endif
