/* SPDX-License-Identifier: MIT */
/*
 * Slabs: the memory that stacks of one class are cut from, one after the other as they are wanted.
 *
 * All slabs of the process stand in one list, in which a signal handler can look up an address.
 *
 * I1: a slab's description is never freed, only used again; where it lies and its class are one
 *     word, so that whoever looks sees both or nothing.
 */
#ifndef SIL__CORO_STACK_SLAB_H
#define SIL__CORO_STACK_SLAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coro/stack.h"

struct sil__stack_slab {
    /* Where it lies + its class + 1; NULL: nobody uses it. */
    _Atomic(char *) place;
    struct sil__stack_slab *listed; /* the next of all */

    /* Owner thread only. */
    struct sil__stack_slab *next; /* of this class and thread */
    struct sil__stack *idle;
    unsigned idle_count;
    unsigned cut;   /* stacks that were ever taken: the first ones */
    unsigned count; /* stacks it has room for */
};

/* NULL without memory. */
struct sil__stack_slab *sil__stack_slab_map(unsigned size_class);

/* All its stacks are free and nobody looks at them: they are forgotten. */
void sil__stack_slab_unmap(struct sil__stack_slab *slab, void (*forget)(struct sil__stack *stack));

/* A stack from one that has room. */
struct sil__stack *sil__stack_slab_cut(struct sil__stack_slab *slab);

/* Pages of a free stack go back, all but the first 4 KiB of what is used (16, AddressSanitizer). */
void sil__stack_slab_clean(struct sil__stack *stack);

/* The stack into whose guard an address points; NULL. Any thread, async-signal-safe. */
struct sil__stack *sil__stack_slab_find(const void *address);

#endif
