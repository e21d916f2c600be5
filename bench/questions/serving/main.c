/* SPDX-License-Identifier: MIT */
/*
 * What does a request cost a server? All servers are up and connected at the same time; they are
 * visited in turn, in short slices, so that what the machine does meanwhile hits all alike: the
 * ratio of two servers is taken of the same cycle.
 *
 *     bench_serving REQUEST CONNECTIONS SLICE_MS CYCLES PORT:PID...
 *
 * REQUEST is http, or a number of bytes that come back as they are. Prints for each slice
 * "server,cycle,cpu_us,per_s,busy", the servers numbered from 0: microseconds of processor time a
 * request, by the clock of the server's process; requests in a second; and which part of the time
 * the server was busy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

enum { REQUEST_MAX = 1 << 15, WARM_UP_DIVISOR = 4, FIXED_ARGUMENTS = 5 };

static const char http_request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

static struct request request_new(const char *what)
{
    static char bytes[REQUEST_MAX];
    if (strcmp(what, "http") == 0)
        return (struct request){.bytes = http_request, .size = strlen(http_request), .http = true};
    size_t size = strtoul(what, NULL, 10);
    for (size_t i = 0; i < size && i < REQUEST_MAX; i++)
        bytes[i] = (char)('a' + i % 26);
    return (struct request){.bytes = bytes, .size = size < REQUEST_MAX ? size : REQUEST_MAX};
}

static void visit(struct server *server, int cycle, const struct request *request, uint64_t ns)
{
    if (!server->gone)
        (void)server_visit(server, request, ns / WARM_UP_DIVISOR);
    if (server->gone)
        return;
    struct slice slice = server_visit(server, request, ns);
    if (server->gone || slice.requests == 0)
        return;
    printf("%zu,%d,%.5g,%.5g,%.4g\n", server->number, cycle,
           1e-3 * (double)slice.cpu_ns / (double)slice.requests,
           1e9 * (double)slice.requests / (double)slice.wall_ns,
           (double)slice.cpu_ns / (double)slice.wall_ns);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc <= FIXED_ARGUMENTS) {
        fprintf(stderr, "usage: %s REQUEST CONNECTIONS SLICE_MS CYCLES PORT:PID...\n", argv[0]);
        return 2;
    }
    const struct request request = request_new(argv[1]);
    size_t connections = strtoul(argv[2], NULL, 10);
    uint64_t ns = strtoul(argv[3], NULL, 10) * 1000000u;
    int cycles = atoi(argv[4]);
    size_t count = (size_t)(argc - FIXED_ARGUMENTS);
    struct server *servers = calloc(count, sizeof *servers);
    if (servers == NULL || request.size == 0 || connections == 0)
        return 2;
    for (size_t i = 0; i < count; i++) {
        int port = 0;
        int pid = 0;
        if (sscanf(argv[FIXED_ARGUMENTS + (int)i], "%d:%d", &port, &pid) != 2)
            return 2;
        server_open(&servers[i], i, port, pid, connections, &request);
    }
    /* Each cycle begins with another one, so that no server always follows the same. */
    for (int cycle = 0; cycle < cycles; cycle++)
        for (size_t i = 0; i < count; i++)
            visit(&servers[(i + (size_t)cycle) % count], cycle, &request, ns);
    bool gone = false;
    for (size_t i = 0; i < count; i++)
        gone |= servers[i].gone;
    free(servers);
    return gone ? 1 : 0;
}
