/* SPDX-License-Identifier: MIT */
/*
 * Files: one descriptor each, and one piece of work an operation (file_task.h).
 *
 * What is to be read and lies in memory is read without a thread: the kernel is asked for what it
 * has at once (RWF_NOWAIT), which costs a fortieth of the way to a thread and back. Not so much of
 * it that others would wait for their turn.
 */
#include <sillon/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sillon/loop.h>

#include "base/alloc.h"
#include "core/context.h"
#include "coro/file_task.h"

#define AT_ONCE ((size_t)256 * 1024) /* bytes: copied in some tens of microseconds */
#define PRESENT ((off_t)-1)          /* the offset that means the position */

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

struct sil_file {
    int fd;
    char path[];
};

enum operation { OPEN, READ, WRITE, SIZE, TRUNCATE, SYNC, CLOSE };

struct file_work {
    struct sil__file_task task; /* first; its code: an errno value */
    enum operation operation;
    int fd;
    const char *path;
    int flags;
    mode_t mode;
    char *buffer; /* READ; of a WRITE: not written to */
    size_t size;
    off_t offset;
    size_t done;
    uint64_t length;
};

/* --- the work ------------------------------------------------------------------------------ */

/* Of what cannot be put back, a pipe's, a part is better than none. */
static bool is_enough(const struct file_work *work)
{
    return work->operation == READ && work->done > 0 && lseek(work->fd, 0, SEEK_CUR) < 0;
}

/* 0, or an errno value. */
static int move_all(struct file_work *work)
{
    while (work->done < work->size) {
        struct iovec rest = {work->buffer + work->done, work->size - work->done};
        off_t at = work->offset == PRESENT ? PRESENT : work->offset + (off_t)work->done;
        ssize_t moved = work->operation == READ ? preadv2(work->fd, &rest, 1, at, work->flags)
                                                : pwritev2(work->fd, &rest, 1, at, work->flags);
        if (moved < 0 && errno == EINTR)
            continue;
        int error = moved < 0 ? errno : 0;
        if (error)
            return error == EAGAIN && is_enough(work) ? 0 : error;
        if (moved == 0) /* the end; a write of more than nothing says why it does nothing */
            return work->operation == READ ? 0 : EIO;
        work->done += (size_t)moved;
    }
    return 0;
}

static int look_at_size(struct file_work *work)
{
    struct stat status;
    if (fstat(work->fd, &status) != 0)
        return errno;
    work->length = (uint64_t)status.st_size;
    return 0;
}

static int truncate_file(const struct file_work *work)
{
    int result;
    do
        result = ftruncate(work->fd, (off_t)work->length);
    while (result != 0 && errno == EINTR);
    return result != 0 ? errno : 0;
}

/* EINTR: it is closed all the same. */
static int close_file(int fd)
{
    return close(fd) == 0 || errno == EINTR ? 0 : errno;
}

static void do_work(struct sil__file_task *task)
{
    struct file_work *work = (struct file_work *)task;
    switch (work->operation) {
    case OPEN:
        task->code = sil__file_open(work->path, work->flags, work->mode, &work->fd);
        break;
    case READ:
    case WRITE:
        task->code = move_all(work);
        break;
    case SIZE:
        task->code = look_at_size(work);
        break;
    case TRUNCATE:
        task->code = truncate_file(work);
        break;
    case SYNC:
        task->code = fsync(work->fd) == 0 ? 0 : errno;
        break;
    case CLOSE:
        task->code = close_file(work->fd);
        break;
    }
}

/* --- for the caller ------------------------------------------------------------------------ */

static int failed(const char *what, const char *path, int error)
{
    return sil__fail(error, "%s '%s': %s", what, path, strerror(error));
}

static int do_for(struct file_work *work, const sil_file *file, const char *what,
                  sil_deadline until)
{
    if (!file)
        return sil__fail(SIL_EINVAL, "%s: NULL", what);
    work->task.work = do_work;
    work->fd = file->fd;
    int code = sil__file_do(&work->task, what, until);
    if (code == 0 && work->task.code != 0)
        code = failed(what, file->path, work->task.code);
    return code;
}

sil_file *sil_file_open(const char *path, int flags, unsigned mode, sil_deadline until)
{
    if (!path) {
        sil__fail(SIL_EINVAL, "sil_file_open: NULL");
        return NULL;
    }
    size_t size = strlen(path) + 1;
    sil_file *file = sil__alloc_raw(sizeof *file + size);
    if (!file) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    file->fd = -1;
    memcpy(file->path, path, size);
    struct file_work work = {
        .operation = OPEN, .path = path, .flags = flags, .mode = mode ? (mode_t)mode : 0666};
    if (do_for(&work, file, "sil_file_open", until) != 0) {
        sil__free(file);
        return NULL;
    }
    file->fd = work.fd;
    return file;
}

