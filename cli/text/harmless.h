/* SPDX-License-Identifier: MIT */
/*
 * Words of strangers (URLs, file names, servers' answers), made fit to be printed.
 *
 * A terminal obeys what it is sent: an escape sequence in a URL could clear the screen or write a
 * line that we never printed. What could do that is shown as \xHH instead.
 */
#ifndef CLI_TEXT_HARMLESS_H
#define CLI_TEXT_HARMLESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Would a terminal obey this character rather than show it? Control characters, and those that
 * turn the direction of the text.
 */
bool harmless_is_control(uint32_t character);

/**
 * Copy text, with control characters and bytes that are not UTF-8 as \xHH.
 *
 * @param out   receives at most size bytes, terminated; text that does not fit ends in "...".
 * @param size  at least 8.
 * @return out
 */
const char *harmless(char *out, size_t size, const char *text);

#endif
