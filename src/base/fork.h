/* SPDX-License-Identifier: MIT */
/*
 * Noticing a fork: threads do not survive it, so what depends on them must know.
 *
 * Every process has a generation. It is raised in the child of a fork; what was made before has
 * an older one. (A bare clone(2) that bypasses the C library is not noticed.)
 */
#ifndef SIL__BASE_FORK_H
#define SIL__BASE_FORK_H

#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint32_t sil__fork_count;

static inline uint32_t sil__fork_generation(void)
{
    return atomic_load_explicit(&sil__fork_count, memory_order_relaxed);
}

/* Have fn called in the child of every fork, before anything else runs there. At most eight. */
void sil__fork_on_child(void (*fn)(void));

#endif
