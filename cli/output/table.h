/* SPDX-License-Identifier: MIT */
/*
 * A table of text: the first column to the left, the others to the right, as wide as they must
 * be.
 */
#ifndef CLI_OUTPUT_TABLE_H
#define CLI_OUTPUT_TABLE_H

#include <stdio.h>

enum { TABLE_COLUMNS = 10, TABLE_ROWS = 64, TABLE_CELL = 64 };

/** The caller's storage; all zero is an empty one. The first row is the heading. */
struct table {
    size_t rows;
    char cells[TABLE_ROWS][TABLE_COLUMNS][TABLE_CELL];
};

/**
 * The next empty row. There are TABLE_ROWS of them, and asking for more gives the last again.
 *
 * @return returns borrowed; cells to be filled with snprintf.
 */
char (*table_add_row(struct table *table))[TABLE_CELL];

/** Write it, with a line under the heading. */
void table_print(const struct table *table, FILE *out);

/** The same in Markdown. Cells have no '|'. */
void table_print_markdown(const struct table *table, FILE *out);

#endif
