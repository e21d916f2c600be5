/* SPDX-License-Identifier: MIT */
/*
 * `sillon bench`: the same tasks in sequence, threads, processes and one event loop.
 *
 * I1  The modes take turns, run by run, so that what slows the machine for a while slows them all.
 * I2  This process starts no thread and no loop before all runs are over (round.h).
 * I3  It says when the figures are not to be trusted: runs that differ, other programs that work.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/thread_pool.h>

#include "bench/io_server.h"
#include "bench/noise.h"
#include "bench/plan.h"
#include "bench/report.h"
#include "bench/urls.h"
#include "bench/work_cpu.h"
#include "command.h"
#include "output/screen.h"

static const double SPREAD_MOST = 0.10, OTHERS_MOST = 0.05;

struct bench {
    const struct bench_options *options;
    struct comparison comparison;
    struct io_server server;
    struct round_page *page;
    uint64_t page_tasks;
    bool live; /* standard error is a terminal that can show a line that changes */
};

static int fail(const char *what)
{
    (void)fprintf(stderr, "sillon bench: %s: %s\n", what, sil_error_message(sil_last_error()));
    return STATUS_LOCAL_FAILURE;
}

static int fail_with(const char *what, int reason)
{
    (void)fprintf(stderr, "sillon bench: %s: %s\n", what, strerror(reason));
    return STATUS_LOCAL_FAILURE;
}

/* --- the runs ------------------------------------------------------------------------------------ */

static bool can_be_live(const struct bench_options *options)
{
    const char *term = getenv("TERM");
    return options->report.quiet == 0 && isatty(STDERR_FILENO) && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static void show(const struct bench *bench, uint64_t round, const struct series *series)
{
    uint64_t rounds = bench->options->warmup + bench->options->repeat;
    if (bench->live)
        (void)fprintf(stderr, "\r\033[Kround %" PRIu64 " of %" PRIu64 ": %s, %s, workers: %u",
                      round + 1, rounds, series_kind(series), mode_names[series->job.mode],
                      series->job.workers);
}

static void show_nothing(const struct bench *bench)
{
    if (bench->live)
        (void)fputs("\r\033[K", stderr);
}

/* Some of the tasks are enough to warm up. */
static uint64_t warmup_tasks(const struct series *series)
{
    uint64_t some = series->job.tasks / 4;
    some = some < series->job.workers ? series->job.workers : some;
    return some < series->job.tasks ? some : series->job.tasks;
}

static int run_one(struct bench *bench, struct series *series, uint64_t round)
{
    const struct bench_options *options = bench->options;
    bool counts = round >= options->warmup;
    bool last = round + 1 == options->warmup + options->repeat;
    struct job job = series->job;
    if (!counts)
        job.tasks = warmup_tasks(series);
    show(bench, round, series);
    if (round_run(&job, bench->page) != 0)
        return fail(mode_names[job.mode]);
    if (options->report.verbose > 0) {
        show_nothing(bench);
        (void)fprintf(stderr, "round %llu: %s, %s, workers: %u: %.6f s%s\n",
                      (unsigned long long)round + 1, series_kind(series), mode_names[job.mode],
                      job.workers, bench->page->usage.wall, counts ? "" : ", not counted");
    }
    if (counts && !series_add(series, bench->page, &bench->comparison.answers, last)) {
        (void)fprintf(stderr, "sillon bench: out of memory\n");
        return STATUS_LOCAL_FAILURE;
    }
    return STATUS_DONE;
}

static int run_all(struct bench *bench)
{
    int status = STATUS_DONE;
    uint64_t rounds = bench->options->warmup + bench->options->repeat;
    for (uint64_t round = 0; round < rounds && status == STATUS_DONE; round++)
        for (size_t i = 0; i < bench->comparison.count && status == STATUS_DONE; i++)
            status = run_one(bench, &bench->comparison.list[i], round);
    show_nothing(bench);
    return status;
}

/* --- before ---------------------------------------------------------------------------------------- */

static int prepare_cpu(struct bench *bench)
{
    struct comparison *comparison = &bench->comparison;
    size_t count;
    if (comparison_kind(comparison, true, &count) == NULL)
        return STATUS_DONE;
    uint64_t below = cpu_calibrate(bench->options->cpu_work, NULL, NULL);
    comparison->cpu_work = bench->options->cpu_work;
    comparison->answers.cpu = cpu_count_by_sieve(below);
    if (comparison->answers.cpu == UINT64_MAX)
        return fail_with("calibration", ENOMEM);
    for (size_t i = 0; i < comparison->count; i++)
        comparison->list[i].job.below = below;
    return STATUS_DONE;
}

static int prepare_io(struct bench *bench)
{
    struct comparison *comparison = &bench->comparison;
    size_t count;
    const struct series *first = comparison_kind(comparison, false, &count);
    if (first == NULL)
        return STATUS_DONE;
    if (first->job.kind == WORK_URLS) {
        struct answers *answers = &comparison->answers;
        answers->url_count = first->job.url_count;
        answers->urls = malloc(answers->url_count * sizeof(*answers->urls));
        if (answers->urls == NULL)
            return fail_with("URLs", ENOMEM);
        memset(answers->urls, 0xff, answers->url_count * sizeof(*answers->urls));
        return STATUS_DONE;
    }
    if (io_server_start(&bench->server, bench->options->io_latency) != 0)
        return fail("server");
    for (size_t i = 0; i < comparison->count; i++)
        comparison->list[i].job.port = bench->server.port;
    return STATUS_DONE;
}

static int prepare(struct bench *bench)
{
    for (size_t i = 0; i < bench->comparison.count; i++)
        if (bench->comparison.list[i].job.tasks > bench->page_tasks)
            bench->page_tasks = bench->comparison.list[i].job.tasks;
    bench->page = round_create(bench->page_tasks);
    if (bench->page == NULL)
        return fail_with("memory", errno);
    int status = prepare_cpu(bench);
    return status == STATUS_DONE ? prepare_io(bench) : status;
}

/* --- after ------------------------------------------------------------------------------------------- */

static void warn(const struct bench *bench)
{
    const struct comparison *comparison = &bench->comparison;
    double spread = comparison_spread(comparison);
    if (bench->options->report.quiet > 0)
        return;
    if (spread > SPREAD_MOST)
        (void)fprintf(stderr,
                      "sillon bench: warning: runs of a mode differ by up to %.0f %%; the machine "
                      "was not quiet\n",
                      spread * 100);
    if (comparison->others > OTHERS_MOST)
        (void)fprintf(stderr,
                      "sillon bench: warning: other programs used %.0f %% of the machine "
                      "meanwhile\n",
                      comparison->others * 100);
}

/* @return STATUS_SOME_FAILED if a task did, or gave another answer. */
static int judge(const struct comparison *comparison)
{
    int status = STATUS_DONE;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct series *series = &comparison->list[i];
        if (series->failed > 0 || series->message[0] != '\0')
            (void)fprintf(stderr, "sillon bench: %s, %s: %llu tasks failed: %s\n",
                          series_kind(series), mode_names[series->job.mode],
                          (unsigned long long)series->failed, series->message);
        if (series->wrong > 0)
            (void)fprintf(stderr,
                          "sillon bench: %s, %s: %llu answers differ from what they must be\n",
                          series_kind(series), mode_names[series->job.mode],
                          (unsigned long long)series->wrong);
        if (series->failed > 0 || series->wrong > 0 || series->message[0] != '\0')
            status = STATUS_SOME_FAILED;
    }
    return status;
}

