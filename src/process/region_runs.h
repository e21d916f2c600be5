/* SPDX-License-Identifier: MIT */
/*
 * Runs: which units of a region are taken, and which are free.
 *
 * The region is cut into units of some pages, and these lie in runs: live ones, and free ones. A
 * free run is warm (it was used, its memory is still there) or cold (never touched, or given back
 * to the system). Free neighbours are one run if both are warm, or both cold. A run is taken from
 * the smallest warm one that suffices, else from a large warm one and what is free beside it, else
 * from the smallest cold one; always from its low end.
 *
 * The records are an array over all units, in private memory of which only what is used is touched.
 *
 * I1: at a run's first unit stand its state and its length; at its last one, where it begins.
 * I2: the units within a run have the state INSIDE, those of a chunk CHUNK and where it begins; so
 *     whatever address is asked about, its unit tells what it is.
 *
 * The caller has the lock.
 */
#ifndef SIL__PROCESS_REGION_RUNS_H
#define SIL__PROCESS_REGION_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIL__RUN_NONE UINT32_MAX

enum sil__run_state {
    SIL__RUN_INSIDE, /* all zero: so a fresh array needs no preparation */
    SIL__RUN_COLD,
    SIL__RUN_WARM,
    SIL__RUN_BLOCK, /* live, one block */
    SIL__RUN_CHUNK, /* live, for small blocks */
};

struct sil__chunk;

struct sil__run {
    uint32_t count;
    uint32_t first;
    uint32_t next, prev; /* in the bin of a free run */
    uint32_t state;
    union {
        int64_t since;            /* when a warm run was last used */
        struct sil__chunk *chunk; /* of a chunk */
    };
};

/* Free runs by length: bin i has those with sil__quarter(length) == i. */
#define SIL__RUN_BINS 128

struct sil__bins {
    uint64_t filled[SIL__RUN_BINS / 64];
    uint32_t first[SIL__RUN_BINS];
};

struct sil__runs {
    struct sil__run *at;
    uint32_t count;
    unsigned shift;   /* a unit is 1 << shift bytes */
    uint32_t warm;    /* units in warm runs */
    int64_t warm_due; /* no warm run has been idle for long enough before */
    struct sil__bins bins[2];
};

/*
 * Sizes in steps of quarter powers of two: 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20 ... The index
 * of the smallest that is at least number, which is not 0.
 */
static inline uint32_t sil__quarter(uint32_t number)
{
    uint32_t below = number - 1;
    if (below < 4)
        return below;
    uint32_t exponent = 31 - (uint32_t)__builtin_clz(below);
    return 4 * (exponent - 1) + (below >> (exponent - 2) & 3);
}

/* The size with that index. */
static inline uint32_t sil__quarter_size(uint32_t index)
{
    return index < 4 ? index + 1 : (index % 4 + 5) << (index / 4 - 1);
}

/* One cold run. False: no memory. size: a multiple of the unit. */
bool sil__runs_init(struct sil__runs *runs, size_t size, unsigned shift);
void sil__runs_fini(struct sil__runs *runs);

/* The first unit of a live run, a BLOCK, of so many units; SIL__RUN_NONE. */
uint32_t sil__runs_take(struct sil__runs *runs, uint32_t units);

/* A live run is free and warm, and was used until since. */
void sil__runs_give(struct sil__runs *runs, uint32_t first, int64_t since);

/* A BLOCK becomes a chunk. */
void sil__runs_mark_chunk(struct sil__runs *runs, uint32_t first, struct sil__chunk *chunk);

/*
 * Make warm runs that were not used after that time cold: their memory goes back to the system, of
 * whose file it is. At most so many units; true: there may be more.
 */
bool sil__runs_cool(struct sil__runs *runs, int fd, int64_t before, uint32_t most);

#endif
