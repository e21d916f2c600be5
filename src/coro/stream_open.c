/* SPDX-License-Identifier: MIT */
/*
 * Streams of descriptors that come from outside, pipes, and pairs of sockets.
 *
 * Whether a descriptor is non-blocking is a property of what it refers to, which other processes may
 * share: a shell's terminal, say. So pipes and terminals are opened a second time, which makes them ours;
 * what cannot be is asked for no more than it can do at once (gentle, stream.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/fault.h"
#include "coro/stream.h"

static int failed(const char *what)
{
    int error = errno;
    return sil__fail(error == ENOMEM ? SIL_ENOMEM : error, "%s: %s", what, strerror(error));
}

/* Opening the other side of a pseudo terminal again gives a new pair. */
static bool is_terminal(int fd)
{
    unsigned number;
    return isatty(fd) && ioctl(fd, TIOCGPTN, &number) != 0;
}

/* The same thing, opened for us alone; -1: it cannot be. */
static int reopen(int fd, const struct stat *about)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || !(S_ISFIFO(about->st_mode) || (S_ISCHR(about->st_mode) && is_terminal(fd))) ||
        sil__fault(SIL__FAULT_SYSTEM))
        return -1;
    char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK);
}

static unsigned flags_of(const struct stat *about)
{
    return S_ISSOCK(about->st_mode) ? SIL__FD_SHARED | SIL__FD_SOCKET : SIL__FD_SHARED;
}

int sil_stream_open(int fd, sil_stream **out_stream)
{
    struct stat about;
    if (!out_stream)
        return sil__fail(SIL_EINVAL, "sil_stream_open: out_stream is NULL");
    if (fstat(fd, &about) != 0)
        return failed("sil_stream_open");
    int again = is_nonblocking(fd) ? -1 : reopen(fd, &about);
    if (again < 0)
        return sil__stream_from(fd, flags_of(&about), out_stream);
    int code = sil__stream_from(again, 0, out_stream);
    (void)close(code == 0 ? fd : again);
    return code;
}

int sil_stream_standard(int number, sil_stream **out_stream)
{
    struct stat about;
    if (number < 0 || number > 2 || !out_stream)
        return sil__fail(SIL_EINVAL, "sil_stream_standard: 0, 1 and 2 are standard");
    if (fstat(number, &about) != 0)
        return failed("sil_stream_standard");
    unsigned flags = 0;
    int fd = reopen(number, &about);
    if (fd < 0) {
        flags = flags_of(&about);
        fd = sil__fault(SIL__FAULT_SYSTEM) ? (errno = EMFILE, -1)
                                           : fcntl(number, F_DUPFD_CLOEXEC, 3);
    }
    if (fd < 0)
        return failed("sil_stream_standard");
    int code = sil__stream_from(fd, flags, out_stream);
    if (code != 0)
        (void)close(fd);
    return code;
}

/* Streams of both; on failure all is closed. */
static int both(const int *fds, unsigned flags, sil_stream **out_a, sil_stream **out_b)
{
    sil_stream *a = NULL;
    int code = sil__stream_from(fds[0], flags, &a);
    if (code != 0)
        goto fail_a;
    code = sil__stream_from(fds[1], flags, out_b);
    if (code != 0)
        goto fail_b;
    *out_a = a;
    return 0;
fail_a:
    (void)close(fds[0]);
fail_b:
    sil_stream_close(a);
    (void)close(fds[1]);
    return code;
}

int sil_pipe(sil_stream **out_reader, sil_stream **out_writer)
{
    int fds[2];
    if (!out_reader || !out_writer)
        return sil__fail(SIL_EINVAL, "sil_pipe: out_reader or out_writer is NULL");
    if (sil__fault(SIL__FAULT_SYSTEM)) {
        errno = EMFILE;
        return failed("sil_pipe");
    }
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return failed("sil_pipe");
    return both(fds, 0, out_reader, out_writer);
}

int sil_socketpair(sil_stream **out_a, sil_stream **out_b)
{
    int fds[2];
    if (!out_a || !out_b)
        return sil__fail(SIL_EINVAL, "sil_socketpair: out_a or out_b is NULL");
    if (sil__fault(SIL__FAULT_SYSTEM)) {
        errno = EMFILE;
        return failed("sil_socketpair");
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return failed("sil_socketpair");
    return both(fds, SIL__FD_SOCKET, out_a, out_b);
}
