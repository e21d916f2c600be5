/* SPDX-License-Identifier: MIT */
/*
 * Streams: their life, what transports are given to work with, and what can be asked. Reading is in
 * stream_read.c, writing in stream_write.c.
 */
#include "coro/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <sillon/status.h>

#include "base/alloc.h"

/* Nanoseconds; then one that need not wait gives way. */
#define LONG_TURN INT64_C(500000)

int sil__stream_refuse(const sil_stream *stream, const char *what)
{
    struct sil__coroutine *self = sil__coroutine_self();
    if (!stream)
        return sil__fail(SIL_EINVAL, "the stream is NULL"); /* perhaps our caller's argument */
    if (!self || self->loop != stream->loop)
        return sil__fail(SIL_ENOTASK, "%s: only coroutines of the stream's loop may use it", what);
    if (stream->closed)
        return sil__fail(SIL_ECLOSED, "%s: the stream was closed", what);
    return sil__context_deliver_cancel(&self->context, what);
}

int sil__stream_wait(struct sil__call *call, sil_side side)
{
    sil_stream *stream = call->stream;
    if (call->late)
        return SIL_ETIMEDOUT; /* the last error says so already */
    call->waited = true;
    int code = stream->ops->wait(stream->transport, side, call->until, call->what);
    if (stream->closed && code != SIL_ECANCELLED)
        return sil__fail(SIL_ECLOSED, "%s: the stream was closed meanwhile", call->what);
    if (code != SIL_ETIMEDOUT)
        return code;
    call->late = true;
    return 0;
}

int sil__stream_look(struct sil__call *call)
{
    struct sil__coroutine *self = sil__coroutine_self();
    struct sil__context *context = &self->context;
    call->moved = 0;
    if (sil__clock_now() - self->loop->reactor.now >= LONG_TURN) {
        self->loop->budget = 0; /* not only others that are ready: timers and the poll, too */
        sil__loop_push(self->loop, self);
        sil__coroutine_suspend(self);
    }
    if (call->stream->closed)
        return sil__fail(SIL_ECLOSED, "%s: the stream was closed meanwhile", call->what);
    if (sil__context_cancel_due(context))
        return sil__context_deliver_cancel(context, call->what);
    sil_deadline until = sil__context_until(context, call->until);
    if (until > SIL_NOW && until != SIL_FOREVER && sil__clock_now() >= until)
        return sil__fail(SIL_ETIMEDOUT, "%s: the deadline came first", call->what);
    return 0;
}

/* --- life ---------------------------------------------------------------------------------- */

void sil__stream_free(sil_stream *stream)
{
    stream->ops->destroy(stream->transport);
    sil__free(stream->in.data);
    sil__free(stream->out.data);
    sil__free(stream);
}

int sil_stream_create(const sil_transport_ops *ops, void *transport, sil_stream **out_stream)
{
    const size_t needed = offsetof(sil_transport_ops, destroy) + sizeof ops->destroy;
    if (!ops || ops->size < needed || !ops->read_some || !ops->write_some || !ops->wait ||
        !ops->close || !ops->destroy || !out_stream)
        return sil__fail(SIL_EINVAL, "sil_stream_create: an operation, or out_stream, is missing");
    struct sil__coroutine *self = sil__coroutine_self();
    if (!self)
        return sil__fail(SIL_ENOTASK, "only a coroutine has a loop to make a stream on");
    sil_stream *stream = sil__alloc(sizeof *stream);
    if (!stream)
        return sil__fail(SIL_ENOMEM, NULL);
    stream->ops = ops;
    stream->transport = transport;
    stream->loop = self->loop;
    *out_stream = stream;
    return 0;
}

void sil_stream_close(sil_stream *stream)
{
    if (!stream || stream->closed)
        return;
    stream->closed = true;
    stream->uses++;
    stream->ops->close(stream->transport);
    sil__turns_end(stream);
    sil__stream_leave(stream);
}

/* --- for transports ------------------------------------------------------------------------ */

void *sil_stream_transport(const sil_stream *stream, const sil_transport_ops *ops)
{
    return stream && ops && stream->ops == ops ? stream->transport : NULL;
}

