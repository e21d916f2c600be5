/* SPDX-License-Identifier: MIT */
/*
 * Parallel reduction: a parallel loop over pieces, each with an accumulator of its own.
 *
 * Where the pieces begin depends on the range and the grain only, and they are combined in order
 * when all are done: the result does not depend on who did what when.
 */
#include <sillon/parallel.h>

#include <string.h>

#include "base/alloc.h"
#include "core/context.h"

/* Pieces of a range when the caller does not say: enough for many workers, few to combine. */
#define PIECES 128
/* Accumulators of two workers do not share a cache line. */
#define LINE 64

struct reduction {
    size_t begin;
    size_t end;
    size_t grain;
    sil_fold_fn fold;
    void *user;
    unsigned char *accumulators;
    size_t stride;
    const void *identity;
    size_t size;
};

static void *accumulator_of(const struct reduction *reduction, size_t piece)
{
    return reduction->accumulators + piece * reduction->stride;
}

static int fold_pieces(size_t first, size_t last, void *user)
{
    const struct reduction *reduction = user;
    for (size_t piece = first; piece < last; piece++) {
        void *accumulator = accumulator_of(reduction, piece);
        memcpy(accumulator, reduction->identity, reduction->size);
        size_t begin = reduction->begin + piece * reduction->grain;
        size_t end =
            reduction->end - begin > reduction->grain ? begin + reduction->grain : reduction->end;
        int code = reduction->fold(begin, end, accumulator, reduction->user);
        if (code != 0)
            return code;
    }
    return 0;
}

int sil_parallel_reduce(sil_executor *executor, size_t begin, size_t end, size_t grain,
                        sil_fold_fn fold, sil_combine_fn combine, void *user, void *out,
                        size_t size)
{
    if (!executor || !fold || !combine || !out || size == 0 || begin > end)
        return sil__fail(SIL_EINVAL, "sil_parallel_reduce: an argument is NULL, or begin > end");
    if (begin == end)
        return 0;
    if (size > SIL__SIZE_LIMIT)
        return sil__fail(SIL_EINVAL, "sil_parallel_reduce: %zu bytes are too many", size);
    if (grain == 0)
        grain = (end - begin - 1) / PIECES + 1;
    struct reduction reduction = {
        .begin = begin,
        .end = end,
        .grain = grain,
        .fold = fold,
        .user = user,
        .stride = (size + LINE - 1) / LINE * LINE,
        .identity = out,
        .size = size,
    };
    size_t pieces = (end - begin - 1) / grain + 1;
    size_t bytes;
    if (sil__size_mul(pieces, reduction.stride, &bytes))
        reduction.accumulators = sil__alloc_lines(bytes);
    if (!reduction.accumulators)
        return sil__fail(SIL_ENOMEM, "no memory for %zu accumulators of %zu bytes", pieces, size);
    int code = sil_parallel_for(executor, 0, pieces, 1, fold_pieces, &reduction);
    if (code == 0) {
        memcpy(out, accumulator_of(&reduction, 0), size);
        for (size_t piece = 1; piece < pieces; piece++)
            combine(out, accumulator_of(&reduction, piece), user);
    }
    sil__free(reduction.accumulators);
    return code;
}
