/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: a socket and a watch of it.
 *
 * I1: who waits may find it closed and gone when it goes on: after SIL_ECLOSED nothing is touched.
 */
#include <sillon/datagram.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "coro/enter.h"
#include "loop/watch.h"

struct sil_datagram {
    sil_executor *loop;
    struct sil__watch *watch;
    int fd;
};

/* --- opening ------------------------------------------------------------------------------- */

static const struct sockaddr *as_system(const sil_address *address)
{
    return (const struct sockaddr *)&address->storage;
}

/* 0 and *out_fd; an errno value. */
static int open_with(const sil_datagram_options *options, const sil_address *local,
                     const sil_address *peer, int *out_fd)
{
    const sil_address *either = peer ? peer : local;
    if (!either)
        return EDESTADDRREQ; /* there is one of them always (resolve) */
    if (sil__fault(SIL__FAULT_SYSTEM))
        return EMFILE;
    int fd = socket(either->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    const int on = 1;
    if ((options->broadcast && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0) ||
        (options->reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        (local && bind(fd, as_system(local), local->size) != 0) ||
        (peer && connect(fd, as_system(peer), peer->size) != 0)) {
        int error = errno;
        (void)close(fd);
        return error;
    }
    *out_fd = fd;
    return 0;
}

/* The first pair of addresses that works. Either list may be empty. */
struct candidates {
    sil_address *locals;
    size_t local_count;
    sil_address *peers;
    size_t peer_count;
};

static int open_first(const sil_datagram_options *options, const struct candidates *all,
                      int *out_fd)
{
    int error = EAFNOSUPPORT; /* if no two are of one family */
    for (size_t i = 0; i < all->peer_count || i == 0; i++) {
        const sil_address *peer = all->peers ? &all->peers[i] : NULL;
        for (size_t k = 0; k < all->local_count || k == 0; k++) {
            const sil_address *local = all->locals ? &all->locals[k] : NULL;
            if (peer && local && peer->storage.ss_family != local->storage.ss_family)
                continue;
            error = open_with(options, local, peer, out_fd);
            if (error == 0)
                return 0;
        }
    }
    return error;
}

static int resolve(const char *host, const char *service, const sil_datagram_options *options,
                   struct candidates *all, sil_deadline until)
{
    const sil_resolve_options passive = {.family = options->family, .passive = true};
    const sil_resolve_options active = {.family = options->family};
    bool has_peer = options->peer_host || options->peer_service;
    int code = 0;
    /* Without any wish the system chooses when it connects. */
    if (host || service || !has_peer)
        code = sil_resolve(host, service, &passive, &all->locals, &all->local_count, until);
    if (code == 0 && has_peer)
        code = sil_resolve(options->peer_host, options->peer_service, &active, &all->peers,
                           &all->peer_count, until);
    return code;
}

static int create(int fd, sil_datagram **out_socket)
{
    sil_datagram *socket = sil__alloc(sizeof *socket);
    if (!socket)
        return sil__fail(SIL_ENOMEM, NULL);
    socket->loop = sil_loop_current();
    socket->fd = fd;
    socket->watch = sil__watch_open(fd);
    if (!socket->watch) {
        sil__free(socket);
        return sil_error_code(sil_last_error());
    }
    sil__watch_hope(socket->watch, SIL__WATCH_READ);
    *out_socket = socket;
    return 0;
}

static int no_socket(int error, const char *host, const char *service)
{
    return sil__fail(error, "no socket for datagrams at %s, %s: %s", host ? host : "any host",
                     service ? service : "any port", strerror(error));
}

int sil_datagram_open(const char *host, const char *service, const sil_datagram_options *options,
                      sil_datagram **out_socket, sil_deadline until)
{
    if (!out_socket || (options && options->peer_host && !options->peer_service))
        return sil__fail(SIL_EINVAL, "sil_datagram_open: NULL, or a peer without a service");
    const sil_datagram_options defaults = {.family = 0};
    options = options ? options : &defaults;
    int code = sil__enter(sil_loop_current(), "sil_datagram_open");
    if (code != 0)
        return code;
    struct candidates all = {.locals = NULL};
    int fd = -1;
    code = resolve(host, service, options, &all, until);
    if (code == 0) {
        int error = open_first(options, &all, &fd);
        code = error ? no_socket(error, host, service) : create(fd, out_socket);
    }
    if (code != 0 && fd >= 0)
        (void)close(fd);
    sil_addresses_free(all.locals);
    sil_addresses_free(all.peers);
    return code;
}

void sil_datagram_close(sil_datagram *socket)
{
    if (!socket)
        return;
    sil__watch_close(socket->watch);
    (void)close(socket->fd);
    sil__free(socket);
}

/* --- sending and receiving ----------------------------------------------------------------- */

/* Returns the bytes moved, or -1 with errno. */
typedef ssize_t try_fn(int fd, struct msghdr *message);

static ssize_t try_send(int fd, struct msghdr *message)
{
    return sendmsg(fd, message, MSG_NOSIGNAL);
}

static ssize_t try_receive(int fd, struct msghdr *message)
{
    return recvmsg(fd, message, MSG_TRUNC);
}

static int failed(const char *what, int error)
{
    if (error == EMSGSIZE)
        return sil__fail(SIL_ETOOLONG, "%s: no datagram is that long", what);
    if (error == EDESTADDRREQ)
        return sil__fail(SIL_EINVAL, "%s: it has no peer", what);
    return sil__fail(error, "%s: %s", what, strerror(error));
}

/* Try, and wait, and try; when the deadline has come, too: perhaps together with news. */
static int move(sil_datagram *socket, enum sil__watch_side side, struct msghdr *message,
                ssize_t *out_moved, sil_deadline until)
{
    bool sends = side == SIL__WATCH_WRITE;
    const char *what = sends ? "sil_datagram_send" : "sil_datagram_receive";
    try_fn *try_it = sends ? try_send : try_receive;
    int code = 0;
    do {
        if (code != 0 || sil__watch_promising(socket->watch, side)) {
            *out_moved = try_it(socket->fd, message);
            if (*out_moved >= 0)
                return 0;
            if (errno != EAGAIN && errno != EINTR)
                return failed(what, errno);
            if (errno == EAGAIN)
                sil__watch_drained(socket->watch, side);
            if (code != 0)
                return code;
        }
        code = sil__watch_wait(socket->watch, side, until, what);
    } while (code == 0 || code == SIL_ETIMEDOUT);
    return code;
}

int sil_datagram_send(sil_datagram *socket, const void *data, size_t size, const sil_address *to,
                      sil_deadline until)
{
    if (!socket || (!data && size > 0))
        return sil__fail(SIL_EINVAL, "sil_datagram_send: NULL");
    int code = sil__enter(socket->loop, "sil_datagram_send");
    if (code != 0)
        return code;
    struct iovec part = {(void *)data, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (to) {
        message.msg_name = (void *)&to->storage;
        message.msg_namelen = to->size;
    }
    ssize_t moved;
    code = move(socket, SIL__WATCH_WRITE, &message, &moved, until);
    if (code == 0)
        sil__context_pace(sil__context());
    return code;
}

int sil_datagram_receive(sil_datagram *socket, void *buffer, size_t size, size_t *out_size,
                         sil_address *out_from, sil_deadline until)
{
    if (!socket || (!buffer && size > 0) || !out_size)
        return sil__fail(SIL_EINVAL, "sil_datagram_receive: NULL");
    int code = sil__enter(socket->loop, "sil_datagram_receive");
    if (code != 0)
        return code;
    struct iovec part = {buffer, size};
    sil_address from;
    struct msghdr message = {.msg_name = &from.storage,
                             .msg_namelen = sizeof from.storage,
                             .msg_iov = &part,
                             .msg_iovlen = 1};
    ssize_t moved;
    code = move(socket, SIL__WATCH_READ, &message, &moved, until);
    if (code != 0)
        return code;
    *out_size = (size_t)moved;
    if (out_from) {
        *out_from = from;
        out_from->size = message.msg_namelen;
    }
    sil__context_pace(sil__context());
    if ((size_t)moved > size)
        return sil__fail(SIL_ETOOLONG, "a datagram of %zd bytes for a buffer of %zu", moved, size);
    return 0;
}

/* --- about --------------------------------------------------------------------------------- */

int sil_datagram_local(const sil_datagram *socket, sil_address *out)
{
    if (!socket || !out)
        return sil__fail(SIL_EINVAL, "sil_datagram_local: NULL");
    sil_address address = {.size = sizeof address.storage};
    if (getsockname(socket->fd, (struct sockaddr *)&address.storage, &address.size) != 0)
        return failed("sil_datagram_local", errno);
    *out = address;
    return 0;
}

int sil_datagram_fd(const sil_datagram *socket)
{
    return socket ? socket->fd : -1;
}
