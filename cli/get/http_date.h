/* SPDX-License-Identifier: MIT */
/*
 * Dates as HTTP writes them, in any locale.
 */
#ifndef CLI_GET_HTTP_DATE_H
#define CLI_GET_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_DATE_TEXT = 64 };

/**
 * "Sun, 06 Nov 1994 08:49:37 GMT", and the two older forms of RFC 9110 5.6.7.
 *
 * @param out  receives seconds since 1970; untouched unless it is a date.
 */
bool http_date_read(const char *text, int64_t *out);

/** "" for what lies before year 1 or past year 9999. @return out */
const char *http_date_write(char out[HTTP_DATE_TEXT], int64_t seconds);

#endif
