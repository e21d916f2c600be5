/* SPDX-License-Identifier: MIT */
/*
 * A table of text, see table.h.
 */
#include "output/table.h"

#include <string.h>

char (*table_add_row(struct table *table))[TABLE_CELL]
{
    if (table->rows < TABLE_ROWS)
        table->rows++;
    return table->cells[table->rows - 1];
}

static int column_width(const struct table *table, size_t column)
{
    size_t width = 0;
    for (size_t row = 0; row < table->rows; row++) {
        size_t length = strlen(table->cells[row][column]);
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_rule(const int widths[TABLE_COLUMNS], FILE *out)
{
    for (size_t column = 0; column < TABLE_COLUMNS; column++) {
        if (column > 0)
            (void)fputs("  ", out);
        for (int i = 0; i < widths[column]; i++)
            (void)fputc('-', out);
    }
    (void)fputc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
    int widths[TABLE_COLUMNS];
    for (size_t column = 0; column < TABLE_COLUMNS; column++)
        widths[column] = column_width(table, column);
    for (size_t row = 0; row < table->rows; row++) {
        (void)fprintf(out, "%-*s", widths[0], table->cells[row][0]);
        for (size_t column = 1; column < TABLE_COLUMNS; column++)
            (void)fprintf(out, "  %*s", widths[column], table->cells[row][column]);
        (void)fputc('\n', out);
        if (row == 0)
            print_rule(widths, out);
    }
}

void table_print_markdown(const struct table *table, FILE *out)
{
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t column = 0; column < TABLE_COLUMNS; column++)
            (void)fprintf(out, "| %s ", table->cells[row][column]);
        (void)fputs("|\n", out);
        for (size_t column = 0; row == 0 && column < TABLE_COLUMNS; column++)
            (void)fputs(column == 0 ? "| :-- " : "| --: ", out);
        if (row == 0)
            (void)fputs("|\n", out);
    }
}
