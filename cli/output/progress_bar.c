/* SPDX-License-Identifier: MIT */
/*
 * Progress as live lines: the total, and what runs.
 */
#include "output/bar.h"
#include "output/screen_impl.h"

enum { LINE_SIZE = 4096, MOST_COLUMNS = 1000, ROWS_SPARED = 3 };

static double interval(const struct screen_setup *setup)
{
    return setup->frame;
}

static void add_rows(struct screen *screen, struct screen_line *line, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        line->text[0] = '\0';
        if (!screen->plan->row(screen->plan->user, i, line))
            break;
        live_add(&screen->live, line->text, line->columns + 1);
    }
}

static void look(struct screen *screen, const struct screen_figures *figures, bool last)
{
    struct live *live = &screen->live;
    char text[LINE_SIZE] = "";
    struct screen_line line = {.text = text, .size = sizeof(text), .color = live->color};
    unsigned columns, rows;
    /* At the end the lines are taken away: the command's own last lines say it all. */
    if (last || screen->suspended || turn_is_taken(screen->err.turn) || screen->said.size > 0 ||
        screen->err.outlet.error != 0 || !live_in_foreground(live))
        return;
    live_size(live, &columns, &rows);
    columns = columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
    line.columns = columns > 1 ? columns - 1 : 1; /* live_add leaves the last one free */
    live_begin(live);
    bar_write(&line, figures, &screen->rates, false);
    live_add(live, line.text, columns);
    if (screen->plan->row && rows > ROWS_SPARED)
        add_rows(screen, &line, rows - ROWS_SPARED);
    live_draw(live);
}

const struct progress_kind progress_bar = {interval, look, true};
