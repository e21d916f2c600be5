/* SPDX-License-Identifier: MIT */
/*
 * Fetch: one URL, whole, into a sink, with further tries where they make sense.
 *
 * Runs inside a task: it says how far it is (sil_progress), stops when asked to (sil_cancelled),
 * and leaves its reason with sil_fail.
 */
#ifndef CLI_FETCH_FETCH_H
#define CLI_FETCH_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "fetch/client.h"

enum {
    FETCH_FAILED = 1, /**< the server or the network; other codes are errno values */
    FETCH_REDIRECTS = 10,
};

/** Where the bytes go. What its functions return is returned by fetch, with their sil_fail. */
struct fetch_sink {
    /** A try begins: forget what came before. */
    int (*restart)(void *state);
    int (*write)(void *state, const char *bytes, size_t count);
    void *state;
};

/**
 * Fetch a URL.
 *
 * @return 0 the sink has all of it; SIL_ECANCELLED; FETCH_FAILED; what the sink returned.
 * @threads task
 * @blocks  as long as it takes, but for the client's limits
 */
int fetch(struct fetch_client *client, const char *url, const struct fetch_sink *sink);

#endif
