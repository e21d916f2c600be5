/* SPDX-License-Identifier: MIT */
/*
 * The table of all regions this process has, and how they end.
 *
 * Regions lie in the table itself, which never goes away: whoever finds an address in one looks at
 * it without a lock, then takes the region's lock and looks again.
 *
 * I1: a region whose base is not 0 is needed: somebody holds it, or a block of it is live. Whoever
 *     makes it unneeded takes it apart, once (sil__region_settle).
 * I2: a slot is given to another region only after all that named the old one has been cleared.
 *
 * Locks: heap_lock, then lock, then one region's.
 */
#ifndef SIL__PROCESS_REGION_TABLE_H
#define SIL__PROCESS_REGION_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "process/region.h"
#include "process/region_map.h"
#include "process/region_space.h"

#define SIL__REGIONS_MOST 1024

struct sil__region {
    _Alignas(64) struct sil__lock lock;

    /* Guarded by lock. */
    uint32_t refs;            /* without those of live blocks */
    bool owned;               /* else attached */
    bool is_heap;             /* one of ours, or told of as one */
    struct sil__space *space; /* of an owned one */

    /* Written under the lock while nobody else has the region; read-only while it is needed. */
    int fd;
    _Atomic uintptr_t base; /* 0: none */
    _Atomic size_t size;

    bool taken; /* guarded by the table's lock */
};

struct sil__region_table {
    struct sil__lock lock;
    _Atomic uint32_t count; /* slots that were ever used */

    struct sil__lock heap_lock; /* held while the own heap is made */

    /* Atomic. Only to be looked at again under its lock. */
    _Atomic(struct sil__region *) own_heap;
    _Atomic uint32_t attached_heaps;
    _Atomic(const struct sil__region_hooks *) hooks;

    struct sil__region slots[SIL__REGIONS_MOST];
};

extern struct sil__region_table sil__regions;

/* A region of that memory, with one reference; space: NULL for an attached one. Takes both. NULL
 * with an error set: SIL_ENOMEM the table is full. */
struct sil__region *sil__region_enter(const struct sil__region_memory *memory,
                                      struct sil__space *space, bool is_heap);

/* The region an address lies in, locked; NULL. */
struct sil__region *sil__region_lock_of(const void *address);

/* Is anything left of it? Under its lock. */
static inline bool sil__region_exists_locked(const struct sil__region *region)
{
    return atomic_load_explicit(&region->base, memory_order_relaxed) != 0;
}

/* Drop its lock; if nobody needs it any more, it is gone. */
void sil__region_settle(struct sil__region *region);

/* An owned one, marked as a heap or not. */
struct sil__region *sil__region_make(size_t size, bool is_heap);

/* A block of the process's own heap, if it has one with room; NULL without an error. */
void *sil__heap_alloc(size_t size);

/* Has this process attached a heap? */
bool sil__heap_is_attached(void);

/* The hooks, or NULL. */
const struct sil__region_hooks *sil__heap_hooks_get(void);

/* Give it to the hooks, if it lies in a region that is attached. */
bool sil__heap_free_attached(void *block);

#endif
