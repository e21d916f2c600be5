/* SPDX-License-Identifier: MIT */
/*
 * Drawing, see live.h.
 */
#include "output/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/columns.h"

#define ERASE_TO_LINE_END "\033[K"
#define ERASE_TO_SCREEN_END "\033[J"
#define COLORS_OFF "\033[0m"

/* --- bytes ----------------------------------------------------------------------------------- */

bool bytes_add(struct bytes *bytes, const char *data, size_t size)
{
    if (size > bytes->room - bytes->size) {
        size_t room = 2 * bytes->room + size;
        char *larger = realloc(bytes->data, room);
        if (!larger)
            return false;
        bytes->data = larger;
        bytes->room = room;
    }
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return true;
}

void bytes_fini(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* --- the terminal ---------------------------------------------------------------------------- */

bool live_possible(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) && terminal && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
}

void live_init(struct live *live, struct outlet *outlet, bool color)
{
    *live = (struct live){.outlet = outlet, .color = color};
}

void live_fini(struct live *live)
{
    bytes_fini(&live->frame);
    bytes_fini(&live->next);
}

void live_size(struct live *live, unsigned *out_columns, unsigned *out_rows)
{
    struct winsize size = {0};
    bool known = ioctl(live->outlet->fd, TIOCGWINSZ, &size) == 0;
    *out_columns = known && size.ws_col > 0 ? size.ws_col : 80;
    *out_rows = known && size.ws_row > 0 ? size.ws_row : 24;
    live->resized = live->resized || *out_columns != live->columns || *out_rows != live->rows;
    live->columns = *out_columns;
    live->rows = *out_rows;
}

bool live_in_foreground(const struct live *live)
{
    pid_t group = tcgetpgrp(live->outlet->fd);
    return group < 0 || group == getpgrp(); /* < 0: it is nobody's terminal */
}

/* --- a frame --------------------------------------------------------------------------------- */

static void add(struct live *live, const char *data, size_t size)
{
    if (!bytes_add(&live->next, data, size))
        live->failed = true;
}

static void add_text(struct live *live, const char *text)
{
    add(live, text, strlen(text));
}

void live_begin(struct live *live)
{
    live->next.size = 0;
    live->lines = 0;
    live->failed = false;
    add_text(live, !live->shown && live->mid_line ? "\r\n" : "\r");
}

/* A character of a line, or an escape sequence for colours; what a terminal would obey is shown as "?".
 * @return behind it */
static const char *add_character(struct live *live, const char *at, unsigned *columns,
                                 bool *colored)
{
    struct column_step step = columns_step(at);
    if (step.is_color) {
        *colored = true;
        if (live->color)
            add(live, at, step.size);
    } else if (step.columns > *columns) {
        *columns = 0;
        return at + strlen(at);
    } else {
        *columns -= step.columns;
        add(live, step.is_text ? at : "?", step.is_text ? step.size : 1);
    }
    return at + step.size;
}

void live_add(struct live *live, const char *text, unsigned columns)
{
    bool colored = false;
    if (live->lines++ > 0)
        add_text(live, "\r\n");
    /* The last column stays free: some terminals wrap as soon as it is written to. */
    unsigned left = columns > 1 ? columns - 1 : 1;
    while (*text != '\0' && left > 0)
        text = add_character(live, text, &left, &colored);
    if (colored && live->color)
        add_text(live, COLORS_OFF);
    add_text(live, ERASE_TO_LINE_END);
}

static void write_rest(struct live *live)
{
    live->taken +=
        outlet_try(live->outlet, live->frame.data + live->taken, live->frame.size - live->taken);
}

/* The frame that was put together is the one to be written. */
static void adopt(struct live *live)
{
    struct bytes former = live->frame;
    live->frame = live->next;
    live->next = former;
    live->taken = 0;
}

void live_draw(struct live *live)
{
    char up[24] = ERASE_TO_SCREEN_END;
    if (live->lines > 1)
        (void)snprintf(up, sizeof(up), ERASE_TO_SCREEN_END "\033[%uA", live->lines - 1);
    add_text(live, up);
    add_text(live, "\r");
    if (live->shown && live->taken < live->frame.size)
        write_rest(live);
    if (live->failed || (live->shown && live->taken < live->frame.size))
        return; /* that frame is skipped */
    if (live->shown && !live->resized && live->next.size == live->frame.size &&
        memcmp(live->next.data, live->frame.data, live->next.size) == 0)
        return;
    bool first = !live->shown;
    live->resized = false;
    adopt(live);
    write_rest(live);
    live->shown = !first || live->taken > 0;
    if (live->shown)
        live->mid_line = false;
}

void live_take_away(struct live *live, struct bytes *out)
{
    out->size = 0;
    if (!live->shown)
        return;
    live->shown = false;
    /* Without memory for it the lines stay where they are. */
    if (live->taken < live->frame.size)
        (void)bytes_add(out, live->frame.data + live->taken, live->frame.size - live->taken);
    (void)bytes_add(out, "\r" ERASE_TO_SCREEN_END, strlen("\r" ERASE_TO_SCREEN_END));
}

void live_try_take_away(struct live *live)
{
    if (!live->shown)
        return;
    if (live->taken < live->frame.size)
        write_rest(live);
    if (live->taken < live->frame.size)
        return;
    static const char erase[] = "\r" ERASE_TO_SCREEN_END;
    size_t count = outlet_try(live->outlet, erase, sizeof(erase) - 1);
    live->shown = count < sizeof(erase) - 1; /* half of it does no harm: it comes again */
}
