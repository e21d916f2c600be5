/* SPDX-License-Identifier: MIT */
/*
 * The picture: for each kind of work a panel for each mode, for each worker a row, for each task a bar,
 * all on one scale of time, so that the shorter panel is the faster mode.
 *
 * I1  A plain file: no scripts, no fonts, nothing loaded. It has its own background, which follows what
 *     the reader prefers, light or dark, and does without (viewers that know no media queries: light).
 * I2  Its size is bounded by what can be seen: bars of a row that touch are one where they are thinner
 *     than a third of a pixel.
 *
 * Where one mode takes so long that the others would be slivers, its panel is cut, and says so.
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"

static const double WIDTH = 960, LEFT = 32, RIGHT = 928, CUT_AFTER = 8, CUT_TO = 4;
static const double PANEL_HEADING = 26, PANEL_GAP = 16, AXIS_HEIGHT = 44, SECTION_HEADING = 40;
static const double HEADER = 84, THINNEST = 0.33;

enum { TEXT_SIZE = 256 };

/* One kind's panels share it. */
struct scale {
    double seconds; /* at RIGHT */
};

struct panel {
    const struct series *series;
    unsigned *rows; /* of each record; owned */
    unsigned row_count;
    double row_height, top;
};

struct section {
    struct panel panels[MODES];
    size_t count;
    struct scale scale;
    double top, bottom; /* of its panels */
};

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

const char *svg_escape(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        char plain[2] = {*text, '\0'};
        const char *shown = plain;
        if (*text == '<')
            shown = "&lt;";
        else if (*text == '>')
            shown = "&gt;";
        else if (*text == '&')
            shown = "&amp;";
        else if (*text == '"')
            shown = "&quot;";
        else if ((unsigned char)*text < ' ')
            shown = " "; /* XML has no such characters, not even escaped */
        size_t length = strlen(shown);
        if (used + length >= size)
            break;
        memcpy(out + used, shown, length);
        used += length;
    }
    /* No half of a character of several bytes at the cut. */
    while (*text != '\0' && used > 0 && ((unsigned char)*text & 0xC0) == 0x80) {
        used--;
        text--;
    }
    out[used] = '\0';
    return out;
}

static double place(const struct scale *scale, double seconds)
{
    double x = LEFT + seconds / scale->seconds * (RIGHT - LEFT);
    return x > RIGHT ? RIGHT : x < LEFT ? LEFT : x;
}

/* "645 ms", "1.28 s". */
static void write_time(char *out, size_t size, double seconds)
{
    if (seconds < 1e-3)
        (void)snprintf(out, size, "%.3g \302\265s", seconds * 1e6);
    else if (seconds < 1)
        (void)snprintf(out, size, "%.3g ms", seconds * 1e3);
    else
        (void)snprintf(out, size, "%.3g s", seconds);
}

/* --- layout --------------------------------------------------------------------------------------- */

/* @param best  NULL: none yet. More workers must be worth it. */
static bool is_better(const struct series *one, const struct series *best)
{
    if (best == NULL)
        return true;
    double gain = measure_median(&best->wall) / measure_median(&one->wall);
    return one->job.workers > best->job.workers ? gain > 1.05 : gain > 1 / 1.05;
}

/* The best series of each mode. */
static void choose_panels(const struct comparison *comparison, bool cpu, struct section *section)
{
    size_t count;
    const struct series *first = comparison_kind(comparison, cpu, &count);
    for (int mode = 0; mode < MODES; mode++) {
        const struct series *best = NULL;
        for (size_t i = 0; i < count; i++)
            if ((int)first[i].job.mode == mode && first[i].records != NULL &&
                is_better(&first[i], best))
                best = &first[i];
        unsigned rows = 0;
        unsigned *list = best != NULL ? rows_of_workers(best, &rows) : NULL;
        if (list != NULL)
            section->panels[section->count++] =
                (struct panel){.series = best, .rows = list, .row_count = rows};
    }
}

/* The whole run, had all tasks been measured. */
static double whole_seconds(const struct series *series)
{
    return series->last.wall * (double)series->wanted / (double)series->job.tasks;
}

