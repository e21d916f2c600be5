/* SPDX-License-Identifier: MIT */
/*
 * The joblog: the log that GNU parallel writes, for --log FILE.tsv of map. A header, then a line a
 * job:
 *
 *     Seq Host Starttime JobRuntime Send Receive Exitval Signal Command       (tabs between them)
 *
 * I1  Command is the item's identity, byte for byte, but for line feeds, which are NULs in the file
 *     (as GNU parallel has them). So a log tells the identities by itself, a parallel's own log
 *     too.
 *
 * Source: GNU parallel 20221122, parallel(1), --joblog; its print_joblog.
 */
#ifndef CLI_RECORD_JOBLOG_H
#define CLI_RECORD_JOBLOG_H

#include <jansson.h>

#include "record/identity.h"
#include "record/recorder.h"

extern const char joblog_header[];

/**
 * The line of a job.
 *
 * @param object  borrows: seq, start (seconds since the run began), wall, stdout_bytes, exit,
 *                signal; what is missing or null is 0.
 * @param began   when the run began, in seconds of the epoch.
 * @param out     receives the line, with its end: owned, free(); NULL allowed with size 0.
 * @return bytes; 0: out of memory.
 */
size_t joblog_line(const json_t *object, double began, const void *identity, size_t identity_size,
                   char **out);

/**
 * What a line says. @param line  without its end; is changed.
 * @return false: it tells of no job.
 */
bool joblog_read(char *line, size_t size, struct identity *out_identity,
                 enum record_before *out_before);

#endif
