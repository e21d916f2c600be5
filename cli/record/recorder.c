/* SPDX-License-Identifier: MIT */
/*
 * The recorder, see recorder.h.
 *
 * A line is made in a buffer of its own, since writing may wait while other coroutines write;
 * buffers are used again.
 */
#include "record/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "record/dump.h"
#include "record/identity.h"
#include "record/joblog.h"
#include "record/log_read.h"
#include "record/sink.h"
#include "text/harmless.h"

enum { KEPT_BUFFER = 1 << 20 }; /* a larger one is given back */

struct buffer {
    struct buffer *next;
    struct dump dump;
};

struct recorder {
    /* Read-only after open. */
    bool on_stdout;
    bool tsv;
    bool skips_ok, skips_failed;
    double began; /* seconds of the epoch */
    struct screen *screen;
    struct identity_table before;
    /* Owner thread only. */
    struct sink json, log;
    struct buffer *buffers; /* nobody uses them */
    int error;
};

/* --- lines ---------------------------------------------------------------------------------- */

static struct buffer *take_buffer(struct recorder *recorder)
{
    struct buffer *buffer = recorder->buffers;
    if (buffer == NULL)
        return calloc(1, sizeof(*buffer));
    recorder->buffers = buffer->next;
    buffer->dump.size = 0;
    return buffer;
}

static void free_buffer(struct buffer *buffer)
{
    if (buffer != NULL)
        free(buffer->dump.bytes);
    free(buffer);
}

static void give_buffer(struct recorder *recorder, struct buffer *buffer)
{
    if (buffer != NULL && buffer->dump.room <= KEPT_BUFFER) {
        buffer->next = recorder->buffers;
        recorder->buffers = buffer;
    } else {
        free_buffer(buffer);
    }
}

static bool make_line(struct buffer *buffer, const json_t *object)
{
    buffer->dump.size = 0;
    return dump_json(&buffer->dump, object) && dump_bytes(&buffer->dump, "\n", 1);
}

/* --- opening -------------------------------------------------------------------------------- */

/* The file of --json, if it is one. */
static const char *json_path(const struct report_options *options)
{
    const char *json = options->json;
    return json != NULL && json[0] != '\0' && strcmp(json, "-") != 0 && strcmp(json, "full") != 0
               ? json
               : NULL;
}

static bool ends_in(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

/* Was a wrong word typed, or does this machine fail? */
static enum status status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
    case EROFS:
        return STATUS_BAD_USAGE;
    default:
        return STATUS_LOCAL_FAILURE;
    }
}

static int refuse_file(const struct syntax *syntax, const char *option, const char *path, int error)
{
    char shown[512];
    (void)fprintf(stderr, "sillon %s: %s %s: %s\n", syntax->command, option,
                  harmless(shown, sizeof(shown), path), strerror(error));
    return (int)status_of(error);
}

static int read_before(struct recorder *recorder, const struct report_options *options,
                       const struct syntax *syntax)
{
    const char *word = options->redo_failed ? "--redo-failed" : "--resume";
    if (options->log == NULL)
        return options_refuse(syntax, word, "needs --log FILE, which says what has been done");
    int error = log_read(options->log, recorder->tsv, &recorder->before);
    recorder->skips_ok = true;
    recorder->skips_failed = !options->redo_failed;
    return error != 0 ? refuse_file(syntax, "--log", options->log, error) : STATUS_DONE;
}

/* A trace empties its file, and begins later: one that is there already and is ours is another's. */
static bool is_trace(const struct report_options *options, const struct sink *sink)
{
    struct stat about;
    return options->trace != NULL && sink->fd >= 0 && S_ISREG(sink->about.st_mode) &&
           stat(options->trace, &about) == 0 && about.st_ino == sink->about.st_ino &&
           about.st_dev == sink->about.st_dev;
}

static int open_log(struct recorder *recorder, const char *path, const struct syntax *syntax)
{
    int error = sink_open(&recorder->log, path);
    if (error == 0 && recorder->tsv && recorder->log.about.st_size == 0)
        error = sink_write(&recorder->log, joblog_header, strlen(joblog_header));
    return error != 0 ? refuse_file(syntax, "--log", path, error) : STATUS_DONE;
}

