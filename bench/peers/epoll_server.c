/* SPDX-License-Identifier: MIT */
/*
 * The least that a server has to do: epoll, read, write, and nothing else. Level-triggered, one
 * thread. Not a library: it shows what of a request is the kernel's.
 *
 *     bench_epoll_server echo|http      prints its port, serves until killed
 *
 * http: a fixed reply to whatever ends in an empty line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peers/http_reply.h"

enum { EVENTS = 256, BUFFER = 16384, BACKLOG = 1024 };

static int epoll;
static bool http;

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static int listen_and_tell(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(bind(fd, (const struct sockaddr *)&address, size) == 0, "bind");
    must(listen(fd, BACKLOG) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void accept_all(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    for (; fd >= 0; fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        watch(fd);
    }
}

/* The client reads what it asked for before it asks for more, so there is always room. */
static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        bytes += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool serve(int fd)
{
    static char buffer[BUFFER];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    if (!http)
        return send_all(fd, buffer, (size_t)got);
    return !http_request_ends(buffer, (size_t)got) || send_all(fd, http_reply, http_reply_size);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    if (argc != 2 || (strcmp(argv[1], "echo") != 0 && strcmp(argv[1], "http") != 0)) {
        fprintf(stderr, "usage: %s echo|http\n", argv[0]);
        return 2;
    }
    http = strcmp(argv[1], "http") == 0;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_and_tell();
    watch(listener);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener);
            else if (!serve(events[i].data.fd))
                close(events[i].data.fd);
        }
    }
}
