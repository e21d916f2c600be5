/* SPDX-License-Identifier: MIT */
/*
 * Traces: what ran where and when, as a picture. A trace is a file of Chrome's trace events (JSON);
 * ui.perfetto.dev and chrome://tracing show it: a row for each thread, worker process and loop,
 * with a bar for each task.
 *
 *     sil_trace_start("trace.json", NULL);
 *     ... everything as usual ...
 *     sil_trace_stop(NULL);
 *
 * While no trace is on, a task pays one load and one comparison. While one is on, each thread
 * writes into a buffer of its own, and a thread of the library writes the file; nobody waits for
 * the disk.
 *
 * A program may add rows and bars of its own, for what the library does not know of: a connection,
 * a slot, a phase.
 *
 * Source: "Trace Event Format", Google, 2016 (complete events "X", async "b" and "e", counters "C",
 * instants "i", metadata "M").
 */
#ifndef SILLON_TRACE_H
#define SILLON_TRACE_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A row of the picture. */
typedef uint64_t sil_track;

/** All zero is the default. */
typedef struct sil_trace_options {
    const char *process; /**< the heading of the rows; copied; NULL: the program's name */
    size_t buffer_size; /**< bytes of events that may wait to be written, over all threads; more are
                                counted and left out: 64 MiB */
    bool only_own;      /**< only what the program adds by itself, no tasks of executors */
} sil_trace_options;

SIL_BEGIN_DECLS

/**
 * Begin to write a trace. There is one at a time in a process.
 *
 * @param path     borrows; the file is made, or made empty.
 * @param options  borrows; NULL for the defaults.
 * @return 0; SIL_EALREADY one is being written; SIL_EINVAL; SIL_ENOMEM; SIL_EAGAIN no thread; an
 *         errno value: the file cannot be written.
 * @threads any
 */
SIL_API int sil_trace_start(const char *path, const sil_trace_options *options);

/**
 * Write what is left, and close the file, which is whole then. Without it, at the end of the
 * program, what has been written so far is a file that the viewers still read.
 *
 * @param out_lost  receives how many events were left out for lack of room; NULL allowed.
 * @return 0; SIL_EALREADY there is none; an errno value: the file is not whole.
 * @threads any
 * @blocks  until it is written
 */
SIL_API int sil_trace_stop(uint64_t *out_lost);

/**
 * Is a trace being written? To save oneself the work of making names.
 *
 * @threads any
 */
SIL_API bool sil_tracing(void);

/**
 * A row of one's own. Rows stand in the order in which they were made, below the library's.
 *
 * @param name  borrows: "slot 3", "example.org #2".
 * @return the row; valid until sil_trace_stop. 0, which all below ignore, if there is no trace.
 * @threads any
 */
SIL_API sil_track sil_trace_track(const char *name);

/**
 * A bar: something that has been. Bars of one row lie beside or within each other.
 *
 * @param name      borrows.
 * @param category  borrows: a word to filter by; NULL allowed.
 * @param begin     sil_clock().
 * @param end       sil_clock(), not before begin.
 * @param arguments borrows: a JSON object to be shown with it, "{\"bytes\":17}"; NULL allowed. More
 *                  than 16,000 bytes are left out; names are cut at 255, categories at 63.
 * @threads any
 */
SIL_API void sil_trace_span(sil_track track, const char *name, const char *category, int64_t begin,
                            int64_t end, const char *arguments);

/**
 * A moment.
 *
 * @threads any
 */
SIL_API void sil_trace_mark(sil_track track, const char *name, const char *category);

/**
 * The value of a figure from now on: drawn as a curve.
 *
 * @param name  borrows.
 * @threads any
 */
SIL_API void sil_trace_counter(const char *name, double value);

SIL_END_DECLS

#endif
