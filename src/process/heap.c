/* SPDX-License-Identifier: MIT */
/*
 * Heaps, see region.h: the process's own, and those it was told of.
 */
#include <stddef.h>

#include "process/region.h"
#include "process/region_table.h"

/* The own heap if it is one still; what the pointer named may have become another's. */
static struct sil__region *lock_own(void)
{
    /* What it points to is the table: all else is read under the lock. */
    struct sil__region *region = atomic_load_explicit(&sil__regions.own_heap, memory_order_relaxed);
    if (!region)
        return NULL;
    sil__lock_take(&region->lock);
    if (sil__region_exists_locked(region) && region->owned && region->is_heap)
        return region;
    sil__lock_drop(&region->lock);
    return NULL;
}

struct sil__region *sil__heap_hold(void)
{
    sil__lock_take(&sil__regions.heap_lock);
    struct sil__region *region = lock_own();
    if (region) {
        region->refs++;
        sil__lock_drop(&region->lock);
    } else {
        region = sil__region_make(0, true);
        if (region)
            atomic_store_explicit(&sil__regions.own_heap, region, memory_order_relaxed);
    }
    sil__lock_drop(&sil__regions.heap_lock);
    return region;
}

void *sil__heap_alloc(size_t size)
{
    struct sil__region *region = lock_own();
    if (!region)
        return NULL;
    size_t offset = sil__space_take(region->space, size);
    unsigned char *base = sil__region_base(region);
    sil__lock_drop(&region->lock);
    return offset == SIL__SPACE_NONE ? NULL : base + offset;
}

bool sil__heap_is_attached(void)
{
    return atomic_load_explicit(&sil__regions.attached_heaps, memory_order_relaxed) > 0;
}

void sil__heap_hooks(const struct sil__region_hooks *hooks)
{
    /* Release pairs with the acquire in sil__heap_hooks_get. */
    atomic_store_explicit(&sil__regions.hooks, hooks, memory_order_release);
}

const struct sil__region_hooks *sil__heap_hooks_get(void)
{
    return atomic_load_explicit(&sil__regions.hooks, memory_order_acquire);
}

bool sil__heap_free_attached(void *block)
{
    struct sil__region *region = sil__region_lock_of(block);
    if (!region)
        return false;
    bool attached = !region->owned;
    sil__lock_drop(&region->lock);
    const struct sil__region_hooks *hooks = sil__heap_hooks_get();
    if (attached && hooks)
        hooks->free(block);
    return attached;
}
