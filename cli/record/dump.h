/* SPDX-License-Identifier: MIT */
/*
 * JSON values as text, for lines that are made thousands of times a second. jansson's own way calls
 * printf for each number and a function for each token: 15 us for one of our objects, this takes 2.
 */
#ifndef CLI_RECORD_DUMP_H
#define CLI_RECORD_DUMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** All zero is an empty one; free bytes. */
struct dump {
    char *bytes; /**< not terminated */
    size_t size, room;
};

/** @return false: out of memory, as below. */
bool dump_bytes(struct dump *dump, const char *bytes, size_t size);

/** Append a value, without any blanks; members in the order in which they were set. Real numbers that
 *  are whole millionths (seconds) are written just so, others to 15 digits. */
bool dump_json(struct dump *dump, const json_t *value);

#endif
