/* SPDX-License-Identifier: MIT */
/*
 * Runs and what they come to, see series.h.
 */
#include "bench/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/status.h>

#include "bench/work_io.h"

static bool answer_is_right(const struct job *job, uint64_t number, uint64_t answer,
                            struct answers *answers)
{
    if (job->kind == WORK_CPU)
        return answer == answers->cpu;
    if (job->kind == WORK_IO)
        return answer == io_answer(number, job->size);
    uint64_t *known = &answers->urls[number % answers->url_count];
    if (*known == UINT64_MAX)
        *known = answer;
    return answer == *known;
}

static void check_answers(struct series *series, const struct round_page *page,
                          struct answers *answers)
{
    for (uint64_t i = 0; i < series->job.tasks; i++) {
        const struct record *record = &page->records[i];
        if (record->code != 0 || record->end == 0)
            series->failed++;
        else if (!answer_is_right(&series->job, i, record->answer, answers))
            series->wrong++;
    }
    if (page->usage.code != 0 && series->message[0] == '\0')
        (void)snprintf(series->message, sizeof(series->message), "%s",
                       page->usage.message[0] != '\0' ? page->usage.message
                                                      : sil_strerror(page->usage.code));
}

bool series_add(struct series *series, const struct round_page *page, struct answers *answers,
                bool keep)
{
    const struct usage *usage = &page->usage;
    double scale = (double)series->wanted / (double)series->job.tasks;
    double work = 0;
    for (uint64_t i = 0; i < series->job.tasks && series->job.kind == WORK_CPU; i++)
        work += (double)page->records[i].cpu / 1e9;
    measure_add(&series->wall, usage->wall * scale);
    measure_add(&series->cpu, usage->cpu * scale);
    measure_add(&series->switches, (double)usage->switches * scale);
    measure_add(&series->memory, (double)usage->memory);
    double overhead = (usage->cpu - work) / (double)series->job.tasks;
    measure_add(&series->overhead, overhead > 0 ? overhead : 0);
    check_answers(series, page, answers);
    if (!keep)
        return true;
    series->last = *usage;
    size_t size = series->job.tasks * sizeof(*series->records);
    series->records = malloc(size > 0 ? size : 1);
    if (series->records == NULL)
        return false;
    memcpy(series->records, page->records, size);
    return true;
}

void comparison_fini(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++)
        free(comparison->list[i].records);
    free(comparison->list);
    free(comparison->answers.urls);
    *comparison = (struct comparison){0};
}

bool series_scaled(const struct series *series)
{
    return series->job.tasks != series->wanted;
}

const char *series_kind(const struct series *series)
{
    return series->job.kind == WORK_CPU ? "cpu" : "io";
}

unsigned series_width(const struct series *series)
{
    const struct job *job = &series->job;
    bool one = job->mode == MODE_SEQ || (job->mode == MODE_ASYNC && job->kind == WORK_CPU);
    return one ? 1 : job->workers;
}

static const struct series *find_seq(const struct comparison *comparison, bool cpu)
{
    size_t count;
    const struct series *first = comparison_kind(comparison, cpu, &count);
    return first != NULL && first->job.mode == MODE_SEQ ? first : NULL;
}

double series_speedup(const struct comparison *comparison, const struct series *series)
{
    const struct series *seq = find_seq(comparison, series->job.kind == WORK_CPU);
    double wall = measure_median(&series->wall);
    return seq == NULL || wall <= 0 ? 0 : measure_median(&seq->wall) / wall;
}

double series_ideal(const struct comparison *comparison, const struct series *series)
{
    const struct job *job = &series->job;
    double wall = measure_median(&series->wall);
    if (job->kind == WORK_URLS || wall <= 0)
        return 0; /* nobody knows what the network could do */
    double width = series_width(series);
    if (job->kind == WORK_IO) {
        width = width > (double)series->wanted ? (double)series->wanted : width;
        return (double)series->wanted * job->latency / width / wall;
    }
    const struct series *seq = find_seq(comparison, true);
    double alone =
        seq != NULL ? measure_median(&seq->wall) : comparison->cpu_work * (double)series->wanted;
    width = width > comparison->cpus ? comparison->cpus : width;
    return alone / width / wall;
}

const struct series *comparison_kind(const struct comparison *comparison, bool cpu,
                                     size_t *out_count)
{
    const struct series *first = NULL;
    *out_count = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        if ((comparison->list[i].job.kind == WORK_CPU) != cpu)
            continue;
        first = first != NULL ? first : &comparison->list[i];
        ++*out_count;
    }
    return first;
}

double comparison_spread(const struct comparison *comparison)
{
    double widest = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        double spread = measure_spread(&comparison->list[i].wall);
        widest = spread > widest ? spread : widest;
    }
    return widest;
}
