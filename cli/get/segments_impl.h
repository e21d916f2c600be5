/* SPDX-License-Identifier: MIT */
/*
 * What segments are made of, for segments.c, which appends, and segment_worker.c, which fetches.
 *
 * The chunk is the appender's. When nothing that is ready is left to be appended, it offers the chunk:
 * the worker at the front borrows it, fills it, and gives it back.
 */
#ifndef CLI_GET_SEGMENTS_IMPL_H
#define CLI_GET_SEGMENTS_IMPL_H

#include <sillon/future.h>
#include <sillon/group.h>
#include <sillon/sync.h>

#include "get/ranges.h"
#include "get/segments.h"
#include "get/spill.h"

/* What has come is on its way to the disk that soon, or a kill -9 would cost it. */
enum { SEGMENT_KEPT_NS = 20000000 };

struct segment_worker {
    struct fetcher fetcher; /**< first: ranges know it by that */
    struct segments *all;
    sil_future *future; /**< borrowed: of the group; NULL: it was not begun */
    sil_http_response *response;
    char *buffer; /**< of what is ahead of its turn */
    size_t buffered;
    bool serves; /**< an answer of its has proved good */
    bool running;
};

struct segments {
    const struct segments_plan *plan;
    struct ranges ranges;
    struct spill spill;
    sil_group *group;
    sil_event *changed; /**< for the appender */
    sil_event *work;    /**< for the workers */
    sil_deadline until;

    struct chunk *chunk;
    int64_t chunk_since; /**< when its first byte came */
    bool offered, lent;

    struct segment_worker *workers;
    size_t begun, most_begun, most, running, counted;
    int64_t begun_at, look_at;
    bool automatic;
    bool proven;  /**< the server has answered a range */
    bool refused; /**< it would not, or not so many at once */
    bool stale;   /**< it was of another file */

    char validator[256], etag[256], modified[64];

    /* The last failure. */
    int code;
    char message[256];
    sil_http_response *failed; /**< owned; NULL: none */
};

/** Does another file wait for the host, and for nothing else? */
bool segments_are_in_the_way(const struct segments *all);

/** A worker's life. @param arg  struct segment_worker **. */
int segment_worker_run(void *arg, void *result);

#endif
