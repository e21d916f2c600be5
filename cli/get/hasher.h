/* SPDX-License-Identifier: MIT */
/*
 * Digests: bytes in, hexadecimal digits out. libcrypto does the arithmetic.
 */
#ifndef CLI_GET_HASHER_H
#define CLI_GET_HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "get/store.h"

struct hasher;

/** @return returns owned: hasher_destroy; NULL: no memory, or libcrypto does not offer it here. */
struct hasher *hasher_create(enum digest_kind kind);

/** @param hasher  takes; NULL allowed. */
void hasher_destroy(struct hasher *hasher);

/** From nothing again. */
bool hasher_restart(struct hasher *hasher);

bool hasher_feed(struct hasher *hasher, const void *bytes, size_t size);

/** Feed the first bytes of a file. @return 0, or an errno value; EIO also: it has fewer. @blocks */
int hasher_feed_file(struct hasher *hasher, int fd, uint64_t size);

/** The digest of all that was fed. */
bool hasher_end(struct hasher *hasher, struct digest *out);

/** How many digits its digests have; 0 for DIGEST_NONE. */
size_t digest_digits(enum digest_kind kind);

/** The kind of that name, of size bytes, in any case; DIGEST_NONE: unknown. */
enum digest_kind digest_kind_of(const char *name, size_t size);

/** Digits of the right number and nothing else. @return false: they are not, and out is untouched.
 *  */
bool digest_set(struct digest *out, enum digest_kind kind, const char *digits, size_t size);

#endif