static void choose_scale(struct section *section)
{
    double longest = 0, shortest = DBL_MAX;
    for (size_t i = 0; i < section->count; i++) {
        double seconds = whole_seconds(section->panels[i].series);
        longest = larger(longest, seconds);
        shortest = smaller(shortest, seconds);
    }
    bool cut = longest > CUT_AFTER * shortest;
    section->scale.seconds = larger(1e-9, (cut ? CUT_TO * shortest : longest) * 1.02);
}

static double lay_out(const struct comparison *comparison, bool cpu, struct section *section,
                      double top)
{
    choose_panels(comparison, cpu, section);
    if (section->count == 0)
        return top;
    choose_scale(section);
    section->top = top;
    double y = top + SECTION_HEADING;
    for (size_t i = 0; i < section->count; i++) {
        struct panel *panel = &section->panels[i];
        panel->top = y;
        panel->row_height = larger(3, smaller(18, 160 / (double)panel->row_count));
        y += PANEL_HEADING + panel->row_height * panel->row_count + PANEL_GAP;
    }
    section->bottom = y - PANEL_GAP + 6;
    return section->bottom + AXIS_HEIGHT;
}

/* --- drawing --------------------------------------------------------------------------------------- */

static void draw_bar(FILE *out, const char *class, double from, double to, double y, double height)
{
    (void)fprintf(out,
                  "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
                  class, from, y, larger(to - from, 0.1), height);
}

/* A record's begin or end, in seconds since its run began. */
static double since(const struct panel *panel, int64_t moment)
{
    return (double)(moment - panel->series->last.begin) / 1e9;
}

struct pending {
    double from, to; /* a bar not drawn yet, in pixels; to 0: there is none */
    unsigned number; /* bars of the row so far: two tones take turns */
};

static void flush_bar(FILE *out, const struct panel *panel, unsigned row, struct pending *pending)
{
    if (pending->to > 0)
        draw_bar(out, pending->number++ % 2 == 0 ? "a" : "b", pending->from, pending->to,
                 panel->top + PANEL_HEADING + panel->row_height * row,
                 panel->row_height * (panel->row_height > 6 ? 0.82 : 0.75));
    pending->to = 0;
}

/* In the order in which they began; within a row they do not lie across each other (I2). */
static void draw_tasks(FILE *out, const struct panel *panel, const struct scale *scale)
{
    struct pending *rows = calloc(panel->row_count, sizeof(*rows));
    if (rows == NULL)
        return;
    for (uint64_t i = 0; i < panel->series->job.tasks; i++) {
        const struct record *record = &panel->series->records[i];
        double begin = since(panel, record->begin), end = since(panel, record->end);
        if (record->end == 0 || begin >= scale->seconds)
            continue;
        struct pending *pending = &rows[panel->rows[i]];
        double from = place(scale, begin), to = place(scale, end);
        if (pending->to > 0 && to - pending->from < THINNEST && from >= pending->from) {
            pending->to = larger(pending->to, to);
            continue;
        }
        flush_bar(out, panel, panel->rows[i], pending);
        pending->from = from;
        /* A gap between two tasks, where there is room for it. */
        pending->to = to - from > 3 ? to - 0.7 : to;
    }
    for (unsigned row = 0; row < panel->row_count; row++)
        flush_bar(out, panel, row, &rows[row]);
    free(rows);
}

/* Behind the bars: how long each worker was there, and what was not measured. */
static void draw_tracks(FILE *out, const struct panel *panel, const struct scale *scale)
{
    double whole = whole_seconds(panel->series), measured = panel->series->last.wall;
    double height = panel->row_height * (panel->row_height > 6 ? 0.82 : 0.75);
    for (unsigned row = 0; row < panel->row_count; row++) {
        double y = panel->top + PANEL_HEADING + panel->row_height * row;
        draw_bar(out, "track", LEFT, place(scale, smaller(measured, whole)), y, height);
        if (whole > measured && measured < scale->seconds)
            draw_bar(out, "rest", place(scale, measured), place(scale, whole), y, height);
    }
}

