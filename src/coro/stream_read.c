/* SPDX-License-Identifier: MIT */
/*
 * Reading from streams.
 *
 * What is read by size goes straight to the caller while the stream's buffer is empty; what is looked for
 * (a delimiter, the end) is read into the buffer, where the caller gets to see it. A stream that waits
 * with an empty buffer has none: connections that idle take no memory for it.
 *
 * I1: what the buffer holds moves, or goes, only in the next read: the caller may be looking at it.
 */
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "coro/stream.h"

#define FIRST_CAPACITY ((size_t)4096)

/* Less is read together with what follows it: it costs no more. */
#define SMALL ((size_t)2048)

/* --- the buffer ---------------------------------------------------------------------------- */

static size_t held(const sil_stream *stream)
{
    return stream->in.end - stream->in.start;
}

static void release_if_empty(sil_stream *stream)
{
    if (held(stream) > 0)
        return;
    sil__free(stream->in.data);
    stream->in.data = NULL;
    stream->in.start = stream->in.end = stream->in.capacity = 0;
}

/* Room for one byte at least, behind what it holds. */
static int make_room(sil_stream *stream)
{
    size_t size = held(stream);
    if (stream->in.end < stream->in.capacity)
        return 0;
    if (stream->in.data && stream->in.start > 0) {
        memmove(stream->in.data, stream->in.data + stream->in.start, size);
    } else {
        size_t capacity = stream->in.capacity ? 2 * stream->in.capacity : FIRST_CAPACITY;
        char *data = sil__alloc_raw(capacity + 1);
        if (!data)
            return sil__fail(SIL_ENOMEM, NULL);
        if (stream->in.data && size > 0)
            memcpy(data, stream->in.data, size);
        sil__free(stream->in.data);
        stream->in.data = data;
        stream->in.capacity = capacity;
    }
    stream->in.start = 0;
    stream->in.end = size;
    return 0;
}

/* Take so many bytes, which it holds. */
static void take(sil_stream *stream, void *buffer, size_t size)
{
    memcpy(buffer, stream->in.data + stream->in.start, size);
    stream->in.start += size;
}

/* --- getting some --------------------------------------------------------------------------- */

/* Read at least one byte, straight to the caller. */
static int receive(struct sil__call *call, void *buffer, size_t size, size_t *out_got)
{
    sil_stream *stream = call->stream;
    int code = sil__stream_go_on(call);
    if (size > SIL__STREAM_MOST)
        size = SIL__STREAM_MOST;
    while (code == 0) {
        code = stream->ops->read_some(stream->transport, buffer, size, out_got);
        if (code != 0 || *out_got > 0) {
            sil__stream_moved(call, *out_got);
            return code;
        }
        release_if_empty(stream);
        code = sil__stream_wait(call, SIL_READING);
    }
    return code;
}

/* Read at least one more byte into the buffer. */
static int fill(struct sil__call *call)
{
    sil_stream *stream = call->stream;
    size_t got = 0;
    int code = sil__stream_go_on(call);
    /* Without a buffer it waits before it makes one: at once over if there is something. */
    bool waits = !stream->in.data;
    while (code == 0 && got == 0) {
        if (waits) {
            release_if_empty(stream);
            code = sil__stream_wait(call, SIL_READING);
        }
        if (code == 0)
            code = make_room(stream);
        size_t room = stream->in.capacity - stream->in.end;
        if (code == 0)
            code = stream->ops->read_some(stream->transport, stream->in.data + stream->in.end,
                                          room < SIL__STREAM_MOST ? room : SIL__STREAM_MOST, &got);
        waits = true;
    }
    if (code == 0)
        stream->in.end += got;
    else
        release_if_empty(stream);
    sil__stream_moved(call, got);
    return code;
}

/* --- calls --------------------------------------------------------------------------------- */

static int begin(const struct sil__call *call)
{
    int code = sil__stream_enter(call->stream, call->what);
    if (code != 0)
        return code;
    if (call->stream->reading) {
        sil__stream_leave(call->stream);
        return sil__fail(SIL_EBUSY, "%s: another coroutine reads from the stream", call->what);
    }
    call->stream->reading = true;
    return 0;
}

/* Others may run now, so what the caller is to look at must still be there. */
static int end(const struct sil__call *call, int code)
{
    sil_stream *stream = call->stream;
    if (code == 0)
        sil__stream_pace(call);
    if (code == 0 && stream->closed)
        code = sil__fail(SIL_ECLOSED, "%s: the stream was closed meanwhile", call->what);
    stream->reading = false;
    sil__stream_leave(stream);
    return code;
}

int sil_read(sil_stream *stream, void *buffer, size_t size, size_t *out_got, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_read"};
    if (!buffer || size == 0 || !out_got)
        return sil__fail(SIL_EINVAL, "sil_read: there is no room to read to");
    int code = begin(&call);
    if (code != 0)
        return code;
    size_t got = held(stream);
    if (got == 0) {
        code = receive(&call, buffer, size, &got);
    } else {
        got = got < size ? got : size;
        take(stream, buffer, got);
    }
    if (code == 0)
        *out_got = got;
    return end(&call, code);
}

