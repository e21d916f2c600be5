/* SPDX-License-Identifier: MIT */
/*
 * A series: the runs of one job, a row of the table; and all of them, to be compared.
 *
 * I1  Figures are those of the tasks that were asked for. Where fewer were measured, one at a time and
 *     too slow for all, wall, CPU and switches are scaled up, and it says so.
 * I2  Every task's answer is compared: with what is right, or with what the first mode got.
 */
#ifndef CLI_BENCH_SERIES_H
#define CLI_BENCH_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/measure.h"
#include "bench/round.h"

struct series {
    struct job job;  /**< tasks: those measured */
    uint64_t wanted; /**< tasks: those asked for */

    struct measure wall, cpu, switches, memory; /**< seconds, seconds, -, bytes */
    struct measure overhead; /**< CPU seconds of a task beyond its work: all of them for io */
    uint64_t failed, wrong;  /**< tasks, of all runs */
    char message[256];       /**< of the first that failed */

    struct usage last;      /**< of the last run, */
    struct record *records; /**< and what each task did; owned; NULL: nobody has asked */
};

/** What the answers must be. */
struct answers {
    uint64_t cpu;   /**< of each cpu task */
    uint64_t *urls; /**< of the i-th URL; owned; UINT64_MAX: not known yet */
    size_t url_count;
};

struct comparison {
    struct series *list; /**< owned; all of a kind follow each other, seq first */
    size_t count;
    unsigned cpus;   /**< this process may use */
    double cpu_work; /**< seconds of one cpu task, as calibrated */
    double others;   /**< share of the machine that others used; negative: not known */
    double seconds;  /**< all of it took */
    struct answers answers;
};

/** Add a run. @param keep  remember it as the last. @return false: out of memory. */
bool series_add(struct series *series, const struct round_page *page, struct answers *answers,
                bool keep);

void comparison_fini(struct comparison *comparison);

bool series_scaled(const struct series *series);

/** "cpu" or "io". */
const char *series_kind(const struct series *series);

/** How many times as fast as seq; 0: that is not known. */
double series_speedup(const struct comparison *comparison, const struct series *series);

/** The share of what is possible; 0: that is not known. */
double series_ideal(const struct comparison *comparison, const struct series *series);

/** How many tasks may be under way at a time: workers, or one. */
unsigned series_width(const struct series *series);

/** The first of a kind, and how many follow it. @return NULL: there are none. */
const struct series *comparison_kind(const struct comparison *comparison, bool cpu,
                                     size_t *out_count);

/** The widest spread of a series' runs. */
double comparison_spread(const struct comparison *comparison);

#endif
