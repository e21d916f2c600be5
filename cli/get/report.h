/* SPDX-License-Identifier: MIT */
/*
 * What became of each URL, in a line each, and of all in one.
 *
 * Standard output has a line for each file that is there; standard error has failures and the
 * summary, so that nobody misses them in a pipe.
 */
#ifndef CLI_GET_REPORT_H
#define CLI_GET_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "get/download.h"
#include "output/live.h"

struct tally {
    uint64_t ok, failed, skipped, stopped;
    uint64_t bytes;  /**< of those that are ok */
    int64_t started; /**< sil_clock() */
};

/** The caller's storage. */
struct report {
    bool quiet;        /**< failures only */
    bool file_lines;   /**< a line for each file, too */
    struct live *live; /**< to be taken away before a line is printed */
    struct tally tally;
    int error; /**< errno of standard output, once it could not be written to */
};

void report_file(struct report *report, const char *name, const struct download_result *result);

void report_failure(struct report *report, const char *url, const char *reason);

/** @param signal  0, or what made it stop early. */
void report_summary(struct report *report, int signal);

/** Pass on what was printed. A failure is kept in error. */
void report_flush(struct report *report);

#endif
