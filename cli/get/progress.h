/* SPDX-License-Identifier: MIT */
/*
 * How far a run is, for people who watch: the total in the first line, what runs in those below.
 *
 *     120 of 200  2 failed  4.1 MiB  1.2 MiB/s  ETA 0:03
 *       photo.jpg       [#########-----------]  45 %  1.2 of 2.7 MiB
 */
#ifndef CLI_GET_PROGRESS_H
#define CLI_GET_PROGRESS_H

#include <sillon/deadline.h>

#include "get/report.h"
#include "get/window.h"
#include "output/live.h"

/** The caller's storage; all zero but for on and live.fd. */
struct progress {
    bool on;
    struct live live;
    int64_t drawn_at; /**< sil_clock(); 0: never */
    uint64_t drawn_bytes;
    double seconds;          /**< since the first frame */
    double bytes_per_second; /**< of the last few seconds */
};

/** When the next frame is due; SIL_FOREVER when nobody watches. */
sil_deadline progress_due(const struct progress *progress);

/**
 * Draw a frame if one is due.
 *
 * @param total  how many URLs there are; 0: not known yet.
 */
void progress_draw(struct progress *progress, const struct tally *tally,
                   const struct window *window, uint64_t total);

#endif
