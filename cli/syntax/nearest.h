/* SPDX-License-Identifier: MIT */
/*
 * The word that was probably meant: the one fewest slips away.
 *
 * A slip is a letter too many, too few, wrong, or swapped with its neighbour; a third of the letters
 * may be wrong. The beginning of a word counts as one slip.
 */
#ifndef CLI_SYNTAX_NEAREST_H
#define CLI_SYNTAX_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *typed;
    size_t length;
    const char *found; /**< NULL: none is near enough; else the first of the nearest offered */
    unsigned slips;    /**< fewer are needed to be nearer */
};

/** @param typed  borrows, as long as words are offered; length bytes of it. */
struct nearest nearest_begin(const char *typed, size_t length);

/** @param candidate  borrows; found may point to it. */
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
