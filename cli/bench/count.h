/* SPDX-License-Identifier: MIT */
/*
 * The count loop: work that needs a CPU and nothing else.
 */
#ifndef CLI_BENCH_COUNT_H
#define CLI_BENCH_COUNT_H

#include <stdint.h>

#include <sillon/executor.h>

enum { COUNT_LOOPS = 2 };

/**
 * Count to that number in each of two tasks.
 *
 * @param executor  borrows; it alone decides whether the loops run one after the other.
 * @return 0, or why a task failed.
 */
int count_twice(sil_executor *executor, uint64_t steps);

#endif
