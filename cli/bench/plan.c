/* SPDX-License-Identifier: MIT */
/*
 * From options to jobs, see plan.h.
 *
 * What does one task at a time is not measured for all of them where that would take long: 500 waits of
 * 50 ms are 25 s, which nobody has to sit through six times to know that. As many as fit into
 * ENOUGH_SECONDS tell as much.
 */
#include "bench/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "text/units.h"

enum { LIST_MOST = 16, WORKERS_MOST = 1024, CPU_TASKS = 64, IO_TASKS = 500, IO_WORKERS = 50 };

static const double ENOUGH_SECONDS = 0.75;

struct wishes {
    bool kinds[2]; /* cpu, io */
    bool modes[MODES];
    unsigned workers[LIST_MOST];
    size_t worker_count; /* 0: none were given */
};

/* Cut the next word off a list. @return false: there is none. */
static bool next_word(const char **list, char *word, size_t size)
{
    if (*list == NULL)
        return false;
    size_t length = strcspn(*list, ",");
    (void)snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), *list);
    *list = (*list)[length] == ',' ? *list + length + 1 : NULL;
    return true;
}

static int read_modes(const char *list, struct wishes *wishes)
{
    char word[32];
    for (int i = 0; list == NULL && i < MODES; i++)
        wishes->modes[i] = true;
    while (next_word(&list, word, sizeof(word))) {
        int mode = 0;
        while (mode < MODES && strcmp(word, mode_names[mode]) != 0)
            mode++;
        if (mode == MODES)
            return options_refuse(&bench_syntax, word,
                                  "no mode; there are seq, threads, processes and async");
        wishes->modes[mode] = true;
    }
    return OPTIONS_OK;
}

static int read_workers(const char *list, struct wishes *wishes)
{
    char word[32];
    while (next_word(&list, word, sizeof(word))) {
        uint64_t number;
        if (!unit_read_number(word, 1, WORKERS_MOST, &number))
            return options_refuse(&bench_syntax, word, "not a number of workers from 1 to %d",
                                  WORKERS_MOST);
        if (wishes->worker_count == LIST_MOST)
            return options_refuse(&bench_syntax, word, "more than %d numbers of workers",
                                  LIST_MOST);
        wishes->workers[wishes->worker_count++] = (unsigned)number;
    }
    return OPTIONS_OK;
}

static int read_kinds(const struct words *words, struct wishes *wishes)
{
    for (size_t i = 0; i < words->count; i++) {
        bool cpu = strcmp(words->list[i], "cpu") == 0, io = strcmp(words->list[i], "io") == 0;
        if (!cpu && !io)
            return options_refuse(&bench_syntax, words->list[i], "neither cpu nor io");
        wishes->kinds[cpu ? 0 : 1] = true;
    }
    if (words->count == 0)
        wishes->kinds[0] = wishes->kinds[1] = true;
    return OPTIONS_OK;
}

/* The workers of a kind, each number once. @return how many. */
static size_t choose_workers(const struct wishes *wishes, bool cpu, unsigned cpus,
                             unsigned out[LIST_MOST])
{
    const unsigned usual[] = {1, 2, cpus}, usual_io[] = {IO_WORKERS};
    const unsigned *from = wishes->workers;
    size_t count = wishes->worker_count;
    if (count == 0) {
        from = cpu ? usual : usual_io;
        count = cpu ? 3 : 1;
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        for (size_t j = 0; j < used; j++)
            there = there || out[j] == from[i];
        if (!there)
            out[used++] = from[i];
    }
    return used;
}

static void add(struct comparison *out, const struct bench_options *options, struct job job)
{
    struct series *series = &out->list[out->count++];
    *series = (struct series){.job = job, .wanted = job.tasks};
    double one = job.kind == WORK_CPU ? options->cpu_work : options->io_latency;
    double all = one * (double)job.tasks;
    if (job.kind != WORK_URLS && series_width(series) == 1 && all > 1.2 * ENOUGH_SECONDS) {
        series->job.tasks = (uint64_t)(ENOUGH_SECONDS / one);
        series->job.tasks = series->job.tasks > 0 ? series->job.tasks : 1;
    }
}

static void add_kind(struct comparison *out, const struct bench_options *options,
                     const struct wishes *wishes, struct job job)
{
    unsigned workers[LIST_MOST];
    size_t count = choose_workers(wishes, job.kind == WORK_CPU, out->cpus, workers);
    for (int mode = 0; mode < MODES; mode++) {
        job.mode = (enum bench_mode)mode;
        bool one = mode == MODE_SEQ || (mode == MODE_ASYNC && job.kind == WORK_CPU);
        for (size_t i = 0; wishes->modes[mode] && i < (one ? 1 : count); i++) {
            job.workers = one ? 1 : workers[i];
            add(out, options, job);
        }
    }
}

int plan_make(const struct bench_options *options, const struct words *words,
              const struct texts *urls, unsigned cpus, struct comparison *out)
{
    struct wishes wishes = {0};
    int status = read_kinds(words, &wishes);
    if (status == OPTIONS_OK)
        status = read_modes(options->modes, &wishes);
    if (status == OPTIONS_OK)
        status = read_workers(options->workers, &wishes);
    if (status == OPTIONS_OK && options->cpu_work <= 0)
        status = options_refuse(&bench_syntax, "--cpu-work", "must be more than no time");
    if (status != OPTIONS_OK)
        return status;
    out->cpus = cpus;
    out->list = calloc((size_t)2 * MODES * LIST_MOST, sizeof(*out->list));
    if (out->list == NULL) {
        (void)fprintf(stderr, "sillon bench: out of memory\n");
        return STATUS_LOCAL_FAILURE;
    }
    struct job cpu = {.kind = WORK_CPU, .tasks = options->tasks > 0 ? options->tasks : CPU_TASKS};
    struct job io = {.kind = urls->count > 0 ? WORK_URLS : WORK_IO,
                     .tasks = options->tasks > 0 ? options->tasks : IO_TASKS,
                     .latency = options->io_latency,
                     .size = options->io_size,
                     .urls = urls->list,
                     .url_count = urls->count};
    if (urls->count > 0 && options->tasks == 0)
        io.tasks = urls->count;
    if (wishes.kinds[0])
        add_kind(out, options, &wishes, cpu);
    if (wishes.kinds[1])
        add_kind(out, options, &wishes, io);
    return OPTIONS_OK;
}
