/* SPDX-License-Identifier: MIT */
/*
 * How a run of get or map turns out, and what is said of that at its end: failures, what went wrong on
 * this machine, the exit status.
 */
#ifndef CLI_RUN_OUTCOME_H
#define CLI_RUN_OUTCOME_H

#include "command.h"
#include "output/screen.h"
#include "record/recorder.h"
#include "run/runner.h"

enum { OUTCOME_FAILURES_SHOWN = 10 };

/** All zero is a run in which all is well so far. */
struct outcome {
    enum status status; /**< the worst so far */
    char *failures[OUTCOME_FAILURES_SHOWN];
    size_t failure_count;
};

/** The worst of what happened counts. */
void outcome_worsen(struct outcome *outcome, enum status status);

/** An item failed for good: a line about it, of which the first ones are shown at the end. */
void outcome_note(struct outcome *outcome, const char *line);

/** Why the run ended before its input did. @param halt  borrows: what was asked for. */
void outcome_tell_stop(struct outcome *outcome, struct screen *screen, enum runner_stop why,
                       const struct halt *halt);

/** What could not be written, or read: input_error, NULL, of what is called input. */
void outcome_tell_local(struct outcome *outcome, struct screen *screen,
                        const struct recorder *recorder, const char *input,
                        const char *input_error);

/** The failures, first ones first. Frees them. */
void outcome_tell_failures(struct outcome *outcome, struct screen *screen);

/** "3 ok, 1 failed, 0 skipped, 2 stopped", for the last line; and ", retries 7". */
enum { OUTCOME_COUNTS_SIZE = 128, OUTCOME_RETRIES_SIZE = 40 };
void outcome_counts(char out[OUTCOME_COUNTS_SIZE], const struct runner_counts *counts);
void outcome_retries(char out[OUTCOME_RETRIES_SIZE], const struct runner_counts *counts);

/** The last object: counts and time; the caller may add to it. NULL: none is wanted, or no memory. */
json_t *outcome_summary(const struct recorder *recorder, const struct runner_counts *counts,
                        double seconds);

/** Figures for the screen that are the same for all: but done, failed and so on, no total. */
void outcome_figures(const struct runner *runner, struct screen_figures *out);

/** How many are where, in a line (SIGQUIT). */
void outcome_tell_state(struct screen *screen, const struct runner_counts *counts);

#endif
