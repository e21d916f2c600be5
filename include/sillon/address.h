/* SPDX-License-Identifier: MIT */
/*
 * Addresses of sockets, and looking up the names of hosts.
 */
#ifndef SILLON_ADDRESS_H
#define SILLON_ADDRESS_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** An IPv4, IPv6 or Unix address. */
typedef struct sil_address {
    struct sockaddr_storage storage; /**< as the system has it */
    socklen_t size;                  /**< of what is used of it */
} sil_address;

/** Enough for any address as text. */
#define SIL_ADDRESS_TEXT 128

/** All zero is the default. */
typedef struct sil_resolve_options {
    int family; /**< AF_INET or AF_INET6: only this one; 0: both */
    bool
        passive; /**< for a server: no host means all addresses of this machine, not the loopback */
} sil_resolve_options;

SIL_BEGIN_DECLS

/**
 * Look up the addresses of a host, in the order in which they should be tried.
 *
 * The system's way of looking up blocks; it is called where the loop has such calls run (loop.h,
 * blocking), and only the coroutine waits. One that is cancelled, or comes to its deadline, returns at
 * once; the system's call then ends by itself. Addresses written as text need no looking up.
 *
 * @param host           borrows: a name, or an address; NULL: this machine.
 * @param service        borrows: a port number, or the name of one ("http"); NULL: port 0.
 * @param options        borrows; NULL for the defaults.
 * @param out_addresses  returns owned: sil_addresses_free.
 * @param out_count      receives how many, at least one.
 * @return 0; SIL_ENOHOST; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ETOOLONG no name is that long; SIL_ENOMEM;
 *         SIL_EAGAIN no thread for it; SIL_ENOTASK; SIL_EINVAL, also for another family; an errno
 *         value.
 * @threads coroutine
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_resolve(const char *host, const char *service, const sil_resolve_options *options,
                        sil_address **out_addresses, size_t *out_count, sil_deadline until);

/**
 * Free what sil_resolve returned.
 *
 * @param addresses  takes; NULL allowed.
 * @threads any
 */
SIL_API void sil_addresses_free(sil_address *addresses);

/**
 * An address from text: "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "/run/socket", "@abstract".
 *
 * @param text  borrows.
 * @param out   receives it.
 * @return 0; SIL_EINVAL it is none.
 * @threads any
 */
SIL_API int sil_address_parse(const char *text, sil_address *out);

/**
 * An address as text, which sil_address_parse takes, but for the path of a socket that does not begin
 * with '/', and "unix": a socket without a name.
 *
 * @param address  borrows.
 * @param buffer   receives at most size bytes, always terminated when size > 0; SIL_ADDRESS_TEXT are
 *                 enough.
 * @return the length of the whole text, as snprintf.
 * @threads any
 */
SIL_API int sil_address_text(const sil_address *address, char *buffer, size_t size);

/**
 * Its port; 0 if it has none.
 *
 * @param address  borrows; NULL allowed.
 * @threads any
 */
SIL_API uint16_t sil_address_port(const sil_address *address);

SIL_END_DECLS

#endif
