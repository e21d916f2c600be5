/* SPDX-License-Identifier: MIT */
/*
 * `sillon bench`: the same tasks one after the other and at the same time, and what that gains.
 *
 * Both ways run the same code. Only the executor differs: one that runs each task at once in the
 * thread that submits it, and a pool.
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/thread_pool.h>

#include "bench/count.h"
#include "bench/downloads.h"
#include "bench/measure.h"
#include "command.h"
#include "options.h"
#include "output/live.h"
#include "output/table.h"
#include "text/units.h"

struct bench_options {
    uint64_t count;
    uint64_t runs;
    uint64_t jobs;
    char *input_file;
};

#define AT(field) offsetof(struct bench_options, field)

static const struct option_record bench_records[] = {
    {.group = "Count loops",
     .name = "count",
     .letter = 'n',
     .argument = "N",
     .help = "steps of a loop (default: 100000000)",
     .kind = OPTION_NUMBER,
     .offset = AT(count),
     .least = 1,
     .most = UINT64_MAX},
    {.group = "Count loops",
     .name = "runs",
     .letter = 'r',
     .argument = "N",
     .help = "runs; their median counts (default: 5)",
     .kind = OPTION_NUMBER,
     .offset = AT(runs),
     .least = 1,
     .most = MEASURE_RUNS},
    {.group = "Downloads",
     .name = "input-file",
     .letter = 'i',
     .argument = "FILE",
     .help = "URLs from FILE, one a line ('-': standard input)",
     .kind = OPTION_TEXT,
     .offset = AT(input_file)},
    {.group = "Downloads",
     .name = "jobs",
     .letter = 'j',
     .argument = "N",
     .help = "downloads at the same time (default: 16)",
     .kind = OPTION_NUMBER,
     .offset = AT(jobs),
     .least = 1,
     .most = 1000},
};

static const struct syntax bench_syntax = {
    .command = "bench",
    .usage = "[OPTION]... [URL]...\n",
    .summary = "Time the same work one after the other and at the same time.",
    .examples = "  sillon bench\n"
                "  sillon bench -j 32 -i urls.txt\n",
    .options = bench_records,
    .option_count = sizeof(bench_records) / sizeof(bench_records[0]),
    .notes = "Two count loops run one after the other, then on the two threads of a pool; the\n"
             "start of the threads is part of the time. With URLs, the same is done with\n"
             "their downloads, once each way; what comes is counted and forgotten.\n"
             "\n"
             "Exit status: 0 all done, 1 some downloads failed, 2 wrong usage.\n",
};

/* What is being done now, for a terminal. */
static void say(struct live *live, const char *what)
{
    if (!live_possible(live->fd))
        return;
    (void)snprintf(live_add_line(live), LIVE_LINE_SIZE, "%s ...", what);
    live_draw(live);
}

static int fail(void)
{
    (void)fprintf(stderr, "sillon bench: %s\n", sil_error_message(sil_last_error()));
    return STATUS_SOME_FAILED;
}

/* @param executor  takes; NULL: it could not be made. */
static int time_loops(sil_executor *executor, uint64_t steps, int64_t started, struct measure *out)
{
    if (executor == NULL)
        return fail();
    int code = count_twice(executor, steps);
    sil_executor_close(executor);
    measure_add(out, (double)(sil_clock() - started) / 1e9);
    return code == 0 ? STATUS_DONE : fail();
}

static void warn_of_noise(const struct measure *sequential, const struct measure *concurrent)
{
    double one = measure_spread(sequential), other = measure_spread(concurrent);
    double spread = one > other ? one : other;
    if (spread > 0.1)
        (void)fprintf(stderr,
                      "sillon bench: warning: runs of the loops differ by %.0f %%; the machine "
                      "is not quiet\n",
                      spread * 100);
}

static void add_times(char (*row)[TABLE_CELL], double sequential, double concurrent)
{
    (void)snprintf(row[1], TABLE_CELL, "%.3f s", sequential);
    (void)snprintf(row[2], TABLE_CELL, "%.3f s", concurrent);
    (void)snprintf(row[3], TABLE_CELL, "%.2f x", concurrent > 0 ? sequential / concurrent : 0);
}

static int bench_loops(const struct bench_options *options, struct live *live, struct table *table)
{
    struct measure sequential = {0}, concurrent = {0};
    /* In turn, so that a machine that grows slower or faster does so for both. */
    for (uint64_t run = 0; run < options->runs; run++) {
        say(live, "Counting, one loop after the other");
        int64_t started = sil_clock();
        int status = time_loops(sil_inline_executor(), options->count, started, &sequential);
        if (status != STATUS_DONE)
            return status;
        say(live, "Counting, both loops at once");
        started = sil_clock();
        sil_thread_pool_options pool = {.workers = COUNT_LOOPS, .name = "count"};
        status = time_loops(sil_thread_pool(&pool), options->count, started, &concurrent);
        if (status != STATUS_DONE)
            return status;
    }
    live_erase(live);
    warn_of_noise(&sequential, &concurrent);
    char(*row)[TABLE_CELL] = table_add_row(table);
    (void)snprintf(row[0], TABLE_CELL, "%d count loops of %llu steps, on %d threads", COUNT_LOOPS,
                   (unsigned long long)options->count, COUNT_LOOPS);
    add_times(row, measure_median(&sequential), measure_median(&concurrent));
    return STATUS_DONE;
}

