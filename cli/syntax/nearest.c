/* SPDX-License-Identifier: MIT */
/*
 * The word that was meant, see nearest.h.
 */
#include "syntax/nearest.h"

#include <string.h>

/* Longer words are not compared: no option has so many letters. */
enum { MOST_LETTERS = 32, MOST_SLIPS = 3 };

struct nearest nearest_begin(const char *typed, size_t length)
{
    size_t allowed = length / 3 < 1 ? 1 : length / 3 > MOST_SLIPS ? MOST_SLIPS : length / 3;
    return (struct nearest){.typed = typed, .length = length, .slips = (unsigned)allowed + 1};
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table of distances between beginnings. */
static unsigned count_slips(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][MOST_LETTERS + 1] = {0};
    for (unsigned j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *twice_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], twice_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t length = strlen(candidate);
    if (nearest->length == 0 || nearest->length > MOST_LETTERS || length > MOST_LETTERS)
        return;
    unsigned slips = count_slips(nearest->typed, nearest->length, candidate, length);
    if (strncmp(nearest->typed, candidate, nearest->length) == 0)
        slips = least(slips, 1);
    if (slips < nearest->slips) {
        nearest->slips = slips;
        nearest->found = candidate;
    }
}
