/* SPDX-License-Identifier: MIT */
/*
 * Patterns for many URLs (--glob): [1-100], [001-100:3], [a-f], {one,two}. In order, the last part
 * changing fastest, one at a time: a pattern for a million URLs takes the memory of one.
 */
#ifndef CLI_GET_GLOB_H
#define CLI_GET_GLOB_H

#include <stddef.h>
#include <stdint.h>

enum { GLOB_PARTS = 16 };

/** A place where something varies. */
struct glob_part {
    const char *text; /**< what stands before it */
    size_t text_size;
    const char *choices; /**< {}: the words; NULL: a range */
    size_t choices_size;
    uint64_t first, last, step, now;
    int digits; /**< numbers are filled up with zeros to so many; -1: letters */
};

struct glob {
    struct glob_part parts[GLOB_PARTS];
    size_t count;
    const char *rest; /**< behind the last part */
    int ended;
};

/** @param pattern  borrows, while it is used. @return NULL, or what is wrong with it. */
const char *glob_parse(const char *pattern, struct glob *out);

/** The next one, owned: free(). NULL: there are no more, or out of memory (glob->ended is 0 then). */
char *glob_next(struct glob *glob);

#endif
