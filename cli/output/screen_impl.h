/* SPDX-License-Identifier: MIT */
/*
 * What the screen is made of, for its own files and its tests.
 *
 *     screen_out, screen_err --> turn --> outlet
 *     screen_say --> said ------^           ^      (at once if it is nobody's turn, else by who has it)
 *     ticker --> look of a kind of progress +---> live lines (if it is nobody's turn)
 *
 * All coroutines are of one loop: what does not wait is not interrupted.
 *
 * I1  Bytes that may have to wait are written by who has the turn, after settle: the live lines are
 *     away, and what was said has been written.
 * I2  What does not have the turn writes only while nobody has it, and only what can be at once.
 *
 * To add a kind of progress: its look function, and a line in screen.c's list.
 */
#ifndef CLI_OUTPUT_SCREEN_IMPL_H
#define CLI_OUTPUT_SCREEN_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sillon/future.h>
#include <sillon/sync.h>

#include "output/live.h"
#include "output/outlet.h"
#include "output/rates.h"
#include "output/screen.h"
#include "output/turn.h"

/** What tests have otherwise. Times are in seconds. */
struct screen_setup {
    int out, err;
    double first; /**< until the first frame: short runs do not flicker */
    double frame; /**< between two frames of the bar */
    double json;  /**< between two lines */
    double look;  /**< plain: between two looks at the figures */
    double line;  /**< plain: between two lines, if no quarter has been reached */
    double grace; /**< at the end, for a reader of --progress-fd that does not read */
};

/** A way out, and whose turn it is there. */
struct channel {
    struct outlet outlet;
    struct turn *turn; /**< one for all that lead to the same */
    bool live;         /**< the live lines are there */
};

struct screen;

struct progress_kind {
    double (*interval)(const struct screen_setup *setup); /**< of the looks */
    void (*look)(struct screen *screen, const struct screen_figures *figures, bool last);
    bool wants_first; /**< the first look comes after setup.first */
};

struct screen {
    const struct screen_plan *plan;
    struct screen_setup setup;
    struct channel out, err;
    struct channel own; /**< for --progress-fd, if it is neither */
    struct channel *progress_channel;
    struct turn turns[3];
    struct live live;
    struct bytes said; /**< messages that are still to be written */
    struct bytes away; /**< what takes the live lines away; of who has the turn */
    const struct progress_kind *progress; /**< NULL: none */
    struct rates rates;
    sil_event *wake; /**< the ticker is to end */
    sil_future *ticker, *talker;
    int64_t line_at;    /**< plain: when the last line was written */
    unsigned quarters;  /**< plain: that were reached */
    uint64_t line_done; /**< plain: what the last line said */
    bool has_own, ending, suspended;
};

extern const struct screen_setup screen_usual;
extern const struct progress_kind progress_bar, progress_plain, progress_json;

/** @param setup  borrows. */
struct screen *screen_create_with(const struct screen_plan *plan, const struct screen_setup *setup);

/** What is written: bytes, or with fd >= 0 a part of a file. */
struct piece {
    const char *bytes;
    int fd;
    uint64_t offset, size;
};

/** channel.c: in turn, all of it. @return 0; an errno value */
int channel_write(struct screen *screen, struct channel *channel, const struct piece *piece);
/** Take the turn and settle; give it back, with what was said meanwhile written. */
int channel_begin(struct screen *screen, struct channel *channel);
void channel_begin_surely(struct screen *screen, struct channel *channel);
void channel_end(struct screen *screen, struct channel *channel);

/** said.c: a line of ours to standard error, as it is. */
void said_add(struct screen *screen, const char *line, size_t size);
/** By who has the turn there: write what is still to be written. */
void said_write(struct screen *screen);
/** The talker has ended, and is let go. */
void said_fini(struct screen *screen);

/** ticker.c: start the coroutine that looks at the figures; end it. @return false: it could not be,
 *  with sil_last_error. */
bool ticker_start(struct screen *screen);
void ticker_end(struct screen *screen);

/** Wait until it has ended, whatever happens to the caller. */
void await_surely(sil_future *future);

#endif
