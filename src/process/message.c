/* SPDX-License-Identifier: MIT */
/*
 * Messages with descriptors over a socket, see nursery.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process/nursery.h"

#define MOST_FDS 4

union ancillary {
    char buffer[CMSG_SPACE(sizeof(int) * MOST_FDS)];
    struct cmsghdr header; /* for its alignment */
};

bool sil__message_send(int socket, const void *data, size_t size, const int *fds, unsigned count)
{
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union ancillary ancillary = {.buffer = {0}};
    if (count > 0) {
        message.msg_control = ancillary.buffer;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

/* Descriptors nobody asked for are closed. */
static void take_fds(struct msghdr *message, int *out_fds, unsigned count)
{
    unsigned taken = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t number = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < number; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            if (taken < count)
                out_fds[taken++] = fd;
            else
                (void)close(fd);
        }
    }
}

bool sil__message_receive(int socket, void *data, size_t size, int *out_fds, unsigned count)
{
    struct iovec part = {.iov_base = data, .iov_len = size};
    union ancillary ancillary = {.buffer = {0}};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = ancillary.buffer,
        .msg_controllen = sizeof ancillary.buffer,
    };
    for (unsigned i = 0; i < count; i++)
        out_fds[i] = -1;
    ssize_t received;
    do
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return false;
    take_fds(&message, out_fds, count);
    /* Descriptors there was no room for are missing; the rest of the message counts. */
    if (received == (ssize_t)size && !(message.msg_flags & MSG_TRUNC))
        return true;
    for (unsigned i = 0; i < count; i++)
        if (out_fds[i] >= 0)
            (void)close(out_fds[i]);
    return false;
}
