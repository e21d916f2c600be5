/* SPDX-License-Identifier: MIT */
/*
 * A few lines at the bottom of a terminal that are drawn again and again.
 *
 * I1  A frame is one write, so that a slow terminal never shows half of one.
 * I2  No line is wider than the terminal, else it would wrap and the next frame would start at
 *     the wrong line.
 * I3  Nothing is switched in the terminal (no hidden cursor, no wrap mode): a program that is
 *     killed leaves it usable.
 *
 * What the lines say is their owner's business.
 */
#ifndef CLI_OUTPUT_LIVE_H
#define CLI_OUTPUT_LIVE_H

#include <stdbool.h>
#include <stddef.h>

enum { LIVE_LINES = 16, LIVE_LINE_SIZE = 512 };

/** The caller's storage; all zero but for fd. One thread at a time. */
struct live {
    int fd;       /**< the terminal */
    size_t shown; /**< lines on the screen now; the cursor stands in the last of them */
    size_t count; /**< lines of the next frame */
    char lines[LIVE_LINES][LIVE_LINE_SIZE];
};

/** Can this descriptor show them: a terminal, and not a dumb one? */
bool live_possible(int fd);

/** How many columns the terminal has now. */
unsigned live_width(const struct live *live);

/** How many lines the terminal has now. */
unsigned live_height(const struct live *live);

/**
 * The next line of the next frame.
 *
 * @return returns borrowed; LIVE_LINE_SIZE bytes to fill. Past the last, the last one again.
 */
char *live_add_line(struct live *live);

/** Put the frame on the screen, in place of the one before. */
void live_draw(struct live *live);

/** Take the frame off the screen, so that ordinary lines can be printed. */
void live_erase(struct live *live);

#endif
