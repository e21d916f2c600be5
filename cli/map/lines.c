/* SPDX-License-Identifier: MIT */
/*
 * Whole lines as they come (--output=line): a pipe for output and one for error, and a coroutine that
 * reads each.
 *
 * What is read lies in a buffer, and goes to the screen up to the last newline in it. A line that is
 * longer than the buffer is put into a file, kept as jobs' outputs are, until its end comes: whole lines
 * have no limit, and nobody waits for the end of another's line. Only if that file cannot be written
 * such a line is passed on in parts.
 *
 * When the job has ended, what is in the pipe then is taken and no more is waited for: processes it left
 * behind may have the pipe for ever, and get EPIPE from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/future.h>
#include <sillon/stream.h>

#include "map/outputs.h"

enum { BUFFER = 64 << 10 };

struct line_reader {
    struct capture *capture;
    int number;
    sil_stream *stream;
    sil_future *future;
    struct sink rest; /**< the beginning of a long line */
    size_t used;      /**< of the buffer */
    bool inside;      /**< the beginning of this line has been passed on */
    bool waits;       /**< in sil_read: a cancel does no harm */
    bool ending;
    size_t left; /**< at the end: more than this was not there then */
    char buffer[BUFFER];
};

static struct sink *sink_of(const struct line_reader *reader)
{
    return &reader->capture->sinks[reader->number - 1];
}

/* Pass on so much of the buffer, behind the beginning that lies in the file. */
static void pass_on(struct line_reader *reader, size_t size, bool end_line)
{
    struct capture *capture = reader->capture;
    struct emission emission;
    emission_begin(&emission, capture, reader->number, !reader->inside);
    emission_file(&emission, reader->rest.fd, reader->rest.size);
    emission_bytes(&emission, reader->buffer, size);
    if (end_line)
        emission_bytes(&emission, "\n", 1);
    int error = emission_end(&emission);
    capture->error = capture->error != 0 ? capture->error : error;
    keep_close(capture->outputs, &reader->rest);
    reader->rest.size = 0;
    memmove(reader->buffer, reader->buffer + size, reader->used - size);
    reader->used -= size;
}

/* The buffer is full, and no line ends in it. */
static void set_aside(struct line_reader *reader)
{
    struct outputs *outputs = reader->capture->outputs;
    size_t wrote = 0;
    if (!reader->inside && (reader->rest.fd >= 0 || keep_open(outputs, &reader->rest) == 0))
        wrote = keep_write(outputs, &reader->rest, reader->buffer, reader->used);
    reader->used -= wrote;
    if (reader->used == 0)
        return;
    memmove(reader->buffer, reader->buffer + wrote, reader->used);
    pass_on(reader, reader->used, false);
    reader->inside = true;
}

static void take(struct line_reader *reader, size_t got)
{
    const char *end = memrchr(reader->buffer + reader->used, '\n', got);
    reader->used += got;
    sink_of(reader)->size += got;
    if (end != NULL) {
        pass_on(reader, (size_t)(end - reader->buffer) + 1, false);
        reader->inside = false;
    }
    if (reader->used == BUFFER)
        set_aside(reader);
}

/* Read on. @return false: that was all. */
static bool read_more(struct line_reader *reader)
{
    size_t most = BUFFER - reader->used;
    if (reader->ending && reader->left < most)
        most = reader->left;
    if (most == 0)
        return false;
    size_t got = 0;
    reader->waits = !reader->ending;
    int code = sil_read(reader->stream, reader->buffer + reader->used, most, &got,
                        reader->ending ? SIL_NOW : SIL_FOREVER);
    bool was_told = reader->waits && reader->ending;
    reader->waits = false;
    if (code == SIL_ECANCELLED)
        return reader->ending; /* by lines_end; else the loop itself ends */
    if (code != 0)
        return false;
    if (was_told)
        (void)sil_yield(); /* takes the cancel, which came when the bytes were there already */
    if (reader->ending)
        reader->left -= got < reader->left ? got : reader->left;
    take(reader, got);
    (void)sil_yield(); /* who always has something to say does not keep others from it */
    return true;
}

static int read_lines(void *arg, void *result)
{
    (void)result;
    struct line_reader *reader = *(struct line_reader **)arg;
    while (read_more(reader))
        ;
    if (reader->used > 0 || reader->rest.size > 0 || reader->inside)
        pass_on(reader, reader->used, true);
    return 0;
}

static void reader_free(struct outputs *outputs, struct line_reader *reader)
{
    sil_stream_close(reader->stream);
    keep_close(outputs, &reader->rest);
    free(reader);
}

int lines_open(struct capture *capture, int number)
{
    struct sink *sink = &capture->sinks[number - 1];
    struct line_reader *reader = malloc(sizeof *reader);
    if (reader == NULL)
        return sil_fail(SIL_ENOMEM, "no memory to read a job's lines");
    /* All but the buffer. */
    memset(reader, 0, offsetof(struct line_reader, buffer));
    reader->capture = capture;
    reader->number = number;
    reader->rest.fd = -1;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        int error = errno;
        free(reader);
        return sil_fail(error, "cannot make a pipe for a job's lines: %s", strerror(error));
    }
    *sink = (struct sink){.fd = ends[1], .reader = reader};
    int code = sil_stream_open(ends[0], &reader->stream);
    if (code != 0) {
        (void)close(ends[0]);
        goto fail;
    }
    reader->future = sil_go(read_lines, (void *)&reader, sizeof reader, 0);
    if (sil_future_done(reader->future)) { /* it cannot have begun: it has failed to */
        code = sil_take(reader->future, NULL, SIL_NOW);
        goto fail;
    }
    return 0;

fail:
    reader_free(capture->outputs, reader);
    sink->reader = NULL;
    lines_started(sink);
    return code;
}

void lines_started(struct sink *sink)
{
    if (sink->fd >= 0)
        (void)close(sink->fd);
    sink->fd = -1;
}

void lines_end(struct capture *capture, struct sink *sink)
{
    struct line_reader *reader = sink->reader;
    lines_started(sink);
    if (reader == NULL)
        return;
    int capacity = fcntl(sil_stream_fd(reader->stream), F_GETPIPE_SZ);
    reader->left =
        (capacity > 0 ? (size_t)capacity : 0) + BUFFER; /* the stream has a buffer, too */
    reader->ending = true;
    if (reader->waits)
        (void)sil_future_cancel(reader->future);
    while (!sil_future_done(reader->future)) {
        if (sil_await(reader->future, SIL_FOREVER) != 0)
            (void)sil_yield(); /* we are being cancelled: that is told once */
    }
    sil_future_release(reader->future);
    reader_free(capture->outputs, reader);
    sink->reader = NULL;
}
