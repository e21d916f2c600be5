/* SPDX-License-Identifier: MIT */
/*
 * The line of the total, see bar.h.
 */
#include "output/bar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text/units.h"

static void __attribute__((format(printf, 2, 3)))
add(struct screen_line *line, const char *format, ...)
{
    size_t used = strlen(line->text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line->text + used, line->size - used, format, args);
    va_end(args);
}

static void add_count(struct screen_line *line, uint64_t count, const char *what)
{
    if (count > 0)
        add(line, "  %llu %s", (unsigned long long)count, what);
}

static void add_done(struct screen_line *line, const struct screen_figures *figures, bool percent)
{
    unsigned long long done = figures->done, total = figures->total;
    if (total == 0)
        add(line, "%llu done", done);
    else
        add(line, "%llu/%llu", done, total);
    if (percent && total > 0)
        add(line, " (%llu %%)", done < total ? done * 100 / total : 100);
}

static void add_rate(struct screen_line *line, const struct screen_figures *figures,
                     const struct rates *rates)
{
    char text[UNIT_TEXT_SIZE];
    if (figures->no_bytes)
        add(line, "  %.*f/s", rates_items(rates) < 100 ? 1 : 0, rates_items(rates));
    else
        add(line, "  %s/s", unit_bytes(text, rates_bytes(rates)));
    if (figures->total > 0)
        add(line, "  ETA %s", unit_clock(text, rates_left(rates, figures->total)));
}

void bar_write(struct screen_line *line, const struct screen_figures *figures,
               const struct rates *rates, bool percent)
{
    line->text[0] = '\0';
    add_done(line, figures, percent);
    if (figures->failed > 0)
        add(line, line->color ? "  \033[31m%llu failed\033[0m" : "  %llu failed",
            (unsigned long long)figures->failed);
    if (figures->state)
        add(line, "  %s", figures->state);
    add_rate(line, figures, rates);
    add_count(line, figures->retries, figures->retries == 1 ? "retry" : "retries");
    add_count(line, figures->waiting, "waiting");
}
