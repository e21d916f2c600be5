/* SPDX-License-Identifier: MIT */
/*
 * Where bytes come from: a file, a pipe, a terminal, standard input, read piece by piece.
 *
 * I1  Reading never holds up the loop for longer than a disk takes: what may keep one waiting is a
 *     stream, and only the coroutine waits, also for a named pipe that nobody has opened to write.
 * I2  What others share stays as it is: standard input is not made non-blocking
 *     (sil_stream_standard).
 * I3  Memory is bounded by a piece and by what the caller has not taken yet.
 *
 * All of it on one loop. lines.h makes lines of it.
 */
#ifndef CLI_INPUT_SOURCE_H
#define CLI_INPUT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sillon/future.h>
#include <sillon/stream.h>

/** To be read, but for the owner: source.c; source_take alone moves `at`. */
struct source {
    const char *name; /**< for messages: the file, or "standard input"; borrowed */
    char *bytes;      /**< those from at to used are there; one more may be written behind them */
    size_t at, used;
    bool ended; /**< nothing more will come */

    size_t room;
    int fd;          /* -1: standard input, or the stream has it */
    bool regular;    /* a short read is its end */
    bool named_pipe; /* somebody may still have to open the other side */
    bool stopped;
    sil_stream *stream; /* NULL: not yet */
    sil_future *writer; /* waits for a named pipe's other side; NULL: nobody does */
};

/**
 * Open.
 *
 * @param file  borrows, until close; "-": standard input.
 * @return returns owned: source_close. NULL with sil_last_error, which names the file: it cannot be
 *         opened, it is a folder, standard input is closed; SIL_ENOMEM.
 */
struct source *source_open(const char *file);

/** @param source  takes; NULL allowed. Nobody waits in it. On its loop's thread. */
void source_close(struct source *source);

/**
 * Read some more behind what is there. What was taken is gone then, and bytes may have moved.
 *
 * @return 0; SIL_EEND nothing more will come; SIL_ECANCELLED it was stopped, or the coroutine
 *         cancelled; else the last error says why.
 * @threads coroutine
 */
int source_more(struct source *source);

/** The first so many bytes are done with. */
static inline void source_take(struct source *source, size_t count)
{
    source->at += count;
}

/** Whoever waits in source_more, now or later, gets SIL_ECANCELLED. */
void source_stop(struct source *source);

#endif