static int read_exactly(struct sil__call *call, char *buffer, size_t size, size_t *got)
{
    sil_stream *stream = call->stream;
    int code = 0;
    while (code == 0 && *got < size) {
        size_t left = size - *got;
        size_t there = held(stream);
        size_t more = 0;
        if (there > 0) {
            more = there < left ? there : left;
            take(stream, buffer + *got, more);
        } else if (left < SMALL) {
            code = fill(call);
        } else {
            code = receive(call, buffer + *got, left, &more);
        }
        if (code == 0)
            *got += more;
    }
    return code;
}

int sil_read_exactly(sil_stream *stream, void *buffer, size_t size, size_t *out_got,
                     sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_read_exactly"};
    size_t got = 0;
    if (out_got)
        *out_got = 0;
    if (!buffer && size > 0)
        return sil__fail(SIL_EINVAL, "sil_read_exactly: there is no room to read to");
    int code = begin(&call);
    if (code != 0)
        return code;
    code = read_exactly(&call, buffer, size, &got);
    if (out_got)
        *out_got = got;
    return end(&call, code);
}

static int too_long(const struct sil__call *call, size_t limit)
{
    return sil__fail(SIL_ETOOLONG, "%s: more than the limit of %zu bytes", call->what, limit);
}

/* Until the buffer holds the delimiter: *out_size with it. SIL_EEND: there is less than the limit, and
 * nothing will follow. or_end: that will do, so there may be as much as the limit. */
static int find(struct sil__call *call, const void *delimiter, size_t delimiter_size, size_t limit,
                bool or_end, size_t *out_size)
{
    sil_stream *stream = call->stream;
    size_t seen = 0; /* no delimiter begins there */
    for (;;) {
        size_t size = held(stream);
        const char *first = size > 0 ? stream->in.data + stream->in.start : "";
        const char *found = memmem(first + seen, size - seen, delimiter, delimiter_size);
        if (found) {
            *out_size = (size_t)(found - first) + delimiter_size;
            return *out_size <= limit ? 0 : too_long(call, limit);
        }
        if (size > limit || (size == limit && !or_end))
            return too_long(call, limit);
        seen = size >= delimiter_size ? size - delimiter_size + 1 : 0;
        int code = fill(call);
        if (code != 0)
            return code;
    }
}

/* The caller gets to see so many bytes, of which these count as taken. */
static const char *show(sil_stream *stream, size_t taken)
{
    const char *data = stream->in.data ? stream->in.data + stream->in.start : "";
    stream->in.start += taken;
    return data;
}

int sil_read_until(sil_stream *stream, const void *delimiter, size_t delimiter_size, size_t limit,
                   const char **out_data, size_t *out_size, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_read_until"};
    if (!delimiter || delimiter_size == 0 || !out_data || !out_size)
        return sil__fail(SIL_EINVAL, "sil_read_until: the delimiter is empty, or an out is NULL");
    int code = begin(&call);
    if (code != 0)
        return code;
    size_t size = 0;
    code = find(&call, delimiter, delimiter_size, limit, false, &size);
    if (code == 0) {
        *out_data = show(stream, size);
        *out_size = size;
    }
    return end(&call, code);
}

/* The line that the first taken bytes of the buffer are, without its end. */
static size_t cut_line(sil_stream *stream, size_t taken)
{
    char *line = stream->in.data + stream->in.start;
    size_t size = taken;
    if (line[size - 1] == '\n') {
        size--;
        if (size > 0 && line[size - 1] == '\r')
            size--;
    }
    line[size] = '\0';
    return size;
}

int sil_read_line(sil_stream *stream, size_t limit, const char **out_line, size_t *out_size,
                  sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_read_line"};
    if (!out_line)
        return sil__fail(SIL_EINVAL, "sil_read_line: out_line is NULL");
    int code = begin(&call);
    if (code != 0)
        return code;
    size_t taken = 0;
    code = find(&call, "\n", 1, limit, true, &taken);
    if (code == SIL_EEND && held(stream) > 0) {
        taken = held(stream); /* the last one has no end */
        code = 0;
    }
    if (code == 0) {
        size_t size = cut_line(stream, taken);
        *out_line = show(stream, taken);
        if (out_size)
            *out_size = size;
    }
    return end(&call, code);
}

int sil_read_all(sil_stream *stream, size_t limit, const char **out_data, size_t *out_size,
                 sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_read_all"};
    if (!out_data || !out_size)
        return sil__fail(SIL_EINVAL, "sil_read_all: out_data or out_size is NULL");
    int code = begin(&call);
    if (code != 0)
        return code;
    while (code == 0 && held(stream) <= limit)
        code = fill(&call);
    if (code == 0)
        code = too_long(&call, limit);
    if (code == SIL_EEND) {
        size_t size = held(stream);
        if (stream->in.data)
            stream->in.data[stream->in.end] = '\0';
        *out_data = show(stream, size);
        *out_size = size;
        code = 0;
    }
    return end(&call, code);
}

int sil_stream_try_read(sil_stream *stream, void *buffer, size_t size, size_t *out_got)
{
    if (!buffer || size == 0 || !out_got)
        return sil__fail(SIL_EINVAL, "sil_stream_try_read: there is no room to read to");
    int code = sil__stream_enter(stream, "sil_stream_try_read");
    if (code != 0)
        return code;
    size_t got = held(stream);
    if (got == 0) {
        code = stream->ops->read_some(stream->transport, buffer, size, out_got);
    } else {
        *out_got = got < size ? got : size;
        take(stream, buffer, *out_got);
    }
    sil__stream_leave(stream);
    return code;
}
