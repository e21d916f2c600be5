/* SPDX-License-Identifier: MIT */
/*
 * Comma separated values, see csv.h. A record is walked through twice: to find its end and count
 * its fields, and to copy them.
 */
#include "map/csv.h"

#include "map/row.h"

/* The state after one more byte. */
static enum csv_state step(struct csv_scan *scan, char c, char separator, const char **out_reason)
{
    if (c == '\0')
        *out_reason = "a zero byte";
    if (scan->state == CSV_QUOTED) {
        scan->newlines += c == '\n';
        return c == '"' ? CSV_BEHIND : CSV_QUOTED;
    }
    if (scan->state == CSV_BEHIND && c == '"')
        return CSV_QUOTED;
    if (c == separator && scan->state != CSV_BEHIND_CR) {
        scan->separators++;
        return CSV_BEGIN;
    }
    if (scan->state == CSV_BEHIND && c == '\r')
        return CSV_BEHIND_CR;
    if (scan->state == CSV_BEHIND || scan->state == CSV_BEHIND_CR)
        *out_reason = "text behind a closing quote";
    return scan->state == CSV_BEGIN && c == '"' ? CSV_QUOTED : CSV_PLAIN;
}

enum csv_found csv_scan(struct csv_scan *scan, const char *bytes, size_t size, char separator,
                        bool ended, size_t *out_size, const char **out_reason)
{
    *out_reason = NULL;
    for (; scan->at < size; scan->at++) {
        char c = bytes[scan->at];
        if (c == '\n' && scan->state != CSV_QUOTED) {
            *out_size = scan->at - (scan->at > 0 && bytes[scan->at - 1] == '\r');
            scan->newlines++;
            scan->at++;
            return CSV_RECORD;
        }
        scan->state = step(scan, c, separator, out_reason);
        if (*out_reason != NULL)
            return CSV_BAD;
    }
    if (!ended)
        return CSV_MORE;
    if (scan->state == CSV_QUOTED) {
        *out_reason = "a quote without its end";
        return CSV_BAD;
    }
    *out_size = size - (scan->state == CSV_BEHIND_CR);
    return CSV_RECORD;
}

/* Copy the field that begins here. Returns where the separator behind it, or the end, stands. */
static const char *copy_field(const char *at, const char *last, char separator, char **out)
{
    char *to = *out;
    if (at < last && *at == '"') {
        for (at++; at < last && (*at != '"' || (at + 1 < last && at[1] == '"')); at++) {
            at += *at == '"';
            *to++ = *at;
        }
        at++;
    } else {
        while (at < last && *at != separator)
            *to++ = *at++;
    }
    *to++ = '\0';
    *out = to;
    return at;
}

struct row *csv_split(const struct csv_scan *scan, const char *record, size_t size, char separator)
{
    size_t fields = scan->separators + 1;
    char *out;
    struct row *row = row_create(fields, size + fields, &out);
    if (row == NULL)
        return NULL;
    const char *last = record + size;
    for (size_t i = 0; i < fields; i++) {
        char *begin = out;
        record = copy_field(record, last, separator, &out) + 1;
        row->fields[i] = (struct field){.bytes = begin, .size = (size_t)(out - begin) - 1};
    }
    return row;
}