/* In a coroutine: what can be read at once. True: that is all there is to do. */
static bool read_at_once(const sil_file *file, struct file_work *work)
{
    if (work->size > AT_ONCE || !sil_loop_current())
        return false;
    work->fd = file->fd;
    work->flags = RWF_NOWAIT;
    bool all = move_all(work) == 0;
    work->flags = 0;
    return all;
}

static int read_in(sil_file *file, struct file_work *work, size_t *out_got, const char *what,
                   sil_deadline until)
{
    if (!file || (!work->buffer && work->size > 0) || !out_got || work->size > SSIZE_MAX)
        return sil__fail(SIL_EINVAL, "%s: NULL, or an absurd size", what);
    struct sil__context *context = sil__context();
    if (sil__context_cancel_due(context))
        return sil__context_deliver_cancel(context, what);
    int code = 0;
    if (read_at_once(file, work))
        sil__context_pace(context);
    else
        code = do_for(work, file, what, until);
    if (code == 0)
        *out_got = work->done;
    /* Given up, with a part read at once: nothing has happened. */
    else if (!work->task.ran && work->done > 0 && work->offset == PRESENT)
        (void)lseek(file->fd, -(off_t)work->done, SEEK_CUR);
    return code;
}

int sil_file_read(sil_file *file, void *buffer, size_t size, size_t *out_got, sil_deadline until)
{
    struct file_work work = {.operation = READ, .buffer = buffer, .size = size, .offset = PRESENT};
    return read_in(file, &work, out_got, "sil_file_read", until);
}

static int bad_offset(const char *what)
{
    return sil__fail(SIL_EINVAL, "%s: no file is so long", what);
}

int sil_file_read_at(sil_file *file, void *buffer, size_t size, uint64_t offset, size_t *out_got,
                     sil_deadline until)
{
    if (offset > INT64_MAX)
        return bad_offset("sil_file_read_at");
    struct file_work work = {
        .operation = READ, .buffer = buffer, .size = size, .offset = (off_t)offset};
    return read_in(file, &work, out_got, "sil_file_read_at", until);
}

static int write_in(sil_file *file, const void *data, size_t size, off_t offset, const char *what,
                    sil_deadline until)
{
    if ((!data && size > 0) || size > SSIZE_MAX)
        return sil__fail(SIL_EINVAL, "%s: NULL, or an absurd size", what);
    struct file_work work = {
        .operation = WRITE, .buffer = (char *)data, .size = size, .offset = offset};
    return do_for(&work, file, what, until);
}

int sil_file_write(sil_file *file, const void *data, size_t size, sil_deadline until)
{
    return write_in(file, data, size, PRESENT, "sil_file_write", until);
}

int sil_file_write_at(sil_file *file, const void *data, size_t size, uint64_t offset,
                      sil_deadline until)
{
    if (offset > INT64_MAX)
        return bad_offset("sil_file_write_at");
    return write_in(file, data, size, (off_t)offset, "sil_file_write_at", until);
}

int sil_file_size(sil_file *file, uint64_t *out_size, sil_deadline until)
{
    if (!out_size)
        return sil__fail(SIL_EINVAL, "sil_file_size: NULL");
    struct file_work work = {.operation = SIZE};
    int code = do_for(&work, file, "sil_file_size", until);
    if (code == 0)
        *out_size = work.length;
    return code;
}

int sil_file_truncate(sil_file *file, uint64_t size, sil_deadline until)
{
    if (size > INT64_MAX)
        return bad_offset("sil_file_truncate");
    struct file_work work = {.operation = TRUNCATE, .length = size};
    return do_for(&work, file, "sil_file_truncate", until);
}

int sil_file_sync(sil_file *file, sil_deadline until)
{
    struct file_work work = {.operation = SYNC};
    return do_for(&work, file, "sil_file_sync", until);
}

int sil_file_descriptor(const sil_file *file)
{
    return file ? file->fd : -1;
}

int sil_file_close(sil_file *file)
{
    if (!file)
        return 0;
    struct file_work work = {.task.work = do_work, .operation = CLOSE, .fd = file->fd};
    sil__file_do_always(&work.task);
    int error = work.task.code;
    if (error)
        failed("sil_file_close", file->path, error);
    sil__free(file);
    return error;
}
