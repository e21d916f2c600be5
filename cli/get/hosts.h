/* SPDX-License-Identifier: MIT */
/*
 * Hosts (scheme, name and port): how many of their files are fetched at once, and the peace they ask
 * for.
 */
#ifndef CLI_GET_HOSTS_H
#define CLI_GET_HOSTS_H

#include <stdbool.h>

#include "run/runner.h"

struct host {
    struct runner_group group;
    bool shares; /**< HTTP/2: its requests share a connection, so that they need no limit */
    unsigned number;
    size_t most;        /**< that group.limit may be */
    size_t well;        /**< answers since that was changed */
    unsigned overloads; /**< in a row */
    int64_t cut_at;     /**< sil_clock() when group.limit was made less */
    char origin[];
};

struct hosts {
    void *tree;   /**< of struct host, by origin: tsearch */
    size_t limit; /**< of each */
    double rate;  /**< starts a second of each; 0: no limit */
    unsigned count;
};

/** The host of an origin, known or new. Borrowed, until hosts_fini. NULL: out of memory. */
struct host *hosts_find(struct hosts *hosts, const char *origin);

void hosts_fini(struct hosts *hosts);

/**
 * It had too much to do, HTTP 429 or 503: fewer of its files at once from now on, and, if it speaks for
 * all of itself, none for the time it asks for.
 *
 * @param wait        seconds it asks for; 0: none.
 * @param started_at  sil_clock() when that request began.
 */
void host_is_overloaded(struct host *host, int status, double wait, int64_t started_at);

/** It has answered well. @return may more of its files be fetched at once? Then runner_wake. */
bool host_is_well(struct host *host);

#endif
