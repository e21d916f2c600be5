/* SPDX-License-Identifier: MIT */
/*
 * Telling another process of the heaps, see region.h.
 *
 * One message: how many, where each lies, and as many descriptors. The receiver trusts none of it:
 * a heap it has is known by its file, and a file shorter than it is said to be would make it die
 * when it looks there.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "core/context.h"
#include "process/region.h"
#include "process/region_table.h"

/* A process has its own, and those of its parents: more are no honest nesting. */
#define MOST_HEAPS 64
#define MAGIC UINT64_C(0x7061656873206c69) /* "il sheap" */

struct place {
    uint64_t base;
    uint64_t size;
};

struct message {
    uint64_t magic;
    uint64_t count;
    struct place places[MOST_HEAPS];
};

#define MESSAGE_HEAD offsetof(struct message, places)

/* Room for descriptors, aligned as the kernel wants it. */
union control {
    struct cmsghdr align;
    unsigned char bytes[CMSG_SPACE(MOST_HEAPS * sizeof(int))];
};

/* The socket may be one that does not wait. */
static bool may_try_again(int socket, short events)
{
    if (errno == EAGAIN)
        (void)poll(&(struct pollfd){.fd = socket, .events = events}, 1, -1);
    return errno == EINTR || errno == EAGAIN;
}

/* --- sending ------------------------------------------------------------------------------- */

/* Hold all heaps; how many, or one more than fit. */
static size_t hold_all(struct sil__region **out_heaps)
{
    size_t count = 0;
    uint32_t slots = atomic_load_explicit(&sil__regions.count, memory_order_relaxed);
    for (uint32_t i = 0; i < slots && count <= MOST_HEAPS; i++) {
        struct sil__region *region = &sil__regions.slots[i];
        sil__lock_take(&region->lock);
        if (sil__region_exists_locked(region) && region->is_heap) {
            region->refs++;
            out_heaps[count++] = region;
        }
        sil__lock_drop(&region->lock);
    }
    return count;
}

static int send_message(int socket, const struct message *message, const int *fds)
{
    union control control;
    size_t fds_size = (size_t)message->count * sizeof *fds;
    struct iovec part = {(void *)message,
                         MESSAGE_HEAD + (size_t)message->count * sizeof message->places[0]};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = CMSG_SPACE(fds_size)};
    memset(&control, 0, sizeof control);
    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(fds_size);
    memcpy(CMSG_DATA(&control.align), fds, fds_size);
    ssize_t sent;
    do
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && may_try_again(socket, POLLOUT));
    if (sent >= 0)
        return 0;
    bool memory = errno == ENOMEM || errno == ENOBUFS || errno == ETOOMANYREFS;
    return sil__fail(memory ? SIL_ENOMEM : SIL_EBROKEN, "heaps could not be sent: %s",
                     sil_strerror(errno));
}

static int send_heaps(int socket, struct sil__region *const *heaps, size_t count)
{
    struct message message = {.magic = MAGIC, .count = count};
    int fds[MOST_HEAPS];
    if (count > MOST_HEAPS)
        return sil__fail(SIL_ENOMEM, "more than %d heaps of shared memory", MOST_HEAPS);
    for (size_t i = 0; i < count; i++) {
        message.places[i].base = (uintptr_t)sil__region_base(heaps[i]);
        message.places[i].size = sil__region_size(heaps[i]);
        fds[i] = sil__region_fd(heaps[i]);
    }
    return send_message(socket, &message, fds);
}

int sil__heaps_send(int socket)
{
    struct sil__region *heaps[MOST_HEAPS + 1];
    struct sil__region *own = sil__heap_hold();
    if (!own)
        return sil_error_code(sil_last_error());
    size_t count = hold_all(heaps);
    int code = send_heaps(socket, heaps, count);
    while (count > 0)
        sil__region_release(heaps[--count]);
    sil__region_release(own);
    return code;
}

