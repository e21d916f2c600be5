/* SPDX-License-Identifier: MIT */
/*
 * What a session says of its downloads: objects for --json and --log, live lines, failures, a trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/status.h>
#include <sillon/trace.h>

#include "get/session.h"
#include "text/harmless.h"
#include "text/units.h"
#include "text/utf8.h"

static double seconds_between(int64_t from, int64_t to)
{
    return from > 0 && to > from ? (double)(to - from) / 1e9 : 0;
}

static const char *name_of(const struct get_item *item)
{
    if (item->final_name != NULL)
        return item->final_name;
    return item->name != NULL ? item->name : "";
}

/* --- objects ------------------------------------------------------------------------------- */

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new_nocheck(object, name, value);
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? record_text(text, strlen(text)) : json_null();
}

static json_t *count_or_null(uint64_t count)
{
    return count != STORE_UNKNOWN ? json_integer((json_int_t)count) : json_null();
}

static const char *status_word(enum runner_verdict verdict)
{
    static const char *const words[] = {[ITEM_OK] = "ok",
                                        [ITEM_SKIPPED] = "skipped",
                                        [ITEM_FAILED] = "failed",
                                        [ITEM_AGAIN] = "stopped",
                                        [ITEM_STOPPED] = "stopped"};
    return words[verdict];
}

static void set_time(json_t *times, const char *name, double seconds)
{
    set(times, name, seconds >= 0 ? record_seconds(seconds) : json_null());
}

static json_t *times_of(const struct get_item *item)
{
    json_t *times = json_object();
    if (times == NULL)
        return NULL;
    const sil_http_times *got = &item->times;
    set_time(times, "queue", seconds_between(item->head.read_at, item->head.started_at));
    set_time(times, "dns", got->name);
    set_time(times, "connect", got->connected);
    set_time(times, "tls", got->tls);
    set_time(times, "ttfb", got->first);
    set_time(times, "total", seconds_between(item->head.started_at, item->committed));
    return times;
}

static void set_answer(json_t *object, const struct get_item *item)
{
    set(object, "http", item->status > 0 ? json_integer(item->status) : json_null());
    set(object, "proto", text_or_null(item->protocol));
    set(object, "bytes", json_integer((json_int_t)item->received));
    set(object, "length", count_or_null(item->length));
    set(object, "resumed_from", json_integer((json_int_t)item->resumed_from));
    if (item->segments > 1)
        set(object, "segments", json_integer(item->segments));
    set(object, "tries", json_integer(item->head.tries));
    if (item->digest.kind != DIGEST_NONE)
        set(object, digest_name(item->digest.kind), text_or_null(item->digest.hex));
    set(object, "t", times_of(item));
    set(object, "conn_reused", json_boolean(item->reused));
    set(object, "remote", text_or_null(item->peer));
}

static json_t *object_of(const struct get_item *item, enum runner_verdict verdict)
{
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    bool failed = verdict == ITEM_FAILED || verdict == ITEM_STOPPED;
    const char *kind = failed ? item_trouble_word(item->trouble) : NULL;
    set(object, "type", json_string("file"));
    set(object, "seq", json_integer((json_int_t)item->seq));
    set(object, "url", text_or_null(item->url.shown));
    set(object, "final_url", text_or_null(item->final_url));
    set(object, "name", text_or_null(name_of(item)));
    set(object, "status", json_string(status_word(verdict)));
    set(object, "error", failed ? text_or_null(item->error) : json_null());
    set(object, "error_kind", kind != NULL ? json_string(kind) : json_null());
    if (item->head.tries > 0)
        set_answer(object, item);
    return object;
}

/* --- an item ------------------------------------------------------------------------------- */

static void note_failure(struct get_session *session, const struct get_item *item)
{
    char text[800], shown[256], error[400];
    (void)snprintf(text, sizeof(text), "%s: %s (%u %s)",
                   harmless(shown, sizeof(shown), item->url.shown),
                   harmless(error, sizeof(error), item->error != NULL ? item->error : "?"),
                   item->head.tries, item->head.tries == 1 ? "try" : "tries");
    outcome_note(&session->outcome, text);
}

