/* SPDX-License-Identifier: MIT */
/*
 * Regions, see region.h.
 *
 * A region's lock guards its reference count and its space; blocks are taken and given back under
 * it, which costs less than counting references by atomics beside it would.
 */
#include "process/region.h"

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/context.h"
#include "process/region_table.h"

static void *pointer_at(const struct sil__region *region, size_t offset)
{
    return (unsigned char *)sil__region_base(region) + offset;
}

static size_t offset_of(const struct sil__region *region, const void *block)
{
    return (uintptr_t)block - atomic_load_explicit(&region->base, memory_order_relaxed);
}

struct sil__region *sil__region_make(size_t size, bool is_heap)
{
    struct sil__region_memory memory;
    struct sil__region *region = NULL;
    if (size > SIL__SIZE_LIMIT) {
        (void)sil__fail(SIL_ENOMEM, "%zu bytes of shared memory are too many", size);
        return NULL;
    }
    if (sil__region_map(size, sil__space_unit(), &memory) != 0)
        return NULL;
    struct sil__space *space = sil__space_create(memory.size, memory.fd);
    if (space)
        region = sil__region_enter(&memory, space, is_heap);
    else
        (void)sil__fail(SIL_ENOMEM, NULL);
    if (!region) {
        sil__space_destroy(space);
        sil__region_unmap(&memory);
    }
    return region;
}

struct sil__region *sil__region_create(size_t size)
{
    return sil__region_make(size, false);
}

struct sil__region *sil__region_attach(int fd, void *base, size_t size)
{
    struct sil__region_memory memory = {fd, base, size};
    if (sil__region_map_again(&memory) != 0)
        return NULL;
    struct sil__region *region = sil__region_enter(&memory, NULL, false);
    if (!region) {
        memory.fd = -1; /* the caller's still */
        sil__region_unmap(&memory);
    }
    return region;
}

int sil__region_fd(const struct sil__region *region)
{
    return region->fd;
}

void *sil__region_base(const struct sil__region *region)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): readers without a lock compare it as a number
    return (void *)atomic_load_explicit(&region->base, memory_order_relaxed);
}

size_t sil__region_size(const struct sil__region *region)
{
    return atomic_load_explicit(&region->size, memory_order_relaxed);
}

void *sil__region_alloc(struct sil__region *region, size_t size)
{
    sil__lock_take(&region->lock);
    size_t offset = region->space ? sil__space_take(region->space, size) : SIL__SPACE_NONE;
    sil__lock_drop(&region->lock);
    return offset == SIL__SPACE_NONE ? NULL : pointer_at(region, offset);
}

bool sil__region_free(void *block)
{
    struct sil__region *region = sil__region_lock_of(block);
    if (!region)
        return false;
    if (!region->space || !sil__space_give(region->space, offset_of(region, block))) {
        sil__lock_drop(&region->lock);
        return false;
    }
    sil__region_settle(region);
    return true;
}

bool sil__region_is_block(struct sil__region *region, const void *block, size_t size)
{
    sil__lock_take(&region->lock);
    bool is = region->space && sil__region_holds(region, block, size) &&
              sil__space_has(region->space, offset_of(region, block), size);
    sil__lock_drop(&region->lock);
    return is;
}

bool sil__region_holds(const struct sil__region *region, const void *start, size_t size)
{
    size_t all = sil__region_size(region);
    size_t offset = offset_of(region, start);
    return offset < all && size <= all - offset;
}

void sil__region_usage(struct sil__region *region, size_t *out_live, size_t *out_kept)
{
    sil__lock_take(&region->lock);
    *out_live = region->space ? region->space->live_bytes : 0;
    *out_kept = region->space ? sil__space_kept(region->space) : 0;
    sil__lock_drop(&region->lock);
}

/* In pieces, with the lock free between them. */
static int64_t tidy(struct sil__region *region)
{
    int64_t again = 0;
    int64_t now = 0;
    do {
        sil__lock_take(&region->lock);
        bool keeps = region->space && sil__space_kept(region->space) > 0;
        if (keeps && now == 0)
            now = sil__clock_now();
        again = keeps ? sil__space_tidy(region->space, now) : 0;
        sil__lock_drop(&region->lock);
    } while (again != 0 && again <= now);
    return again;
}

int64_t sil__region_tidy(void)
{
    int64_t first = 0;
    uint32_t count = atomic_load_explicit(&sil__regions.count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        struct sil__region *region = &sil__regions.slots[i];
        if (atomic_load_explicit(&region->base, memory_order_relaxed) == 0)
            continue;
        int64_t again = tidy(region);
        if (again != 0 && (first == 0 || again < first))
            first = again;
    }
    return first;
}
