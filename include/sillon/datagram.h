/* SPDX-License-Identifier: MIT */
/*
 * Datagrams (UDP), for coroutines.
 *
 *     sil_datagram *socket;
 *     int code = sil_datagram_open(NULL, "5353", NULL, &socket, sil_in(10));
 *     sil_address from;
 *     while (sil_datagram_receive(socket, buffer, sizeof buffer, &size, &from, SIL_FOREVER) == 0)
 *         code = sil_datagram_send(socket, buffer, size, &from, SIL_FOREVER);
 *     sil_datagram_close(socket);
 *
 * One belongs to the loop of the coroutine that made it, and only that loop's coroutines use it,
 * any number at a time: each datagram is received by one of them.
 */
#ifndef SILLON_DATAGRAM_H
#define SILLON_DATAGRAM_H

#include <sillon/address.h>
#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct sil_datagram sil_datagram;

/** All zero is the default. */
typedef struct sil_datagram_options {
    const char *peer_host;    /**< borrows, with the next: to whom it sends by default, and from
                                   whom alone it receives; NULL: this machine, if there is a
                                   service */
    const char *peer_service; /**< NULL: nobody in particular */
    int family;               /**< AF_INET or AF_INET6: only this one; 0: both */
    bool broadcast;           /**< it may send to broadcast addresses */
    bool reuse;               /**< it shares its address with others that say so too: each datagram
                                   goes to one of them */
} sil_datagram_options;

SIL_BEGIN_DECLS

/**
 * Open a socket for datagrams.
 *
 * @param host        borrows: the address of ours that it has; NULL: any.
 * @param service     borrows: its port; NULL: one that is free.
 * @param options     borrows; NULL for the defaults.
 * @param out_socket  returns owned: sil_datagram_close.
 * @return 0; SIL_ENOHOST a name cannot be looked up; EADDRINUSE, EACCES and so on; SIL_ETIMEDOUT;
 *         SIL_ECANCELLED; SIL_ENOMEM; SIL_EAGAIN no thread for a look-up; SIL_ENOTASK; SIL_EINVAL.
 * @threads coroutine
 * @blocks  until the deadline, for names to be looked up; only the coroutine waits
 */
SIL_API int sil_datagram_open(const char *host, const char *service,
                              const sil_datagram_options *options, sil_datagram **out_socket,
                              sil_deadline until);

/**
 * Send one.
 *
 * @param data  borrows; size 0 is a datagram, too.
 * @param to    borrows; NULL: its peer.
 * @return 0 the system has it; SIL_ETOOLONG no datagram is that long; SIL_ETIMEDOUT;
 *         SIL_ECANCELLED; SIL_ECLOSED it was closed by another coroutine meanwhile;
 *         SIL_EINVAL it has no peer; SIL_ENOTASK; an errno value: ENETUNREACH, EACCES (to a
 *         broadcast address), ECONNREFUSED (what was sent before has reached its peer's host,
 *         where nobody takes it) and so on.
 * @threads home
 * @blocks  until the deadline, while the system has no room; only the coroutine waits
 */
SIL_API int sil_datagram_send(sil_datagram *socket, const void *data, size_t size,
                              const sil_address *to, sil_deadline until);

/**
 * Receive one.
 *
 * @param buffer    receives at most size bytes of it; the rest of it is lost.
 * @param out_size  receives how long it is.
 * @param out_from  receives who sent it; NULL allowed.
 * @return 0; SIL_ETOOLONG it is longer than size: what fitted is in the buffer, and out_size and
 *         out_from say what they say; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ECLOSED it was
 *         closed by another coroutine meanwhile; SIL_EINVAL; SIL_ENOTASK; an errno value:
 *         ECONNREFUSED as above.
 * @threads home
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_datagram_receive(sil_datagram *socket, void *buffer, size_t size, size_t *out_size,
                                 sil_address *out_from, sil_deadline until);

/**
 * The address that it has.
 *
 * @param out  receives it.
 * @return 0; SIL_EINVAL; an errno value.
 * @threads home
 */
SIL_API int sil_datagram_local(const sil_datagram *socket, sil_address *out);

/**
 * Its descriptor, to ask or set what we do not offer (multicast groups, say). Do not close it.
 *
 * @return returns borrowed; valid until sil_datagram_close. -1 for NULL.
 * @threads home
 */
SIL_API int sil_datagram_fd(const sil_datagram *socket);

/**
 * Close it. Coroutines that wait in it get SIL_ECLOSED.
 *
 * @param socket  takes; NULL allowed.
 * @threads home
 */
SIL_API void sil_datagram_close(sil_datagram *socket);

SIL_END_DECLS

#endif
