/* SPDX-License-Identifier: MIT */
/*
 * What a session says of its jobs: objects for --json and --log, live lines, failures, a trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/status.h>
#include <sillon/trace.h>

#include "map/session.h"
#include "text/harmless.h"
#include "text/units.h"

enum { TIMEOUT_CODE = 124 }; /* as timeout(1) */

static double seconds_between(int64_t from, int64_t to)
{
    return from > 0 && to > from ? (double)(to - from) / 1e9 : 0;
}

/* --- objects ------------------------------------------------------------------------------- */

static const char *status_word(const struct map_item *item, enum runner_verdict verdict)
{
    switch (verdict) {
    case ITEM_OK:
        return "ok";
    case ITEM_SKIPPED:
        return "skipped";
    case ITEM_FAILED:
        if (item->end.outcome == JOB_TIMED_OUT)
            return "timeout";
        return item->end.outcome == JOB_SIGNALLED ? "killed" : "failed";
    default:
        return "stopped";
    }
}

static json_t *texts_of(char *const *words)
{
    json_t *list = json_array();
    for (; list != NULL && *words != NULL; words++)
        (void)json_array_append_new(list, record_text(*words, strlen(*words)));
    return list;
}

static json_t *input_of(const struct map_item *item)
{
    if (item->row_count == 0 || item->rows[0]->count == 0)
        return json_null();
    const struct field *field = &item->rows[0]->fields[0];
    return record_text(field->bytes, field->size);
}

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new_nocheck(object, name, value);
}

static void set_end(json_t *object, const struct map_item *item)
{
    const struct job_end *end = &item->end;
    bool timed_out = end->outcome == JOB_TIMED_OUT;
    bool exited = end->outcome == JOB_EXITED || timed_out;
    int code = timed_out ? TIMEOUT_CODE : end->code;
    set(object, "exit", exited ? json_integer(code) : json_null());
    set(object, "signal", end->outcome == JOB_SIGNALLED ? json_integer(end->signal) : json_null());
    set(object, "tries", json_integer(item->head.tries));
    set(object, "start", record_seconds(0));
    /* From before the start, which may tell us late that the job executes. */
    set(object, "wall", record_seconds(seconds_between(end->spawned, end->ended)));
    set(object, "user", record_seconds(end->user));
    set(object, "sys", record_seconds(end->system));
    set(object, "maxrss_kb", json_integer((json_int_t)(end->peak / 1024)));
    set(object, "stdout_bytes", json_integer((json_int_t)item->sizes[0]));
    set(object, "stderr_bytes", json_integer((json_int_t)item->sizes[1]));
    set(object, "slot", json_integer(item->head.slot));
    set(object, "pid", json_integer(end->pid));
}

static json_t *object_of(const struct map_session *session, const struct map_item *item,
                         enum runner_verdict verdict)
{
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    set(object, "type", json_string("job"));
    set(object, "seq", json_integer((json_int_t)item->seq));
    set(object, "argv", texts_of(item->words));
    set(object, "input", input_of(item));
    set(object, "status", json_string(status_word(item, verdict)));
    if (item->head.tries == 0)
        return object;
    set_end(object, item);
    double start = seconds_between(runner_counts(session->runner)->started_at, item->end.spawned);
    set(object, "start", record_seconds(start));
    return object;
}

/* --- failures ------------------------------------------------------------------------------ */

static void note_failure(struct map_session *session, const struct map_item *item)
{
    if (item->end.outcome == JOB_NOT_STARTED)
        return; /* that was said at once */
    char why[128], shown[160], text[400], tries[40] = "";
    if (item->head.tries > 1)
        (void)snprintf(tries, sizeof(tries), " (%u tries)", item->head.tries);
    (void)snprintf(text, sizeof(text), "%s: %s%s", harmless(shown, sizeof(shown), item->line),
                   job_describe(why, sizeof(why), &item->end), tries);
    outcome_note(&session->outcome, text);
}

void report_item(struct map_session *session, struct map_item *item, enum runner_verdict verdict)
{
    if (verdict == ITEM_FAILED)
        note_failure(session, item);
    if (session->options->report.verbose > 0 && item->head.tries > 0) {
        char why[128];
        screen_say(session->screen, "end %llu: %s", (unsigned long long)item->seq,
                   job_describe(why, sizeof(why), &item->end));
    }
    if (!recorder_wants(session->recorder))
        return;
    int error = recorder_write(session->recorder, object_of(session, item, verdict), item->line,
                               strlen(item->line), item->full);
    item->full = NULL;
    if (error != 0 && error != EPIPE)
        outcome_worsen(&session->outcome, STATUS_LOCAL_FAILURE);
}

static void write_summary(struct map_session *session, double seconds)
{
    json_t *object = outcome_summary(session->recorder, runner_counts(session->runner), seconds);
    if (object != NULL)
        (void)recorder_write(session->recorder, object, NULL, 0, NULL);
}

/* What went wrong here, rather than in a job. */
static void say_local_failures(struct map_session *session)
{
    const char *error = inputs_error(session->maker.inputs);
    if (error == NULL && session->maker.error == SIL_ENOMEM)
        error = "out of memory";
    outcome_tell_local(&session->outcome, session->screen, session->recorder, "inputs", error);
}