static void draw_panel_heading(FILE *out, const struct section *section, const struct panel *panel)
{
    static const char *const names[MODES] = {"one after another", "threads", "processes",
                                             "async: coroutines of one thread"};
    const struct series *series = panel->series, *first = section->panels[0].series;
    char time[32], speed[48] = "", cut[32] = "";
    double seconds = whole_seconds(series);
    write_time(time, sizeof(time), seconds);
    if (first->job.mode == MODE_SEQ && series != first && seconds > 0)
        (void)snprintf(speed, sizeof(speed), ", %.2f times as fast",
                       whole_seconds(first) / seconds);
    if (seconds > section->scale.seconds)
        (void)snprintf(cut, sizeof(cut), " \342\206\222"); /* an arrow to the right */
    double y = panel->top + PANEL_HEADING - 8;
    (void)fprintf(out, "<text class=\"mode\" x=\"%.1f\" y=\"%.1f\">%s", LEFT, y,
                  names[series->job.mode]);
    if (series_width(series) > 1)
        (void)fprintf(out, "<tspan class=\"soft\" dx=\"5\">\303\227 %u</tspan>",
                      series->job.workers);
    (void)fprintf(out,
                  "</text>\n<text class=\"figure\" x=\"%.1f\" y=\"%.1f\"><tspan class=\"t\">%s"
                  "</tspan>%s%s</text>\n",
                  RIGHT, y, time, speed, cut);
}

static void draw_panel(FILE *out, const struct section *section, const struct panel *panel)
{
    (void)fprintf(out, "<g class=\"%s\">\n", mode_names[panel->series->job.mode]);
    draw_tracks(out, panel, &section->scale);
    draw_tasks(out, panel, &section->scale);
    draw_panel_heading(out, section, panel);
    (void)fputs("</g>\n", out);
}

/* 1, 2 or 5 times a power of ten, for at most ten ticks. */
static double choose_step(double seconds)
{
    static const double factors[] = {1, 2, 5};
    double power = 1e-10;
    for (;;) {
        for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++)
            if (seconds / (factors[i] * power) <= 10)
                return factors[i] * power;
        power *= 10;
    }
}

