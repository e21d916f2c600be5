/* SPDX-License-Identifier: MIT */
/*
 * A session: takes URLs from a source, keeps the pool busy with them, and reports each as it
 * ends.
 *
 * One thread runs it, and waits in one place for everything at once: a download, the next piece
 * of input, and the user's wish to stop are all futures.
 */
#ifndef CLI_GET_SESSION_H
#define CLI_GET_SESSION_H

#include "get/download.h"
#include "get/progress.h"
#include "get/report.h"
#include "input/source.h"
#include "interrupt.h"

/** All borrowed. */
struct session {
    struct interrupt *interrupt;
    struct source *source;
    struct download_place place;
    uint64_t jobs;
    struct progress *progress;
    struct report *report;
};

/**
 * Do all of it.
 *
 * @return false: it could not be begun; sil_last_error tells why.
 * @blocks  until the source has ended and so has each download, or until it was interrupted
 */
bool session_run(struct session *session);

#endif
