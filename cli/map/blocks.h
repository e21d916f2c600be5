/* SPDX-License-Identifier: MIT */
/*
 * Blocks of bytes, each in a memory file (memfd), cut at the ends of lines.
 */
#ifndef CLI_MAP_BLOCKS_H
#define CLI_MAP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blocks;

struct blocks_plan {
    const char *file; /**< borrowed; "-": standard input */
    uint64_t size;    /**< of a block, at most, if no line is longer */
    char end;         /**< of a line */
    bool header;      /**< the first line goes in front of each block */
};

/** @param plan  borrows. @return returns owned: blocks_close. NULL with sil_last_error. */
struct blocks *blocks_open(const struct blocks_plan *plan);
/** @param blocks  takes; NULL allowed. */
void blocks_close(struct blocks *blocks);

/** The next one. @param out_fd  returns owned: at offset 0. @return 0; SIL_EEND; SIL_ECANCELLED;
 *  else the last error says why. In a coroutine. */
int blocks_next(struct blocks *blocks, int *out_fd);

void blocks_stop(struct blocks *blocks);

#endif