static int bench_downloads(const struct bench_options *options, const struct downloads *downloads,
                           struct live *live, struct table *table)
{
    struct downloads_outcome sequential = {0}, concurrent = {0};
    say(live, "Downloading, one URL after the other");
    sil_executor *one = sil_inline_executor();
    bool good = one != NULL && downloads_run(downloads, one, 1, false, &sequential);
    sil_executor_close(one);

    say(live, "Downloading, many URLs at once");
    sil_executor *pool = sil_thread_pool(
        &(sil_thread_pool_options){.workers = (unsigned)options->jobs, .name = "get"});
    live_erase(live);
    good = good && pool != NULL &&
           downloads_run(downloads, pool, (size_t)options->jobs, true, &concurrent);
    sil_executor_close(pool);
    if (!good)
        return fail();

    char bytes[UNIT_TEXT_SIZE];
    char(*row)[TABLE_CELL] = table_add_row(table);
    (void)snprintf(row[0], TABLE_CELL, "%zu downloads, %s, %llu at a time", downloads->count,
                   unit_bytes(bytes, (double)concurrent.bytes), (unsigned long long)options->jobs);
    add_times(row, sequential.seconds, concurrent.seconds);
    if (sequential.failed + concurrent.failed == 0)
        return STATUS_DONE;
    (void)fprintf(stderr, "sillon bench: failed downloads: %llu sequential, %llu concurrent\n",
                  (unsigned long long)sequential.failed, (unsigned long long)concurrent.failed);
    return STATUS_SOME_FAILED;
}

static int bench_all(const struct bench_options *options, const struct downloads *downloads)
{
    struct live live = {.fd = STDERR_FILENO};
    struct table table = {0};
    char(*heading)[TABLE_CELL] = table_add_row(&table);
    (void)snprintf(heading[0], TABLE_CELL, "the same work");
    (void)snprintf(heading[1], TABLE_CELL, "sequential");
    (void)snprintf(heading[2], TABLE_CELL, "concurrent");
    (void)snprintf(heading[3], TABLE_CELL, "speed-up");

    unsigned cpus = sil_process_cpu_count();
    if (cpus < COUNT_LOOPS)
        (void)fprintf(stderr, "sillon bench: warning: this process may use one CPU only, where two "
                              "loops must take turns\n");
    int status = bench_loops(options, &live, &table);
    if (status != STATUS_DONE)
        return status;
    if (downloads->count > 0)
        status = bench_downloads(options, downloads, &live, &table);
    live_erase(&live);
    table_print(&table, stdout);
    (void)printf("%u CPUs; loops: median of %llu runs%s\n", cpus, (unsigned long long)options->runs,
                 downloads->count > 0 ? "; downloads: one run each way"
                                      : "; no URLs were given, so nothing was downloaded");
    return status;
}

static int run_with_source(const struct bench_options *options, struct source *source)
{
    struct downloads downloads = {0};
    int refused = downloads_read(&downloads, source);
    int status = STATUS_SOME_FAILED;
    if (source_error(source) != NULL)
        (void)fprintf(stderr, "sillon bench: reading URLs: %s\n", source_error(source));
    else if (refused < 0)
        (void)fprintf(stderr, "sillon bench: out of memory\n");
    else
        status = bench_all(options, &downloads);
    downloads_fini(&downloads);
    return status == STATUS_DONE && refused > 0 ? STATUS_SOME_FAILED : status;
}

static int run_bench(int argc, char **argv)
{
    struct bench_options options = {.count = 100000000, .runs = 5, .jobs = 16};
    struct words words;
    int status = options_parse(&bench_syntax, argc, argv, &options, &words);
    if (status == OPTIONS_OK) {
        (void)signal(SIGPIPE, SIG_IGN); /* a server that hangs up must not end us */
        struct source *source = source_create(words.list, words.count, options.input_file);
        if (source != NULL)
            status = run_with_source(&options, source);
        else
            status = options_refuse(&bench_syntax, options.input_file,
                                    sil_error_message(sil_last_error()));
        source_destroy(source);
    }
    options_fini(&bench_syntax, &options, &words);
    return status;
}

const struct command bench_command = {
    .name = "bench",
    .summary = "time the same work sequentially and concurrently",
    .run = run_bench,
};
