/* SPDX-License-Identifier: MIT */
/*
 * Lines: words of the command line first, then the lines of files, one after the other.
 *
 * I1  Memory is bounded by a piece and the longest line, whatever comes (/dev/zero, say).
 * I2  A line is what stood there, with its CR, if it is not read as a list (skip). The last one
 *     needs no end. An empty line is a line.
 */
#ifndef CLI_INPUT_LINES_H
#define CLI_INPUT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One that is longer cannot be used. No program could be given it either: 128 KiB are the most for
 *  a word, and some MiB for all. */
enum { LINE_LONGEST = 4 << 20 };

struct lines;

struct lines_plan {
    char *const *words; /**< these come first, as they are */
    size_t word_count;
    char *const *files; /**< then their lines; "-": standard input (at most once) */
    size_t file_count;
    bool null; /**< lines end with NUL, not newline */
    bool skip; /**< leave out blank lines and those that begin with '#', the blanks around the
                             others, and a byte order mark in front */
};

struct line {
    char *text; /**< terminated; yours to change, until the next call */
    size_t size;
    const char
        *reason;      /**< NULL; or why it cannot be used: a NUL in it, too long (then it is cut) */
    const char *file; /**< where it stood, for messages; NULL: on the command line */
    uint64_t number;  /**< of the line in its file, from 1 */
};

/**
 * Open all of the files.
 *
 * @param plan  borrows; what it points to until destroy.
 * @return returns owned: lines_destroy. NULL with sil_last_error, which names the file.
 * @threads any
 */
struct lines *lines_create(const struct lines_plan *plan);

/** @param lines  takes; NULL allowed. Nobody waits in it. On its loop's thread. */
void lines_destroy(struct lines *lines);

/**
 * The next one.
 *
 * @return 0; SIL_EEND there are no more; SIL_ECANCELLED it was stopped, or the coroutine cancelled;
 *         else reading failed: the last error, which names the file, says why.
 * @threads coroutine
 */
int lines_next(struct lines *lines, struct line *out);

/** Whoever waits in lines_next, now or later, gets SIL_ECANCELLED. On the loop's thread. */
void lines_stop(struct lines *lines);

/** How many there are in all, those given already too; 0: not known yet. Never reads for it. */
uint64_t lines_total(const struct lines *lines);

#endif
