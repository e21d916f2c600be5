/* SPDX-License-Identifier: MIT */
/*
 * The table of regions, see region_table.h.
 */
#include "process/region_table.h"

#include <sillon/status.h>

#include "base/assert.h"
#include "base/fork.h"
#include "core/context.h"

struct sil__region_table sil__regions;

/* --- slots --------------------------------------------------------------------------------- */

static struct sil__region *slot_take(void)
{
    struct sil__region *slot = NULL;
    sil__lock_take(&sil__regions.lock);
    uint32_t count = atomic_load_explicit(&sil__regions.count, memory_order_relaxed);
    for (uint32_t i = 0; i < count && !slot; i++)
        if (!sil__regions.slots[i].taken)
            slot = &sil__regions.slots[i];
    if (!slot && count < SIL__REGIONS_MOST) {
        slot = &sil__regions.slots[count];
        atomic_store_explicit(&sil__regions.count, count + 1, memory_order_relaxed);
    }
    if (slot)
        slot->taken = true;
    sil__lock_drop(&sil__regions.lock);
    return slot;
}

static void slot_give(struct sil__region *slot)
{
    sil__lock_take(&sil__regions.lock);
    slot->taken = false;
    sil__lock_drop(&sil__regions.lock);
}

struct sil__region *sil__region_enter(const struct sil__region_memory *memory,
                                      struct sil__space *space, bool is_heap)
{
    struct sil__region *region = slot_take();
    if (!region) {
        (void)sil__fail(SIL_ENOMEM, "no more than %d regions of shared memory", SIL__REGIONS_MOST);
        return NULL;
    }
    sil__lock_take(&region->lock);
    region->refs = 1;
    region->owned = space != NULL;
    region->is_heap = is_heap;
    region->space = space;
    region->fd = memory->fd;
    if (is_heap && !space)
        atomic_fetch_add_explicit(&sil__regions.attached_heaps, 1, memory_order_relaxed);
    atomic_store_explicit(&region->size, memory->size, memory_order_relaxed);
    /* Last, for a child of fork takes a slot with a base for complete. Release pairs with the
     * acquire in might_hold. */
    atomic_store_explicit(&region->base, (uintptr_t)memory->base, memory_order_release);
    sil__lock_drop(&region->lock);
    return region;
}

static bool might_hold(const struct sil__region *region, uintptr_t address)
{
    uintptr_t base = atomic_load_explicit(&region->base, memory_order_acquire);
    return base && address - base < atomic_load_explicit(&region->size, memory_order_relaxed);
}

struct sil__region *sil__region_lock_of(const void *address)
{
    /* Whoever has a pointer into a region learned of it after the region was entered. */
    uint32_t count = atomic_load_explicit(&sil__regions.count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        struct sil__region *region = &sil__regions.slots[i];
        if (!might_hold(region, (uintptr_t)address))
            continue;
        sil__lock_take(&region->lock);
        if (might_hold(region, (uintptr_t)address))
            return region;
        sil__lock_drop(&region->lock);
    }
    return NULL;
}

/* --- the end ------------------------------------------------------------------------------- */

static bool is_needed_locked(const struct sil__region *region)
{
    return region->refs > 0 || (region->space && region->space->live > 0);
}

void sil__region_settle(struct sil__region *region)
{
    if (is_needed_locked(region) || !sil__region_exists_locked(region)) {
        sil__lock_drop(&region->lock);
        return;
    }
    struct sil__region_memory memory = {region->fd, sil__region_base(region),
                                        sil__region_size(region)};
    struct sil__space *space = region->space;
    if (region->is_heap && !region->owned)
        atomic_fetch_sub_explicit(&sil__regions.attached_heaps, 1, memory_order_relaxed);
    region->space = NULL;
    atomic_store_explicit(&region->base, 0, memory_order_relaxed);
    sil__lock_drop(&region->lock);

    /* I2. Another heap may have been made in its place. */
    struct sil__region *was = region;
    (void)atomic_compare_exchange_strong_explicit(&sil__regions.own_heap, &was, NULL,
                                                  memory_order_relaxed, memory_order_relaxed);
    sil__space_destroy(space);
    sil__region_unmap(&memory);
    slot_give(region);
}

struct sil__region *sil__region_retain(struct sil__region *region)
{
    sil__lock_take(&region->lock);
    SIL_ASSERT(is_needed_locked(region));
    region->refs++;
    sil__lock_drop(&region->lock);
    return region;
}

void sil__region_release(struct sil__region *region)
{
    if (!region)
        return;
    sil__lock_take(&region->lock);
    SIL_ASSERT(region->refs > 0);
    region->refs--;
    sil__region_settle(region);
}

/* --- fork ---------------------------------------------------------------------------------- */

/* What the parent owned is attached; its blocks stay where they are, for nobody will tell the child
 * when they are freed. */
static void disown(struct sil__region *region)
{
    struct sil__space *space = region->space;
    region->space = NULL;
    if (space && space->live > 0)
        region->refs++;
    sil__space_abandon(space);
    region->owned = false;
    if (region->is_heap)
        atomic_fetch_add_explicit(&sil__regions.attached_heaps, 1, memory_order_relaxed);
}

static void in_child(void)
{
    sil__regions.lock = sil__regions.heap_lock = (struct sil__lock){0};
    atomic_store_explicit(&sil__regions.own_heap, NULL, memory_order_relaxed);
    atomic_store_explicit(&sil__regions.hooks, NULL, memory_order_relaxed);
    for (uint32_t i = 0; i < atomic_load_explicit(&sil__regions.count, memory_order_relaxed); i++) {
        struct sil__region *region = &sil__regions.slots[i];
        region->lock = (struct sil__lock){0};
        /* Without a base: a thread of the parent was making it, or taking it apart. */
        region->taken = sil__region_exists_locked(region);
        if (region->taken && region->owned)
            disown(region);
    }
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(in_child);
}
