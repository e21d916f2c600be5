/* SPDX-License-Identifier: MIT */
/*
 * `sillon bench`: the same tasks one after the other and at the same time, and what that gains.
 *
 * All ways run the same code. Only the executor differs: one that runs each task at once in the
 * thread that submits it, a pool of threads, a pool of processes, and a loop of coroutines. Downloads
 * wait and do not compute: they are not tried on processes; and the count loops compute and do not
 * wait, so that coroutines, which share one thread, gain nothing.
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/loop.h>
#include <sillon/process_pool.h>
#include <sillon/thread_pool.h>

#include "bench/count.h"
#include "bench/downloads.h"
#include "bench/measure.h"
#include "command.h"
#include "options.h"
#include "output/live.h"
#include "output/table.h"
#include "text/units.h"

/* In the order of the table's columns. */
enum way { SEQUENTIAL, THREADS, PROCESSES, ASYNC, WAYS };

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
    .notes = "Two count loops run one after the other, then on a pool of two threads, then on\n"
             "one of two processes, then as two coroutines of a loop, which is one thread;\n"
             "the start of the threads and processes is part of the time. With URLs, their\n"
             "downloads are done one after the other, on threads, and in coroutines, once each\n"
             "way; what comes is counted and forgotten.\n"
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

static sil_executor *create_executor(enum way way)
{
    switch (way) {
    case THREADS:
        return sil_thread_pool(&(sil_thread_pool_options){.workers = COUNT_LOOPS, .name = "count"});
    case PROCESSES:
        return sil_process_pool(
            &(sil_process_pool_options){.workers = COUNT_LOOPS, .name = "count"});
    case ASYNC:
        return sil_loop_thread(&(sil_loop_options){.name = "count"});
    default:
        return sil_inline_executor();
    }
}

static int time_loops(enum way way, uint64_t steps, struct measure *out)
{
    int64_t started = sil_clock();
    sil_executor *executor = create_executor(way);
    if (executor == NULL)
        return fail();
    int code = count_twice(executor, steps);
    sil_executor_close(executor);
    measure_add(out, (double)(sil_clock() - started) / 1e9);
    return code == 0 ? STATUS_DONE : fail();
}

static void warn_of_noise(const struct measure measures[WAYS])
{
    double spread = 0;
    for (int way = SEQUENTIAL; way < WAYS; way++) {
        double one = measure_spread(&measures[way]);
        spread = one > spread ? one : spread;
    }
    if (spread > 0.1)
        (void)fprintf(stderr,
                      "sillon bench: warning: runs of the loops differ by %.0f %%; the machine "
                      "is not quiet\n",
                      spread * 100);
}

/* The time of a way, and how many times as fast as the sequential one that is. */
static void set_time(char (*row)[TABLE_CELL], enum way way, double seconds, double sequential)
{
    if (way == SEQUENTIAL)
        (void)snprintf(row[1], TABLE_CELL, "%.3f s", seconds);
    else
        (void)snprintf(row[1 + way], TABLE_CELL, "%.3f s, %.2f x", seconds,
                       seconds > 0 ? sequential / seconds : 0);
}

static int bench_loops(const struct bench_options *options, struct live *live, struct table *table)
{
    static const char *const doing[WAYS] = {
        "Counting, one loop after the other", "Counting, on two threads",
        "Counting, in two processes", "Counting, in two coroutines"};
    struct measure measures[WAYS] = {0};
    /* In turn, so that a machine that grows slower or faster does so for all. */
    for (uint64_t run = 0; run < options->runs; run++) {
        for (int way = SEQUENTIAL; way < WAYS; way++) {
            say(live, doing[way]);
            int status = time_loops((enum way)way, options->count, &measures[way]);
            if (status != STATUS_DONE)
                return status;
        }
    }
    live_erase(live);
    warn_of_noise(measures);
    char(*row)[TABLE_CELL] = table_add_row(table);
    (void)snprintf(row[0], TABLE_CELL, "%d count loops of %llu steps", COUNT_LOOPS,
                   (unsigned long long)options->count);
    double sequential = measure_median(&measures[SEQUENTIAL]);
    for (int way = SEQUENTIAL; way < WAYS; way++)
        set_time(row, (enum way)way, measure_median(&measures[way]), sequential);
    return STATUS_DONE;
}

