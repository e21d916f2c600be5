/* SPDX-License-Identifier: MIT */
/*
 * How a run turns out, see outcome.h.
 */
#include "run/outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/status.h>

void outcome_worsen(struct outcome *outcome, enum status status)
{
    outcome->status = status_worse(outcome->status, status);
}

void outcome_note(struct outcome *outcome, const char *line)
{
    if (outcome->failure_count < OUTCOME_FAILURES_SHOWN)
        outcome->failures[outcome->failure_count] = strdup(line);
    outcome->failure_count++;
}

void outcome_tell_stop(struct outcome *outcome, struct screen *screen, enum runner_stop why,
                       const struct halt *halt)
{
    switch (why) {
    case RUNNER_HALTED:
        if (halt->what != HALT_SUCCESS)
            outcome_worsen(outcome, STATUS_STOPPED);
        else if (outcome->status == STATUS_SOME_FAILED)
            outcome->status = STATUS_DONE; /* as many as were wanted did succeed */
        break;
    case RUNNER_DEADLINE:
        outcome_worsen(outcome, STATUS_STOPPED);
        screen_say(screen, "stopped at the deadline");
        break;
    case RUNNER_LOCAL:
        if (outcome->status == STATUS_DONE)
            outcome_worsen(outcome, STATUS_LOCAL_FAILURE);
        break;
    default:
        break;
    }
}

static void tell_error(struct outcome *outcome, struct screen *screen, const char *what, int error)
{
    /* A reader that has gone is no failure of ours: the run ends as by SIGPIPE. */
    if (error == 0 || error == EPIPE)
        return;
    screen_say(screen, "%s: %s", what, sil_strerror(error));
    outcome_worsen(outcome, STATUS_LOCAL_FAILURE);
}

void outcome_tell_local(struct outcome *outcome, struct screen *screen,
                        const struct recorder *recorder, const char *input, const char *input_error)
{
    if (input_error != NULL) {
        screen_say(screen, "reading %s: %s", input, input_error);
        outcome_worsen(outcome, STATUS_LOCAL_FAILURE);
    }
    tell_error(outcome, screen, "standard output", screen_error(screen));
    tell_error(outcome, screen, "writing the log", recorder_error(recorder));
}

void outcome_tell_failures(struct outcome *outcome, struct screen *screen)
{
    for (size_t i = 0; i < OUTCOME_FAILURES_SHOWN; i++) {
        if (outcome->failures[i] != NULL)
            screen_say(screen, "%s", outcome->failures[i]);
        free(outcome->failures[i]);
        outcome->failures[i] = NULL;
    }
    if (outcome->failure_count > OUTCOME_FAILURES_SHOWN)
        screen_say(screen, "... and %zu more that failed",
                   outcome->failure_count - OUTCOME_FAILURES_SHOWN);
}

void outcome_counts(char out[OUTCOME_COUNTS_SIZE], const struct runner_counts *counts)
{
    int used = snprintf(out, OUTCOME_COUNTS_SIZE,
                        "%" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64 " skipped", counts->ok,
                        counts->failed, counts->skipped);
    if (counts->stopped > 0)
        (void)snprintf(out + used, OUTCOME_COUNTS_SIZE - (size_t)used, ", %" PRIu64 " stopped",
                       counts->stopped);
}

void outcome_retries(char out[OUTCOME_RETRIES_SIZE], const struct runner_counts *counts)
{
    out[0] = '\0';
    if (counts->retries > 0)
        (void)snprintf(out, OUTCOME_RETRIES_SIZE, ", retries %" PRIu64, counts->retries);
}

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new_nocheck(object, name, value);
}

json_t *outcome_summary(const struct recorder *recorder, const struct runner_counts *counts,
                        double seconds)
{
    json_t *object = recorder_wants(recorder) ? json_object() : NULL;
    if (object == NULL)
        return NULL;
    set(object, "type", json_string("summary"));
    set(object, "ok", json_integer((json_int_t)counts->ok));
    set(object, "failed", json_integer((json_int_t)counts->failed));
    set(object, "skipped", json_integer((json_int_t)counts->skipped));
    set(object, "stopped", json_integer((json_int_t)counts->stopped));
    set(object, "retries", json_integer((json_int_t)counts->retries));
    set(object, "wall", record_seconds(seconds));
    return object;
}

void outcome_figures(const struct runner *runner, struct screen_figures *out)
{
    const struct runner_counts *counts = runner_counts(runner);
    out->done = runner_done(counts);
    out->failed = counts->failed;
    out->retries = counts->retries;
    out->running = counts->running;
    out->waiting = counts->waiting;
    out->state = runner_stopping(runner) ? "stopping" : NULL;
}

void outcome_tell_state(struct screen *screen, const struct runner_counts *counts)
{
    screen_say(screen, "%" PRIu64 " done, %" PRIu64 " failed, %zu running, %zu to be tried again",
               runner_done(counts), counts->failed, counts->running, counts->waiting);
}
