/* SPDX-License-Identifier: MIT */
/*
 * `sillon get`: what was typed, and what it means. The work is the session's.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/loop.h>
#include <sillon/status.h>
#include <sillon/trace.h>

#include "get/segments.h"
#include "get/session.h"

static int main_task(void *arg, void *result)
{
    (void)result;
    get_session_run(*(struct get_session **)arg);
    return 0;
}

static int fail_to_start(const char *why)
{
    (void)fprintf(stderr, "sillon get: cannot start: %s\n", why);
    return STATUS_LOCAL_FAILURE;
}

static int run_on_loop(struct get_session *session)
{
    sil_loop_options options = {.name = "get"};
    if (sil_run_with(&options, main_task, &session, sizeof(session), NULL, 0) != 0)
        return fail_to_start(sil_error_message(sil_last_error()));
    return session->outcome.status;
}

static int run_traced(struct get_session *session)
{
    const char *trace = session->options->report.trace;
    if (trace == NULL)
        return run_on_loop(session);
    int code =
        sil_trace_start(trace, &(sil_trace_options){.process = "sillon get", .only_own = true});
    if (code != 0)
        return options_refuse(&get_syntax, trace, "%s", sil_strerror(code));
    int status = run_on_loop(session);
    code = sil_trace_stop(NULL);
    if (code == 0)
        return status;
    (void)fprintf(stderr, "sillon get: %s: %s\n", trace, sil_strerror(code));
    return status_worse((enum status)status, STATUS_LOCAL_FAILURE);
}

static int run_recorded(struct get_session *session)
{
    int status = STATUS_LOCAL_FAILURE;
    session->recorder = recorder_open(&session->options->report, &get_syntax, &status);
    if (session->recorder == NULL)
        return status;
    status = run_traced(session);
    bool told = recorder_error(session->recorder) != 0; /* at the end of the run */
    int error = recorder_close(session->recorder);
    if (error == 0 || error == EPIPE)
        return status;
    if (!told)
        (void)fprintf(stderr, "sillon get: writing the log: %s\n", sil_strerror(error));
    return status_worse((enum status)status, STATUS_LOCAL_FAILURE);
}

/* --- secrets from files -------------------------------------------------------------------- */

enum { MOST_OF_A_SECRET = 65536 };

/* The first line of a file, owned; NULL with errno. */
static char *read_secret(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, file);
    int error = ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (error != 0 || length > MOST_OF_A_SECRET) {
        free(line);
        errno = error != 0 ? error : EFBIG;
        return NULL;
    }
    if (length < 0)
        line[0] = '\0';
    else
        line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* --- what was typed ------------------------------------------------------------------------ */

static bool is_stdout(const struct get_options *options)
{
    const char *output = options->output != NULL ? options->output : "";
    return strcmp(output, "-") == 0 || strcmp(output, "/dev/stdout") == 0 ||
           strcmp(output, "/dev/fd/1") == 0;
}

/* Each for itself. */
static int check_texts(const struct get_options *options)
{
    const char *output = options->output, *suffix = options->part_suffix;
    if (output != NULL && (output[0] == '\0' || output[strlen(output) - 1] == '/'))
        return options_refuse(&get_syntax, "-o", "'%s' is no name of a file", output);
    if (suffix != NULL && (suffix[0] == '\0' || strchr(suffix, '/') != NULL))
        return options_refuse(&get_syntax, "--part-suffix", "cannot be empty or have a slash");
    for (size_t i = 0; i < options->headers.count; i++)
        if (!item_is_header(options->headers.list[i]))
            return options_refuse(&get_syntax, "-H", "'%s' is not 'Name: value'",
                                  options->headers.list[i]);
    const char *files[] = {options->cacert, options->cert, options->key};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i] != NULL && access(files[i], R_OK) != 0)
            return options_refuse(&get_syntax, files[i], "%s", sil_strerror(errno));
    return OPTIONS_OK;
}

/* What does not go together, as far as no file must be looked at. */
static int check(const struct get_options *options, const struct words *words)
{
    struct digest digest;
    if (words->count == 0 && options->input_files.count == 0)
        return options_refuse(&get_syntax, "URL", "none was given");
    if (options->output != NULL && !is_stdout(options) &&
        (words->count != 1 || options->input_files.count > 0 || options->glob))
        return options_refuse(&get_syntax, "-o", "names one file: give one URL");
    if (options->output != NULL && options->tree)
        return options_refuse(&get_syntax, "-o", "not with --tree");
    if (is_stdout(options) && options->print_name)
        return options_refuse(&get_syntax, "--print-name", "not with -o -");
    if (is_stdout(options) && options->report.json != NULL &&
        (options->report.json[0] == '\0' || strcmp(options->report.json, "-") == 0))
        return options_refuse(&get_syntax, "--json", "standard output is taken by -o -");
    size_t segments;
    if (!segments_parse(options->segments, &segments))
        return options_refuse(&get_syntax, "--segments",
                              "'%s' is neither auto nor a number from 1 to 1024",
                              options->segments);
    if (options->headers.count > ITEM_MOST_HEADERS)
        return options_refuse(&get_syntax, "-H", "at most %d times", ITEM_MOST_HEADERS);
    if (options->only_4 && options->only_6)
        return options_refuse(&get_syntax, "-6", "not with -4");
    if (options->checksums.count > words->count)
        return options_refuse(&get_syntax, "--checksum", "there are fewer URLs than checksums");
    for (size_t i = 0; i < options->checksums.count; i++)
        if (!digest_read(options->checksums.list[i], &digest))
            return options_refuse(&get_syntax, "--checksum", "'%s' is not sha256:HEX or the like",
                                  options->checksums.list[i]);
    return OPTIONS_OK;
}

static void allow_many_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Thousands of short lives: memory that is given back to the system each time and fetched anew costs
 * more than what lies in it. libcurl's buffers for receiving are 128 KiB, just what malloc maps apart. */
static void keep_memory(void)
{
    enum { KEPT = 16 << 20, AT_ONCE = 1 << 20, MAPPED_FROM = 4 << 20 };
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT);
    (void)mallopt(M_TOP_PAD, AT_ONCE);
}

static int run_checked(struct get_session *session)
{
    const struct get_options *options = session->options;
    char *bearer = NULL;
    if (options->bearer_file != NULL) {
        bearer = read_secret(options->bearer_file);
        if (bearer == NULL)
            return options_refuse(&get_syntax, options->bearer_file, "%s", sil_strerror(errno));
    }
    session->bearer = bearer;
    /* A file over its limit is an error like others. */
    (void)signal(SIGXFSZ, SIG_IGN);
    allow_many_descriptors();
    keep_memory();
    int status = run_recorded(session);
    free(bearer);
    return status;
}

enum { JOBS = 16 };

int get_run(int argc, char **argv)
{
    struct get_options options = get_defaults;
    struct words words;
    struct get_session session = {.options = &options, .words = &words};
    int status = options_parse(&get_syntax, argc, argv, &options, &words);
    if (status == OPTIONS_OK)
        status = check(&options, &words);
    if (status == OPTIONS_OK)
        status = check_texts(&options);
    if (is_stdout(&options))
        memcpy(options.output, "-", sizeof("-")); /* of its names the shortest */
    if (status == OPTIONS_OK) {
        session.jobs = is_stdout(&options) ? 1 : jobs_count(&options.jobs, JOBS);
        status = run_checked(&session);
    }
    options_fini(&get_syntax, &options, &words);
    if (session.signal != 0)
        interrupt_die(session.signal);
    return status;
}
