/* SPDX-License-Identifier: MIT */
/*
 * Compiled with -ffast-math (CMakeLists.txt), so that the compiler may add in parallel lanes. The
 * values summed are small whole numbers: the result is exact in any order.
 */
#include "harness/sum.h"

double sum_range(const double *values, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++)
        sum += values[i];
    return sum;
}
