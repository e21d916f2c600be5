/* SPDX-License-Identifier: MIT */
/*
 * Blocks, see blocks.h. One is gathered in memory until it is full, and written up to the last end
 * of a line in it; what stands behind that begins the next.
 */
#include "map/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "input/source.h"

struct blocks {
    struct blocks_plan plan;
    struct source *source;
    char *header; /* with its end */
    size_t header_size;
    bool header_read;
};

struct blocks *blocks_open(const struct blocks_plan *plan)
{
    struct blocks *blocks = calloc(1, sizeof(*blocks));
    if (blocks == NULL) {
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return NULL;
    }
    *blocks = (struct blocks){.plan = *plan, .source = source_open(plan->file)};
    if (blocks->source != NULL)
        return blocks;
    free(blocks);
    return NULL;
}

void blocks_close(struct blocks *blocks)
{
    if (blocks == NULL)
        return;
    source_close(blocks->source);
    free(blocks->header);
    free(blocks);
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno != EINTR)
            return sil_fail(errno, "a block of the input: %s", sil_strerror(errno));
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    return 0;
}

static size_t left(const struct source *source)
{
    return source->used - source->at;
}

/* The bytes of the first line, with its end, once it is there. SIL_EEND: there is nothing. */
static int first_line(struct blocks *blocks, size_t *out_size)
{
    struct source *source = blocks->source;
    size_t searched = 0;
    for (;;) {
        const char *found = NULL;
        if (left(source) > searched)
            found = memchr(source->bytes + source->at + searched, blocks->plan.end,
                           left(source) - searched);
        searched = left(source);
        if (found != NULL)
            *out_size = (size_t)(found - source->bytes) - source->at + 1;
        if (found != NULL)
            return 0;
        int code = source_more(source);
        *out_size = left(source);
        if (code != 0)
            return code == SIL_EEND && left(source) > 0 ? 0 : code;
    }
}

static int read_header(struct blocks *blocks)
{
    size_t size = 0;
    int code = first_line(blocks, &size);
    if (code != 0)
        return code;
    blocks->header = malloc(size);
    if (blocks->header == NULL)
        return sil_fail(SIL_ENOMEM, "out of memory");
    memcpy(blocks->header, blocks->source->bytes + blocks->source->at, size);
    blocks->header_size = size;
    source_take(blocks->source, size);
    return 0;
}

/* How much of what is there makes a block. @param cut  receives true: its last line goes on. */
static size_t measure(const struct blocks *blocks, bool *cut)
{
    const struct source *source = blocks->source;
    if (left(source) <= blocks->plan.size)
        return left(source);
    const char *bytes = source->bytes + source->at;
    const char *found = memrchr(bytes, blocks->plan.end, (size_t)blocks->plan.size);
    *cut = found == NULL;
    return found != NULL ? (size_t)(found - bytes) + 1 : (size_t)blocks->plan.size;
}

/* The line is longer than the block: up to its end. */
static int finish_line(struct blocks *blocks, int fd)
{
    struct source *source = blocks->source;
    for (;;) {
        const char *bytes = source->bytes + source->at;
        const char *found = left(source) > 0 ? memchr(bytes, blocks->plan.end, left(source)) : NULL;
        size_t size = found != NULL ? (size_t)(found - bytes) + 1 : left(source);
        int code = write_all(fd, bytes, size);
        source_take(source, size);
        if (code != 0 || found != NULL)
            return code;
        code = source_more(source);
        if (code != 0)
            return code == SIL_EEND ? 0 : code;
    }
}

static int fill(struct blocks *blocks, int fd)
{
    struct source *source = blocks->source;
    int code = 0;
    while (code == 0 && left(source) <= blocks->plan.size)
        code = source_more(source);
    if (code != 0 && code != SIL_EEND)
        return code;
    if (left(source) == 0)
        return SIL_EEND;
    code = write_all(fd, blocks->header, blocks->header_size);
    bool cut = false;
    size_t size = measure(blocks, &cut);
    if (code == 0)
        code = write_all(fd, source->bytes + source->at, size);
    source_take(source, size);
    return code == 0 && cut ? finish_line(blocks, fd) : code;
}

int blocks_next(struct blocks *blocks, int *out_fd)
{
    if (blocks->plan.header && !blocks->header_read) {
        int code = read_header(blocks);
        if (code != 0)
            return code;
        blocks->header_read = true;
    }
    int fd = memfd_create("sillon-block", MFD_CLOEXEC);
    if (fd < 0)
        return sil_fail(errno, "a block of the input: %s", sil_strerror(errno));
    int code = fill(blocks, fd);
    if (code == 0 && lseek(fd, 0, SEEK_SET) < 0)
        code = sil_fail(errno, "a block of the input: %s", sil_strerror(errno));
    if (code == 0)
        *out_fd = fd;
    else
        (void)close(fd);
    return code;
}

void blocks_stop(struct blocks *blocks)
{
    source_stop(blocks->source);
}
