/* SPDX-License-Identifier: MIT */
/*
 * Streams, from inside: what lies between the functions of stream.h and a transport.
 *
 * I1: uses counts the calls inside. A stream that is closed meanwhile goes when the last of them leaves;
 *     after each wait they look whether it is closed, and then leave its transport alone.
 * I2: one call reads (reading), and one writes (writing); more of the latter queue in turns.
 * I3: in.data has one byte more than its capacity: for the '\0' behind a text.
 */
#ifndef SIL__CORO_STREAM_H
#define SIL__CORO_STREAM_H

#include <sillon/stream_impl.h>
#include <stdint.h>

#include "coro/loop.h"

struct sil__watch;
struct sil__turn;

/* The transport that most have: a descriptor. */
struct sil__descriptor {
    int fd;
    bool socket;
    bool gentle; /* not non-blocking: it must never be asked for more than it can do at once */
    unsigned char vain; /* so many reads that fill their buffer are believed to have taken all */
    struct sil__watch *watch; /* NULL: always ready */
};

struct sil_stream {
    const sil_transport_ops *ops;
    void *transport;
    const struct sil__loop *loop; /* only compared: it may be gone before us */
    unsigned uses;
    bool closed;
    bool reading;
    bool writing;
    struct sil__turn *turns; /* who waits to write, the first first */
    struct {
        char *data; /* NULL while it is empty and nobody looks at it */
        size_t start;
        size_t end;
        size_t capacity;
    } in;
    struct {
        char *data;
        size_t size;
        size_t capacity;
    } out;
    struct sil__descriptor own;
};

/* One call of a function of stream.h. */
struct sil__call {
    sil_stream *stream;
    sil_deadline until;
    const char *what; /* the function's name */
    bool waited;
    bool late;    /* the deadline has come in a wait: one more try */
    size_t moved; /* bytes since it last looked whether to go on */
};

/* So much may be moved between two looks, and by one try: the other side may keep up for ever. */
enum { SIL__STREAM_LOOK = 64 * 1024, SIL__STREAM_MOST = 256 * 1024 };

/* --- stream.c ---------------------------------------------------------------------------------- */

/* Why the caller may not use the stream now; with the last error set. */
int sil__stream_refuse(const sil_stream *stream, const char *what);

void sil__stream_free(sil_stream *stream);

/* 0: the call is inside, until leave. */
static inline int sil__stream_enter(sil_stream *stream, const char *what)
{
    struct sil__coroutine *self = sil__coroutine_self();
    if (__builtin_expect(!stream || !self || self->loop != stream->loop || stream->closed ||
                             sil__context_cancel_due(&self->context),
                         0))
        return sil__stream_refuse(stream, what);
    stream->uses++;
    return 0;
}

static inline void sil__stream_leave(sil_stream *stream)
{
    if (--stream->uses == 0 && stream->closed)
        sil__stream_free(stream);
}

/*
 * Wait until it is worth trying again: 0. When the deadline has come that is so once more; the next time
 * it is SIL_ETIMEDOUT.
 */
int sil__stream_wait(struct sil__call *call, sil_side side);

/* The call moved so many bytes. With SIL_NOW each that succeeds makes another try worth it. */
static inline void sil__stream_moved(struct sil__call *call, size_t size)
{
    call->moved += size;
    if (call->until <= SIL_NOW)
        call->late = false;
}

int sil__stream_look(struct sil__call *call);

/* Before each try: 0, or why the call must end though it need not wait. */
static inline int sil__stream_go_on(struct sil__call *call)
{
    return __builtin_expect(call->moved >= SIL__STREAM_LOOK, 0) ? sil__stream_look(call) : 0;
}

/* Others had to wait long enough if this call did not. */
static inline void sil__stream_pace(const struct sil__call *call)
{
    if (!call->waited)
        sil__context_pace(sil__context());
}

/* --- stream_turn.c: who writes ----------------------------------------------------------------- */

/* 0: the caller is the only one who writes, until it drops the turn. */
int sil__turn_take_slow(struct sil__call *call);
void sil__turn_drop_slow(sil_stream *stream);

static inline int sil__turn_take(struct sil__call *call)
{
    if (__builtin_expect(call->stream->writing, 0))
        return sil__turn_take_slow(call);
    call->stream->writing = true;
    return 0;
}

static inline void sil__turn_drop(sil_stream *stream)
{
    if (__builtin_expect(stream->turns != NULL, 0))
        sil__turn_drop_slow(stream);
    else
        stream->writing = false;
}

/* The stream is closed: nobody gets a turn any more. */
void sil__turns_end(sil_stream *stream);

/* --- stream_descriptor.c ----------------------------------------------------------------------- */

extern const sil_transport_ops sil__descriptor_ops;

enum { SIL__FD_SOCKET = 1, SIL__FD_SHARED = 2 };

/*
 * A stream for a descriptor (takes). SOCKET: it is one. SHARED: others may
 * have it open, and must not see it become non-blocking.
 */
int sil__stream_from(int fd, unsigned flags, sil_stream **out_stream);

/* --- connect.c ------------------------------------------------------------------------------- */

/* As sil_connect, to the first of these that connects. host (or NULL) and service are for messages. */
int sil__connect_first(const sil_address *addresses, size_t count, const char *host,
                       const char *service, const sil_connect_options *options,
                       sil_stream **out_stream, sil_deadline until);

#endif
