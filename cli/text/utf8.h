/* SPDX-License-Identifier: MIT */
/*
 * UTF-8, read one character at a time: enough to tell text from other bytes, in any locale.
 */
#ifndef CLI_TEXT_UTF8_H
#define CLI_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * Read the first character.
 *
 * @param out_character  receives its code point.
 * @return how many bytes it takes; 0 when the text, up to its end at 0, does not begin with
 *         well-formed UTF-8.
 */
size_t utf8_read(const char *text, uint32_t *out_character);

/**
 * How many columns a terminal gives a character: 1 or 2, in doubt 2, so that a line cut to a
 * width never wraps.
 */
unsigned utf8_columns(uint32_t character);

#endif
