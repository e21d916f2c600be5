/* SPDX-License-Identifier: MIT */
/*
 * A supply, see supply.h: lines, or a file of records.
 */
#include "map/supply.h"

#include <stdlib.h>
#include <string.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "input/lines.h"
#include "input/source.h"
#include "map/csv.h"
#include "map/row.h"

struct supply {
    const struct supply_format *format;
    struct lines *lines;   /* lines, and values of any format */
    struct source *source; /* or a file of records */
    uint64_t line;         /* that the next record begins in */
    uint64_t given;
    bool begun; /* the header was read */
    bool ended;
    struct row *names;
};

struct supply *supply_open(const struct supply_format *format, char *const *values, size_t count,
                           char *const *file)
{
    struct supply *supply = calloc(1, sizeof(*supply));
    if (supply == NULL) {
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return NULL;
    }
    *supply = (struct supply){.format = format, .line = 1};
    if (values == NULL && format->csv)
        supply->source = source_open(*file);
    else
        supply->lines = lines_create(&(struct lines_plan){
            .words = values,
            .word_count = values != NULL ? count : 0,
            .files = file,
            .file_count = values == NULL,
            .null = format->null,
        });
    if (supply->source != NULL || supply->lines != NULL)
        return supply;
    free(supply);
    return NULL;
}

void supply_close(struct supply *supply)
{
    if (supply == NULL)
        return;
    source_close(supply->source);
    lines_destroy(supply->lines);
    free(supply->names);
    free(supply);
}

static int bad_line(const char *file, uint64_t number, const char *reason)
{
    if (file == NULL)
        return sil_fail(SIL_EINVAL, "a value: %s", reason);
    return sil_fail(SIL_EINVAL, "%s, line %llu: %s", file, (unsigned long long)number, reason);
}

/* --- records -------------------------------------------------------------------------------- */

static int split_record(const struct supply *supply, const struct csv_scan *scan, const char *bytes,
                        size_t size, struct row **out)
{
    *out = csv_split(scan, bytes, size, supply->format->separator[0]);
    return *out != NULL ? 0 : sil_fail(SIL_ENOMEM, "out of memory");
}

/* A value of the command line is a record, too. */
static int value_record(const struct supply *supply, const struct line *line, struct row **out)
{
    struct csv_scan scan = {0};
    size_t size;
    const char *reason;
    enum csv_found found =
        csv_scan(&scan, line->text, line->size, supply->format->separator[0], true, &size, &reason);
    if (found == CSV_RECORD && scan.at < line->size)
        reason = "more than one record";
    return reason != NULL ? bad_line(line->file, line->number, reason)
                          : split_record(supply, &scan, line->text, size, out);
}

/* Some editors begin a file with this. */
static void skip_mark(struct source *source)
{
    if (source->used - source->at >= 3 &&
        memcmp(source->bytes + source->at, "\xef\xbb\xbf", 3) == 0)
        source_take(source, 3);
}

static int next_record(struct supply *supply, struct row **out)
{
    struct source *source = supply->source;
    struct csv_scan scan = {0};
    for (;;) {
        size_t left = source->used - source->at, size;
        const char *reason;
        enum csv_found found = CSV_MORE;
        if (supply->line == 1 && scan.at == 0 && left > 0) {
            skip_mark(source);
            left = source->used - source->at;
        }
        if (left > 0)
            found = csv_scan(&scan, source->bytes + source->at, left, supply->format->separator[0],
                             source->ended, &size, &reason);
        if (found == CSV_BAD)
            return bad_line(source->name, supply->line, reason);
        if (found == CSV_MORE && left > LINE_LONGEST)
            return bad_line(source->name, supply->line, "a record that is too long");
        if (found == CSV_RECORD) {
            int code = split_record(supply, &scan, source->bytes + source->at, size, out);
            source_take(source, scan.at);
            supply->line += scan.newlines;
            return code;
        }
        int code = source_more(source);
        if (code != 0 && (code != SIL_EEND || left == 0))
            return code;
    }
}

/* --- rows ----------------------------------------------------------------------------------- */

static int next_line(struct supply *supply, struct row **out)
{
    const struct supply_format *format = supply->format;
    struct line line;
    int code = lines_next(supply->lines, &line);
    if (code != 0)
        return code;
    if (line.reason != NULL)
        return bad_line(line.file, line.number, line.reason);
    if (format->csv)
        return value_record(supply, &line, out);
    *out = row_split(line.text, line.size, format->separator, format->separator_size);
    return *out != NULL ? 0 : sil_fail(SIL_ENOMEM, "out of memory");
}

static int next_row(struct supply *supply, struct row **out)
{
    if (supply->ended)
        return SIL_EEND;
    int code = supply->source != NULL ? next_record(supply, out) : next_line(supply, out);
    supply->ended = code == SIL_EEND;
    return code;
}

int supply_names(struct supply *supply, const struct row **out)
{
    if (supply->format->header && !supply->begun) {
        int code = next_row(supply, &supply->names);
        if (code != 0 && code != SIL_EEND)
            return code;
    }
    supply->begun = true;
    *out = supply->names;
    return 0;
}

int supply_next(struct supply *supply, struct row **out)
{
    const struct row *names;
    int code = supply->begun ? 0 : supply_names(supply, &names);
    if (code == 0)
        code = next_row(supply, out);
    supply->given += code == 0;
    return code;
}

void supply_stop(struct supply *supply)
{
    if (supply->source != NULL)
        source_stop(supply->source);
    if (supply->lines != NULL)
        lines_stop(supply->lines);
}

bool supply_total(const struct supply *supply, uint64_t *out)
{
    uint64_t total = supply->lines != NULL ? lines_total(supply->lines) : 0;
    *out = supply->given;
    if (supply->ended)
        return true;
    *out = total - (total > 0 && supply->format->header);
    return total > 0;
}
