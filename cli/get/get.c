/* SPDX-License-Identifier: MIT */
/*
 * `sillon get`: what was typed, and what it means. The work is the session's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/status.h>

#include "command.h"
#include "get/session.h"
#include "get/syntax.h"

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
    struct get_options options = get_defaults;
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
