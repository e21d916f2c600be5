/* SPDX-License-Identifier: MIT */
/*
 * Lines drawn again and again, see live.h: each frame starts where the one before did, by moving
 * the cursor up, and erases what is left of it.
 */
#include "output/live.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text/utf8.h"

#define CURSOR_UP "\033[A"
#define ERASE_TO_LINE_END "\033[K"
#define ERASE_TO_SCREEN_END "\033[J"

struct frame {
    size_t used;
    char bytes[LIVE_LINES * (LIVE_LINE_SIZE + 16)];
};

bool live_possible(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) && terminal != NULL && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
}

static struct winsize terminal_size(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size.ws_col = 80;
        size.ws_row = 24;
    }
    return size;
}

unsigned live_width(const struct live *live)
{
    return terminal_size(live->fd).ws_col;
}

unsigned live_height(const struct live *live)
{
    return terminal_size(live->fd).ws_row;
}

char *live_add_line(struct live *live)
{
    if (live->count < LIVE_LINES)
        live->count++;
    return live->lines[live->count - 1];
}

static void frame_add(struct frame *frame, const char *bytes, size_t count)
{
    if (frame->used + count > sizeof(frame->bytes))
        return;
    memcpy(frame->bytes + frame->used, bytes, count);
    frame->used += count;
}

static void frame_add_text(struct frame *frame, const char *text)
{
    frame_add(frame, text, strlen(text));
}

/* How many bytes of a line fit into so many columns. */
static size_t cut_to_width(const char *line, unsigned width)
{
    size_t at = 0;
    for (unsigned columns = 0; line[at] != '\0';) {
        uint32_t character = 0;
        size_t length = utf8_read(line + at, &character);
        columns += utf8_columns(character);
        if (length == 0 || columns > width)
            break;
        at += length;
    }
    return at;
}

static void frame_go_to_start(struct frame *frame, const struct live *live)
{
    frame_add_text(frame, "\r");
    for (size_t i = 1; i < live->shown; i++)
        frame_add_text(frame, CURSOR_UP);
}

static void frame_write(const struct frame *frame, int fd)
{
    for (size_t done = 0; done < frame->used;) {
        ssize_t count = write(fd, frame->bytes + done, frame->used - done);
        if (count < 0 && errno != EINTR)
            return; /* the terminal is gone; the work is not */
        done += count > 0 ? (size_t)count : 0;
    }
}

void live_draw(struct live *live)
{
    struct frame frame = {0};
    /* The last column stays free: some terminals wrap as soon as it is written to. */
    unsigned width = live_width(live) - 1;
    frame_go_to_start(&frame, live);
    for (size_t i = 0; i < live->count; i++) {
        if (i > 0)
            frame_add_text(&frame, "\n");
        frame_add(&frame, live->lines[i], cut_to_width(live->lines[i], width));
        frame_add_text(&frame, ERASE_TO_LINE_END);
    }
    frame_add_text(&frame, ERASE_TO_SCREEN_END);
    frame_write(&frame, live->fd);
    live->shown = live->count;
    live->count = 0;
}

void live_erase(struct live *live)
{
    if (live->shown == 0)
        return;
    struct frame frame = {0};
    frame_go_to_start(&frame, live);
    frame_add_text(&frame, ERASE_TO_SCREEN_END);
    frame_write(&frame, live->fd);
    live->shown = 0;
}
