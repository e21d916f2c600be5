/* SPDX-License-Identifier: MIT */
/*
 * The live lines: a few lines at the end of what a terminal shows, drawn again and again.
 *
 * I1  While they are shown the cursor stands at the beginning of the first of them. So taking them away
 *     needs no count of lines, which would be wrong once the terminal was made narrower and has wrapped
 *     them anew; and what is written over them by others, or after we were killed, starts in an own line.
 * I2  A frame is one write, and none if nothing has changed. If the terminal does not take all of it, the
 *     rest is first of what is written next; nothing is drawn meanwhile.
 * I3  No mode of the terminal is changed.
 */
#ifndef CLI_OUTPUT_LIVE_H
#define CLI_OUTPUT_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "output/outlet.h"
#include "output/screen.h"

/** Bytes. Owned; all zero is an empty one. */
struct bytes {
    char *data;
    size_t size, room;
};

bool bytes_add(struct bytes *bytes, const char *data, size_t size); /**< false: out of memory */
void bytes_fini(struct bytes *bytes);

struct live {
    struct outlet *outlet;  /**< borrowed: the terminal */
    struct bytes frame;     /**< the one that is shown, or being written */
    struct bytes next;      /**< being put together */
    size_t taken;           /**< bytes of frame that the terminal has */
    unsigned lines;         /**< of next */
    unsigned columns, rows; /**< of the terminal, when it was last drawn to */
    bool resized;           /**< since then: what it shows now is not known */
    bool shown;             /**< any byte of frame is */
    bool mid_line;          /**< others' output before did not end its line */
    bool failed;            /**< no memory for next */
    bool color;
};

/** Can live lines be drawn there? A terminal that is not dumb. */
bool live_possible(int fd);

void live_init(struct live *live, struct outlet *outlet, bool color);
void live_fini(struct live *live);

/** How large the terminal is now; 80 x 24 if it does not say. */
void live_size(struct live *live, unsigned *out_columns, unsigned *out_rows);

/** Is this process one that the terminal's user looks at? */
bool live_in_foreground(const struct live *live);

/** Put a frame together line by line; then draw it, as far as the terminal takes it. */
void live_begin(struct live *live);
void live_add(struct live *live, const char *text, unsigned columns);
void live_draw(struct live *live);

/** What has to be written before anything else may be, to any outlet that leads to the terminal. From then
 *  on nothing is shown. @param out  receives it; it is emptied before. */
void live_take_away(struct live *live, struct bytes *out);

/** The same as far as can be without waiting. */
void live_try_take_away(struct live *live);

#endif
