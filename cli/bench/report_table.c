/* SPDX-License-Identifier: MIT */
/*
 * The comparison for people: tables, and what to make of them.
 */
#include <string.h>

#include "bench/report.h"
#include "output/table.h"
#include "text/units.h"

/* Within this of the fastest, the mode that costs less is better. */
static const double AS_FAST = 1.05;

/* A time in the unit that suits `like`: those of a row look alike. */
static void write_time(char *out, size_t size, double seconds, double like, bool unit)
{
    if (like < 1e-3)
        (void)snprintf(out, size, "%.1f%s", seconds * 1e6, unit ? " us" : "");
    else if (like < 1)
        (void)snprintf(out, size, "%.1f%s", seconds * 1e3, unit ? " ms" : "");
    else
        (void)snprintf(out, size, "%.3f%s", seconds, unit ? " s" : "");
}

static void write_row(const struct comparison *comparison, const struct series *series,
                      char (*row)[TABLE_CELL])
{
    double wall = measure_median(&series->wall), cpu = measure_median(&series->cpu);
    double overhead = measure_median(&series->overhead);
    double speedup = series_speedup(comparison, series), ideal = series_ideal(comparison, series);
    char least[24], most[24], bytes[UNIT_TEXT_SIZE];
    write_time(least, sizeof(least), measure_least(&series->wall), wall, false);
    write_time(most, sizeof(most), measure_most(&series->wall), wall, false);

    (void)snprintf(row[0], TABLE_CELL, "%s%s", mode_names[series->job.mode],
                   series_scaled(series) ? ", scaled" : "");
    (void)snprintf(row[1], TABLE_CELL, "%u", series->job.workers);
    write_time(row[2], TABLE_CELL, wall, wall, true);
    (void)snprintf(row[3], TABLE_CELL, "%s..%s", least, most);
    (void)snprintf(row[4], TABLE_CELL, speedup > 0 ? "%.2f x" : "-", speedup);
    (void)snprintf(row[5], TABLE_CELL, ideal > 0 ? "%.0f %%" : "-", ideal * 100);
    write_time(row[6], TABLE_CELL, cpu, cpu, true);
    (void)snprintf(row[7], TABLE_CELL, "%.0f", measure_median(&series->switches));
    (void)snprintf(row[8], TABLE_CELL, "%s", unit_bytes(bytes, measure_median(&series->memory)));
    (void)snprintf(row[9], TABLE_CELL, "%.1f us", overhead * 1e6);
}

static void write_heading(const struct series *first, char (*row)[TABLE_CELL])
{
    static const char *const names[TABLE_COLUMNS] = {
        "",      "workers", "wall",     "least..most", "speed-up",
        "ideal", "CPU",     "switches", "memory",      "cost a task"};
    for (int i = 1; i < TABLE_COLUMNS; i++)
        (void)snprintf(row[i], TABLE_CELL, "%s", names[i]);
    (void)snprintf(row[0], TABLE_CELL, "%llu %s tasks", (unsigned long long)first->wanted,
                   series_kind(first));
}

/* What the tasks are, and what "scaled" means here. */
static void write_notes(const struct comparison *comparison, const struct series *first,
                        size_t count, FILE *out)
{
    char time[32], size[UNIT_TEXT_SIZE];
    const struct job *job = &first->job;
    if (job->kind == WORK_CPU) {
        write_time(time, sizeof(time), comparison->cpu_work, comparison->cpu_work, true);
        (void)fprintf(out, "A task counts the primes below %llu: %s. CPUs: %u.",
                      (unsigned long long)job->below, time, comparison->cpus);
    } else if (job->kind == WORK_IO) {
        (void)snprintf(time, sizeof(time), "no time");
        if (job->latency > 0)
            write_time(time, sizeof(time), job->latency, job->latency, true);
        (void)fprintf(out, "A task gets %s from a server that takes %s.",
                      unit_bytes(size, (double)job->size), time);
    } else {
        (void)fprintf(out, "A task loads one of %zu URL%s.", job->url_count,
                      job->url_count == 1 ? "" : "s");
    }
    for (size_t i = 0; i < count; i++) {
        if (!series_scaled(&first[i]))
            continue;
        (void)fprintf(out, " Scaled: from %llu tasks.", (unsigned long long)first[i].job.tasks);
        break;
    }
    (void)fputc('\n', out);
}

/* Of those that were measured: a mode whose tasks failed has no times. NULL: there is none. */
static const struct series *fastest_of(const struct series *first, size_t count, int mode)
{
    const struct series *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (first[i].wall.count == 0 || (mode != MODES && (int)first[i].job.mode != mode))
            continue;
        if (best == NULL || measure_median(&first[i].wall) < measure_median(&best->wall))
            best = &first[i];
    }
    return best;
}

