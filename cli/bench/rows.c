/* SPDX-License-Identifier: MIT */
/*
 * Rows for pictures and traces: threads, processes and coroutines, numbered from 0.
 */
#include <stdlib.h>

#include "bench/report.h"

struct place {
    const struct record *record;
    uint64_t number;
};

static int by_worker(const void *a, const void *b)
{
    const struct record *left = ((const struct place *)a)->record;
    const struct record *right = ((const struct place *)b)->record;
    if (left->worker != right->worker)
        return left->worker < right->worker ? -1 : 1;
    return (left->begin > right->begin) - (left->begin < right->begin);
}

static int by_begin(const void *a, const void *b)
{
    const struct record *left = ((const struct place *)a)->record;
    const struct record *right = ((const struct place *)b)->record;
    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* Sorted by worker, the first of each stands for it. Those are then numbered by when they began. */
unsigned *rows_of_workers(const struct series *series, unsigned *out_count)
{
    size_t count = series->job.tasks;
    struct place *places = calloc(count, sizeof(*places));
    struct place *firsts = calloc(count, sizeof(*firsts));
    unsigned *rows = calloc(count, sizeof(*rows));
    if (places == NULL || firsts == NULL || rows == NULL) {
        free(rows);
        rows = NULL;
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){&series->records[i], i};
    qsort(places, count, sizeof(*places), by_worker);
    unsigned used = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || places[i].record->worker != places[i - 1].record->worker)
            firsts[used++] = (struct place){places[i].record, i};
    qsort(firsts, used, sizeof(*firsts), by_begin);
    for (unsigned row = 0; row < used; row++)
        for (size_t i = firsts[row].number;
             i < count && places[i].record->worker == firsts[row].record->worker; i++)
            rows[places[i].number] = row;
    *out_count = used;
done:
    free(places);
    free(firsts);
    return rows;
}
