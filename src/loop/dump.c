/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in dumps, see dump.h: whose they are at the other end, or where they listen.
 */
#include "loop/dump.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

/* False: there is nothing to be said. */
static bool describe(const union address *address, socklen_t size, char *out, size_t out_size)
{
    char host[INET6_ADDRSTRLEN] = "";
    switch (address->any.sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof host);
        (void)snprintf(out, out_size, "%s:%u", host, ntohs(address->in.sin_port));
        return true;
    case AF_INET6:
        (void)inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof host);
        (void)snprintf(out, out_size, "[%s]:%u", host, ntohs(address->in6.sin6_port));
        return true;
    case AF_UNIX:
        if (size <= offsetof(struct sockaddr_un, sun_path) || !address->un.sun_path[0])
            return false;
        (void)snprintf(out, out_size, "%.*s", (int)(size - offsetof(struct sockaddr_un, sun_path)),
                       address->un.sun_path);
        return true;
    default:
        return false;
    }
}

void sil__fd_look(struct sil__sight *sight, const char *what, int fd)
{
    union address address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof address;
    const char *whose = "peer";
    char text[128];
    int failed = getpeername(fd, &address.any, &size);
    if (failed) {
        whose = "at";
        size = sizeof address;
        failed = getsockname(fd, &address.any, &size);
    }
    if (!failed && describe(&address, size, text, sizeof text))
        sil__sight_says(sight, "%s of fd %d, %s %s", what, fd, whose, text);
    else
        sil__sight_says(sight, "%s of fd %d", what, fd);
}
