/* SPDX-License-Identifier: MIT */
/*
 * The last run of each series as a trace: a row for each worker, a bar for each task. It is written
 * afterwards, from what the tasks have said, so that it does not disturb what is measured. A trace begins
 * when it is started, so all moments are moved: the first is its beginning.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/trace.h>

#include "bench/report.h"

/* How far the runs lie back. */
static int64_t delay(const struct comparison *comparison)
{
    int64_t now = sil_clock(), first = now;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct series *series = &comparison->list[i];
        if (series->records != NULL && series->last.begin < first)
            first = series->last.begin;
    }
    return now - first;
}

static int add_series(const struct series *series, int64_t later)
{
    unsigned count;
    unsigned *rows = rows_of_workers(series, &count);
    sil_track *tracks = rows != NULL ? calloc(count, sizeof(*tracks)) : NULL;
    int code = tracks == NULL ? sil_fail(SIL_ENOMEM, "out of memory") : 0;
    char name[64];
    for (unsigned row = 0; tracks != NULL && row < count; row++) {
        (void)snprintf(name, sizeof(name), "%s %s of %u: %u", series_kind(series),
                       mode_names[series->job.mode], series->job.workers, row + 1);
        tracks[row] = sil_trace_track(name);
    }
    for (uint64_t i = 0; tracks != NULL && i < series->job.tasks; i++) {
        const struct record *record = &series->records[i];
        if (record->end == 0)
            continue;
        (void)snprintf(name, sizeof(name), "task %llu", (unsigned long long)i);
        sil_trace_span(tracks[rows[i]], name, series_kind(series), record->begin + later,
                       record->end + later, NULL);
    }
    free(tracks);
    free(rows);
    return code;
}

int trace_write(const struct comparison *comparison, const char *file)
{
    int code =
        sil_trace_start(file, &(sil_trace_options){.process = "sillon bench", .only_own = true});
    if (code != 0)
        return code;
    int64_t later = delay(comparison);
    for (size_t i = 0; i < comparison->count && code == 0; i++)
        if (comparison->list[i].records != NULL)
            code = add_series(&comparison->list[i], later);
    int stopped = sil_trace_stop(NULL);
    return code != 0 ? code : stopped;
}
