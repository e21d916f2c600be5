/* SPDX-License-Identifier: MIT */
/*
 * What jobs write: kept until the job has ended and then written whole (group), passed on line by line
 * (line), or theirs alone (raw); labelled (--tag), in the order of the inputs (-k), into files (--save,
 * which are not shown), or into the job's JSON object.
 *
 * I1  Kept output lies in memory files (memfd): no copy of ours, no pipe that must be read while the job
 *     runs. While all of them together hold more than --buffer, who begins gets unlinked files in TMPDIR
 *     instead; a job whose output cannot be kept there (ENOSPC) gets that from its own write. What a
 *     job writes after its beginning goes where it began: one alone may write more than --buffer.
 * I2  Output and error of a job are kept apart. A job's output reaches standard output in one piece.
 * I3  With -k at most `window` jobs are begun ahead of the one whose turn it is.
 * I4  One job's bytes are passed on once: of tries that failed and are repeated, nothing (but for lines
 *     that have been passed on already).
 *
 * --save and objects (in_json) leave nothing to be shown, and so no order. With -k lines are kept as
 * groups are: they can only be shown when it is their turn. Raw output has no order.
 *
 * The calls for a job: outputs_admit where inputs are read (not in a slot: who waits there may wait for a
 * job that is to be tried again, which needs a slot), in order; then for each try capture_begin,
 * _descriptor, _started, _ended, _size and _json, and _deliver or _discard. A number that is never
 * delivered: outputs_skip.
 */
#ifndef CLI_MAP_CAPTURE_H
#define CLI_MAP_CAPTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/syntax.h"
#include "output/screen.h"

struct outputs; /**< of the run */
struct capture; /**< of a job */

/** @param in_json  the jobs' own output goes into objects alone, none to standard output. In a
 *  coroutine. @return returns owned; NULL with sil_last_error (a folder for --save that cannot be made). */
struct outputs *outputs_create(const struct map_options *options, struct screen *screen,
                               bool in_json);
/** All captures have ended. @param outputs  takes; NULL allowed. */
void outputs_destroy(struct outputs *outputs);

/** How many jobs run at the same time: the window is made of it, where none was given, and of how many
 *  descriptors there may be. 1 to begin with. */
void outputs_set_slots(struct outputs *outputs, size_t slots);

/** May a job with that number begin, or are too many ahead of the one whose turn it is (-k), or is there
 *  no room in TMPDIR while others are still to be passed on? Waits until it may. @return 0;
 *  SIL_ECANCELLED outputs_stop, or the caller was cancelled; SIL_ENOMEM. */
int outputs_admit(struct outputs *outputs, uint64_t seq);

/** Wake who waits there; no more is admitted. */
void outputs_stop(struct outputs *outputs);

/** Write what has been kept but not been written (halt: the first failing job's is shown last). Waits. An
 *  error is screen_error's. After that nothing has an order any more. */
void outputs_flush(struct outputs *outputs);

/**
 * For a job's next try.
 *
 * @param seq  numbers follow each other from 1, in any order; each is delivered or skipped once.
 * @param tag  borrows; copied. NULL: none.
 * @return returns owned; NULL with sil_last_error.
 */
struct capture *capture_begin(struct outputs *outputs, uint64_t seq, const char *tag);

/** What the program gets as 1 or 2: a descriptor (borrowed), or SIL_INHERIT. */
int capture_descriptor(const struct capture *capture, int number);

/** The program has been started, and has the descriptors. */
void capture_started(struct capture *capture);

/** It has ended: take what is still in pipes (what its children still hold open is not waited for). */
void capture_ended(struct capture *capture);

/** How many bytes it wrote. After capture_ended. */
uint64_t capture_size(const struct capture *capture, int number);

/**
 * As a JSON text (record_text), for the job's object: of more than 16 MiB only the beginning, as
 * {"truncated": true, "head": text}; null where nothing is kept (line, raw). After capture_ended, before
 * deliver.
 *
 * @return returns owned; NULL: out of memory, or it cannot be read.
 */
json_t *capture_json(const struct capture *capture, int number);

/** That try does not count. Files of --save stay until the next try's. @param capture  takes; NULL
 *  allowed. */
void capture_discard(struct capture *capture);

/**
 * Write it, or keep it until its turn. Waits for the reader of our output.
 *
 * @param capture  takes.
 * @param last     keep it until outputs_flush: it is to be seen last.
 * @return 0; an errno value: our own output cannot be written, or the job's could not be kept.
 */
int capture_deliver(struct capture *capture, bool last);

/** A number that has no output: it was skipped, or never began, or will not be tried again. Needed with
 *  -k; does nothing where it was delivered, or skipped, before. May write those that follow it, and wait
 *  for that. */
void outputs_skip(struct outputs *outputs, uint64_t seq);

#endif