/* The simplest that is about as fast as the fastest. NULL: none was measured. */
static const struct series *choose(const struct series *first, size_t count)
{
    static const enum bench_mode simplest_first[MODES] = {MODE_SEQ, MODE_ASYNC, MODE_THREADS,
                                                          MODE_PROCESSES};
    const struct series *fastest = fastest_of(first, count, MODES);
    if (fastest == NULL)
        return NULL;
    double limit = measure_median(&fastest->wall) * AS_FAST;
    for (int i = 0; i < MODES; i++) {
        const struct series *best = fastest_of(first, count, simplest_first[i]);
        if (best != NULL && measure_median(&best->wall) <= limit)
            return best;
    }
    return fastest;
}

/* " (1.98 times as fast as seq)". */
static void write_speed(const struct comparison *comparison, const struct series *series, char *out,
                        size_t size)
{
    double speedup = series_speedup(comparison, series);
    out[0] = '\0';
    if (speedup > 0 && series->job.mode != MODE_SEQ)
        (void)snprintf(out, size, "%.2f times as fast as one after another", speedup);
    else
        (void)snprintf(out, size, "the fastest here");
}

static void write_why(const struct comparison *comparison, const struct series *best,
                      const struct series *first, size_t count, char *out, size_t size)
{
    const struct series *threads = fastest_of(first, count, MODE_THREADS);
    const struct series *processes = fastest_of(first, count, MODE_PROCESSES);
    const struct series *async = fastest_of(first, count, MODE_ASYNC);
    bool cpu = best->job.kind == WORK_CPU;
    char memory[UNIT_TEXT_SIZE], other[UNIT_TEXT_SIZE];
    out[0] = '\0';
    (void)unit_bytes(memory, measure_median(&best->memory));
    if (best->job.mode == MODE_SEQ)
        (void)snprintf(out, size, "; nothing else is worth its start");
    else if (cpu && best->job.mode == MODE_THREADS && async != NULL)
        (void)snprintf(out, size,
                       "; coroutines share one CPU (%.2f times), and processes need more memory",
                       series_speedup(comparison, async));
    else if (cpu && best->job.mode == MODE_PROCESSES && threads != NULL)
        (void)snprintf(out, size, "; threads gave %.2f times", series_speedup(comparison, threads));
    else if (!cpu && best->job.mode == MODE_ASYNC && (processes != NULL || threads != NULL))
        (void)snprintf(
            out, size, "; one thread and %s, where %u %s need %s", memory,
            (processes != NULL ? processes : threads)->job.workers,
            processes != NULL ? "processes" : "threads",
            unit_bytes(other, measure_median(&(processes != NULL ? processes : threads)->memory)));
    else if (!cpu && best->job.mode != MODE_ASYNC && async != NULL)
        (void)snprintf(out, size, "; async took %.0f %% longer",
                       (measure_median(&async->wall) / measure_median(&best->wall) - 1) * 100);
}

bool report_advice(const struct comparison *comparison, bool cpu, char out[ADVICE_SIZE])
{
    static const char *const names[MODES] = {"no concurrency", "threads", "processes",
                                             "coroutines (async)"};
    size_t count;
    const struct series *first = comparison_kind(comparison, cpu, &count);
    if (first == NULL || count < 2)
        return false;
    const struct series *best = choose(first, count);
    if (best == NULL)
        return false;
    char speed[96], why[256];
    write_speed(comparison, best, speed, sizeof(speed));
    write_why(comparison, best, first, count, why, sizeof(why));
    (void)snprintf(out, ADVICE_SIZE, "For %s like these use %s: %s%s.",
                   cpu ? "tasks that compute" : "tasks that wait", names[best->job.mode], speed,
                   why);
    return true;
}

static void print_kind(const struct comparison *comparison, bool cpu, bool markdown, bool bold,
                       FILE *out)
{
    size_t count;
    const struct series *first = comparison_kind(comparison, cpu, &count);
    if (first == NULL)
        return;
    struct table table = {0};
    write_heading(first, table_add_row(&table));
    for (size_t i = 0; i < count; i++)
        write_row(comparison, &first[i], table_add_row(&table));
    if (markdown)
        table_print_markdown(&table, out);
    else
        table_print(&table, out);
    if (markdown)
        (void)fputc('\n', out);
    write_notes(comparison, first, count, out);
    char advice[ADVICE_SIZE];
    if (report_advice(comparison, cpu, advice))
        (void)fprintf(out, "%s%s%s%s\n", markdown ? "\n" : "", bold ? "\033[1m" : "", advice,
                      bold ? "\033[0m" : "");
}

void report_table(const struct comparison *comparison, bool markdown, bool bold, FILE *out)
{
    size_t cpu, io;
    (void)comparison_kind(comparison, true, &cpu);
    (void)comparison_kind(comparison, false, &io);
    print_kind(comparison, true, markdown, bold, out);
    if (cpu > 0 && io > 0)
        (void)fputc('\n', out);
    print_kind(comparison, false, markdown, bold, out);
}
