/* SPDX-License-Identifier: MIT */
/*
 * Addresses, from inside.
 */
#ifndef SIL__CORO_ADDRESS_H
#define SIL__CORO_ADDRESS_H

#include <sillon/address.h>

/* Of a socket in the file system, or "@name". 0, or a code with the last error set. */
int sil__address_unix(const char *path, sil_address *out);

void sil__address_set_port(sil_address *address, uint16_t port);

/* The service as a number; false if it is a name. NULL: 0. */
bool sil__address_port_of(const char *service, unsigned long *out_port);

#endif
