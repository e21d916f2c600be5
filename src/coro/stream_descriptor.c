/* SPDX-License-Identifier: MIT */
/*
 * Descriptors as transports of streams.
 *
 * A read that was shorter than its buffer has taken all there was, so the next one waits first: a
 * connection that answers request after request never asks in vain. One that filled its buffer exactly
 * may have taken all, too, if messages are of that size: once that was so, the next few are believed to be
 * alike. Waiting is never wrong, since what is there is reported at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "coro/stream.h"
#include "loop/watch.h"

/* What can be written to a pipe or terminal that is ready, without waiting: PIPE_BUF. */
#define GENTLE_SIZE ((size_t)4096)

static int failed(const char *what)
{
    int error = errno;
    return sil__fail(error == ENOMEM ? SIL_ENOMEM : error, "%s: %s", what, strerror(error));
}

/* Where nothing keeps a call from waiting, we ask before. */
static bool ready(const struct sil__descriptor *own, short events)
{
    struct pollfd asked = {.fd = own->fd, .events = events};
    return !own->gentle || poll(&asked, 1, 0) != 0;
}

enum { BELIEVED_ALIKE = 16 };

/* It got so much of so much: will there be more? */
static void judge_read(struct sil__descriptor *own, ssize_t got, size_t size)
{
    if (!own->watch)
        return;
    if (got < 0)
        own->vain = BELIEVED_ALIKE;
    else if ((size_t)got == size && own->vain == 0)
        return;
    else if ((size_t)got == size)
        own->vain--;
    sil__watch_drained(own->watch, SIL__WATCH_READ);
}

static bool try_later(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

static int read_some(void *transport, void *buffer, size_t size, size_t *out_got)
{
    struct sil__descriptor *own = transport;
    *out_got = 0;
    if (own->watch && !sil__watch_promising(own->watch, SIL__WATCH_READ))
        return 0;
    ssize_t got;
    if (!ready(own, POLLIN)) {
        errno = EAGAIN;
        got = -1;
    } else {
        do
            got = own->socket ? recv(own->fd, buffer, size, MSG_DONTWAIT)
                              : read(own->fd, buffer, size);
        while (got < 0 && errno == EINTR);
    }
    if (got == 0)
        return sil__fail(SIL_EEND, "the stream has ended");
    if (got < 0 && !(try_later() && own->watch))
        return failed("reading");
    judge_read(own, got, size);
    *out_got = got > 0 ? (size_t)got : 0;
    return 0;
}

static ssize_t write_parts(const struct sil__descriptor *own, const struct iovec *parts, int count)
{
    if (own->gentle) {
        size_t size = parts->iov_len;
        return write(own->fd, parts->iov_base, size < GENTLE_SIZE ? size : GENTLE_SIZE);
    }
    if (!own->socket)
        return count == 1 ? write(own->fd, parts->iov_base, parts->iov_len)
                          : writev(own->fd, parts, count);
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (count == 1)
        return send(own->fd, parts->iov_base, parts->iov_len, flags);
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    return sendmsg(own->fd, &message, flags);
}

static int write_some(void *transport, const struct iovec *parts, int count, size_t *out_put)
{
    struct sil__descriptor *own = transport;
    *out_put = 0;
    if (own->watch && !sil__watch_promising(own->watch, SIL__WATCH_WRITE))
        return 0;
    while (count > 1 && parts->iov_len == 0) { /* gentle ones write but the first */
        parts++;
        count--;
    }
    ssize_t put;
    if (!ready(own, POLLOUT)) {
        errno = EAGAIN;
        put = -1;
    } else {
        do
            put = write_parts(own, parts, count);
        while (put < 0 && errno == EINTR);
    }
    if (put < 0 && !(try_later() && own->watch))
        return failed("writing");
    if (put < 0)
        sil__watch_drained(own->watch, SIL__WATCH_WRITE);
    *out_put = put > 0 ? (size_t)put : 0;
    return 0;
}

static int wait_for(void *transport, sil_side side, sil_deadline until, const char *what)
{
    struct sil__descriptor *own = transport;
    if (!own->watch)
        return 0;
    enum sil__watch_side watched = side == SIL_READING ? SIL__WATCH_READ : SIL__WATCH_WRITE;
    int code = sil__watch_wait(own->watch, watched, until, what);
    if (code == SIL_ETIMEDOUT)
        sil__watch_hope(own->watch, watched);
    return code;
}

static int shut_down(void *transport, sil_deadline until)
{
    (void)until;
    const struct sil__descriptor *own = transport;
    if (own->socket && shutdown(own->fd, SHUT_WR) != 0)
        return failed("sil_stream_shutdown");
    return 0;
}

static void close_descriptor(void *transport)
{
    struct sil__descriptor *own = transport;
    sil__watch_close(own->watch);
    own->watch = NULL;
    (void)close(own->fd);
    own->fd = -1;
}

/* It lies in the stream. */
static void destroy(void *transport)
{
    (void)transport;
}

static int descriptor(const void *transport)
{
    return ((const struct sil__descriptor *)transport)->fd;
}

const sil_transport_ops sil__descriptor_ops = {
    .size = sizeof(sil_transport_ops),
    .kind = "descriptor",
    .read_some = read_some,
    .write_some = write_some,
    .wait = wait_for,
    .shutdown = shut_down,
    .close = close_descriptor,
    .destroy = destroy,
    .descriptor = descriptor,
};

/* Watch it, if it can be. libuv makes it non-blocking: it becomes again what it was, also if that fails. */
static int watch(struct sil__descriptor *own, bool shared)
{
    int before = shared ? fcntl(own->fd, F_GETFL) : O_NONBLOCK;
    own->watch = sil__watch_open(own->fd);
    int code = own->watch ? 0 : sil_error_code(sil_last_error());
    if (code == EPERM)
        return 0;
    if (before != -1 && !(before & O_NONBLOCK)) {
        own->gentle = !own->socket;
        (void)fcntl(own->fd, F_SETFL, before);
    }
    return code;
}

int sil__stream_from(int fd, unsigned flags, sil_stream **out_stream)
{
    sil_stream *stream = NULL;
    int code = sil_stream_create(&sil__descriptor_ops, NULL, &stream);
    if (code != 0)
        return code;
    stream->transport = &stream->own;
    stream->own.fd = fd;
    stream->own.socket = flags & SIL__FD_SOCKET;
    code = watch(&stream->own, flags & SIL__FD_SHARED);
    if (code != 0)
        sil__free(stream);
    else
        *out_stream = stream;
    return code;
}
