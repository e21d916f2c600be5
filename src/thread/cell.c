/* SPDX-License-Identifier: MIT */
/*
 * Cells of posted tasks, see cell.h.
 */
#include "thread/cell.h"

#include "base/recycle.h"

/* An argument too large for the cell. */
struct block {
    size_t size; /* of the whole */
    _Alignas(max_align_t) unsigned char bytes[];
};

static struct block *block_of(struct sil__cell cell)
{
    return (struct block *)cell.payload; // NOLINT(performance-no-int-to-ptr)
}

bool sil__cell_post_block(struct sil__cell *out, sil_task_fn fn, const void *arg, size_t arg_size)
{
    size_t size = sizeof(struct block) + arg_size;
    struct block *block = sil__recycle_take(size);
    if (!block)
        return false;
    block->size = size;
    memcpy(block->bytes, arg, arg_size);
    *out = sil__cell_make(SIL__CELL_BLOCK, fn, (uintptr_t)block);
    return true;
}

void sil__cell_run_block(struct sil__cell cell)
{
    (void)sil__cell_function(cell)(block_of(cell)->bytes, NULL);
    sil__cell_drop(cell);
}

void sil__cell_drop(struct sil__cell cell)
{
    if (sil__cell_kind(cell) == SIL__CELL_BLOCK)
        sil__recycle_give(block_of(cell), block_of(cell)->size);
}
