/* SPDX-License-Identifier: MIT */
/*
 * Writing to streams.
 *
 * Whoever writes has the turn until all of it is written, what stands in the buffer first. So the pieces
 * of several coroutines do not mix, and the buffer belongs to one at a time.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "coro/stream.h"

#define FIRST_CAPACITY ((size_t)1024)

/* More is not gathered. */
#define HIGH_WATER ((size_t)16 * 1024)

/* Parts that one call of the system takes from us. */
enum { BATCH = 16 };

/* --- on their way ---------------------------------------------------------------------------- */

/* So many bytes of the parts are written. */
static void advance(struct iovec **parts, int *count, size_t put)
{
    while (*count > 0 && put >= (*parts)->iov_len) {
        put -= (*parts)->iov_len;
        ++*parts;
        --*count;
    }
    if (*count > 0) {
        (*parts)->iov_base = (char *)(*parts)->iov_base + put;
        (*parts)->iov_len -= put;
    }
}

/* Try to write some of them, no more than one try may. */
static int put_some(struct sil__call *call, struct iovec *parts, int count, size_t *out_put)
{
    sil_stream *stream = call->stream;
    size_t room = SIL__STREAM_MOST;
    int some = 0;
    while (some < count && parts[some].iov_len <= room)
        room -= parts[some++].iov_len;
    if (__builtin_expect(some == count, 1))
        return stream->ops->write_some(stream->transport, parts, count, out_put);
    size_t whole = parts[some].iov_len;
    parts[some].iov_len = room;
    int code =
        stream->ops->write_some(stream->transport, parts, room > 0 ? some + 1 : some, out_put);
    parts[some].iov_len = whole;
    return code;
}

/* Write all; parts is used up. *out_put: how much that was, also on failure. */
static int put_all(struct sil__call *call, struct iovec *parts, int count, size_t *out_put)
{
    int code = 0;
    *out_put = 0;
    advance(&parts, &count, 0); /* empty ones */
    while (count > 0 && code == 0) {
        size_t put = 0;
        code = sil__stream_go_on(call);
        if (code == 0)
            code = put_some(call, parts, count, &put);
        if (code == 0 && put == 0)
            code = sil__stream_wait(call, SIL_WRITING);
        else
            sil__stream_moved(call, put);
        *out_put += put;
        advance(&parts, &count, put);
    }
    return code;
}

/* So many of the bytes in the buffer are written. */
static void drop_written(sil_stream *stream, size_t put)
{
    if (put < stream->out.size) {
        stream->out.size -= put;
        memmove(stream->out.data, stream->out.data + put, stream->out.size);
        return;
    }
    sil__free(stream->out.data);
    stream->out.data = NULL;
    stream->out.size = stream->out.capacity = 0;
}

/* Write the buffer, and these parts behind it. */
static int put_with_buffer(struct sil__call *call, const struct iovec *parts, size_t count)
{
    sil_stream *stream = call->stream;
    int code = 0;
    do {
        struct iovec batch[BATCH + 1];
        int used = 0;
        bool buffered = stream->out.size > 0;
        if (buffered)
            batch[used++] = (struct iovec){stream->out.data, stream->out.size};
        size_t some = count < BATCH ? count : BATCH;
        for (size_t i = 0; i < some; i++)
            batch[used++] = parts[i];
        parts += some;
        count -= some;
        size_t put;
        code = put_all(call, batch, used, &put);
        if (buffered)
            drop_written(stream, put);
    } while (code == 0 && count > 0);
    return code;
}

/* --- the buffer ------------------------------------------------------------------------------ */

/* size + what it holds are at most HIGH_WATER. */
static int append(sil_stream *stream, const void *data, size_t size)
{
    size_t needed = stream->out.size + size;
    if (needed > stream->out.capacity) {
        size_t capacity = stream->out.capacity ? stream->out.capacity : FIRST_CAPACITY;
        while (capacity < needed)
            capacity *= 2;
        char *larger = sil__alloc_raw(capacity);
        if (!larger)
            return sil__fail(SIL_ENOMEM, NULL);
        if (stream->out.size > 0)
            memcpy(larger, stream->out.data, stream->out.size);
        sil__free(stream->out.data);
        stream->out.data = larger;
        stream->out.capacity = capacity;
    }
    memcpy(stream->out.data + stream->out.size, data, size);
    stream->out.size = needed;
    return 0;
}

/* --- calls --------------------------------------------------------------------------------- */

static int begin(struct sil__call *call)
{
    int code = sil__stream_enter(call->stream, call->what);
    if (code != 0)
        return code;
    code = sil__turn_take(call);
    if (code != 0)
        sil__stream_leave(call->stream);
    return code;
}

static int end(const struct sil__call *call, int code)
{
    sil__turn_drop(call->stream);
    sil__stream_leave(call->stream);
    if (code == 0)
        sil__stream_pace(call);
    return code;
}

int sil_write(sil_stream *stream, const void *data, size_t size, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_write"};
    if (!data && size > 0)
        return sil__fail(SIL_EINVAL, "sil_write: data is NULL");
    int code = begin(&call);
    if (code != 0)
        return code;
    return end(&call, put_with_buffer(&call, &(struct iovec){(void *)data, size}, 1));
}

int sil_write_parts(sil_stream *stream, const struct iovec *parts, size_t count, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_write_parts"};
    if (!parts && count > 0)
        return sil__fail(SIL_EINVAL, "sil_write_parts: parts is NULL");
    int code = begin(&call);
    if (code != 0)
        return code;
    return end(&call, put_with_buffer(&call, parts, count));
}

static int write_buffered(struct sil__call *call, const void *data, size_t size)
{
    if (size <= HIGH_WATER && call->stream->out.size + size <= HIGH_WATER)
        return size > 0 ? append(call->stream, data, size) : 0;
    return put_with_buffer(call, &(struct iovec){(void *)data, size}, 1);
}

int sil_write_buffered(sil_stream *stream, const void *data, size_t size, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_write_buffered"};
    if (!data && size > 0)
        return sil__fail(SIL_EINVAL, "sil_write_buffered: data is NULL");
    int code = begin(&call);
    if (code != 0)
        return code;
    return end(&call, write_buffered(&call, data, size));
}

int sil_stream_printf(sil_stream *stream, sil_deadline until, const char *format, ...)
{
    char small[256];
    char *text = small;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = format ? vsnprintf(small, sizeof small, format, arguments) : -1;
    va_end(arguments);
    if (size >= (int)sizeof small) {
        text = sil__alloc_raw((size_t)size + 1);
        if (text)
            (void)vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    if (size < 0)
        return sil__fail(SIL_EINVAL, "sil_stream_printf: the format is not valid");
    if (!text)
        return sil__fail(SIL_ENOMEM, NULL);
    int code = sil_write_buffered(stream, text, (size_t)size, until);
    if (text != small)
        sil__free(text);
    return code;
}

int sil_flush(sil_stream *stream, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_flush"};
    int code = begin(&call);
    if (code != 0)
        return code;
    return end(&call, put_with_buffer(&call, NULL, 0));
}

int sil_stream_shutdown(sil_stream *stream, sil_deadline until)
{
    struct sil__call call = {.stream = stream, .until = until, .what = "sil_stream_shutdown"};
    int code = begin(&call);
    if (code != 0)
        return code;
    code = put_with_buffer(&call, NULL, 0);
    if (code == 0 && stream->ops->shutdown)
        code = stream->ops->shutdown(stream->transport, until);
    if (stream->closed && code == 0)
        code = sil__fail(SIL_ECLOSED, "sil_stream_shutdown: the stream was closed meanwhile");
    return end(&call, code);
}