/* --- receiving ----------------------------------------------------------------------------- */

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* Those that came with a message, at most so many as fit into a control. */
static size_t take_descriptors(struct msghdr *header, int *out_fds)
{
    size_t count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t got = (part->cmsg_len - CMSG_LEN(0)) / sizeof *out_fds;
        for (size_t i = 0; i < got && count < MOST_HEAPS; i++)
            memcpy(&out_fds[count++], CMSG_DATA(part) + i * sizeof *out_fds, sizeof *out_fds);
    }
    return count;
}

/* 0, or a code with an error set, and then no descriptor is left. */
static int receive_message(int socket, struct message *out, int *out_fds)
{
    union control control;
    struct iovec part = {out, sizeof *out};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t got;
    memset(out, 0, sizeof *out);
    do
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && may_try_again(socket, POLLIN));
    if (got < 0)
        return sil__fail(SIL_EBROKEN, "no heaps were received: %s", sil_strerror(errno));
    size_t fds = take_descriptors(&header, out_fds);
    bool lost = header.msg_flags & MSG_CTRUNC;
    if ((size_t)got >= MESSAGE_HEAD && out->magic == MAGIC && out->count <= MOST_HEAPS &&
        (size_t)got == MESSAGE_HEAD + out->count * sizeof out->places[0] && fds == out->count &&
        !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return 0;
    close_all(out_fds, fds);
    return lost ? sil__fail(SIL_ENOMEM, "no descriptors for the heaps that were sent")
                : sil__fail(SIL_EBROKEN, "what was received, %zd bytes, tells of no heaps", got);
}

/* Do we have this file at this place? */
static bool is_known(const struct place *place, const struct stat *file)
{
    bool known = false;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address as it was sent
    struct sil__region *region = sil__region_lock_of((void *)(uintptr_t)place->base);
    if (!region)
        return false;
    struct stat ours;
    if ((uintptr_t)sil__region_base(region) == place->base &&
        sil__region_size(region) == place->size && fstat(region->fd, &ours) == 0)
        known = ours.st_dev == file->st_dev && ours.st_ino == file->st_ino;
    sil__lock_drop(&region->lock);
    return known;
}

static bool is_plausible(const struct place *place, const struct stat *file)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return place->base != 0 && place->size != 0 && place->base % page == 0 &&
           place->size % page == 0 && place->base <= UINTPTR_MAX - place->size &&
           S_ISREG(file->st_mode) && (uint64_t)file->st_size >= place->size;
}

/* *out: the new one, or NULL if we have it already. fd: takes in either case. */
static int attach_one(const struct place *place, int fd, struct sil__region **out)
{
    struct stat file;
    struct sil__region_memory memory = {
        fd, (void *)(uintptr_t)place->base, // NOLINT(performance-no-int-to-ptr): as it was sent
        (size_t)place->size};
    *out = NULL;
    if (fstat(fd, &file) != 0 || !is_plausible(place, &file))
        return sil__fail(SIL_EBROKEN, "what was received is no heap");
    if (is_known(place, &file)) {
        (void)close(fd);
        return 0;
    }
    int code = sil__region_map_again(&memory);
    if (code)
        return code;
    *out = sil__region_enter(&memory, NULL, true);
    if (*out)
        return 0;
    memory.fd = -1; /* still the caller's */
    sil__region_unmap(&memory);
    return SIL_ENOMEM;
}

int sil__heaps_receive(int socket)
{
    struct message message;
    int fds[MOST_HEAPS];
    struct sil__region *heaps[MOST_HEAPS] = {NULL};
    memset(fds, -1, sizeof fds);
    int code = receive_message(socket, &message, fds);
    if (code)
        return code;
    for (size_t i = 0; i < message.count; i++) {
        code = attach_one(&message.places[i], fds[i], &heaps[i]);
        if (code) {
            close_all(fds + i, message.count - i);
            while (i > 0)
                sil__region_release(heaps[--i]);
            return code;
        }
    }
    return 0;
}
