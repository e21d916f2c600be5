/* SPDX-License-Identifier: MIT */
/*
 * The recorder: one JSON object for each item that has ended, a line each, to --json and to --log;
 * and what an earlier run's log says, for --resume and --redo-failed.
 *
 * I1  A line is one write with O_APPEND: a crash leaves at most one broken line, the last, and that
 *     one is skipped when the log is read again (and ended by a newline before ours).
 * I2  An item is known by its identity (its command line, or URL and name), not by its number; of
 *     identities only hashes are kept (16 bytes each).
 * I3  Once a file could not be written, recorder_error says why, and nothing more is written to it.
 * I4  The log gets its line last: what it says has been done has been told everywhere else.
 *
 * --resume leaves out what an earlier run has done, whether it ended well or failed: it goes on
 * where that run was interrupted. --redo-failed (with --resume or without) leaves out only what
 * ended well. What the log calls "stopped" was not done. A log that does not exist yet says
 * nothing.
 *
 * A log of map whose name ends in ".tsv" is GNU parallel's joblog (joblog.h), and its Command
 * column is the identity: so the identity of map's items must be the command line, quoted.
 */
#ifndef CLI_RECORD_RECORDER_H
#define CLI_RECORD_RECORDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/screen.h"
#include "syntax/report.h"

struct recorder;

enum record_before { BEFORE_NOTHING, BEFORE_OK, BEFORE_FAILED };

/**
 * Open what the options ask for. Reads the log if it is to be resumed from; with dry_run it does
 * that alone. Opening a named pipe waits for whoever reads it.
 *
 * @param options  borrows.
 * @return returns owned; NULL: said on stderr what cannot be opened; *out_status is how to end.
 */
struct recorder *recorder_open(const struct report_options *options, const struct syntax *syntax,
                               int *out_status);

/** The screen, for --json on standard output; before the first write. */
void recorder_use(struct recorder *recorder, struct screen *screen);

/** @param recorder  takes; NULL allowed. @return 0, or why the last bytes were lost (errno). */
int recorder_close(struct recorder *recorder);

/** Are objects wanted at all? If not, do not make them. */
bool recorder_wants(const struct recorder *recorder);
/** Is --json on standard output, in place of jobs' own output? Then that belongs into "full",
 *  however --json was written ("", "-" or "full"). */
bool recorder_on_stdout(const struct recorder *recorder);

/**
 * Write the object of an item, or the summary. Adds "ts", and "id": the identity as 32 hex digits.
 * What was skipped because the log tells of it is not told there again.
 *
 * @param object    takes; NULL (out of memory) counts as an error. It has a "status" unless it is
 *                  the summary: ok, skipped, failed, timeout, killed or stopped.
 * @param identity  borrows; NULL for the summary.
 * @param full      takes: members for standard output alone (a job's own output); NULL allowed.
 * @return 0 or an errno value. Waits, in a coroutine.
 */
int recorder_write(struct recorder *recorder, json_t *object, const void *identity,
                   size_t identity_size, json_t *full);

/** What became of an item in the log that is resumed from. */
enum record_before recorder_before(const struct recorder *recorder, const void *identity,
                                   size_t identity_size);

/** Is an item that ended so before to be left out now (--resume, --redo-failed)? */
bool recorder_skips(const struct recorder *recorder, const void *identity, size_t identity_size);

/** Why a file could not be written, or a line not be made; 0: all is well. Standard output's
 *  failure is the screen's (screen_error). */
int recorder_error(const struct recorder *recorder);

/** Text as a JSON string, or, if it is not UTF-8, as {"base64": "..."}. NULL: out of memory. */
json_t *record_text(const char *bytes, size_t size);

/** Seconds to the microsecond, for JSON. */
json_t *record_seconds(double seconds);

/** "2026-11-21T10:00:00.123Z" of now, or of a moment of sil_clock. */
const char *record_time(char out[32], int64_t clock);

#endif
