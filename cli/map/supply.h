/* SPDX-License-Identifier: MIT */
/*
 * A supply: rows from one place, a file or values of the command line, each in its columns.
 *
 * I1  A row is what stood there (inputs.h). What cannot be one, such as a line with a zero byte,
 *     ends the reading: the message names the file and the line.
 */
#ifndef CLI_MAP_SUPPLY_H
#define CLI_MAP_SUPPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/inputs.h"

struct supply_format {
    bool null;             /**< lines end with NUL */
    bool csv;              /**< records of RFC 4180; the separator is one byte */
    bool header;           /**< the first row holds the names of the columns */
    const char *separator; /**< of columns; borrowed */
    size_t separator_size; /**< 0: there is one column */
};

struct supply;

/**
 * Open.
 *
 * @param format  borrows, until close.
 * @param values  borrows, until close; NULL: a file.
 * @param file    borrows, until close; "-": standard input.
 * @return returns owned: supply_close. NULL with sil_last_error.
 */
struct supply *supply_open(const struct supply_format *format, char *const *values, size_t count,
                           char *const *file);
/** @param supply  takes; NULL allowed. */
void supply_close(struct supply *supply);

/** The next row. @return 0; SIL_EEND; SIL_ECANCELLED stopped; else the last error says why. In a
 *  coroutine. */
int supply_next(struct supply *supply, struct row **out);

/** The names of its columns; *out is NULL if it has no header, or nothing at all. Returns borrowed.
 *  As supply_next, but for SIL_EEND. */
int supply_names(struct supply *supply, const struct row **out);

void supply_stop(struct supply *supply);

/** How many rows there are in all. @return false: not known yet. */
bool supply_total(const struct supply *supply, uint64_t *out);

#endif
