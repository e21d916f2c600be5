/* SPDX-License-Identifier: MIT */
/*
 * A queue with one owner: it pushes and pops at the bottom, anybody steals from the top.
 *
 * After D. Chase and Y. Lev, "Dynamic Circular Work-Stealing Deque" (SPAA 2005), with the memory
 * orders of N. M. Le et al., "Correct and Efficient Work-Stealing for Weak Memory Models"
 * (PPoPP 2013), its fences expressed as sequentially consistent accesses. A deque whose owner
 * never pops is a plain FIFO, of which several cells may be stolen at once.
 *
 * I1: top <= bottom, but while the owner pops from an empty deque.
 * I2: an array is never freed before the deque: a thief may still read from an old one. What it
 *     reads there is right, since the owner only copies; if it is stale, taking it fails. Large
 *     ones give their pages back, which then read as zeros: a thief who sees that the deque was
 *     resized meanwhile has lost. Former arrays are used again: there is at most one of each size.
 */
#ifndef SIL__THREAD_DEQUE_H
#define SIL__THREAD_DEQUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thread/cell.h"

/* The words of a cell are read by thieves while the owner may write them anew: then stealing
 * fails, but the accesses must be atomic. */
struct sil__deque_slot {
    _Atomic uintptr_t head;
    _Atomic uintptr_t payload;
};

struct sil__deque_array {
    int64_t size;                    /* a power of two */
    struct sil__deque_array *former; /* I2 */
    struct sil__deque_slot slots[];
};

struct sil__deque {
    _Alignas(64) _Atomic int64_t top;
    _Alignas(64) _Atomic int64_t bottom;
    int64_t top_seen; /* owner only: the top is there, or beyond */
    _Atomic(struct sil__deque_array *) array;
    _Atomic uint32_t resized; /* how often, so that a thief notices (I2) */
};

/* False without memory. */
bool sil__deque_init(struct sil__deque *deque);
void sil__deque_fini(struct sil__deque *deque);

/*
 * Owner only. Append cells, all or none; false: it is full and there is no memory for a larger
 * array. A release: whoever must also see that others sleep needs a barrier (crew.h, I2).
 */
bool sil__deque_push(struct sil__deque *deque, const struct sil__cell *cells, size_t count);

/* Owner only. The newest cell, or one of kind NONE. */
struct sil__cell sil__deque_pop(struct sil__deque *deque);

/*
 * The oldest cells, at most max, which is 1 unless the owner never pops; how many is returned.
 * *out_lost: there were some, but somebody else was faster. out may be written in any case.
 */
size_t sil__deque_steal(struct sil__deque *deque, struct sil__cell *out, size_t max,
                        bool *out_lost);

static inline struct sil__cell sil__deque_read(struct sil__deque_array *array, int64_t index)
{
    struct sil__deque_slot *slot = &array->slots[index & (array->size - 1)];
    /* Acquire: before the look at whether the array has been resized (I2). */
    return (struct sil__cell){atomic_load_explicit(&slot->head, memory_order_acquire),
                              atomic_load_explicit(&slot->payload, memory_order_acquire)};
}

static inline void sil__deque_write(struct sil__deque_array *array, int64_t index,
                                    struct sil__cell cell)
{
    struct sil__deque_slot *slot = &array->slots[index & (array->size - 1)];
    atomic_store_explicit(&slot->head, cell.head, memory_order_relaxed);
    atomic_store_explicit(&slot->payload, cell.payload, memory_order_relaxed);
}

/* As push of one, with its frequent case inline. */
static inline bool sil__deque_push_one(struct sil__deque *deque, struct sil__cell cell)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    if (__builtin_expect(bottom - deque->top_seen >= array->size, 0))
        return sil__deque_push(deque, &cell, 1);
    sil__deque_write(array, bottom, cell);
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return true;
}

/* Owner only: nothing to pop. The top only rises: what looks empty is. */
static inline bool sil__deque_is_empty(const struct sil__deque *deque)
{
    return atomic_load_explicit(&deque->top, memory_order_relaxed) >=
           atomic_load_explicit(&deque->bottom, memory_order_relaxed);
}

/* How many there are, about. Sequentially consistent, for those about to sleep. */
static inline size_t sil__deque_size(const struct sil__deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    return bottom > top ? (size_t)(bottom - top) : 0;
}

#endif