/* After the log: a file that is both is found before it is emptied. */
static int open_json(struct recorder *recorder, const char *path, const struct syntax *syntax)
{
    int error = sink_open(&recorder->json, path);
    if (error == 0 && recorder->log.fd >= 0 && S_ISREG(recorder->log.about.st_mode) &&
        recorder->log.about.st_ino == recorder->json.about.st_ino &&
        recorder->log.about.st_dev == recorder->json.about.st_dev)
        return options_refuse(syntax, "--json", "is the same file as --log");
    if (error == 0)
        error = sink_empty(&recorder->json);
    return error != 0 ? refuse_file(syntax, "--json", path, error) : STATUS_DONE;
}

static int open_all(struct recorder *recorder, const struct report_options *options,
                    const struct syntax *syntax)
{
    int status = STATUS_DONE;
    if (recorder->tsv && strcmp(syntax->command, "map") != 0)
        return options_refuse(syntax, "--log", "only map has logs in the form of .tsv");
    if (options->resume || options->redo_failed)
        status = read_before(recorder, options, syntax);
    if (options->dry_run)
        return status;
    if (status == STATUS_DONE && options->log != NULL)
        status = open_log(recorder, options->log, syntax);
    if (status == STATUS_DONE && json_path(options) != NULL)
        status = open_json(recorder, json_path(options), syntax);
    if (status == STATUS_DONE && is_trace(options, &recorder->log))
        status = options_refuse(syntax, "--trace", "is the same file as --log");
    else if (status == STATUS_DONE && is_trace(options, &recorder->json))
        status = options_refuse(syntax, "--trace", "is the same file as --json");
    recorder->on_stdout = options->json != NULL && json_path(options) == NULL;
    return status;
}

struct recorder *recorder_open(const struct report_options *options, const struct syntax *syntax,
                               int *out_status)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (recorder == NULL) {
        (void)fprintf(stderr, "sillon %s: out of memory\n", syntax->command);
        *out_status = STATUS_LOCAL_FAILURE;
        return NULL;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    recorder->began = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    recorder->json.fd = recorder->log.fd = -1;
    recorder->tsv = options->log != NULL && ends_in(options->log, ".tsv");
    int status = open_all(recorder, options, syntax);
    if (status == STATUS_DONE)
        return recorder;
    *out_status = status;
    (void)recorder_close(recorder);
    return NULL;
}

void recorder_use(struct recorder *recorder, struct screen *screen)
{
    recorder->screen = screen;
}

int recorder_close(struct recorder *recorder)
{
    if (recorder == NULL)
        return 0;
    int json_error = sink_close(&recorder->json);
    int log_error = sink_close(&recorder->log);
    int error = recorder->error != 0 ? recorder->error : json_error != 0 ? json_error : log_error;
    for (struct buffer *buffer = recorder->buffers, *next; buffer != NULL; buffer = next) {
        next = buffer->next;
        free_buffer(buffer);
    }
    identity_table_fini(&recorder->before);
    free(recorder);
    return error;
}

/* --- what is wanted ------------------------------------------------------------------------- */

bool recorder_wants(const struct recorder *recorder)
{
    return recorder->on_stdout || recorder->json.fd >= 0 || recorder->log.fd >= 0;
}

bool recorder_on_stdout(const struct recorder *recorder)
{
    return recorder->on_stdout;
}

enum record_before recorder_before(const struct recorder *recorder, const void *identity,
                                   size_t identity_size)
{
    if (recorder->before.count == 0)
        return BEFORE_NOTHING;
    int before = identity_table_get(&recorder->before, identity_make(identity, identity_size));
    return before < 0 ? BEFORE_NOTHING : (enum record_before)before;
}

bool recorder_skips(const struct recorder *recorder, const void *identity, size_t identity_size)
{
    switch (recorder_before(recorder, identity, identity_size)) {
    case BEFORE_OK:
        return recorder->skips_ok;
    case BEFORE_FAILED:
        return recorder->skips_failed;
    default:
        return false;
    }
}

