/* SPDX-License-Identifier: MIT */
/*
 * A session: one run of `sillon get`, all of whose parts meet here.
 *
 *     urls --> item --> runner's slot: transfer (HTTP --> store) --> report: JSON, log, failures, trace
 *                 \--> its host's line
 */
#ifndef CLI_GET_SESSION_H
#define CLI_GET_SESSION_H

#include <sillon/future.h>

#include "command.h"
#include "get/item.h"
#include "get/names.h"
#include "get/syntax.h"
#include "get/urls.h"
#include "record/recorder.h"
#include "run/interrupt.h"
#include "run/outcome.h"
#include "run/runner.h"

struct get_session {
    /* Borrowed, set by the caller. */
    const struct get_options *options;
    const struct words *words;
    struct recorder *recorder;
    const char *bearer; /**< what stands in --bearer-file */
    size_t jobs;

    /* The session's own. */
    struct urls *urls;
    struct hosts hosts;
    struct names *names;
    struct screen *screen;
    struct store *store;
    sil_http_client *client;
    struct runner *runner;
    struct interrupt *interrupt;
    sil_future *last_resort;
    sil_future **running; /**< by slot - 1: the transfers, to be cancelled */
    size_t running_room;
    struct outcome outcome;
    enum runner_stop why;
    uint64_t bytes;           /**< received, all in all */
    size_t extra_connections; /**< beyond one for each file: segments.h */
    uint64_t sequence;
    bool refused;
    int signal; /**< out: that asked to stop; 0 */
};

/** Run it, in a coroutine. */
void get_session_run(struct get_session *session);

/* --- transfer.c ---------------------------------------------------------------------------- */

/** One try of an item. In a coroutine of its own, which may be cancelled. */
enum runner_verdict transfer_run(struct get_session *session, struct get_item *item);

/* --- report.c ------------------------------------------------------------------------------ */

void get_report_item(struct get_session *session, struct get_item *item,
                     enum runner_verdict verdict);
void get_report_end(struct get_session *session);
void get_report_figures(void *user, struct screen_figures *out);
bool get_report_row(void *user, size_t index, struct screen_line *line);
void get_report_state(struct get_session *session);

#endif
