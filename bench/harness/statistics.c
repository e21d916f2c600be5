/* SPDX-License-Identifier: MIT */
#include "harness/statistics.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

void statistics_sort(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
}

uint64_t statistics_percentile(const uint64_t *sorted, size_t count, unsigned percent)
{
    size_t index = count * percent / 100;
    return sorted[index < count ? index : count - 1];
}