int recorder_error(const struct recorder *recorder)
{
    return recorder->error;
}

/* --- writing -------------------------------------------------------------------------------- */

static int note(struct recorder *recorder, int error)
{
    if (recorder->error == 0)
        recorder->error = error;
    return error;
}

static bool add_common(json_t *object, const void *identity, size_t identity_size)
{
    char time_text[32], id[IDENTITY_DIGITS + 1];
    if (json_object_set_new_nocheck(object, "ts", json_string_nocheck(record_time(time_text, 0))) !=
        0)
        return false;
    if (identity == NULL)
        return true;
    identity_write(identity_make(identity, identity_size), id);
    return json_object_set_new_nocheck(object, "id", json_string_nocheck(id)) == 0;
}

/* Does the log want to hear of it? */
static bool for_log(const struct recorder *recorder, const json_t *object, const void *identity,
                    size_t identity_size)
{
    if (recorder->log.fd < 0)
        return false;
    if (identity == NULL)
        return !recorder->tsv;
    const char *status = json_string_value(json_object_get(object, "status"));
    if (status == NULL)
        return true;
    bool skipped = strcmp(status, "skipped") == 0;
    if (recorder->tsv)
        return !skipped && strcmp(status, "stopped") != 0;
    /* "skipped" would make one that has failed before into one that is done. */
    return !skipped || recorder_before(recorder, identity, identity_size) == BEFORE_NOTHING;
}

static int write_joblog(struct recorder *recorder, const json_t *object, const void *identity,
                        size_t identity_size)
{
    char *line = NULL;
    size_t size = joblog_line(object, recorder->began, identity, identity_size, &line);
    int error = size == 0 ? ENOMEM : sink_write(&recorder->log, line, size);
    free(line);
    return note(recorder, error);
}

/* With what is full the line is another one than the log's. */
static int write_full(struct recorder *recorder, json_t *object, json_t *full)
{
    struct buffer *buffer = take_buffer(recorder);
    bool made =
        buffer != NULL && json_object_update(object, full) == 0 && make_line(buffer, object);
    int error = made ? screen_out(recorder->screen, buffer->dump.bytes, buffer->dump.size)
                     : note(recorder, ENOMEM);
    give_buffer(recorder, buffer);
    return error;
}

static int write_log(struct recorder *recorder, const struct buffer *line, const json_t *object,
                     const void *identity, size_t identity_size)
{
    if (!for_log(recorder, object, identity, identity_size))
        return 0;
    if (recorder->tsv)
        return write_joblog(recorder, object, identity, identity_size);
    return note(recorder, sink_write(&recorder->log, line->dump.bytes, line->dump.size));
}

static int write_line(struct recorder *recorder, const struct buffer *line, json_t *object,
                      const void *identity, size_t identity_size, json_t *full)
{
    int error = 0;
    if (recorder->json.fd >= 0)
        error = note(recorder, sink_write(&recorder->json, line->dump.bytes, line->dump.size));
    else if (recorder->on_stdout && full != NULL)
        error = write_full(recorder, object, full);
    else if (recorder->on_stdout)
        error = screen_out(recorder->screen, line->dump.bytes, line->dump.size);
    int log_error = write_log(recorder, line, object, identity, identity_size);
    return error != 0 ? error : log_error;
}

int recorder_write(struct recorder *recorder, json_t *object, const void *identity,
                   size_t identity_size, json_t *full)
{
    int error = 0;
    struct buffer *line = NULL;
    if (object == NULL) {
        error = note(recorder, ENOMEM);
    } else if (recorder_wants(recorder)) {
        line = take_buffer(recorder);
        error =
            line != NULL && add_common(object, identity, identity_size) && make_line(line, object)
                ? write_line(recorder, line, object, identity, identity_size, full)
                : note(recorder, ENOMEM);
    }
    give_buffer(recorder, line);
    json_decref(full);
    json_decref(object);
    return error;
}
