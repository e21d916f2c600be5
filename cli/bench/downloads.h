/* SPDX-License-Identifier: MIT */
/*
 * A set of downloads that are only counted: the work that waits for others.
 */
#ifndef CLI_BENCH_DOWNLOADS_H
#define CLI_BENCH_DOWNLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sillon/executor.h>

#include "input/source.h"

/** The caller's storage; all zero is empty. */
struct downloads {
    size_t count, capacity;
    char **urls;
};

struct downloads_outcome {
    uint64_t ok, failed, bytes;
    double seconds;
};

/**
 * Read all URLs of a source. Words that are none are reported on stderr.
 *
 * @return how many words were no URLs; negative: out of memory.
 * @blocks  until the source has ended
 */
int downloads_read(struct downloads *downloads, struct source *source);

void downloads_fini(struct downloads *downloads);

/**
 * Fetch all, and forget what came.
 *
 * @param executor  borrows; the calling coroutine's loop, if it is a loop.
 * @param jobs      the most that are under way at the same time.
 * @param report    print failures on stderr.
 * @return false: out of memory.
 */
bool downloads_run(const struct downloads *downloads, sil_executor *executor, size_t jobs,
                   bool report, struct downloads_outcome *out);

#endif
