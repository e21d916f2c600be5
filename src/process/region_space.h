/* SPDX-License-Identifier: MIT */
/*
 * The owner's book-keeping of a region: which blocks are live. Offsets, not pointers: it never
 * looks at the region's memory.
 *
 * Blocks of up to 64 KiB come from chunks, each for one size (in steps of quarter powers of two),
 * the block given back last first. Larger ones are runs of their own. A chunk of which nothing is
 * live becomes a free run, but for the last of its size that has room: that one stays for a
 * second, or a block that comes and goes would make and unmake it.
 *
 * I1: a size has at most one empty chunk, the last of its open ones.
 *
 * The caller has the lock.
 */
#ifndef SIL__PROCESS_REGION_SPACE_H
#define SIL__PROCESS_REGION_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/region_runs.h"

/* Blocks begin at a multiple of it. */
#define SIL__SPACE_LINE ((size_t)64)
#define SIL__SPACE_CLASSES 36 /* the last is that of 64 KiB */
#define SIL__SPACE_NONE SIZE_MAX

struct sil__space {
    struct sil__runs runs;
    /* By class, rings; the chunk that was given a block last first. */
    struct sil__chunk *open[SIL__SPACE_CLASSES];
    struct sil__chunk *full[SIL__SPACE_CLASSES]; /* only to be found by leak checkers */
    int fd;
    uint32_t empty; /* chunks */
    size_t live;    /* blocks */
    size_t live_bytes;
    size_t small_bytes; /* of live_bytes, those in chunks */
    size_t chunk_bytes; /* of all chunks */
};

/* What the size of a region is a multiple of: a multiple of the page. */
size_t sil__space_unit(void);

/* For a region of that size, of whose memory fd is the file: borrows. NULL: no memory. */
struct sil__space *sil__space_create(size_t size, int fd);

/* NULL allowed. Nothing in it is live. */
void sil__space_destroy(struct sil__space *space);

/* After a fork, in the child: nothing in it is looked at any more. What threads of the parent were
 * changing cannot be freed. NULL allowed. */
void sil__space_abandon(struct sil__space *space);

/* The offset of a new block, or SIL__SPACE_NONE. */
size_t sil__space_take(struct sil__space *space, size_t size);

/* False: no block begins there. */
bool sil__space_give(struct sil__space *space, size_t offset);

/* Does a live block of at least size bytes begin there? */
bool sil__space_has(const struct sil__space *space, size_t offset, size_t size);

/* Memory that is kept and not used. */
size_t sil__space_kept(const struct sil__space *space);

/* A part of what sil__region_tidy does: what was not used for a second goes back, a few megabytes
 * at most. Returns when to call again; now or earlier: at once; 0: nothing is kept. */
int64_t sil__space_tidy(struct sil__space *space, int64_t now);

#endif
