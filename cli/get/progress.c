/* SPDX-License-Identifier: MIT */
/*
 * How far a run is, see progress.h.
 */
#include "get/progress.h"

#include <stdio.h>
#include <string.h>

#include <sillon/future.h>

#include "text/harmless.h"
#include "text/units.h"

enum { FRAME_NS = 100000000, BAR_WIDTH = 20, MOST_ROWS = 8, NAME_WIDTH = 24 };

/* Speeds older than about so many seconds no longer count. */
static const double SPEED_MEMORY = 3;

sil_deadline progress_due(const struct progress *progress)
{
    return progress->on ? progress->drawn_at + FRAME_NS : SIL_FOREVER;
}

/* A mean in which the past counts for as long as it lasted, but for SPEED_MEMORY at most. */
static void update_speed(struct progress *progress, int64_t started, int64_t now, uint64_t bytes)
{
    int64_t since = progress->drawn_at != 0 ? progress->drawn_at : started;
    double seconds = (double)(now - since) / 1e9;
    double past = progress->seconds < SPEED_MEMORY ? progress->seconds : SPEED_MEMORY;
    /* A try that begins anew takes bytes back. */
    double fresh = bytes > progress->drawn_bytes ? (double)(bytes - progress->drawn_bytes) : 0;
    if (seconds > 0)
        progress->bytes_per_second = (progress->bytes_per_second * past + fresh) / (past + seconds);
    progress->seconds += seconds;
    progress->drawn_at = now;
    progress->drawn_bytes = bytes;
}

static void describe_total(char line[LIVE_LINE_SIZE], const struct progress *progress,
                           const struct tally *tally, uint64_t total, uint64_t bytes)
{
    uint64_t ended = tally->ok + tally->failed + tally->skipped;
    char of_total[32] = "", failed[32] = "";
    char size[UNIT_TEXT_SIZE], speed[UNIT_TEXT_SIZE], left[UNIT_TEXT_SIZE];
    double seconds_left = -1;
    if (total > 0) {
        (void)snprintf(of_total, sizeof(of_total), " of %llu", (unsigned long long)total);
        double seconds = (double)(progress->drawn_at - tally->started) / 1e9;
        if (ended > 0 && total >= ended)
            seconds_left = seconds / (double)ended * (double)(total - ended);
    }
    if (tally->failed > 0)
        (void)snprintf(failed, sizeof(failed), "  %llu failed", (unsigned long long)tally->failed);
    (void)snprintf(line, LIVE_LINE_SIZE, "%llu%s%s  %s  %s/s  ETA %s", (unsigned long long)ended,
                   of_total, failed, unit_bytes(size, (double)bytes),
                   unit_bytes(speed, progress->bytes_per_second), unit_clock(left, seconds_left));
}

static void describe_running(char line[LIVE_LINE_SIZE], const char *name, uint64_t done,
                             uint64_t total)
{
    char shown[NAME_WIDTH + 1], size[UNIT_TEXT_SIZE], whole[UNIT_TEXT_SIZE];
    (void)harmless(shown, sizeof(shown), name);
    (void)unit_bytes(size, (double)done);
    if (total == 0 || done > total) {
        (void)snprintf(line, LIVE_LINE_SIZE, "  %-*s  %s", NAME_WIDTH, shown,
                       done > 0 ? size : "waiting for an answer");
        return;
    }
    char bar[BAR_WIDTH + 1] = "--------------------";
    memset(bar, '#', (size_t)(done * BAR_WIDTH / total));
    (void)snprintf(line, LIVE_LINE_SIZE, "  %-*s  [%s] %3llu %%  %s of %s", NAME_WIDTH, shown, bar,
                   (unsigned long long)(done * 100 / total), size,
                   unit_bytes(whole, (double)total));
}

/* Rows for what runs, as many as the terminal can spare. */
static void add_rows(struct live *live, const struct window *window)
{
    unsigned height = live_height(live), rows = 0;
    for (size_t i = 0; i < window->count && rows < MOST_ROWS && rows + 4 < height; i++) {
        if (sil_future_state(window->entries[i].future) != SIL_RUNNING)
            continue;
        uint64_t done, total;
        sil_future_progress(window->entries[i].future, &done, &total);
        describe_running(live_add_line(live), window->entries[i].download->name, done, total);
        rows++;
    }
}

void progress_draw(struct progress *progress, const struct tally *tally,
                   const struct window *window, uint64_t total)
{
    int64_t now = sil_clock();
    if (!progress->on || now < progress_due(progress))
        return;
    uint64_t bytes = tally->bytes;
    for (size_t i = 0; i < window->count; i++) {
        uint64_t done = 0;
        sil_future_progress(window->entries[i].future, &done, NULL);
        bytes += done;
    }
    update_speed(progress, tally->started, now, bytes);
    describe_total(live_add_line(&progress->live), progress, tally, total, bytes);
    add_rows(&progress->live, window);
    live_draw(&progress->live);
}