int sil_stream_try_write(sil_stream *stream, const struct iovec *parts, size_t count,
                         size_t *out_put)
{
    enum { MOST = 64 };
    if (!parts || count == 0 || !out_put)
        return sil__fail(SIL_EINVAL, "sil_stream_try_write: there is nothing to write");
    int code = sil__stream_enter(stream, "sil_stream_try_write");
    if (code != 0)
        return code;
    code = stream->ops->write_some(stream->transport, parts, count < MOST ? (int)count : MOST,
                                   out_put);
    sil__stream_leave(stream);
    return code;
}

int sil_stream_wait(sil_stream *stream, sil_side side, sil_deadline until, const char *what)
{
    if (!what)
        what = "sil_stream_wait";
    if (side != SIL_READING && side != SIL_WRITING)
        return sil__fail(SIL_EINVAL, "sil_stream_wait: there is no such side");
    int code = sil__stream_enter(stream, what);
    if (code != 0)
        return code;
    if (side == SIL_WRITING || stream->in.start == stream->in.end)
        code = stream->ops->wait(stream->transport, side, until, what);
    if (stream->closed && code != SIL_ECANCELLED)
        code = sil__fail(SIL_ECLOSED, "%s: the stream was closed meanwhile", what);
    sil__stream_leave(stream);
    return code;
}

/* --- about --------------------------------------------------------------------------------- */

int sil_stream_fd(const sil_stream *stream)
{
    if (!stream || !stream->ops->descriptor)
        return -1;
    return stream->ops->descriptor(stream->transport);
}

typedef int (*name_fn)(int fd, struct sockaddr *address, socklen_t *size);

static int name_of(const sil_stream *stream, sil_address *out, name_fn ask, const char *what)
{
    if (!stream || !out)
        return sil__fail(SIL_EINVAL, "%s: the stream or out is NULL", what);
    sil_address address = {.size = sizeof address.storage};
    if (ask(sil_stream_fd(stream), (struct sockaddr *)&address.storage, &address.size) == 0) {
        *out = address;
        return 0;
    }
    bool other = errno == ENOTSOCK || errno == EBADF;
    int error = other ? SIL_ENOTSUP : errno;
    return sil__fail(error, "%s: %s", what, other ? "this is no socket" : sil_strerror(error));
}

int sil_stream_local(const sil_stream *stream, sil_address *out)
{
    return name_of(stream, out, getsockname, "sil_stream_local");
}

int sil_stream_peer(const sil_stream *stream, sil_address *out)
{
    return name_of(stream, out, getpeername, "sil_stream_peer");
}

static int set_option(const sil_stream *stream, int level, int option, int value, const char *what)
{
    if (setsockopt(sil_stream_fd(stream), level, option, &value, sizeof value) == 0)
        return 0;
    bool other = errno == ENOTSOCK || errno == EBADF || errno == EOPNOTSUPP || errno == ENOPROTOOPT;
    int error = other ? SIL_ENOTSUP : errno;
    return sil__fail(error, "%s: %s", what, other ? "this is no TCP" : sil_strerror(error));
}

int sil_stream_set_nodelay(sil_stream *stream, bool nodelay)
{
    if (!stream)
        return sil__fail(SIL_EINVAL, "sil_stream_set_nodelay: the stream is NULL");
    return set_option(stream, IPPROTO_TCP, TCP_NODELAY, nodelay, "sil_stream_set_nodelay");
}

int sil_stream_set_keepalive(sil_stream *stream, unsigned seconds)
{
    static const char what[] = "sil_stream_set_keepalive";
    enum { MOST = 32767, QUESTIONS = 4 }; /* what the system takes */
    if (!stream)
        return sil__fail(SIL_EINVAL, "%s: the stream is NULL", what);
    int period = seconds < MOST ? (int)seconds : MOST;
    int code = 0;
    if (period > 0)
        code = set_option(stream, IPPROTO_TCP, TCP_KEEPIDLE, period, what);
    if (code == 0 && period > 0)
        code = set_option(stream, IPPROTO_TCP, TCP_KEEPINTVL, period, what);
    if (code == 0 && period > 0)
        code = set_option(stream, IPPROTO_TCP, TCP_KEEPCNT, QUESTIONS, what);
    if (code == 0)
        code = set_option(stream, SOL_SOCKET, SO_KEEPALIVE, period > 0, what);
    return code;
}
