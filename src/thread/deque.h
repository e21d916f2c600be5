/* SPDX-License-Identifier: MIT */
/*
 * A worker's own queue: the owner pushes and pops at the bottom, anybody steals from the top.
 *
 * After D. Chase and Y. Lev, "Dynamic Circular Work-Stealing Deque" (SPAA 2005), with the memory
 * orders of N. M. Le et al., "Correct and Efficient Work-Stealing for Weak Memory Models"
 * (PPoPP 2013), its fences expressed as sequentially consistent accesses.
 *
 * I1: top <= bottom, but while the owner pops from an empty deque.
 * I2: an array is never freed before the deque: a thief may still read from an old one. What it
 *     reads there is right, since the owner only copies; if it is stale, taking it fails.
 */
#ifndef SIL__THREAD_DEQUE_H
#define SIL__THREAD_DEQUE_H

#include <sillon/future.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sil__deque_array;

struct sil__deque {
    _Alignas(64) _Atomic int64_t top;
    _Alignas(64) _Atomic int64_t bottom;
    _Atomic(struct sil__deque_array *) array;
};

/* False without memory. */
bool sil__deque_init(struct sil__deque *deque);
void sil__deque_fini(struct sil__deque *deque);

/* Owner only. False: it is full and there is no memory for a larger array. */
bool sil__deque_push(struct sil__deque *deque, sil_future *task);

/* Owner only. The newest task, or NULL. */
sil_future *sil__deque_pop(struct sil__deque *deque);

/* The oldest task, or NULL; *out_lost: there was one, but somebody else was faster. */
sil_future *sil__deque_steal(struct sil__deque *deque, bool *out_lost);

/* How many there are, about. Sequentially consistent, for those about to sleep. */
size_t sil__deque_size(const struct sil__deque *deque);

#endif
