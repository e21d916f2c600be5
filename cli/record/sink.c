/* SPDX-License-Identifier: MIT */
/*
 * Sinks, see sink.h.
 */
#include "record/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sillon/readiness.h>
#include <sillon/status.h>

static bool is_regular(const struct sink *sink)
{
    return S_ISREG(sink->about.st_mode);
}

/* --- writing -------------------------------------------------------------------------------- */

/* Until the file may take more. A cancel ends one wait: half a line would be of no use. */
static int wait_for_room(int fd)
{
    int code = sil_fd_wait(fd, SIL_WRITABLE, SIL_FOREVER);
    if (code == SIL_ECANCELLED)
        return 0;
    if (code == SIL_ENOTASK) /* no coroutine: at the beginning and at the end of the program */
        return poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1) < 0 && errno != EINTR
                   ? errno
                   : 0;
    return code < 0 ? EIO : code;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written >= 0) {
            bytes += written;
            size -= (size_t)written;
            continue;
        }
        int error = errno == EAGAIN ? wait_for_room(fd) : errno;
        if (error != 0 && error != EINTR)
            return error;
    }
    return 0;
}

/* When it is our turn. Neither a cancel nor a deadline of the caller's ends that or the writing. */
static int write_in_turn(struct sink *sink, const void *bytes, size_t size)
{
    sil_deadline outer = sil_deadline_current();
    sil_deadline_restore(SIL_FOREVER);
    int code;
    do
        code = sil_mutex_lock(sink->turn, SIL_FOREVER);
    while (code == SIL_ECANCELLED);
    if (code == 0) {
        if (sink->error == 0)
            sink->error = write_all(sink->fd, bytes, size);
        (void)sil_mutex_unlock(sink->turn);
    }
    sil_deadline_restore(outer);
    return code == 0 ? sink->error : EIO;
}

int sink_write(struct sink *sink, const void *bytes, size_t size)
{
    if (sink->turn != NULL)
        return write_in_turn(sink, bytes, size);
    if (sink->error == 0)
        sink->error = write_all(sink->fd, bytes, size);
    return sink->error;
}

/* --- opening -------------------------------------------------------------------------------- */

/* Does the file end within a line? If that cannot be found out, no. */
static bool ends_in_line(const struct sink *sink, const char *path)
{
    if (!is_regular(sink) || sink->about.st_size == 0)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char last = '\n';
    ssize_t got = pread(fd, &last, 1, sink->about.st_size - 1);
    (void)close(fd);
    return got == 1 && last != '\n';
}

/* What is no file may let a writer wait. What we opened by name is shared with nobody. */
static int make_patient(struct sink *sink)
{
    int flags = fcntl(sink->fd, F_GETFL);
    if (flags < 0 || fcntl(sink->fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return errno;
    sink->turn = sil_mutex_create("record");
    return sink->turn != NULL ? 0 : ENOMEM;
}

int sink_open(struct sink *sink, const char *path)
{
    *sink = (struct sink){.fd = -1};
    do
        sink->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    while (sink->fd < 0 && errno == EINTR);
    if (sink->fd < 0)
        return errno;
    int error = fstat(sink->fd, &sink->about) != 0 ? errno : 0;
    if (error == 0 && !is_regular(sink))
        error = make_patient(sink);
    if (error == 0 && ends_in_line(sink, path))
        error = sink_write(sink, "\n", 1);
    if (error != 0)
        (void)sink_close(sink);
    return error;
}

int sink_empty(struct sink *sink)
{
    if (!is_regular(sink))
        return 0;
    return ftruncate(sink->fd, 0) != 0 ? errno : 0;
}

int sink_close(struct sink *sink)
{
    int error = sink->error;
    if (sink->fd >= 0 && close(sink->fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    sil_mutex_destroy(sink->turn);
    *sink = (struct sink){.fd = -1};
    return error;
}
