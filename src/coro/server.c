/* SPDX-License-Identifier: MIT */
/*
 * Servers: their life, and accepting one connection.
 */
#include "coro/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"

/* --- life ---------------------------------------------------------------------------------- */

sil_server *sil__server_create(const sil_listen_options *options)
{
    sil_server *server = sil__alloc(sizeof *server);
    if (!server) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    server->loop = sil__coroutine_self()->loop;
    server->max_connections = options->max_connections;
    (void)snprintf(server->name, sizeof server->name, "%s", options->name ? options->name : "");
    return server;
}

/* Only if it is still ours: another server may have taken its place. */
static void remove_file(sil_server *server)
{
    struct stat now;
    const char *path = ((struct sockaddr_un *)&server->address.storage)->sun_path;
    if (server->has_file && stat(path, &now) == 0 && now.st_dev == server->file.st_dev &&
        now.st_ino == server->file.st_ino)
        (void)unlink(path);
    server->has_file = false;
}

void sil__server_stop(sil_server *server)
{
    if (server->stopped)
        return;
    server->stopped = true;
    remove_file(server);
    for (size_t i = 0; i < server->count; i++) {
        sil__watch_close(server->watches[i]);
        (void)close(server->fds[i]);
    }
    sil__server_tell(server);
}

int sil__server_enter(sil_server *server, const char *what)
{
    struct sil__coroutine *self = sil__coroutine_self();
    if (!server)
        return sil__fail(SIL_EINVAL, "%s: the server is NULL", what);
    if (!self || self->loop != server->loop)
        return sil__fail(SIL_ENOTASK, "%s: only coroutines of the server's loop may use it", what);
    if (server->closed)
        return sil__fail(SIL_ECLOSED, "%s: the server was closed", what);
    server->uses++;
    return 0;
}

void sil__server_leave(sil_server *server)
{
    if (--server->uses == 0 && server->closed)
        sil__free(server);
}

void sil_server_close(sil_server *server)
{
    if (!server || server->closed)
        return;
    server->closed = true;
    server->uses++;
    sil__server_stop(server);
    sil__server_cancel_handlers(server);
    sil__server_leave(server);
}

/* --- accepting ----------------------------------------------------------------------------- */

/* What befell a connection that is gone again, or that the next try does not see: not ours to report. */
static bool passes_over(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

static int accept_from(int fd)
{
    if (sil__fault(SIL__FAULT_SYSTEM)) {
        errno = EMFILE;
        return -1;
    }
    return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* From those that are worth asking: a descriptor; -1: there is nothing; else minus an errno value. */
static int accept_any(sil_server *server)
{
    size_t asked = 0;
    while (asked < server->count) {
        size_t i = server->turn % server->count;
        if (sil__watch_promising(server->watches[i], SIL__WATCH_READ)) {
            int fd = accept_from(server->fds[i]);
            if (fd >= 0)
                return fd;
            if (passes_over(errno))
                continue;
            if (errno != EAGAIN)
                return -errno;
            sil__watch_drained(server->watches[i], SIL__WATCH_READ);
        }
        server->turn++;
        asked++;
    }
    return -EAGAIN;
}

static int stopped(const char *what)
{
    return sil__fail(SIL_ECLOSED, "%s: the server does not listen any more", what);
}

int sil__server_accept(sil_server *server, sil_stream **out_stream, sil_deadline until,
                       const char *what)
{
    struct sil__context *context = sil__context();
    bool waited = false;
    bool late = false;
    for (;;) {
        if (sil__context_cancel_due(context))
            return sil__context_deliver_cancel(context, what);
        if (server->stopped)
            return stopped(what);
        int fd = accept_any(server);
        if (fd >= 0) {
            server->stats.accepted++;
            int code = sil__stream_from(fd, SIL__FD_SOCKET, out_stream);
            if (code != 0)
                (void)close(fd);
            else if (!waited)
                sil__context_pace(context);
            return code;
        }
        if (fd != -EAGAIN)
            return sil__fail(fd == -ENOMEM ? SIL_ENOMEM : -fd, "%s: %s", what, strerror(-fd));
        if (late)
            return SIL_ETIMEDOUT; /* the last error says so already */
        size_t index;
        int code = sil__watch_wait_any(server->watches, server->count, SIL__WATCH_READ, until, what,
                                       &index);
        waited = true;
        late = code == SIL_ETIMEDOUT;
        if (code != 0 && !late)
            return code;
        for (size_t i = 0; late && i < server->count; i++)
            sil__watch_hope(server->watches[i], SIL__WATCH_READ);
    }
}

int sil_server_accept(sil_server *server, sil_stream **out_stream, sil_deadline until)
{
    static const char what[] = "sil_server_accept";
    if (!out_stream)
        return sil__fail(SIL_EINVAL, "%s: out_stream is NULL", what);
    int code = sil__server_enter(server, what);
    if (code != 0)
        return code;
    if (server->accepting) {
        code = sil__fail(SIL_EBUSY, "%s: another coroutine accepts already", what);
    } else {
        server->accepting = true;
        code = sil__server_accept(server, out_stream, until, what);
        server->accepting = false;
    }
    sil__server_leave(server);
    return code;
}

/* --- about --------------------------------------------------------------------------------- */

int sil_server_address(const sil_server *server, sil_address *out)
{
    if (!server || !out)
        return sil__fail(SIL_EINVAL, "sil_server_address: the server or out is NULL");
    *out = server->address;
    return 0;
}

uint16_t sil_server_port(const sil_server *server)
{
    return server ? sil_address_port(&server->address) : 0;
}

size_t sil_server_connections(const sil_server *server)
{
    return server ? (size_t)server->stats.connections : 0;
}

int sil_server_stats_get(const sil_server *server, sil_server_stats *out)
{
    if (!server || !out)
        return sil__fail(SIL_EINVAL, "sil_server_stats_get: the server or out is NULL");
    *out = server->stats;
    return 0;
}