static void draw_axis(FILE *out, const struct section *section, bool lines)
{
    double step = choose_step(section->scale.seconds);
    for (int i = 0; i * step <= section->scale.seconds; i++) {
        double x = place(&section->scale, i * step);
        char time[32];
        write_time(time, sizeof(time), i * step);
        if (lines)
            (void)fprintf(
                out, "<line class=\"grid\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", x,
                x, section->top + SECTION_HEADING, section->bottom);
        else
            (void)fprintf(out, "<text class=\"tick\" x=\"%.2f\" y=\"%.1f\">%s</text>\n", x,
                          section->bottom + 16, i == 0 ? "0" : time);
    }
    if (!lines)
        (void)fprintf(out,
                      "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                      LEFT, RIGHT, section->bottom, section->bottom);
}

static void draw_section(FILE *out, const struct comparison *comparison,
                         const struct section *section)
{
    const struct job *job = &section->panels[0].series->job;
    char time[32], what[TEXT_SIZE] = "", escaped[TEXT_SIZE];
    if (job->kind == WORK_URLS)
        (void)snprintf(what, sizeof(what), "loading %s%s", job->urls[0],
                       job->url_count > 1 ? " and others" : "");
    else
        write_time(time, sizeof(time), job->kind == WORK_CPU ? comparison->cpu_work : job->latency);
    if (job->kind == WORK_CPU)
        (void)snprintf(what, sizeof(what), "that compute for %s each, on %u CPU%s", time,
                       comparison->cpus, comparison->cpus == 1 ? "" : "s");
    else if (job->kind == WORK_IO)
        (void)snprintf(what, sizeof(what), "that wait %s each for a server", time);
    (void)fprintf(out, "<text class=\"section\" x=\"%.1f\" y=\"%.1f\">%llu tasks %s</text>\n", LEFT,
                  section->top + 22, (unsigned long long)section->panels[0].series->wanted,
                  svg_escape(escaped, sizeof(escaped), what));
    draw_axis(out, section, true);
    for (size_t i = 0; i < section->count; i++)
        draw_panel(out, section, &section->panels[i]);
    draw_axis(out, section, false);
}

static const char style[] = "<style>\n"
                            "text{font-family:system-ui,'DejaVu Sans',sans-serif;fill:#1b1f24}\n"
                            ".title{font-size:22px;font-weight:600}\n"
                            ".section{font-size:15px;font-weight:600}\n"
                            ".mode{font-size:13px;font-weight:600}\n"
                            ".figure{font-size:13px;text-anchor:end}\n"
                            ".figure .t{font-weight:600}\n"
                            ".soft,.legend,.tick{font-size:12px;font-weight:400;fill:#5d6671}\n"
                            ".tick{text-anchor:middle}\n"
                            ".paper{fill:#fff;stroke:#d9dee4}\n"
                            ".grid{stroke:#d9dee4}\n"
                            ".axis{stroke:#5d6671}\n"
                            ".b{fill-opacity:.72}\n"
                            ".rest{fill-opacity:.22}\n"
                            ".seq{fill:#6e7781}\n"
                            ".threads{fill:#2f6fdd}\n"
                            ".processes{fill:#c9721a}\n"
                            ".async{fill:#14866d}\n"
                            ".track{fill:#e9edf1}\n"
                            "@media (prefers-color-scheme:dark){\n"
                            "text{fill:#e8ebef}\n"
                            ".soft,.legend,.tick{fill:#9aa4b0}\n"
                            ".paper{fill:#15191e;stroke:#343b44}\n"
                            ".grid{stroke:#343b44}\n"
                            ".axis{stroke:#9aa4b0}\n"
                            ".seq{fill:#929ca8}\n"
                            ".threads{fill:#6ea2ff}\n"
                            ".processes{fill:#eba04e}\n"
                            ".async{fill:#40c3a2}\n"
                            ".track{fill:#262d36}\n"
                            "}\n"
                            "</style>\n";

static void draw_header(FILE *out, double height, bool scaled)
{
    (void)fprintf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                  "width=\"%.0f\" height=\"%.0f\" role=\"img\" aria-label=\"Timelines of the same "
                  "tasks in four modes\">\n<title>sillon bench: the same tasks, mode by "
                  "mode</title>\n%s",
                  WIDTH, height, WIDTH, height, style);
    (void)fprintf(out,
                  "<rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"%.1f\" height=\"%.1f\" "
                  "rx=\"10\"/>\n<text class=\"title\" x=\"%.1f\" y=\"40\">The same tasks, mode by "
                  "mode</text>\n",
                  WIDTH - 1, height - 1, LEFT);
    double x = LEFT;
    (void)fputs("<g class=\"threads\">\n", out);
    draw_bar(out, "a", x, x + 16, 56, 10);
    draw_bar(out, "b", x + 17, x + 33, 56, 10);
    (void)fprintf(out, "<text class=\"legend\" x=\"%.1f\" y=\"65\">a task each</text>\n", x + 40);
    draw_bar(out, "track", x + 124, x + 157, 56, 10);
    (void)fprintf(out, "<text class=\"legend\" x=\"%.1f\" y=\"65\">the worker has no task</text>\n",
                  x + 164);
    if (scaled) {
        draw_bar(out, "rest", x + 316, x + 349, 56, 10);
        (void)fprintf(out,
                      "<text class=\"legend\" x=\"%.1f\" y=\"65\">not measured: goes on alike"
                      "</text>\n",
                      x + 356);
    }
    (void)fprintf(out,
                  "</g>\n<text class=\"legend\" x=\"%.1f\" y=\"65\" text-anchor=\"end\">a row for "
                  "each worker; sillon bench</text>\n",
                  RIGHT);
}

void svg_write(const struct comparison *comparison, FILE *out)
{
    struct section sections[2] = {0};
    double bottom = lay_out(comparison, true, &sections[0], HEADER);
    bottom = lay_out(comparison, false, &sections[1], bottom);
    bool scaled = false;
    for (size_t i = 0; i < comparison->count; i++)
        scaled = scaled || series_scaled(&comparison->list[i]);
    draw_header(out, bottom, scaled);
    for (int i = 0; i < 2; i++) {
        if (sections[i].count > 0)
            draw_section(out, comparison, &sections[i]);
        for (size_t j = 0; j < sections[i].count; j++)
            free(sections[i].panels[j].rows);
    }
    (void)fputs("</svg>\n", out);
}