/* What a way of downloading needs, as the argument of a coroutine too. */
struct way_of_downloading {
    const struct downloads *downloads;
    size_t jobs;
    bool report;
    struct downloads_outcome *out;
};

static bool download_on(sil_executor *executor, const struct way_of_downloading *way)
{
    bool good = executor != NULL &&
                downloads_run(way->downloads, executor, way->jobs, way->report, way->out);
    sil_executor_close(executor);
    return good;
}

static int download_in_coroutines(void *arg, void *result)
{
    (void)result;
    const struct way_of_downloading *way = arg;
    bool good = downloads_run(way->downloads, sil_loop_current(), way->jobs, way->report, way->out);
    return good ? 0 : sil_fail(SIL_ENOMEM, "out of memory");
}

static bool download_all_ways(const struct bench_options *options,
                              const struct downloads *downloads, struct live *live,
                              struct downloads_outcome outcomes[WAYS])
{
    struct way_of_downloading way = {downloads, 1, false, &outcomes[SEQUENTIAL]};
    say(live, "Downloading, one URL after the other");
    bool good = download_on(sil_inline_executor(), &way);

    say(live, "Downloading, many URLs at once, on threads");
    way = (struct way_of_downloading){downloads, (size_t)options->jobs, false, &outcomes[THREADS]};
    good = good && download_on(sil_thread_pool(&(sil_thread_pool_options){
                                   .workers = (unsigned)options->jobs, .name = "get"}),
                               &way);

    say(live, "Downloading, many URLs at once, in coroutines");
    way.report = true;
    way.out = &outcomes[ASYNC];
    good = good && sil_run(download_in_coroutines, &way, sizeof(way), NULL, 0) == 0;
    live_erase(live);
    return good;
}

static int bench_downloads(const struct bench_options *options, const struct downloads *downloads,
                           struct live *live, struct table *table)
{
    struct downloads_outcome outcomes[WAYS] = {0};
    if (!download_all_ways(options, downloads, live, outcomes))
        return fail();
    const struct downloads_outcome *sequential = &outcomes[SEQUENTIAL];
    const struct downloads_outcome *threads = &outcomes[THREADS], *async = &outcomes[ASYNC];

    char bytes[UNIT_TEXT_SIZE];
    char(*row)[TABLE_CELL] = table_add_row(table);
    (void)snprintf(row[0], TABLE_CELL, "%zu downloads, %s, %llu at a time", downloads->count,
                   unit_bytes(bytes, (double)async->bytes), (unsigned long long)options->jobs);
    set_time(row, SEQUENTIAL, sequential->seconds, sequential->seconds);
    set_time(row, THREADS, threads->seconds, sequential->seconds);
    set_time(row, ASYNC, async->seconds, sequential->seconds);
    (void)snprintf(row[1 + PROCESSES], TABLE_CELL, "-");
    if (sequential->failed + threads->failed + async->failed == 0)
        return STATUS_DONE;
    (void)fprintf(stderr,
                  "sillon bench: failed downloads: %llu sequential, %llu threads, %llu async\n",
                  (unsigned long long)sequential->failed, (unsigned long long)threads->failed,
                  (unsigned long long)async->failed);
    return STATUS_SOME_FAILED;
}

static int bench_all(const struct bench_options *options, const struct downloads *downloads)
{
    struct live live = {.fd = STDERR_FILENO};
    struct table table = {0};
    char(*heading)[TABLE_CELL] = table_add_row(&table);
    (void)snprintf(heading[0], TABLE_CELL, "the same work");
    (void)snprintf(heading[1], TABLE_CELL, "sequential");
    (void)snprintf(heading[2], TABLE_CELL, "threads");
    (void)snprintf(heading[3], TABLE_CELL, "processes");
    (void)snprintf(heading[4], TABLE_CELL, "async");

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
