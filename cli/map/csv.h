/* SPDX-License-Identifier: MIT */
/*
 * Records of comma separated values (RFC 4180), out of bytes that come piece by piece.
 *
 * A record ends at a newline, or CR and newline, that stands in no quotes. A field is quoted if it
 * begins with a quote; in it two quotes are one. A quote further behind is a byte like others. What
 * RFC 4180 forbids and what could be meant in two ways is an error: text behind a closing quote, a
 * quote without its end, a zero byte.
 */
#ifndef CLI_MAP_CSV_H
#define CLI_MAP_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/inputs.h"

/** Where the search for a record's end stands; all zero to begin with one. */
struct csv_scan {
    enum csv_state { CSV_BEGIN, CSV_PLAIN, CSV_QUOTED, CSV_BEHIND, CSV_BEHIND_CR } state;
    size_t at;         /**< bytes looked at */
    size_t separators; /**< among them */
    uint64_t newlines; /**< among them, within quotes too */
};

enum csv_found {
    CSV_RECORD, /**< here is one */
    CSV_MORE,   /**< its end has not come yet */
    CSV_BAD,    /**< it is none */
};

/**
 * Look for the end of the record that begins the bytes. To go on, when there are more: the same
 * bytes with more behind them.
 *
 * @param ended     nothing more will come: what is left is a record.
 * @param out_size  receives the record's size without its end; the end is scan->at.
 * @param out_reason  receives what is wrong with it, for CSV_BAD.
 */
enum csv_found csv_scan(struct csv_scan *scan, const char *bytes, size_t size, char separator,
                        bool ended, size_t *out_size, const char **out_reason);

/** The fields of a record that was found. @return returns owned: free(); NULL: out of memory. */
struct row *csv_split(const struct csv_scan *scan, const char *record, size_t size, char separator);

#endif
