/* SPDX-License-Identifier: MIT */
/*
 * The depot: where the threads' magazines exchange blocks, over slabs that all share.
 *
 * After J. Bonwick and J. Adams, "Magazines and Vmem" (USENIX 2001). A magazine is an array of
 * free blocks of one kind; a thread has a rack of two for each kind (recycle.c), and comes here
 * only when neither can serve. Full magazines for which there was demand lately are kept and
 * handed on whole; all others are emptied into the slabs (slab.h).
 *
 * I1: a magazine kept here is full; a rack's spare is full or empty.
 *
 * @threads any, for all of it
 */
#ifndef SIL__BASE_DEPOT_H
#define SIL__BASE_DEPOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slab.h"

/* Those of blocks to hand out: up to 256 bytes. The magazines themselves are of a larger one. */
#define SIL__DEPOT_KINDS 8

/* So that a magazine is 512 bytes. */
#define SIL__MAGAZINE_ROUNDS 62

struct sil__magazine {
    struct sil__magazine *next; /* the depot's */
    size_t count;
    void *rounds[SIL__MAGAZINE_ROUNDS];
};

/* One thread's, for one kind. All zero: empty. */
struct sil__rack {
    struct sil__magazine *loaded; /* NULL: none yet */
    struct sil__magazine *spare;  /* I1; NULL: none yet */
};

/* Nothing left in the rack: load what has blocks. False without memory. */
bool sil__depot_load(size_t kind, struct sil__rack *rack);

/* Nothing fits into the rack: load an empty one. False without memory. */
bool sil__depot_make_room(size_t kind, struct sil__rack *rack);

/* The racks of all kinds; they are empty afterwards. */
void sil__depot_clear(struct sil__rack racks[SIL__DEPOT_KINDS]);

/* One block, for a thread without racks; NULL without memory. */
void *sil__depot_take(size_t kind);
void sil__depot_give(void *block);

/* Give memory back that has not been used for a while; now: all that is not used. */
void sil__depot_tidy(bool now);

/*
 * The program ends: from now on nothing is kept. Slabs of which blocks are still out, or in the
 * racks of threads that still run, stay until these come home.
 */
void sil__depot_close(void);

void sil__depot_count(size_t *out_slabs, size_t *out_reserve, size_t *out_reserve_limit);

#endif
