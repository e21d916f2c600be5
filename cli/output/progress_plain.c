/* SPDX-License-Identifier: MIT */
/*
 * Progress as plain lines, for logs and screen readers: now and then, and at each quarter.
 */
#include <string.h>

#include <sillon/deadline.h>

#include "output/bar.h"
#include "output/screen_impl.h"

static double interval(const struct screen_setup *setup)
{
    return setup->look;
}

static unsigned quarters_of(const struct screen_figures *figures)
{
    if (figures->total == 0)
        return 0;
    return figures->done < figures->total ? (unsigned)(figures->done * 4 / figures->total) : 4;
}

static void look(struct screen *screen, const struct screen_figures *figures, bool last)
{
    char text[512] = "";
    struct screen_line line = {.text = text, .size = sizeof(text)};
    unsigned quarters = quarters_of(figures);
    bool due = sil_clock() - screen->line_at >= (int64_t)(screen->setup.line * 1e9);
    /* A total that grows takes a quarter back: it is not told again. */
    bool reached = quarters > screen->quarters;
    if (!reached && (last ? figures->done == screen->line_done : !due))
        return;
    if (reached)
        screen->quarters = quarters;
    screen->line_at = sil_clock();
    screen->line_done = figures->done;
    bar_write(&line, figures, &screen->rates, true);
    screen_say(screen, "%s", line.text);
}

const struct progress_kind progress_plain = {interval, look, false};
