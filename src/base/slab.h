/* SPDX-License-Identifier: MIT */
/*
 * Slabs: pages from the system, cut into blocks of one kind, and given back when all are home.
 *
 * After J. Bonwick, "The Slab Allocator" (USENIX Summer 1994). A block has no header: its slab is
 * found by masking its address, since slabs begin at multiples of their size. Which blocks are
 * home stands in a bitmap in the slab's header, so taking and giving touch no block. Pages are
 * first touched when their blocks are first used.
 *
 * The caller's lock guards all of it (depot.c); only map and unmap, which call the system, are
 * made to be called without.
 *
 * What came home stays in the reserve for SIL__SLAB_KEPT before it is given back, for where there
 * was a burst there may be another, and fresh pages cost more than all the rest. No thread waits
 * for that: it is seen to whenever somebody comes here, a worker goes to sleep, or a pool is closed.
 *
 * I1: a slab stands in its kind's list exactly if it has a block to hand out.
 * I2: a slab none of whose blocks is out belongs to no kind: it is in the reserve, or surplus.
 *     (But one that was just added, until the first take.)
 */
#ifndef SIL__BASE_SLAB_H
#define SIL__BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* A kind is a size of blocks, in units of so many bytes. */
#define SIL__SLAB_UNIT 32
#define SIL__SLAB_KINDS 16

/* Nanoseconds. */
#define SIL__SLAB_KEPT SIL__SECOND

struct sil__slab;

/* All zero: no slabs, and no reserve. */
struct sil__slabs {
    struct sil__slab *available[SIL__SLAB_KINDS]; /* I1: circular, the next to use */
    struct sil__slab *reserve;                    /* circular, the oldest */
    uint32_t reserve_count;
    uint32_t reserve_limit;
    uint32_t count;            /* of all slabs that are mapped, but the surplus */
    struct sil__slab *surplus; /* to be unmapped by whoever leaves the lock */
};

/* The kind of blocks of that many bytes, 1 .. KINDS * UNIT; any other size: one >= KINDS. */
static inline size_t sil__slab_kind(size_t size)
{
    return (size - 1) / SIL__SLAB_UNIT;
}

/* Up to want blocks, into out; how many there were. 0: map a slab, add it, try again. */
size_t sil__slabs_take(struct sil__slabs *slabs, size_t kind, void **out, size_t want);

/* So many blocks come home, each to whichever slab it is from. */
void sil__slabs_give(struct sil__slabs *slabs, void *const *blocks, size_t count);

/* A fresh slab becomes one of that kind. */
void sil__slabs_add(struct sil__slabs *slabs, size_t kind, struct sil__slab *slab);

/* Give back what was in the reserve for long enough, or all of it, down to the limit. */
void sil__slabs_tidy(struct sil__slabs *slabs, bool all);

/* Change the limit of the reserve, which is kept for good; what is beyond it becomes surplus. */
void sil__slabs_limit_reserve(struct sil__slabs *slabs, uint32_t limit);

/* NULL without memory. */
struct sil__slab *sil__slab_map(void);

/* All of a list that was the surplus; NULL allowed. */
void sil__slab_unmap(struct sil__slab *surplus);

#endif
