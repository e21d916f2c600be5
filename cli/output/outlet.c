/* SPDX-License-Identifier: MIT */
/*
 * Writing without holding up the loop, see outlet.h.
 */
#include "output/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/deadline.h>
#include <sillon/readiness.h>
#include <sillon/status.h>

enum {
    /* What fits into a pipe that is ready (PIPE_BUF), and surely into a terminal's buffer. */
    GENTLE_PIPE = 4096,
    GENTLE_TERMINAL = 256,
    BUFFER_SIZE = 128 << 10,
    /* Each page that is spliced takes a slot of the pipe, however little is on it. */
    SPLICE_LEAST = 64 << 10,
    /* Of files so much at a time; then others have their turn. */
    FILE_PIECE = 8 << 20,
};

/* --- opening --------------------------------------------------------------------------------- */

/* Opening a pseudo terminal's master again would make a new pair. */
static bool can_be_reopened(const struct outlet *outlet)
{
    unsigned number;
    return outlet->kind == OUTLET_PIPE ||
           (outlet->kind == OUTLET_TERMINAL && ioctl(outlet->number, TIOCGPTN, &number) != 0);
}

static int reopen(int number)
{
    char path[sizeof("/proc/self/fd/") + 3 * sizeof(number)];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", number);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void outlet_init(struct outlet *outlet, int number)
{
    struct stat about;
    *outlet = (struct outlet){.number = number, .fd = number, .epoll = -1, .last = '\n'};
    if (fstat(number, &about) != 0) {
        outlet->error = errno;
        return;
    }
    if (S_ISSOCK(about.st_mode))
        outlet->kind = OUTLET_SOCKET;
    else if (S_ISFIFO(about.st_mode))
        outlet->kind = OUTLET_PIPE;
    else if (S_ISCHR(about.st_mode) && isatty(number))
        outlet->kind = OUTLET_TERMINAL;
    if (outlet->kind != OUTLET_PIPE && outlet->kind != OUTLET_TERMINAL)
        return;
    int fd = can_be_reopened(outlet) ? reopen(number) : -1;
    outlet->gentle = fd < 0;
    if (fd >= 0)
        outlet->fd = fd;
}

void outlet_fini(struct outlet *outlet)
{
    if (outlet->epoll >= 0)
        (void)close(outlet->epoll);
    if (outlet->fd != outlet->number)
        (void)close(outlet->fd);
    free(outlet->buffer);
    *outlet = (struct outlet){.number = -1, .fd = -1, .epoll = -1, .error = EBADF};
}

/* /dev/tty is whichever terminal is ours: taken for the same as any. */
static bool same_terminal(dev_t a, dev_t b)
{
    const dev_t ours = makedev(5, 0);
    return a == b || a == ours || b == ours;
}

bool outlet_same(const struct outlet *a, const struct outlet *b)
{
    struct stat first, second;
    if (a->error != 0 || b->error != 0 || a->kind != b->kind || fstat(a->fd, &first) != 0 ||
        fstat(b->fd, &second) != 0)
        return false;
    if (a->kind == OUTLET_TERMINAL)
        return same_terminal(first.st_rdev, second.st_rdev);
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* --- waiting --------------------------------------------------------------------------------- */

static int open_epoll(const struct outlet *outlet)
{
    struct epoll_event event = {.events = EPOLLOUT};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, outlet->fd, &event) != 0) {
        (void)close(epoll);
        epoll = -1;
    }
    return epoll;
}

/* Until it can be written to, or failed: the next write tells. in_vain: it was told so, and took nothing (a
 * terminal with room for one byte, of "\r\n"). */
static void wait_writable(struct outlet *outlet, bool in_vain)
{
    /* The end of the caller's scope would end this at once, again and again. */
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    sil_deadline_restore(SIL_FOREVER);
    if (outlet->epoll < 0)
        outlet->epoll = open_epoll(outlet);
    int code = EMFILE;
    if (outlet->epoll >= 0 && !in_vain)
        code = sil_fd_wait(outlet->epoll, SIL_READABLE, SIL_FOREVER);
    /* Cancelled: that is told once, and the next wait is one again. Otherwise what a wait needs is not
     * to be had at present. */
    if (code != 0 && code != SIL_ECANCELLED)
        code = sil_sleep(sil_in(0.02));
    if (code == SIL_ECANCELLED && outlet->abandoned)
        outlet->error = ECANCELED;
    sil_deadline_restore(outer);
}

