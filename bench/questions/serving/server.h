/* SPDX-License-Identifier: MIT */
/*
 * A server seen from its client: some connections, on each of which a request is sent again as soon
 * as the reply to the last one is complete.
 */
#ifndef BENCH_SERVING_SERVER_H
#define BENCH_SERVING_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct request {
    const char *bytes;
    size_t size;
    bool http; /**< the reply is HTTP's; else it is the request itself */
};

struct connection {
    int fd;
    size_t got; /**< bytes of the reply so far */
};

struct server {
    size_t number; /**< what it is called, on stderr too */
    int port;
    clockid_t clock; /**< the processor time of its process */
    int epoll;
    size_t reply_size; /**< the same each time */
    struct connection *connections;
    size_t count;
    bool gone; /**< it did not do what it should: nothing more is asked of it */
};

struct slice {
    uint64_t requests;
    uint64_t wall_ns;
    uint64_t cpu_ns;
};

/** Connect so many times, one after the other, with one request each: which also tells how long its
 *  replies are. What goes wrong is told on stderr ("number: what: why"), and the server is gone; so
 *  with visit. */
void server_open(struct server *server, size_t number, int port, int pid, size_t count,
                 const struct request *request);

/** Keep it busy for so long, and until all requests are answered. */
struct slice server_visit(struct server *server, const struct request *request, uint64_t ns);

#endif
