/* SPDX-License-Identifier: MIT */
/*
 * A sink: a file that gets whole lines, at its end.
 *
 * I1  A line is one write(2) with O_APPEND. In a regular file it is then in one piece, whoever else
 *     appends; into a pipe or a terminal, which may take a part of it, lines go one after the
 *     other.
 * I2  A pipe that is full holds up the writing coroutine alone.
 * I3  After an error nothing more is written.
 */
#ifndef CLI_RECORD_SINK_H
#define CLI_RECORD_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <sillon/sync.h>

struct sink {
    int fd; /**< -1: it is not open */
    int error;
    sil_mutex *turn;   /**< NULL for a regular file, which nobody waits for */
    struct stat about; /**< as it was when it was opened */
};

/**
 * Open it, and end a line that a crash has broken. Opening a named pipe waits for a reader.
 *
 * @return 0, or an errno value.
 */
int sink_open(struct sink *sink, const char *path);
/** Take away what is in it. @return as above. */
int sink_empty(struct sink *sink);
/** @param bytes  borrows: whole lines. @return as above. Waits, in a coroutine; neither a cancel
 *  nor a deadline scope ends that. */
int sink_write(struct sink *sink, const void *bytes, size_t size);
/** @return why something may be lost: 0 or an errno value. */
int sink_close(struct sink *sink);

#endif