/* --- bytes ----------------------------------------------------------------------------------- */

static ssize_t put_gently(const struct outlet *outlet, const char *bytes, size_t size)
{
    struct pollfd asked = {.fd = outlet->fd, .events = POLLOUT};
    size_t most = outlet->kind == OUTLET_PIPE ? GENTLE_PIPE : GENTLE_TERMINAL;
    if (poll(&asked, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(outlet->fd, bytes, size < most ? size : most);
}

static ssize_t put(const struct outlet *outlet, const char *bytes, size_t size)
{
    if (outlet->kind == OUTLET_SOCKET)
        return send(outlet->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (outlet->gentle)
        return put_gently(outlet, bytes, size);
    return write(outlet->fd, bytes, size);
}

size_t outlet_try(struct outlet *outlet, const char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size && outlet->error == 0) {
        ssize_t count = put(outlet, bytes + done, size - done);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (count < 0 && errno != EINTR)
            outlet->error = errno;
        done += count > 0 ? (size_t)count : 0;
    }
    if (done > 0)
        outlet->last = bytes[done - 1];
    return done;
}

int outlet_write(struct outlet *outlet, const char *bytes, size_t size)
{
    size_t done = outlet_try(outlet, bytes, size);
    for (bool in_vain = false; done < size && outlet->error == 0;) {
        wait_writable(outlet, in_vain);
        size_t count = outlet_try(outlet, bytes + done, size - done);
        in_vain = count == 0;
        done += count;
    }
    return outlet->error;
}

/* --- files ----------------------------------------------------------------------------------- */

/* By a buffer of ours. @return how much; < 0: minus an errno value */
static ssize_t copy_piece(struct outlet *outlet, int fd, off_t offset, size_t size)
{
    char little[1024];
    if (!outlet->buffer && size > sizeof(little))
        outlet->buffer = malloc(BUFFER_SIZE);
    char *buffer = outlet->buffer ? outlet->buffer : little;
    size_t room = outlet->buffer ? BUFFER_SIZE : sizeof(little);
    ssize_t got;
    do
        got = pread(fd, buffer, size < room ? size : room, offset);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? -errno : -EIO;
    int error = outlet_write(outlet, buffer, (size_t)got);
    return error != 0 ? -error : got;
}

/* Without a copy of ours. @return how much; < 0 with errno */
static ssize_t pass_piece(const struct outlet *outlet, int fd, off_t offset, size_t size)
{
    if (outlet->kind == OUTLET_FILE)
        return sendfile(outlet->fd, fd, &offset, size);
    return splice(fd, &offset, outlet->fd, NULL, size, SPLICE_F_NONBLOCK);
}

static bool can_pass(const struct outlet *outlet, uint64_t size)
{
    return outlet->kind == OUTLET_FILE || (outlet->kind == OUTLET_PIPE && size >= SPLICE_LEAST);
}

int outlet_send(struct outlet *outlet, int fd, uint64_t offset, uint64_t size)
{
    bool pass = can_pass(outlet, size), in_vain = false;
    while (size > 0 && outlet->error == 0) {
        size_t piece = size < FILE_PIECE ? (size_t)size : FILE_PIECE;
        ssize_t count = pass ? pass_piece(outlet, fd, (off_t)offset, piece)
                             : copy_piece(outlet, fd, (off_t)offset, piece);
        if (pass && count < 0 && errno == EAGAIN) {
            wait_writable(outlet, in_vain);
            in_vain = true;
            continue;
        }
        in_vain = false;
        if (pass && count <= 0) {
            pass =
                false; /* cannot be passed on (O_APPEND, say), or an error that copying sees too */
            continue;
        }
        if (count < 0)
            return (int)-count;
        offset += (uint64_t)count;
        size -= (uint64_t)count;
        if (count == FILE_PIECE)
            (void)sil_yield();
    }
    return outlet->error;
}