/* Write a file by a function of report.h. */
static int write_file(const struct comparison *comparison, const char *name, bool json)
{
    FILE *file = fopen(name, "we");
    if (file == NULL)
        return fail_with(name, errno);
    errno = 0;
    int reason = 0;
    if (json)
        reason = report_json(comparison, file);
    else
        svg_write(comparison, file);
    if (ferror(file) && reason == 0)
        reason = errno != 0 ? errno : EIO;
    if (fclose(file) != 0 && reason == 0)
        reason = errno;
    return reason == 0 ? STATUS_DONE : fail_with(name, reason);
}

static int report(const struct bench *bench)
{
    const struct bench_options *options = bench->options;
    const struct comparison *comparison = &bench->comparison;
    const char *json = options->report.json;
    bool on_output = json != NULL && (json[0] == '\0' || strcmp(json, "-") == 0);
    int status = judge(comparison);
    /* That standard output failed is seen at the program's end. */
    if (on_output)
        (void)report_json(comparison, stdout);
    else
        report_table(comparison, options->markdown,
                     !options->markdown && color_wanted(options->report.color, STDOUT_FILENO),
                     stdout);
    (void)fflush(stdout);
    warn(bench);
    if (json != NULL && !on_output && write_file(comparison, json, true) != STATUS_DONE)
        status = STATUS_LOCAL_FAILURE;
    if (options->svg != NULL && write_file(comparison, options->svg, false) != STATUS_DONE)
        status = STATUS_LOCAL_FAILURE;
    if (options->report.trace != NULL && trace_write(comparison, options->report.trace) != 0)
        status = fail(options->report.trace);
    return status;
}

static int run(struct bench *bench)
{
    struct noise before, after;
    bool known = noise_look(&before);
    int64_t begin = sil_clock();
    bench->live = can_be_live(bench->options);
    int status = prepare(bench);
    if (status == STATUS_DONE)
        status = run_all(bench);
    io_server_stop(&bench->server); /* and so its CPU time is ours in what follows */
    bench->comparison.seconds = (double)(sil_clock() - begin) / 1e9;
    known = known && noise_look(&after);
    bench->comparison.others = known ? noise_share(&before, &after, sysconf(_SC_CLK_TCK)) : -1;
    if (status == STATUS_DONE)
        status = report(bench);
    round_destroy(bench->page, bench->page_tasks);
    return status;
}

int bench_run(int argc, char **argv)
{
    struct bench_options options = bench_defaults;
    struct words words;
    struct texts urls = {0};
    int status = options_parse(&bench_syntax, argc, argv, &options, &words);
    struct bench bench = {.options = &options};
    if (status == OPTIONS_OK)
        status = urls_gather(&options, &urls);
    if (status == OPTIONS_OK)
        status = plan_make(&options, &words, &urls, sil_process_cpu_count(), &bench.comparison);
    if (status == OPTIONS_OK)
        status = run(&bench);
    comparison_fini(&bench.comparison);
    urls_fini(&urls);
    options_fini(&bench_syntax, &options, &words);
    return status;
}