/* A track for each slot; what was waited for, one after the other. */
static void trace(const struct get_item *item)
{
    enum { TRACKS = 256 };
    static sil_track tracks[TRACKS]; /* there is one trace in a process */
    if (!sil_tracing() || item->head.slot == 0 || item->times.begun <= 0)
        return;
    unsigned at = (item->head.slot - 1) % TRACKS;
    char text[160];
    if (tracks[at] == 0) {
        (void)snprintf(text, sizeof(text), "slot %u", item->head.slot);
        tracks[at] = sil_trace_track(text);
    }
    int64_t begun = (int64_t)(item->times.begun * 1e9);
    int64_t end = item->committed > begun ? item->committed : begun;
    char arguments[96];
    (void)snprintf(arguments, sizeof(arguments), "{\"bytes\":%llu,\"status\":%d,\"tries\":%u}",
                   (unsigned long long)item->received, item->status, item->head.tries);
    sil_trace_span(tracks[at], harmless(text, sizeof(text), item->url.shown), "get", begun, end,
                   arguments);
    const struct {
        const char *name;
        double until;
    } phases[] = {{"queue", item->times.queued},      {"dns", item->times.name},
                  {"connect", item->times.connected}, {"tls", item->times.tls},
                  {"wait", item->times.first},        {"body", item->times.ended}};
    int64_t from = begun;
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        int64_t until = begun + (int64_t)(phases[i].until * 1e9);
        if (phases[i].until < 0 || until <= from || until > end)
            continue;
        sil_trace_span(tracks[at], phases[i].name, "get", from, until, NULL);
        from = until;
    }
    if (item->body_ended > from && item->committed > item->body_ended)
        sil_trace_span(tracks[at], "write, check, rename", "get", item->body_ended, item->committed,
                       NULL);
}

static void say_name(struct get_session *session, const struct get_item *item)
{
    const char *name = name_of(item);
    if (screen_out_begin(session->screen) != 0)
        return;
    (void)screen_out(session->screen, name, strlen(name));
    (void)screen_out(session->screen, "\n", 1);
    screen_out_end(session->screen);
}

void get_report_item(struct get_session *session, struct get_item *item,
                     enum runner_verdict verdict)
{
    if (verdict == ITEM_FAILED)
        note_failure(session, item);
    trace(item);
    bool there = verdict == ITEM_OK || (verdict == ITEM_SKIPPED && !item->skip);
    if (there && session->options->print_name)
        say_name(session, item);
    if (session->options->report.verbose > 0)
        screen_say(session->screen, "%s %s%s%s", status_word(verdict), item->url.shown,
                   verdict == ITEM_FAILED ? ": " : "",
                   verdict == ITEM_FAILED && item->error != NULL ? item->error : "");
    if (!recorder_wants(session->recorder))
        return;
    const char *identity = item->identity != NULL ? item->identity : item->url.shown;
    int error = recorder_write(session->recorder, object_of(item, verdict), identity,
                               strlen(identity), NULL);
    if (error != 0 && error != EPIPE)
        outcome_worsen(&session->outcome, STATUS_LOCAL_FAILURE);
}

/* --- the end ------------------------------------------------------------------------------- */

static void write_summary(struct get_session *session, double seconds)
{
    json_t *object = outcome_summary(session->recorder, runner_counts(session->runner), seconds);
    if (object == NULL)
        return;
    set(object, "bytes", json_integer((json_int_t)session->bytes));
    (void)recorder_write(session->recorder, object, NULL, 0, NULL);
}

