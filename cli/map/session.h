/* SPDX-License-Identifier: MIT */
/*
 * A session: one run of `sillon map`, all of whose parts meet here.
 *
 *     inputs --> item --> runner's slot: capture, job --> outputs (in order, above the live lines)
 *                                                    \--> report: JSON, log, failures, trace
 */
#ifndef CLI_MAP_SESSION_H
#define CLI_MAP_SESSION_H

#include <sillon/future.h>

#include "command.h"
#include "map/item.h"
#include "map/jobserver.h"
#include "map/limits.h"
#include "map/retry.h"
#include "record/recorder.h"
#include "run/interrupt.h"
#include "run/outcome.h"
#include "run/runner.h"

struct map_session {
    /* Borrowed, set by the caller. */
    const struct map_options *options;
    const struct words *words;
    struct map_words split;
    struct family *family;
    struct recorder *recorder;
    size_t jobs;      /**< slots */
    size_t most_jobs; /**< that SIGUSR1 can make of them: the family's table */
    struct time_limit time_limit;
    struct limits limits;

    /* The session's own. */
    struct item_maker maker;
    struct screen *screen;
    struct outputs *outputs;
    struct runner *runner;
    struct interrupt *interrupt;
    struct jobserver *jobserver;     /**< NULL: none */
    const char *more_environment[2]; /**< of jobs */
    sil_future *last_resort;         /**< ends the program if it does not end when asked to */
    struct outcome outcome;
    enum runner_stop why;
    bool refused; /**< it is said on stderr already what is wrong */
    int signal;   /**< out: that asked to stop; 0 */
};

/** Run it, in a coroutine. */
void session_run(struct map_session *session);

/* --- report.c ------------------------------------------------------------------------------ */

/** An item has ended for good: all that is written about it, but its output. */
void report_item(struct map_session *session, struct map_item *item, enum runner_verdict verdict);

/** The failures, and the last line. */
void report_end(struct map_session *session);

/** What went wrong while so many items were read for --dry-run. */
void report_dry_run(struct map_session *session, uint64_t count);

/** Figures and rows for the screen; user is the session. */
void report_figures(void *user, struct screen_figures *out);
bool report_row(void *user, size_t index, struct screen_line *line);

/** What runs now, a line each (SIGQUIT). */
void report_state(struct map_session *session);

/** A track for each slot, bars for what its jobs went through. */
void report_trace(const struct map_session *session, const struct map_item *item);

#endif
