/* SPDX-License-Identifier: MIT */
/*
 * Lines out of bytes that come piece by piece: one word a line, blank lines and those that begin
 * with '#' left out, white space around a word too.
 *
 * I1  Memory is bounded by one piece and one line, whatever comes (/dev/zero, say).
 */
#ifndef CLI_INPUT_LINES_H
#define CLI_INPUT_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_LONGEST = 65536 };

/** The caller's storage; all zero to begin with. */
struct lines {
    char *bytes;
    size_t used;
    size_t at;     /**< what stands before was yielded */
    bool skipping; /**< in a line that was too long */
};

void lines_fini(struct lines *lines);

/** Add bytes. @return false: out of memory. */
bool lines_feed(struct lines *lines, const char *bytes, size_t count);

/**
 * The next word.
 *
 * @param ended       nothing more will be fed: what is left is a line.
 * @param out_reason  receives NULL, or why the line cannot be used.
 * @return returns borrowed, valid until the next call; NULL: more must be fed.
 */
char *lines_next(struct lines *lines, bool ended, const char **out_reason);

/** How many words there are still, when nothing more will be fed; 0 also: out of memory. */
size_t lines_count(const struct lines *lines);

#endif
