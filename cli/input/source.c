/* SPDX-License-Identifier: MIT */
/*
 * Where bytes come from, see source.h.
 */
#include "input/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/readiness.h>
#include <sillon/status.h>
#include <sillon/task.h>

enum { PIECE = 65536 };

static int failed(const struct source *source, int error)
{
    return sil_fail(error, "%s: %s", source->name, sil_strerror(error));
}

/* 0, or an errno value. */
static int open_descriptor(struct source *source, const char *file)
{
    struct stat about;
    bool standard = strcmp(file, "-") == 0;
    /* O_NONBLOCK: a named pipe is not to keep us until somebody writes to it. */
    if (!standard)
        source->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (!standard && source->fd < 0)
        return errno;
    if (fstat(standard ? STDIN_FILENO : source->fd, &about) != 0)
        return errno;
    source->regular = S_ISREG(about.st_mode);
    source->named_pipe = !standard && S_ISFIFO(about.st_mode);
    return S_ISDIR(about.st_mode) ? EISDIR : 0;
}

struct source *source_open(const char *file)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        (void)sil_fail(SIL_ENOMEM, "%s: out of memory", file);
        return NULL;
    }
    source->fd = -1;
    source->name = strcmp(file, "-") == 0 ? "standard input" : file;
    int error = open_descriptor(source, file);
    if (error == 0)
        return source;
    (void)failed(source, error);
    source_close(source);
    return NULL;
}

void source_close(struct source *source)
{
    if (source == NULL)
        return;
    sil_future_release(source->writer);
    sil_stream_close(source->stream);
    if (source->fd >= 0)
        (void)close(source->fd);
    free(source->bytes);
    free(source);
}

/* A coroutine. arg: its descriptor. */
static int wait_for_writer(void *arg, void *result)
{
    (void)result;
    return sil_fd_wait(*(int *)arg, SIL_READABLE, SIL_FOREVER);
}

/* Reading a pipe that nobody has open to write would look like its end. The wait is a coroutine of
 * its own, so that source_stop can end it. */
static int await_writer(struct source *source)
{
    source->writer = sil_go(wait_for_writer, &source->fd, sizeof(source->fd), 0);
    int code = sil_await(source->writer, SIL_FOREVER);
    if (!sil_future_done(source->writer)) { /* we were cancelled: nobody may use the descriptor */
        (void)sil_future_cancel(source->writer);
        while (!sil_future_done(source->writer))
            (void)sil_await(source->writer, SIL_FOREVER);
    }
    sil_future_release(source->writer);
    source->writer = NULL;
    source->named_pipe = code != 0;
    return code;
}

static int open_stream(struct source *source)
{
    int code = source->named_pipe ? await_writer(source) : 0;
    if (code != 0 || source->stopped)
        return source->stopped ? SIL_ECANCELLED : code;
    code = source->fd < 0 ? sil_stream_standard(STDIN_FILENO, &source->stream)
                          : sil_stream_open(source->fd, &source->stream);
    if (code == 0)
        source->fd = -1;
    return code;
}

/* Room for a piece behind what is there, and for one byte more. */
static bool make_room(struct source *source)
{
    size_t left = source->used - source->at;
    if (source->at > 0 && left > 0)
        memmove(source->bytes, source->bytes + source->at, left);
    source->at = 0;
    source->used = left;
    if (source->bytes != NULL && source->room - left >= PIECE)
        return true;
    size_t room = left < PIECE ? 2 * (size_t)PIECE : 2 * left;
    char *bytes = realloc(source->bytes, room + 1);
    if (bytes == NULL)
        return false;
    source->bytes = bytes;
    source->room = room;
    return true;
}

int source_more(struct source *source)
{
    if (source->stopped)
        return SIL_ECANCELLED;
    if (source->ended)
        return SIL_EEND;
    int code = source->stream == NULL ? open_stream(source) : 0;
    if (code == 0 && !make_room(source))
        code = SIL_ENOMEM;
    size_t got = 0;
    if (code == 0)
        code = sil_read(source->stream, source->bytes + source->used, PIECE, &got, SIL_FOREVER);
    if (source->stopped)
        return SIL_ECANCELLED; /* its stream was closed under us */
    source->used += got;
    source->ended = code == SIL_EEND || (source->regular && code == 0 && got < PIECE);
    if (code == EIO && isatty(sil_stream_fd(source->stream))) {
        source->ended = true; /* a terminal that was hung up has ended */
        code = SIL_EEND;
    }
    return code == 0 || code == SIL_EEND || code == SIL_ECANCELLED ? code : failed(source, code);
}

void source_stop(struct source *source)
{
    source->stopped = true;
    if (source->writer != NULL)
        (void)sil_future_cancel(source->writer);
    sil_stream_close(source->stream);
    source->stream = NULL;
}
