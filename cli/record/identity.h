/* SPDX-License-Identifier: MIT */
/*
 * Identities: what an item is known by in a log, as a hash of 16 bytes, and a table of them.
 *
 * The hash is the same in every run and on every machine: logs are read again. With 128 bits two of
 * a thousand million items have the same one with a chance of 1 in 10^21.
 *
 * Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012: SipHash-2-4
 * with 128 bits of output, as in the authors' siphash.c.
 */
#ifndef CLI_RECORD_IDENTITY_H
#define CLI_RECORD_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity {
    uint64_t words[2];
};

enum { IDENTITY_DIGITS = 32 };

struct identity identity_make(const void *bytes, size_t size);
/** The same with a key of one's own; for the test against the authors' figures. */
struct identity identity_keyed(uint64_t key0, uint64_t key1, const void *bytes, size_t size);

/** As hex digits, terminated, in the order in which siphash.c gives the bytes. */
void identity_write(struct identity identity, char out[IDENTITY_DIGITS + 1]);
/** @return false: these are not IDENTITY_DIGITS hex digits. */
bool identity_read(const char *text, size_t size, struct identity *out);

/**
 * A table of identities, with a small number each: open addressing, at most three quarters full, 17
 * bytes a place. All zero is an empty one.
 */
struct identity_table {
    struct identity *keys;
    unsigned char *values; /**< 0: the place is free; else the value + 1 */
    size_t places;         /**< a power of two, or 0 */
    size_t count;
};

/** Set the value (below 255) of an identity. @return false: out of memory; nothing has changed. */
bool identity_table_set(struct identity_table *table, struct identity identity, unsigned value);
/** @return the value, or -1: it is not there. */
int identity_table_get(const struct identity_table *table, struct identity identity);
void identity_table_fini(struct identity_table *table);

#endif
