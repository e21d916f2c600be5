/* SPDX-License-Identifier: MIT */
/*
 * Which part of a file an answer brings: "bytes 100-199/200" (RFC 9110 14.4).
 */
#ifndef CLI_GET_CONTENT_RANGE_H
#define CLI_GET_CONTENT_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct content_range {
    uint64_t from, to; /**< inclusive */
    uint64_t length;   /**< of the whole file; STORE_UNKNOWN: the server does not say */
};

/** @param text  a header's value; NULL: there is none. @return false: it is no such thing. */
bool content_range_read(const char *text, struct content_range *out);

#endif
