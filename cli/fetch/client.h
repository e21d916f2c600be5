/* SPDX-License-Identifier: MIT */
/*
 * A client: libcurl handles that many tasks share, one at a time each.
 *
 * A handle holds its connections open. Taken and given back like a tool from a shelf, the one
 * used last first, a few handles serve any number of downloads without connecting anew.
 */
#ifndef CLI_FETCH_CLIENT_H
#define CLI_FETCH_CLIENT_H

#include <curl/curl.h>
#include <stdint.h>

/** What keeps a fetch from lasting for ever. Seconds; 0: no such limit. */
struct fetch_limits {
    double connect;   /**< to resolve the name and be connected */
    double stall;     /**< without a byte; counted in whole seconds */
    double whole;     /**< one try from its start to its end */
    uint64_t retries; /**< further tries after a failure that may pass */
};

struct fetch_client;
struct fetch_multi;

/**
 * Make a client. libcurl is initialised by the first one, and the process may have as many
 * descriptors open as the system lets it. One made in a coroutine is for the coroutines of that loop,
 * and is destroyed there: its transfers suspend coroutines instead of blocking threads.
 *
 * @param limits  borrows; copied.
 * @param most    how many fetches there may be at the same time.
 * @return returns owned: fetch_client_destroy; NULL: out of memory.
 */
struct fetch_client *fetch_client_create(const struct fetch_limits *limits, size_t most);

/** Close all connections. No fetch may be under way. @param client takes; NULL allowed. */
void fetch_client_destroy(struct fetch_client *client);

const struct fetch_limits *fetch_client_limits(const struct fetch_client *client);

/** @return returns borrowed, for the caller alone until it is put back; NULL: out of memory. */
CURL *fetch_client_take(struct fetch_client *client);

/** @return returns borrowed; NULL: it is for threads. */
struct fetch_multi *fetch_client_multi(const struct fetch_client *client);

void fetch_client_put(struct fetch_client *client, CURL *handle);

#endif
