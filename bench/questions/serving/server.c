/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/clock.h"

/* PATIENCE: who does not answer for so long is gone. QUIET: until the kernel has put a server's
 * last slice of time on its clock. */
enum { EVENTS = 256, REPLY_MAX = 1 << 16, PATIENCE_MS = 3000, QUIET_NS = 200000 };

static char reply[REPLY_MAX];

static void give_up(struct server *server, const char *what)
{
    fprintf(stderr, "%zu: %s: %s\n", server->number, what, strerror(errno));
    server->gone = true;
}

static bool ready(int fd, short what)
{
    struct pollfd poll_fd = {.fd = fd, .events = what};
    errno = ETIMEDOUT;
    return poll(&poll_fd, 1, PATIENCE_MS) == 1;
}

static bool send_all(int fd, const struct request *request)
{
    size_t sent = 0;
    while (sent < request->size) {
        ssize_t count =
            send(fd, request->bytes + sent, request->size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0)
            sent += (size_t)count;
        else if (errno != EAGAIN || !ready(fd, POLLOUT))
            return false;
    }
    return true;
}

/* The size of a complete HTTP reply; 0: it is not complete. */
static size_t http_size(size_t got)
{
    reply[got] = '\0';
    const char *end = strstr(reply, "\r\n\r\n");
    const char *length = strcasestr(reply, "\r\nContent-Length:");
    if (end == NULL || length == NULL)
        return 0;
    size_t size = (size_t)(end + 4 - reply) + strtoul(length + 17, NULL, 10);
    return got >= size ? size : 0;
}

/* One request on a new connection. @return the size of the reply; 0: none, or a wrong one */
static size_t first_exchange(int fd, const struct request *request)
{
    size_t got = 0;
    if (!send_all(fd, request))
        return 0;
    while (got < sizeof reply - 1 && ready(fd, POLLIN)) {
        ssize_t count = recv(fd, reply + got, sizeof reply - 1 - got, 0);
        if (count <= 0)
            return 0;
        got += (size_t)count;
        if (request->http && http_size(got) > 0)
            return got;
        if (!request->http && got >= request->size)
            return got == request->size && memcmp(reply, request->bytes, got) == 0 ? got : 0;
    }
    return 0;
}

static int connect_once(int port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A server may tell its port a moment before it listens. */
static int connect_to(int port)
{
    int fd = connect_once(port);
    for (int ms = 0; fd < 0 && errno == ECONNREFUSED && ms < PATIENCE_MS; ms += 10) {
        clock_sleep_ns(10000000);
        fd = connect_once(port);
    }
    return fd;
}

static bool add_connection(struct server *server, const struct request *request)
{
    struct connection *connection = &server->connections[server->count];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = connect_to(server->port);
    if (connection->fd < 0)
        return false;
    server->count++;
    server->reply_size = first_exchange(connection->fd, request);
    return server->reply_size > 0 &&
           epoll_ctl(server->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

void server_open(struct server *server, size_t number, int port, int pid, size_t count,
                 const struct request *request)
{
    *server =
        (struct server){.number = number, .port = port, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    server->connections = calloc(count, sizeof *server->connections);
    if (server->epoll < 0 || server->connections == NULL)
        abort();
    errno = clock_getcpuclockid(pid, &server->clock);
    if (errno != 0)
        give_up(server, "its process");
    while (!server->gone && server->count < count)
        if (!add_connection(server, request))
            give_up(server, "connecting");
}

/* @return 1: its reply is complete; 0: not yet; -1: something is wrong */
static int read_reply(const struct server *server, struct connection *connection,
                      const struct request *request)
{
    ssize_t count = recv(connection->fd, reply, sizeof reply, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return 0;
    if (count <= 0)
        return -1;
    connection->got += (size_t)count;
    if (connection->got < server->reply_size)
        return 0;
    errno = EBADMSG;
    bool same = request->http || reply[count - 1] == request->bytes[request->size - 1];
    return same && connection->got == server->reply_size ? 1 : -1;
}

static bool ask(struct connection *connection, const struct request *request)
{
    connection->got = 0;
    return send_all(connection->fd, request);
}

/* Requests on all connections until the moment. @return how many were answered */
static uint64_t keep_busy(struct server *server, const struct request *request, uint64_t end)
{
    struct epoll_event events[EVENTS];
    uint64_t answered = 0;
    size_t open = 0;
    while (open < server->count && ask(&server->connections[open], request))
        open++;
    if (open < server->count)
        give_up(server, "sending");
    while (open > 0 && !server->gone) {
        errno = ETIMEDOUT;
        int count = epoll_wait(server->epoll, events, EVENTS, PATIENCE_MS);
        bool over = clock_now_ns() >= end;
        if (count <= 0)
            give_up(server, "waiting");
        for (int i = 0; i < count && !server->gone; i++) {
            struct connection *connection = events[i].data.ptr;
            int complete = read_reply(server, connection, request);
            answered += complete == 1;
            if (complete == 1 && over)
                open--;
            else if (complete < 0 || (complete == 1 && !ask(connection, request)))
                give_up(server, "an exchange");
        }
    }
    return answered;
}

static uint64_t cpu_now_ns(const struct server *server)
{
    struct timespec now = {0, 0};
    clock_sleep_ns(QUIET_NS);
    clock_gettime(server->clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct slice server_visit(struct server *server, const struct request *request, uint64_t ns)
{
    struct slice slice;
    uint64_t cpu = cpu_now_ns(server);
    uint64_t begin = clock_now_ns();
    slice.requests = keep_busy(server, request, begin + ns);
    slice.wall_ns = clock_now_ns() - begin;
    slice.cpu_ns = cpu_now_ns(server) - cpu;
    return slice;
}
