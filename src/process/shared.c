/* SPDX-License-Identifier: MIT */
/*
 * Shared memory for users, see sillon/shared.h: blocks of heaps.
 */
#include <sillon/shared.h>

#include <stdbool.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "core/context.h"
#include "process/region.h"
#include "process/region_table.h"

/* A worker has no heap of its own to take from: the program shall see what it makes. */
static const struct sil__region_hooks *hooks_to_ask(void)
{
    return sil__heap_is_attached() ? sil__heap_hooks_get() : NULL;
}

void *sil_shared_alloc(size_t size)
{
    if (size > SIL__SIZE_LIMIT) {
        (void)sil__fail(SIL_EINVAL, "%zu bytes are too many", size);
        return NULL;
    }
    const struct sil__region_hooks *hooks = hooks_to_ask();
    if (hooks)
        return hooks->alloc(size > 0 ? size : 1);
    void *block = sil__heap_alloc(size);
    if (block)
        return block;
    struct sil__region *heap = sil__heap_hold();
    if (!heap)
        return NULL;
    block = sil__region_alloc(heap, size);
    sil__region_release(heap); /* the block holds it */
    if (!block)
        (void)sil__fail(SIL_ENOMEM, "no room for %zu bytes of shared memory", size);
    return block;
}

void sil_shared_free(void *block)
{
    if (!block || sil__region_free(block))
        return;
    bool known = sil__heap_free_attached(block);
    SIL_ASSERT(known);
    (void)known;
}
