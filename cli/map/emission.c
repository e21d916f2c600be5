/* SPDX-License-Identifier: MIT */
/*
 * A job's bytes on their way to the screen. Without a label they go there as they are, from file to file
 * by the kernel; with one they are copied through a buffer, each line behind "TAG\t".
 *
 * Nobody else's bytes come between: standard output is the screen's to lock (screen_out_begin), standard
 * error is ours, for only jobs' bytes go there in pieces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/coro.h>

#include "map/outputs.h"

/** Bytes of either half of the buffer: what is read from a file, and what is to be written. */
enum { HALF = 64 << 10 };

/* A cancel, which is delivered once, must not leave a job's bytes half written. */
static void lock_errors(struct outputs *outputs)
{
    while (sil_mutex_lock(outputs->errors, SIL_FOREVER) != 0)
        (void)sil_yield();
}

void emission_begin(struct emission *emission, const struct capture *capture, int number,
                    bool begins)
{
    struct outputs *outputs = capture->outputs;
    *emission = (struct emission){.outputs = outputs,
                                  .tag = capture->tag,
                                  .tag_size = strlen(capture->tag),
                                  .number = number,
                                  .begins = begins};
    if (number == 1)
        emission->error = screen_out_begin(outputs->screen);
    else
        lock_errors(outputs);
    emission->locked = emission->error == 0;
    if (!emission->locked || emission->tag_size == 0)
        return;
    char **buffer = &outputs->labelled[number - 1];
    if (*buffer == NULL && (*buffer = malloc(2 * (size_t)HALF)) == NULL)
        emission->error = ENOMEM;
    emission->out = *buffer;
}

static void pass_on(struct emission *emission, const char *bytes, size_t size)
{
    if (emission->error != 0 || size == 0)
        return;
    emission->error = emission->number == 1 ? screen_out(emission->outputs->screen, bytes, size)
                                            : screen_err(emission->outputs->screen, bytes, size);
}

static void put(struct emission *emission, const char *bytes, size_t size)
{
    if (emission->used + size > HALF) {
        pass_on(emission, emission->out, emission->used);
        emission->used = 0;
    }
    if (size > HALF) {
        pass_on(emission, bytes, size);
        return;
    }
    memcpy(emission->out + emission->used, bytes, size);
    emission->used += size;
}

void emission_bytes(struct emission *emission, const char *bytes, size_t size)
{
    if (emission->tag_size == 0) {
        pass_on(emission, bytes, size);
        return;
    }
    while (size > 0 && emission->error == 0) {
        if (emission->begins)
            put(emission, emission->tag, emission->tag_size);
        const char *end = memchr(bytes, '\n', size);
        size_t length = end != NULL ? (size_t)(end - bytes) + 1 : size;
        put(emission, bytes, length);
        emission->begins = end != NULL;
        bytes += length;
        size -= length;
    }
}

void emission_file(struct emission *emission, int fd, uint64_t size)
{
    if (emission->error != 0 || size == 0)
        return;
    if (emission->tag_size == 0) {
        struct screen *screen = emission->outputs->screen;
        emission->error = emission->number == 1 ? screen_out_file(screen, fd, 0, size)
                                                : screen_err_file(screen, fd, 0, size);
        return;
    }
    char *in = emission->out + HALF;
    for (uint64_t at = 0; at < size && emission->error == 0;) {
        size_t most = size - at < HALF ? (size_t)(size - at) : HALF;
        ssize_t got = pread(fd, in, most, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            emission->error = errno;
        if (got <= 0) /* 0: somebody made it shorter */
            break;
        emission_bytes(emission, in, (size_t)got);
        at += (uint64_t)got;
    }
}

int emission_end(struct emission *emission)
{
    if (!emission->locked)
        return emission->error;
    pass_on(emission, emission->out, emission->used);
    if (emission->number == 1)
        screen_out_end(emission->outputs->screen);
    else
        (void)sil_mutex_unlock(emission->outputs->errors);
    return emission->error;
}
