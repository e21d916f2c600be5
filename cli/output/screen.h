/* SPDX-License-Identifier: MIT */
/*
 * The screen: all that a running command writes. Results to standard output, the rest to standard
 * error, and below both, on a terminal, a few live lines.
 *
 * I1  Results are whole: one writer at a time, and live lines never run through them.
 * I2  Writing waits in the calling coroutine alone: a reader that does not read holds up neither
 *     signals nor the rest; and no descriptor that others share is made non-blocking.
 * I3  At most 10 frames a second, one write each, no line wider than the terminal, width and height
 *     looked up anew after SIGWINCH; on every way out the terminal is left as it was.
 * I4  Once standard output has failed, nothing more is written to it, and screen_error says why. EPIPE
 *     is no failure to be told: the run ends quietly, as by SIGPIPE.
 */
#ifndef CLI_OUTPUT_SCREEN_H
#define CLI_OUTPUT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syntax/report.h"

struct screen;

/** A live line, to be written by plan->row. What is wider than columns is cut off, control characters
 *  other than colours (ESC [ ... m) are shown as "?". */
struct screen_line {
    char *text; /**< size bytes; terminated; empty at first */
    size_t size;
    unsigned columns; /**< it should not be wider */
    bool color;       /**< escape sequences for colours may stand in it */
};

struct screen_figures {
    uint64_t done, failed; /**< items that have ended in any way; and how many of these failed */
    uint64_t total;        /**< 0: not known yet */
    uint64_t retries, running, waiting;
    uint64_t bytes;    /**< 0 with no_bytes */
    bool no_bytes;     /**< do not speak of bytes (map) */
    const char *state; /**< "stopping", ...; NULL. A plain word: it stands in JSON as it is */
};

struct screen_plan {
    const struct report_options *options; /**< borrows */
    const char *command;                  /**< "get": messages begin with "sillon get: " */
    void *user;
    /** The figures of this moment; all are 0 before. Neither function may wait. */
    void (*figures)(void *user, struct screen_figures *out);
    /** The row of the index-th running item, from 0; false: there are no more. NULL: no rows. */
    bool (*row)(void *user, size_t index, struct screen_line *line);
};

/** In a coroutine. @param plan  borrows, until destroy; its functions are called from another coroutine,
 *  from the next wait on. @return returns owned; NULL with sil_last_error: EBADF options->progress_fd is
 *  not open; no memory. */
struct screen *screen_create(const struct screen_plan *plan);
/** Takes the live lines away, waits for what is being written. @param screen  takes; NULL allowed. */
void screen_destroy(struct screen *screen);

/** Write to standard output, all of it, above the live lines. In a coroutine; waits. @return 0, or an
 *  errno value: what standard output failed with (EPIPE included), from then on always; or ECANCELED,
 *  ETIMEDOUT: the caller was cancelled, or its deadline scope ended, before its turn came, and nothing was
 *  written. A cancel that comes later is swallowed (sil_cancelled() still tells). */
int screen_out(struct screen *screen, const void *bytes, size_t size);

/**
 * The same, from `offset` of a file on: size bytes of it (sendfile where that works).
 *
 * A reader may get the file's own pages, later: do not write over these bytes afterwards. Closing it, and
 * cutting it to 0, is fine.
 *
 * @param fd  borrows: a memory file or a regular file; its position stays.
 * @return as screen_out; EIO the file is shorter, or another error of reading it, which is not standard
 *         output's: the next call goes on.
 */
int screen_out_file(struct screen *screen, int fd, uint64_t offset, uint64_t size);

/** Have several calls of the two above follow each other: no one else's come between. May be nested.
 *  @return 0, and end is called; otherwise as screen_out, and it is not. */
int screen_out_begin(struct screen *screen);
void screen_out_end(struct screen *screen);

/** A message to standard error, a line "sillon get: ...", above the live lines; control characters made
 *  harmless by the caller. Never fails, and does not wait for a reader that does not read, unless very
 *  much is to be said: coroutines that handle signals may call it. Not with -qq. */
void screen_say(struct screen *screen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A job's bytes for standard error, as they are. */
int screen_err(struct screen *screen, const void *bytes, size_t size);
int screen_err_file(struct screen *screen, int fd, uint64_t offset, uint64_t size);

/** The run is over: no more live lines, and the last progress line is written now, so that what is said
 *  from here on stands behind it. Waits. */
void screen_end_progress(struct screen *screen);

/** Why standard output failed; 0: it did not. */
int screen_error(const struct screen *screen);

/** Cut a text to so many columns, in its middle: "a-very...name.iso". Its end tells more than its middle.
 *  @param out  receives at most size bytes, terminated. @return out */
const char *screen_cut_middle(char *out, size_t size, const char *text, unsigned columns);

/** Take the live lines away for a while (SIGTSTP), and show them again. Does not wait. */
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

/** May colours be used on standard error (fd 2) or output (fd 1)? --color, NO_COLOR, CLICOLOR_FORCE,
 *  FORCE_COLOR, TERM. Any thread; no screen needed. */
bool color_wanted(int color_mode, int fd);

#endif
