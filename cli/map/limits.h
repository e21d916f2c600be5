/* SPDX-License-Identifier: MIT */
/*
 * Whether this machine has room for one more job: --load and --memfree.
 *
 * I1  The kernel is asked at most every 100 ms. What was started since counts as running.
 * I2  What cannot be read limits nothing.
 */
#ifndef CLI_MAP_LIMITS_H
#define CLI_MAP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** All zero: no limits. */
struct limits {
    double load;          /**< processes that may want a CPU at once; 0: any number */
    uint64_t memory_free; /**< bytes that must be available; 0: none */

    /* As last seen. */
    int64_t looked_at; /**< sil_clock(); 0: never */
    double wanting;    /**< processes that wanted a CPU, and those we started since */
    uint64_t waited;   /**< microseconds that some process has had to wait for one, ever */
    double pressure;   /**< share of the time between two looks that some have */
    uint64_t available;
};

/**
 * @param load  "4", or "200%" of the CPUs we may use; NULL: no matter.
 * @return false: that is no load.
 */
bool limits_read(struct limits *out, const char *load, uint64_t memory_free);

/**
 * May one more be started?
 *
 * @param running  how many of ours run: with none, the load does not matter.
 * @return 0: yes, and it counts as started; else seconds after which to ask again.
 */
double limits_may_start(struct limits *limits, size_t running);

#endif
