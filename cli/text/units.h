/* SPDX-License-Identifier: MIT */
/*
 * Sizes and times as people read them, and as they type them.
 */
#ifndef CLI_TEXT_UNITS_H
#define CLI_TEXT_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNIT_TEXT_SIZE = 24 };

/** "317 B", "12.4 KiB", "1.0 GiB". @return out */
const char *unit_bytes(char out[UNIT_TEXT_SIZE], double bytes);

/** "0:42", "12:05", "3:00:07"; "-" for what is not known or lies past all patience. @return out */
const char *unit_clock(char out[UNIT_TEXT_SIZE], double seconds);

/**
 * A whole number in decimal digits and nothing else.
 *
 * @param out  untouched unless it is one from least to most.
 */
bool unit_read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/**
 * A duration: "30", "1.5s", "500ms", "2m", "1h".
 *
 * @param out  receives seconds; untouched unless the text is a duration of at most a year.
 */
bool unit_read_seconds(const char *text, double *out);

/**
 * A size in bytes: "10", "64K", "1.5M", "2G", "1T"; each letter, large or small, 1024 times the one
 * before.
 *
 * @param out  untouched unless the text is a size of less than 2^63 bytes.
 */
bool unit_read_size(const char *text, uint64_t *out);

/**
 * How often: "5", "10/s", "100/m", "20/h".
 *
 * @param out  receives times a second; untouched unless the text is a rate.
 */
bool unit_read_rate(const char *text, double *out);

/**
 * A part of something: "50%", "12.5%", "300%".
 *
 * @param out  receives the number before the sign; untouched unless it is more than 0 and at most
 *             a million.
 */
bool unit_read_percent(const char *text, double *out);

#endif
