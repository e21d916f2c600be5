/* SPDX-License-Identifier: MIT */
/*
 * Where words come from, see source.h.
 */
#include "input/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/status.h>
#include <sillon/task.h>
#include <sillon/thread.h>

#include "input/lines.h"

enum { CHUNK = 65536 };

struct source {
    char *const *words;
    size_t word_count, next_word;
    int fd; /* -1: no file */
    int stop_fd;
    bool ended;
    size_t yielded, total; /* total: 0 until it has ended */
    sil_future *chunk;     /* NULL: nothing is being read */
    struct lines lines;
    char error[256];
};

struct read_request {
    int fd, stop_fd;
};

/* Its result is what came; empty at the end. */
static int read_task(void *arg, void *result)
{
    (void)result;
    const struct read_request *request = arg;
    struct pollfd fds[] = {
        {.fd = request->fd, .events = POLLIN},
        {.fd = request->stop_fd, .events = POLLIN},
    };
    while (poll(fds, 2, -1) < 0)
        continue;
    if (fds[1].revents != 0)
        return SIL_ECANCELLED;

    char bytes[CHUNK];
    ssize_t count = read(request->fd, bytes, sizeof(bytes));
    if (count < 0)
        return sil_fail(errno, "%s", sil_strerror(errno));
    void *out = sil_result_alloc((size_t)count);
    if (out == NULL && count > 0)
        return SIL_ENOMEM;
    if (count > 0)
        memcpy(out, bytes, (size_t)count);
    return 0;
}

/* A descriptor to read; negative with the error set. */
static int open_file(const char *file)
{
    if (strcmp(file, "-") == 0)
        return dup(STDIN_FILENO);
    struct stat about;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
        close(fd);
        errno = EISDIR;
        fd = -1;
    }
    return fd;
}

struct source *source_create(char *const *words, size_t count, const char *file)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return NULL;
    }
    *source = (struct source){.words = words, .word_count = count, .fd = -1, .stop_fd = -1};
    source->ended = file == NULL;
    source->total = file == NULL ? count : 0;
    if (file != NULL)
        source->fd = open_file(file);
    if (file != NULL && source->fd < 0) {
        (void)sil_fail(errno, "%s", sil_strerror(errno));
        free(source);
        return NULL;
    }
    return source;
}

void source_stop_on(struct source *source, int stop_fd)
{
    source->stop_fd = stop_fd;
}

void source_destroy(struct source *source)
{
    if (source == NULL)
        return;
    if (source->chunk != NULL)
        (void)sil_take(source->chunk, NULL, SIL_FOREVER);
    if (source->fd >= 0)
        close(source->fd);
    lines_fini(&source->lines);
    free(source);
}

static void end_with(struct source *source, const char *error)
{
    source->ended = true;
    (void)snprintf(source->error, sizeof(source->error), "%s", error);
}

/* The chunk is there: move it into the lines. */
static void take_chunk(struct source *source)
{
    size_t count = 0;
    const void *bytes = sil_future_result(source->chunk, &count);
    if (sil_future_code(source->chunk) != 0)
        end_with(source, sil_error_message(sil_future_error(source->chunk)));
    else if (count == 0)
        source->ended = true;
    else if (!lines_feed(&source->lines, bytes, count))
        end_with(source, "out of memory");
    sil_future_release(source->chunk);
    source->chunk = NULL;
}

/* Keep one piece read ahead: the end of a short file is known early, and so is the total. There is
 * always more on its way when lines_next asks for more, which it does up to LINE_LONGEST. */
static void read_ahead(struct source *source)
{
    size_t left = source->lines.used - source->lines.at;
    if (source->chunk == NULL && !source->ended && left <= LINE_LONGEST) {
        struct read_request request = {source->fd, source->stop_fd};
        source->chunk = sil_thread_start(&(sil_thread_options){.name = "input"}, read_task,
                                         &request, sizeof(request), 0);
    }
    if (source->chunk == NULL || !sil_future_done(source->chunk))
        return;
    take_chunk(source);
    if (source->ended)
        source->total =
            source->yielded + source->word_count - source->next_word + lines_count(&source->lines);
}

enum source_state source_next(struct source *source, struct source_word *out)
{
    *out = (struct source_word){0};
    for (;;) {
        read_ahead(source);
        if (source->next_word < source->word_count)
            out->text = source->words[source->next_word++];
        else
            out->text = lines_next(&source->lines, source->ended, &out->reason);
        if (out->text != NULL) {
            source->yielded++;
            return SOURCE_WORD;
        }
        if (source->ended)
            return SOURCE_END;
        if (source->chunk != NULL && !sil_future_done(source->chunk))
            return SOURCE_LATER;
    }
}

sil_future *source_future(const struct source *source)
{
    return source->chunk;
}

size_t source_total(const struct source *source)
{
    return source->total;
}

const char *source_error(const struct source *source)
{
    return source->error[0] != '\0' ? source->error : NULL;
}