static void say_summary(struct get_session *session, double seconds)
{
    const struct runner_counts *counts = runner_counts(session->runner);
    char text[OUTCOME_COUNTS_SIZE], retries[OUTCOME_RETRIES_SIZE];
    char bytes[UNIT_TEXT_SIZE], rate[UNIT_TEXT_SIZE];
    outcome_counts(text, counts);
    outcome_retries(retries, counts);
    screen_say(session->screen, "%s, %s in %.2f s (%s/s)%s", text,
               unit_bytes(bytes, (double)session->bytes), seconds,
               unit_bytes(rate, seconds > 0 ? (double)session->bytes / seconds : 0), retries);
}

void get_report_end(struct get_session *session)
{
    const struct runner_counts *counts = runner_counts(session->runner);
    double seconds = seconds_between(counts->started_at, sil_clock());
    screen_end_progress(session->screen);
    outcome_tell_stop(&session->outcome, session->screen, session->why, &session->options->halt);
    if (counts->read == 0 && session->options->no_empty && session->why == RUNNER_WENT_ON) {
        screen_say(session->screen, "no URLs");
        outcome_worsen(&session->outcome, STATUS_SOME_FAILED);
    }
    write_summary(session, seconds);
    outcome_tell_local(&session->outcome, session->screen, session->recorder, "URLs",
                       urls_error(session->urls));
    outcome_tell_failures(&session->outcome, session->screen);
    if (session->options->report.quiet == 0 && screen_error(session->screen) != EPIPE)
        say_summary(session, seconds);
}

/* --- live ---------------------------------------------------------------------------------- */

void get_report_figures(void *user, struct screen_figures *out)
{
    const struct get_session *session = user;
    *out = (struct screen_figures){.bytes = session->bytes};
    if (session->runner == NULL)
        return;
    const struct runner_counts *counts = runner_counts(session->runner);
    outcome_figures(session->runner, out);
    out->total = counts->input_ended ? counts->read : urls_total(session->urls);
}

static struct get_item *running_item(const struct get_session *session, size_t index)
{
    return (struct get_item *)runner_nth_running(session->runner, index);
}

static unsigned columns_of(const char *text)
{
    unsigned columns = 0;
    uint32_t character;
    for (size_t size; (size = utf8_read(text, &character)) > 0; text += size)
        columns += utf8_columns(character);
    return columns;
}

bool get_report_row(void *user, size_t index, struct screen_line *line)
{
    enum { NAME = 24, BAR = 20 };
    const struct get_session *session = user;
    const struct get_item *item = session->runner != NULL ? running_item(session, index) : NULL;
    if (item == NULL)
        return false;
    char name[4 * NAME + 1], bytes[UNIT_TEXT_SIZE], length[UNIT_TEXT_SIZE], bar[BAR + 1];
    char shown[512];
    (void)screen_cut_middle(name, sizeof(name), harmless(shown, sizeof(shown), name_of(item)),
                            NAME);
    unsigned columns = columns_of(name);
    (void)unit_bytes(bytes, (double)item->received);
    int pad = columns < NAME ? (int)(NAME - columns) : 0;
    if (item->length == STORE_UNKNOWN || item->length == 0) {
        (void)snprintf(line->text, line->size, "  %s%*s  %s", name, pad, "", bytes);
        return true;
    }
    double share = (double)item->received / (double)item->length;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(share * BAR) ? '#' : '-';
    bar[BAR] = '\0';
    (void)snprintf(line->text, line->size, "  %s%*s  [%s] %3.0f %%  %s of %s", name, pad, "", bar,
                   share * 100, bytes, unit_bytes(length, (double)item->length));
    return true;
}

void get_report_state(struct get_session *session)
{
    outcome_tell_state(session->screen, runner_counts(session->runner));
    const struct get_item *item;
    for (size_t i = 0; (item = running_item(session, i)) != NULL; i++) {
        char age[UNIT_TEXT_SIZE], bytes[UNIT_TEXT_SIZE];
        screen_say(session->screen, "slot %u: %s, %s: %s", item->head.slot,
                   unit_clock(age, seconds_between(item->head.started_at, sil_clock())),
                   unit_bytes(bytes, (double)item->received), item->url.shown);
    }
}
