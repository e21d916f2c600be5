/* SPDX-License-Identifier: MIT */
/*
 * Rows: made from a line, and from several rows.
 */
#ifndef CLI_MAP_ROW_H
#define CLI_MAP_ROW_H

#include <stddef.h>

#include "map/inputs.h"

/** Fields to be filled in, and room for so many bytes. @param out_bytes  receives where that is.
 *  @return returns owned: free(); NULL: out of memory. */
struct row *row_create(size_t fields, size_t bytes, char **out_bytes);

/**
 * Part a line at each separator.
 *
 * @param separator_size  0: the line is one field.
 * @return as row_create.
 */
struct row *row_split(const char *line, size_t size, const char *separator, size_t separator_size);

/** The fields of all of them, one row after the other. @return as row_create. */
struct row *row_join(const struct row *const *rows, size_t count);

#endif
