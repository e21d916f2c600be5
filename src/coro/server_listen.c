/* SPDX-License-Identifier: MIT */
/*
 * Listening: by TCP on all addresses of a host, and on sockets in the file system.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "coro/address.h"
#include "coro/enter.h"
#include "coro/server.h"

/* How often a free port of one address may turn out to be in use on another. */
enum { TRIES = 16 };

static const sil_listen_options defaults;

static int check(const sil_listen_options *options, sil_server **out_server, const char *what)
{
    if (!out_server || options->backlog < 0)
        return sil__fail(SIL_EINVAL, "%s: out_server is NULL, or the backlog is negative", what);
    return sil__enter(sil_loop_current(), what);
}

/* --- one socket ---------------------------------------------------------------------------- */

static void set(int fd, int level, int option)
{
    (void)setsockopt(fd, level, option, &(int){1}, sizeof(int));
}

/* -1 with errno. */
static int open_socket(const sil_address *address, const sil_listen_options *options)
{
    if (sil__fault(SIL__FAULT_SYSTEM)) {
        errno = EMFILE;
        return -1;
    }
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || family == AF_UNIX)
        return fd;
    set(fd, SOL_SOCKET, SO_REUSEADDR);
    set(fd, IPPROTO_TCP, TCP_NODELAY); /* accepted ones inherit it */
    if (options->reuse_port)
        set(fd, SOL_SOCKET, SO_REUSEPORT);
    if (family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY); /* IPv4 has a socket of its own */
    return fd;
}

static int begin_listening(int fd, const sil_listen_options *options)
{
    return listen(fd, options->backlog > 0 ? options->backlog : SOMAXCONN) == 0 ? 0 : errno;
}

/* 0: *out_fd listens; else errno's value. */
static int listen_at(const sil_address *address, const sil_listen_options *options, int *out_fd)
{
    int fd = open_socket(address, options);
    if (fd < 0)
        return errno;
    int error = bind(fd, (const struct sockaddr *)&address->storage, address->size) == 0
                    ? begin_listening(fd, options)
                    : errno;
    if (error != 0)
        (void)close(fd);
    else
        *out_fd = fd;
    return error;
}

/* --- a server of several ------------------------------------------------------------------- */

static void close_all(sil_server *server)
{
    while (server->count > 0)
        (void)close(server->fds[--server->count]);
}

/* This machine does not have that address, or no such addresses at all: others may do. */
static bool is_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static void look_where(sil_server *server)
{
    sil_address where = {.size = sizeof where.storage};
    if (getsockname(server->fds[0], (struct sockaddr *)&where.storage, &where.size) == 0)
        server->address = where;
}

/* 0, or an errno value; then it has no sockets. */
static int listen_at_all(sil_server *server, const sil_address *addresses, size_t count,
                         const sil_listen_options *options)
{
    int missing = 0;
    for (size_t i = 0; i < count && server->count < SIL__WATCH_ANY; i++) {
        sil_address address = addresses[i];
        if (sil_address_port(&address) == 0 && server->count > 0)
            sil__address_set_port(&address, sil_server_port(server));
        int error = listen_at(&address, options, &server->fds[server->count]);
        if (is_missing(error)) {
            missing = error;
            continue;
        }
        if (error != 0) {
            close_all(server);
            return error;
        }
        if (server->count++ == 0)
            look_where(server);
    }
    return server->count > 0 ? 0 : missing;
}

/* The sockets are there: watch them, and hand the server over. On failure it is gone. */
static int complete(sil_server *server, sil_server **out_server)
{
    for (size_t i = 0; i < server->count; i++) {
        server->watches[i] = sil__watch_open(server->fds[i]);
        if (!server->watches[i]) {
            int code = sil_error_code(sil_last_error());
            sil_server_close(server);
            return code;
        }
    }
    *out_server = server;
    return 0;
}

static int listen_tcp(const char *host, const sil_address *addresses, size_t count,
                      const sil_listen_options *options, sil_server **out_server)
{
    sil_server *server = sil__server_create(options);
    if (!server)
        return SIL_ENOMEM;
    int error = EADDRINUSE;
    bool any_port = sil_address_port(&addresses[0]) == 0;
    for (int tries = any_port ? TRIES : 1; tries > 0 && error == EADDRINUSE; tries--)
        error = listen_at_all(server, addresses, count, options);
    if (error == 0)
        return complete(server, out_server);
    sil_server_close(server);
    return sil__fail(error == ENOMEM ? SIL_ENOMEM : error, "cannot listen on %s, port %u: %s",
                     host ? host : "any address", sil_address_port(&addresses[0]), strerror(error));
}

int sil_listen(const char *host, const char *service, const sil_listen_options *options,
               sil_server **out_server, sil_deadline until)
{
    if (!options)
        options = &defaults;
    int code = check(options, out_server, "sil_listen");
    if (code != 0)
        return code;
    sil_resolve_options resolve = {.family = options->family, .passive = true};
    sil_address *addresses = NULL;
    size_t count = 0;
    code = sil_resolve(host, service, &resolve, &addresses, &count, until);
    if (code != 0)
        return code;
    code = listen_tcp(host, addresses, count, options, out_server);
    sil_addresses_free(addresses);
    return code;
}

/* --- in the file system -------------------------------------------------------------------- */

/* Is this the socket of a server that is gone? */
static bool is_stale(const sil_address *address, const char *path)
{
    struct stat about;
    if (path[0] == '@' || lstat(path, &about) != 0 || !S_ISSOCK(about.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)&address->storage, address->size) != 0 &&
                   errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

/* 0, or an errno value. */
static int listen_at_path(sil_server *server, const char *path, const sil_listen_options *options)
{
    const sil_address *address = &server->address;
    int error = listen_at(address, options, &server->fds[0]);
    if (error == EADDRINUSE && is_stale(address, path) && unlink(path) == 0)
        error = listen_at(address, options, &server->fds[0]);
    if (error != 0)
        return error;
    server->count = 1;
    server->has_file = path[0] != '@' && stat(path, &server->file) == 0;
    return 0;
}

int sil_listen_unix(const char *path, const sil_listen_options *options, sil_server **out_server)
{
    if (!options)
        options = &defaults;
    sil_address address;
    int code = check(options, out_server, "sil_listen_unix");
    if (code == 0)
        code = sil__address_unix(path, &address);
    if (code != 0)
        return code;
    sil_server *server = sil__server_create(options);
    if (!server)
        return SIL_ENOMEM;
    server->address = address;
    int error = listen_at_path(server, path, options);
    if (error == 0)
        return complete(server, out_server);
    sil_server_close(server);
    return sil__fail(error == ENOMEM ? SIL_ENOMEM : error, "cannot listen on '%s': %s", path,
                     strerror(error));
}
