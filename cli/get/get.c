/* SPDX-License-Identifier: MIT */
/*
 * `sillon get`: what was typed, and what it means. The work is the session's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/status.h>

#include "command.h"
#include "get/session.h"
#include "options.h"

struct get_options {
    char *input_file;
    char *folder;
    int if_exists;
    uint64_t jobs;
    struct fetch_limits limits;
    bool quiet;
    bool no_progress;
};

static const char *const if_exists_choices[] = {
    [IF_EXISTS_SKIP] = "skip",
    [IF_EXISTS_REPLACE] = "replace",
    [IF_EXISTS_FAIL] = "fail",
    NULL,
};

#define AT(field) offsetof(struct get_options, field)

static const struct option_record get_records[] = {
    {.group = "Input",
     .name = "input-file",
     .letter = 'i',
     .argument = "FILE",
     .help = "URLs from FILE, one a line ('-': standard input)",
     .kind = OPTION_TEXT,
     .offset = AT(input_file)},
    {.group = "Output",
     .name = "output-dir",
     .letter = 'd',
     .argument = "DIR",
     .help = "where the files go; made if missing (default: .)",
     .kind = OPTION_TEXT,
     .offset = AT(folder)},
    {.group = "Output",
     .name = "if-exists",
     .argument = "WHAT",
     .help = "skip, replace or fail (default: skip)",
     .kind = OPTION_CHOICE,
     .offset = AT(if_exists),
     .choices = if_exists_choices},
    {.group = "Concurrency",
     .name = "jobs",
     .letter = 'j',
     .argument = "N",
     .help = "downloads at the same time (default: 16)",
     .kind = OPTION_NUMBER,
     .offset = AT(jobs),
     .least = 1,
     .most = 1000},
    {.group = "Failure",
     .name = "retries",
     .argument = "N",
     .help = "further tries if it may help (default: 2)",
     .kind = OPTION_NUMBER,
     .offset = AT(limits.retries),
     .least = 0,
     .most = 100},
    {.group = "Failure",
     .name = "timeout",
     .letter = 't',
     .argument = "TIME",
     .help = "longest time of one try (default: 0, no limit)",
     .kind = OPTION_SECONDS,
     .offset = AT(limits.whole)},
    {.group = "Failure",
     .name = "connect-timeout",
     .argument = "TIME",
     .help = "longest time to connect (default: 10s)",
     .kind = OPTION_SECONDS,
     .offset = AT(limits.connect)},
    {.group = "Failure",
     .name = "stall",
     .argument = "TIME",
     .help = "longest time without a byte (default: 30s)",
     .kind = OPTION_SECONDS,
     .offset = AT(limits.stall)},
    {.group = "Report",
     .name = "quiet",
     .letter = 'q',
     .help = "only say what failed",
     .kind = OPTION_FLAG,
     .offset = AT(quiet)},
    {.group = "Report",
     .name = "no-progress",
     .help = "plain lines on a terminal too",
     .kind = OPTION_FLAG,
     .offset = AT(no_progress)},
};

static const struct syntax get_syntax = {
    .command = "get",
    .usage = "[OPTION]... URL...\n[OPTION]... -i FILE\n",
    .summary = "Download URLs at the same time, each file whole or not at all.",
    .examples = "  sillon get https://example.org/a.iso https://example.org/b.iso\n"
                "  sillon get -d downloads -j 32 -i urls.txt\n"
                "  grep -o 'https://[^ ]*' notes.txt | sillon get -i - -d downloads\n",
    .options = get_records,
    .option_count = sizeof(get_records) / sizeof(get_records[0]),
    .notes = "A file is named after the last part of its URL's path, index.html if that is\n"
             "empty; a name that an earlier URL of the same run has taken gets .1, .2 and so\n"
             "on. It is written as a hidden .NAME.sillon-part-* file and gets its name when\n"
             "it is whole. In FILE, blank lines and lines that begin with # are skipped.\n"
             "TIME is in seconds, or 500ms, 1.5s, 2m, 1h; 0 is no limit. Further tries follow\n"
             "what may pass: the network, time-outs, HTTP 408, 425, 429, 500, 502, 503, 504.\n"
             "Only http and https are fetched, and at most 10 redirects followed.\n"
             "\n"
             "Standard output has a line for each file, standard error what failed and why.\n"
             "Ctrl-C gives up what is under way and removes its parts; a second one ends at\n"
             "once. Proxies: http_proxy, https_proxy, no_proxy.\n"
             "\n"
             "Exit status: 0 all done or there already, 1 some failed, 2 wrong usage.\n",
};

/* A descriptor of the output folder; negative with errno. */
static int open_folder(const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return -1;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int fail_to_start(void)
{
    (void)fprintf(stderr, "sillon get: cannot start: %s\n", sil_error_message(sil_last_error()));
    return STATUS_SOME_FAILED;
}

static int exit_status(const struct report *report, const char *source_error)
{
    if (source_error != NULL)
        (void)fprintf(stderr, "sillon get: reading URLs: %s\n", source_error);
    if (report->error != 0 && report->error != EPIPE)
        (void)fprintf(stderr, "sillon get: standard output: %s\n", sil_strerror(report->error));
    bool good = report->tally.failed == 0 && source_error == NULL && report->error == 0;
    return good ? STATUS_DONE : STATUS_SOME_FAILED;
}

static int download_all(const struct get_options *options, struct session *session)
{
    struct progress progress = {.live.fd = STDERR_FILENO};
    progress.on = !options->quiet && !options->no_progress && live_possible(STDERR_FILENO);
    struct report report = {
        .quiet = options->quiet,
        .file_lines = !options->quiet && !(progress.on && isatty(STDOUT_FILENO)),
        .live = &progress.live,
        .tally.started = sil_clock(),
    };
    session->progress = &progress;
    session->report = &report;
    if (!session_run(session))
        return fail_to_start();
    report_summary(&report, interrupt_signal(session->interrupt));
    return exit_status(&report, source_error(session->source));
}

static int run_session(const struct get_options *options, int folder, struct source *source,
                       struct interrupt *interrupt)
{
    struct fetch_client *client = fetch_client_create(&options->limits, options->jobs);
    if (client == NULL) {
        (void)fprintf(stderr, "sillon get: libcurl cannot start\n");
        return STATUS_SOME_FAILED;
    }
    struct session session = {
        .interrupt = interrupt,
        .source = source,
        .place = {client, folder, (enum if_exists)options->if_exists},
        .jobs = options->jobs,
    };
    source_stop_on(source, interrupt_fd(interrupt));
    int status = download_all(options, &session);
    fetch_client_destroy(client);
    return status;
}

/* From here on Ctrl-C is heeded in good order. */
static int run_interruptible(const struct get_options *options, int folder, struct source *source,
                             int *out_signal)
{
    /* A pipe nobody reads and a file over its limit are errors like others, not the end. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct interrupt *interrupt = interrupt_create();
    if (interrupt == NULL)
        return fail_to_start();
    int status = run_session(options, folder, source, interrupt);
    *out_signal = interrupt_signal(interrupt);
    interrupt_destroy(interrupt);
    return status;
}

/* All that can be wrong with what was typed comes out here, before anything is started. */
static int run_checked(const struct get_options *options, const struct words *words,
                       int *out_signal)
{
    if (words->count == 0 && options->input_file == NULL)
        return options_refuse(&get_syntax, "URL", "none was given");
    struct source *source = source_create(words->list, words->count, options->input_file);
    if (source == NULL)
        return options_refuse(&get_syntax, options->input_file,
                              sil_error_message(sil_last_error()));
    const char *folder_name = options->folder != NULL ? options->folder : ".";
    int status, folder = open_folder(folder_name);
    if (folder < 0) {
        status = options_refuse(&get_syntax, folder_name, sil_strerror(errno));
    } else {
        status = run_interruptible(options, folder, source, out_signal);
        close(folder);
    }
    source_destroy(source);
    return status;
}

static int run_get(int argc, char **argv)
{
    struct get_options options = {
        .jobs = 16,
        .limits = {.connect = 10, .stall = 30, .retries = 2},
    };
    struct words words;
    int caught = 0, status = options_parse(&get_syntax, argc, argv, &options, &words);
    if (status == OPTIONS_OK)
        status = run_checked(&options, &words, &caught);
    options_fini(&get_syntax, &options, &words);
    if (caught != 0)
        interrupt_die(caught);
    return status;
}

const struct command get_command = {
    .name = "get",
    .summary = "download URLs at the same time",
    .run = run_get,
};
