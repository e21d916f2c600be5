/* SPDX-License-Identifier: MIT */
/*
 * Memory for what is made and dropped all the time: futures.
 *
 * Taking and giving on one thread is a push and a pop; a block may be given on another thread than
 * it was taken on. Blocks larger than SIL__RECYCLE_MOST come from malloc. Under AddressSanitizer,
 * LeakSanitizer and valgrind all do, so that these see what becomes of each.
 */
#ifndef SIL__BASE_RECYCLE_H
#define SIL__BASE_RECYCLE_H

#include <stdbool.h>
#include <stddef.h>

#define SIL__RECYCLE_MOST 256

/*
 * Not zeroed; aligned for any type, and to 32 bytes up to SIL__RECYCLE_MOST. NULL without memory.
 * Passes SIL__FAULT_ALLOC once.
 */
void *sil__recycle_take(size_t size);

/* takes: a block that was taken with this size, on any thread. NULL allowed. */
void sil__recycle_give(void *block, size_t size);

/* How much is held now. Blocks of malloc do not count. */
struct sil__recycle_stats {
    size_t slabs;   /* all: 256 KiB each, of which what was ever used is in memory */
    size_t reserve; /* of these, wholly unused, kept for the next burst */
    size_t reserve_limit;
    bool bypassed; /* everything comes from malloc */
};

struct sil__recycle_stats sil__recycle_stats(void);

#endif
