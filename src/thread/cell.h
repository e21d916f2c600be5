/* SPDX-License-Identifier: MIT */
/*
 * A cell: what lies in a queue for one task, two words.
 *
 * A task with a future is a pointer to it. A posted task has no future: its function is in the
 * first word, its argument in the second if it fits, and otherwise in a block of memory.
 *
 * The kind lies in the top byte of the first word, which is zero in every address of a function
 * (at most 57 bits on x86-64, 52 on aarch64).
 */
#ifndef SIL__THREAD_CELL_H
#define SIL__THREAD_CELL_H

#include <sillon/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum sil__cell_kind {
    SIL__CELL_NONE,   /* there was none */
    SIL__CELL_FUTURE, /* payload: a task with its future, and a reference to it */
    SIL__CELL_EMPTY,  /* a posted task without argument */
    SIL__CELL_INLINE, /* ... whose argument is the payload */
    SIL__CELL_BLOCK,  /* ... whose argument lies in a block, owned */
};

struct sil__cell {
    uintptr_t head; /* kind and function */
    uintptr_t payload;
};

_Static_assert(sizeof(uintptr_t) == 8, "the top byte of an address is free");
#define SIL__CELL_SHIFT (sizeof(uintptr_t) * 8 - 8)

static inline enum sil__cell_kind sil__cell_kind(struct sil__cell cell)
{
    return (enum sil__cell_kind)(cell.head >> SIL__CELL_SHIFT);
}

static inline struct sil__cell sil__cell_of_task(sil_future *task)
{
    return (struct sil__cell){(uintptr_t)SIL__CELL_FUTURE << SIL__CELL_SHIFT, (uintptr_t)task};
}

static inline sil_future *sil__cell_task(struct sil__cell cell)
{
    return (sil_future *)cell.payload; // NOLINT(performance-no-int-to-ptr)
}

static inline struct sil__cell sil__cell_make(enum sil__cell_kind kind, sil_task_fn fn,
                                              uintptr_t payload)
{
    return (struct sil__cell){(uintptr_t)kind << SIL__CELL_SHIFT | (uintptr_t)fn, payload};
}

static inline sil_task_fn sil__cell_function(struct sil__cell cell)
{
    const uintptr_t mask = ((uintptr_t)1 << SIL__CELL_SHIFT) - 1;
    return (sil_task_fn)(cell.head & mask); // NOLINT(performance-no-int-to-ptr)
}

/* A posted task with its argument in a block; false without memory. */
bool sil__cell_post_block(struct sil__cell *out, sil_task_fn fn, const void *arg, size_t arg_size);

/* Run one, and give up what it holds. */
void sil__cell_run_block(struct sil__cell cell);

/* Give up what a posted task holds, without running it. */
void sil__cell_drop(struct sil__cell cell);

/* A posted task, its argument copied; false without memory. */
static inline bool sil__cell_post(struct sil__cell *out, sil_task_fn fn, const void *arg,
                                  size_t arg_size)
{
    uintptr_t payload = 0;
    if (arg_size > sizeof payload)
        return sil__cell_post_block(out, fn, arg, arg_size);
    if (arg_size > 0)
        memcpy(&payload, arg, arg_size);
    *out = sil__cell_make(arg_size > 0 ? SIL__CELL_INLINE : SIL__CELL_EMPTY, fn, payload);
    return true;
}

/* Run a posted task, with nothing around it, and give up what it holds. */
static inline void sil__cell_run(struct sil__cell cell)
{
    _Alignas(max_align_t) uintptr_t payload = cell.payload;
    if (sil__cell_kind(cell) == SIL__CELL_BLOCK)
        sil__cell_run_block(cell);
    else
        (void)sil__cell_function(cell)(sil__cell_kind(cell) == SIL__CELL_INLINE ? &payload : NULL,
                                       NULL);
}

#endif