static void say_summary(struct map_session *session, double seconds)
{
    const struct runner_counts *counts = runner_counts(session->runner);
    char text[OUTCOME_COUNTS_SIZE], retries[OUTCOME_RETRIES_SIZE];
    outcome_counts(text, counts);
    outcome_retries(retries, counts);
    double rate = seconds > 0 ? (double)(counts->ok + counts->failed) / seconds : 0;
    screen_say(session->screen, "%s in %.2f s (%.*f/s)%s", text, seconds, rate < 10 ? 1 : 0, rate,
               retries);
}

static void say_if_empty(struct map_session *session, uint64_t read)
{
    if (read > 0 || !session->options->no_empty)
        return;
    screen_say(session->screen, "no input");
    outcome_worsen(&session->outcome, STATUS_SOME_FAILED);
}

void report_dry_run(struct map_session *session, uint64_t count)
{
    say_if_empty(session, count);
    say_local_failures(session);
}

void report_end(struct map_session *session)
{
    const struct runner_counts *counts = runner_counts(session->runner);
    const struct report_options *report = &session->options->report;
    double seconds = seconds_between(counts->started_at, sil_clock());
    screen_end_progress(session->screen);
    outcome_tell_stop(&session->outcome, session->screen, session->why, &session->options->halt);
    if (session->why == RUNNER_WENT_ON)
        say_if_empty(session, counts->read);
    write_summary(session, seconds);
    say_local_failures(session);
    outcome_tell_failures(&session->outcome, session->screen);
    if (report->quiet == 0 || session->options->summary)
        say_summary(session, seconds);
    if (session->options->exit == EXIT_COUNT && session->outcome.status <= STATUS_SOME_FAILED)
        session->outcome.status = (enum status)(counts->failed < 101 ? counts->failed : 101);
}

/* --- live ---------------------------------------------------------------------------------- */

void report_figures(void *user, struct screen_figures *out)
{
    const struct map_session *session = user;
    *out = (struct screen_figures){.no_bytes = true};
    if (session->runner == NULL)
        return;
    const struct runner_counts *counts = runner_counts(session->runner);
    uint64_t rows = inputs_total(session->maker.inputs);
    uint64_t per_job = session->options->per_job > 0 ? session->options->per_job : 1;
    outcome_figures(session->runner, out);
    if (counts->input_ended)
        out->total = counts->read;
    else if (rows > 0 && !session->options->pack)
        out->total = (rows + per_job - 1) / per_job;
}

static struct map_item *running_item(const struct map_session *session, size_t index)
{
    return (struct map_item *)runner_nth_running(session->runner, index);
}

bool report_row(void *user, size_t index, struct screen_line *line)
{
    const struct map_session *session = user;
    const struct map_item *item = session->runner != NULL ? running_item(session, index) : NULL;
    if (item == NULL)
        return false;
    char age[UNIT_TEXT_SIZE], shown[512];
    (void)unit_clock(age, seconds_between(item->head.started_at, sil_clock()));
    (void)snprintf(line->text, line->size, "  %s  %s", age,
                   harmless(shown, sizeof(shown), item->line));
    return true;
}

void report_state(struct map_session *session)
{
    outcome_tell_state(session->screen, runner_counts(session->runner));
    const struct map_item *item;
    for (size_t i = 0; (item = running_item(session, i)) != NULL; i++) {
        char age[UNIT_TEXT_SIZE], shown[256];
        screen_say(session->screen, "slot %u: process %d, %s: %s", item->head.slot,
                   (int)item->job.pid,
                   unit_clock(age, seconds_between(item->head.started_at, sil_clock())),
                   harmless(shown, sizeof(shown), item->line));
    }
}

/* --- trace --------------------------------------------------------------------------------- */

enum { TRACKS = 256 };

void report_trace(const struct map_session *session, const struct map_item *item)
{
    static sil_track tracks[TRACKS]; /* there is one trace in a process */
    if (!sil_tracing())
        return;
    unsigned at = (item->head.slot - 1) % TRACKS;
    if (tracks[at] == 0) {
        char name[32];
        (void)snprintf(name, sizeof(name), "slot %u", item->head.slot);
        tracks[at] = sil_trace_track(name);
    }
    const struct job_end *end = &item->end;
    char name[120], arguments[160];
    (void)harmless(name, sizeof(name), item->line);
    (void)snprintf(arguments, sizeof(arguments),
                   "{\"seq\":%llu,\"try\":%u,\"exit\":%d,\"user\":%.6f,\"sys\":%.6f}",
                   (unsigned long long)item->seq, item->head.tries, end->code, end->user,
                   end->system);
    sil_trace_span(tracks[at], "spawn", "map", end->spawned, end->started, NULL);
    sil_trace_span(tracks[at], name, "map", end->started, end->ended, arguments);
    if (item->delivered > end->ended)
        sil_trace_span(tracks[at], "output", "map", end->ended, item->delivered, NULL);
    sil_trace_counter("running", (double)runner_counts(session->runner)->running);
}
