/* SPDX-License-Identifier: MIT */
/*
 * `sillon map`: what was typed, and what it means. The work is the session's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sillon/error.h>
#include <sillon/loop.h>
#include <sillon/status.h>
#include <sillon/thread_pool.h>
#include <sillon/trace.h>

#include "map/session.h"

/* What SIGUSR1 may add. */
enum { MORE_JOBS = 64 };

static int main_task(void *arg, void *result)
{
    (void)result;
    session_run(*(struct map_session **)arg);
    return 0;
}

static int fail_to_start(const char *why)
{
    (void)fprintf(stderr, "sillon map: cannot start: %s\n", why);
    return STATUS_LOCAL_FAILURE;
}

static int run_on_loop(struct map_session *session)
{
    sil_loop_options options = {.name = "map"};
    if (sil_run_with(&options, main_task, &session, sizeof(session), NULL, 0) != 0)
        return fail_to_start(sil_error_message(sil_last_error()));
    return session->outcome.status;
}

static int run_traced(struct map_session *session)
{
    const char *trace = session->options->report.trace;
    if (trace == NULL)
        return run_on_loop(session);
    int code =
        sil_trace_start(trace, &(sil_trace_options){.process = "sillon map", .only_own = true});
    if (code != 0)
        return options_refuse(&map_syntax, trace, "%s", sil_strerror(code));
    int status = run_on_loop(session);
    code = sil_trace_stop(NULL);
    if (code == 0)
        return status;
    (void)fprintf(stderr, "sillon map: %s: %s\n", trace, sil_strerror(code));
    return status_worse((enum status)status, STATUS_LOCAL_FAILURE);
}

static int run_with_family(struct map_session *session)
{
    session->family = family_create(session->most_jobs);
    if (session->family == NULL)
        return fail_to_start(sil_strerror(errno));
    int status = run_traced(session);
    family_destroy(session->family);
    return status;
}

static int run_recorded(struct map_session *session)
{
    int status = STATUS_LOCAL_FAILURE;
    session->recorder = recorder_open(&session->options->report, &map_syntax, &status);
    if (session->recorder == NULL)
        return status;
    status = run_with_family(session);
    bool told = recorder_error(session->recorder) != 0; /* at the end of the run */
    int error = recorder_close(session->recorder);
    if (error == 0 || error == EPIPE)
        return status;
    if (!told)
        (void)fprintf(stderr, "sillon map: writing the log: %s\n", sil_strerror(error));
    return status_worse((enum status)status, STATUS_LOCAL_FAILURE);
}

static int check_limits(const struct map_options *options, struct map_session *session)
{
    if (!limits_read(&session->limits, options->load, options->memory_free))
        return options_refuse(&map_syntax, "--load", "'%s' is no load, such as 4 or 80%%",
                              options->load);
    static const char *const modes[] = {"", "auto", "serve", "off"};
    for (size_t i = 0; options->jobserver != NULL; i++) {
        if (i == sizeof(modes) / sizeof(modes[0]))
            return options_refuse(&map_syntax, "--jobserver", "'%s' is not one of: auto serve off",
                                  options->jobserver);
        if (strcmp(options->jobserver, modes[i]) == 0)
            break;
    }
    return OPTIONS_OK;
}

/* All that can be wrong with what was typed, as far as no file must be looked at. */
static int check(const struct map_options *options, struct map_session *session)
{
    const struct map_words *split = &session->split;
    if (split->count == 0 && options->shell == NULL)
        return options_refuse(&map_syntax, "COMMAND", "none was given");
    if (options->tty && options->jobs.kind != JOBS_DEFAULT && session->jobs > 1)
        return options_refuse(&map_syntax, "--tty", "only with -j1");
    if (options->tty && (options->pipe || options->output == OUTPUT_LINE))
        return options_refuse(&map_syntax, "--tty", "not with --output=line or --pipe");
    if (options->pipe &&
        (split->sources_at < session->words->count || options->arg_files.count > 0))
        return options_refuse(&map_syntax, "--pipe", "takes standard input, and no other inputs");
    if (options->pipe && (options->pack || options->per_job > 1))
        return options_refuse(&map_syntax, "--pipe", "not with -n or -X");
    /* A log knows jobs by their command lines, which of blocks are all the same. */
    if (options->pipe && (options->report.resume || options->report.redo_failed))
        return options_refuse(&map_syntax, "--pipe", "not with --resume or --redo-failed");
    if (options->retry_on != NULL && !retry_is_list(options->retry_on))
        return options_refuse(&map_syntax, "--retry-on",
                              "'%s' is no list of exit codes, such as 1,75-78", options->retry_on);
    if (options->timeout != NULL && !time_limit_read(&session->time_limit, options->timeout))
        return options_refuse(&map_syntax, "--timeout",
                              "'%s' is neither a time, such as 30s, nor 300%%", options->timeout);
    return check_limits(options, session);
}

/* Jobs that write to the terminal themselves would write through live lines. */
static void settle_terminal(struct map_options *options, struct map_session *session)
{
    if (options->tty) {
        session->jobs = 1;
        options->output = OUTPUT_RAW;
    }
    if (options->output == OUTPUT_RAW && options->report.progress == PROGRESS_AUTO)
        options->report.progress = PROGRESS_NONE;
}

/* Each job needs some descriptors of ours. Better fewer at once than some that cannot be started. */
static void limit_jobs(struct map_session *session)
{
    const struct jobs no_limit = {.kind = JOBS_NUMBER, .number = 0};
    size_t most = jobs_count(&no_limit, 1);
    session->most_jobs = session->jobs + MORE_JOBS;
    if (session->most_jobs > most)
        session->most_jobs = most;
    if (session->jobs <= most)
        return;
    if (session->options->report.quiet == 0)
        (void)fprintf(stderr,
                      "sillon map: --jobs: %zu at the same time, not %zu, for want of open files "
                      "(ulimit -n)\n",
                      most, session->jobs);
    session->jobs = most;
}

int map_run(int argc, char **argv)
{
    struct map_options options = map_defaults;
    struct words words;
    struct map_session session = {.options = &options, .words = &words};
    int status = options_parse(&map_syntax, argc, argv, &options, &words);
    if (status == OPTIONS_OK) {
        map_words_split(&words, &session.split);
        session.jobs = jobs_count(&options.jobs, sil_process_cpu_count());
        status = check(&options, &session);
    }
    if (status == OPTIONS_OK) {
        settle_terminal(&options, &session);
        limit_jobs(&session);
        /* A file over its limit is an error like others. */
        (void)signal(SIGXFSZ, SIG_IGN);
        status = run_recorded(&session);
    }
    options_fini(&map_syntax, &options, &words);
    if (session.signal != 0)
        interrupt_die(session.signal);
    return status;
}
