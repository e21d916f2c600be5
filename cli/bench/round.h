/* SPDX-License-Identifier: MIT */
/*
 * One run of a job, in a process of its own.
 *
 * I1  Runs do not see each other: none finds memory, threads or connections of the one before, and what
 *     a run used is what the system says of its process.
 * I2  The process that starts runs has no threads and no loops, so that it can fork.
 * I3  A run ends when its starter does.
 */
#ifndef CLI_BENCH_ROUND_H
#define CLI_BENCH_ROUND_H

#include "bench/job.h"

/** What a run took. */
struct usage {
    int64_t begin;     /**< sil_clock() */
    double wall;       /**< seconds */
    double cpu;        /**< seconds of processors, of all its threads and processes */
    uint64_t switches; /**< from one thread to another */
    uint64_t memory;   /**< the most resident bytes of each of its processes, added up */
    int code;          /**< of job_run */
    char message[256]; /**< if that failed */
};

/** Where runs write what others are to see. */
struct round_page {
    struct usage usage;
    struct record records[];
};

/** @return returns owned: round_destroy; NULL with errno. */
struct round_page *round_create(uint64_t tasks);
/** @param page  takes; NULL allowed. */
void round_destroy(struct round_page *page, uint64_t tasks);

/**
 * Do a job.
 *
 * @param page  receives all of it, for job->tasks tasks.
 * @return 0 it was run, usage.code says how that went; otherwise no process could be started, or it
 *         died: sil_last_error.
 */
int round_run(const struct job *job, struct round_page *page);

#endif
