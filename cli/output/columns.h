/* SPDX-License-Identifier: MIT */
/*
 * How wide text is on a terminal.
 */
#ifndef CLI_OUTPUT_COLUMNS_H
#define CLI_OUTPUT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

/** What a line begins with. */
struct column_step {
    size_t size;      /**< bytes; at least 1 */
    unsigned columns; /**< 0: an escape sequence for colours */
    bool is_color;
    bool is_text; /**< false: a control character, or a byte that is not UTF-8 */
};

/** @param text  not empty. */
struct column_step columns_step(const char *text);

/** How many columns it takes, what is no text counted as one each. */
size_t columns_of(const char *text);

#endif
