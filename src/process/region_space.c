/* SPDX-License-Identifier: MIT */
/*
 * Blocks of a region, see region_space.h.
 */
#include "process/region_space.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"

/* A chunk has this, or this many blocks, whichever is more. */
#define CHUNK_BYTES ((size_t)64 * 1024)
#define CHUNK_BLOCKS ((size_t)8)
#define MOST_BLOCKS (CHUNK_BYTES / SIL__SPACE_LINE)
#define MOST_SMALL ((size_t)64 * 1024)

/* At least; a multiple of the page in any case. */
#define UNIT_SHIFT 14

/* Unused for so long, memory goes back; and not more of it at once than takes a fraction of a
 * millisecond, for others wait for the lock. */
#define IDLE SIL__SECOND
#define PIECE ((size_t)4 << 20)
/* Tidying a run as soon as each gets old would mean looking at all of them again and again. */
#define TIDY_PAUSE (SIL__SECOND / 10)

struct sil__chunk {
    struct sil__chunk *next, *prev;
    int64_t idle_since; /* of an empty one: when tidy first saw it so; 0: not yet */
    uint32_t first;     /* unit */
    uint32_t class;
    uint32_t size;     /* of a block */
    uint32_t inverse;  /* 2^32 / size, rounded up */
    uint32_t capacity; /* blocks */
    uint32_t used;
    uint32_t fresh; /* from this one on nothing was ever handed out */
    uint32_t home;  /* in the stack below */
    uint64_t live[MOST_BLOCKS / 64];
    uint16_t stack[];
};

/* --- chunks -------------------------------------------------------------------------------- */

static void ring_remove(struct sil__chunk **ring, struct sil__chunk *chunk)
{
    if (chunk->next == chunk) {
        *ring = NULL;
        return;
    }
    chunk->next->prev = chunk->prev;
    chunk->prev->next = chunk->next;
    if (*ring == chunk)
        *ring = chunk->next;
}

static void ring_add_last(struct sil__chunk **ring, struct sil__chunk *chunk)
{
    if (!*ring) {
        *ring = chunk->next = chunk->prev = chunk;
        return;
    }
    chunk->next = *ring;
    chunk->prev = (*ring)->prev;
    chunk->next->prev = chunk;
    chunk->prev->next = chunk;
}

static void ring_add_first(struct sil__chunk **ring, struct sil__chunk *chunk)
{
    ring_add_last(ring, chunk);
    *ring = chunk;
}

static size_t unit_of(const struct sil__space *space)
{
    return (size_t)1 << space->runs.shift;
}

static uint32_t units_for(const struct sil__space *space, size_t size)
{
    return (uint32_t)((size + unit_of(space) - 1) >> space->runs.shift);
}

static size_t run_bytes(const struct sil__space *space, uint32_t first)
{
    return (size_t)space->runs.at[first].count << space->runs.shift;
}

static struct sil__chunk *chunk_create(struct sil__space *space, uint32_t class)
{
    size_t size = sil__quarter_size(class) * SIL__SPACE_LINE;
    size_t bytes = size * CHUNK_BLOCKS > CHUNK_BYTES ? size * CHUNK_BLOCKS : CHUNK_BYTES;
    uint32_t first = sil__runs_take(&space->runs, units_for(space, bytes));
    if (first == SIL__RUN_NONE)
        return NULL;
    bytes = run_bytes(space, first);
    size_t capacity = bytes / size < MOST_BLOCKS ? bytes / size : MOST_BLOCKS;
    struct sil__chunk *chunk = sil__alloc(sizeof *chunk + capacity * sizeof chunk->stack[0]);
    if (!chunk) {
        sil__runs_give(&space->runs, first, sil__clock_now());
        return NULL;
    }
    chunk->first = first;
    chunk->class = class;
    chunk->size = (uint32_t)size;
    chunk->inverse = (uint32_t)(((UINT64_C(1) << 32) + size - 1) / size);
    chunk->capacity = (uint32_t)capacity;
    sil__runs_mark_chunk(&space->runs, first, chunk);
    space->chunk_bytes += bytes;
    space->empty++;
    ring_add_last(&space->open[class], chunk);
    return chunk;
}

/* An empty one becomes a free run. */
static void chunk_destroy(struct sil__space *space, struct sil__chunk *chunk, int64_t since)
{
    SIL_ASSERT(chunk->used == 0);
    space->empty--;
    space->chunk_bytes -= run_bytes(space, chunk->first);
    ring_remove(&space->open[chunk->class], chunk);
    sil__runs_give(&space->runs, chunk->first, since);
    sil__free(chunk);
}

/* The empty chunk of that class, or NULL. I1 */
static struct sil__chunk *empty_of(const struct sil__space *space, int class)
{
    struct sil__chunk *first = space->open[class];
    return first && first->prev->used == 0 ? first->prev : NULL;
}

static void destroy_empty(struct sil__space *space, int64_t now)
{
    for (int i = 0; i < SIL__SPACE_CLASSES && space->empty > 0; i++) {
        struct sil__chunk *chunk = empty_of(space, i);
        if (chunk)
            chunk_destroy(space, chunk, now);
    }
}

static size_t chunk_take(struct sil__space *space, struct sil__chunk *chunk)
{
    uint32_t index = chunk->home > 0 ? chunk->stack[--chunk->home] : chunk->fresh++;
    if (chunk->used++ == 0) {
        space->empty--;
        chunk->idle_since = 0;
    }
    chunk->live[index / 64] |= UINT64_C(1) << index % 64;
    if (chunk->used == chunk->capacity) {
        ring_remove(&space->open[chunk->class], chunk);
        ring_add_last(&space->full[chunk->class], chunk);
    }
    space->live_bytes += chunk->size;
    space->small_bytes += chunk->size;
    return ((size_t)chunk->first << space->runs.shift) + (size_t)index * chunk->size;
}

static void chunk_give(struct sil__space *space, struct sil__chunk *chunk, uint32_t index)
{
    struct sil__chunk **open = &space->open[chunk->class];
    chunk->live[index / 64] &= ~(UINT64_C(1) << index % 64);
    chunk->stack[chunk->home++] = (uint16_t)index;
    space->live_bytes -= chunk->size;
    space->small_bytes -= chunk->size;
    if (chunk->used-- == chunk->capacity) {
        ring_remove(&space->full[chunk->class], chunk);
        ring_add_first(open, chunk);
    }
    if (chunk->used == 0) {
        space->empty++;
        if (chunk->next != chunk)
            chunk_destroy(space, chunk, sil__clock_now());
    }
}

/* --- finding ------------------------------------------------------------------------------- */

/* The chunk and the index in it of the live block that begins there, or NULL. The offset may be
 * any: it comes from other processes. */
static struct sil__chunk *small_at(const struct sil__space *space, size_t offset,
                                   uint32_t *out_index)
{
    const struct sil__run *at = space->runs.at;
    uint32_t first = at[offset >> space->runs.shift].first;
    struct sil__chunk *chunk = at[first].chunk;
    size_t within = offset - ((size_t)first << space->runs.shift);
    /* Exact for each multiple of the size; for others it does not matter. */
    uint32_t index = (uint32_t)((uint64_t)within * chunk->inverse >> 32);
    if ((size_t)index * chunk->size != within || index >= chunk->capacity ||
        !(chunk->live[index / 64] >> index % 64 & 1))
        return NULL;
    *out_index = index;
    return chunk;
}

static uint32_t state_at(const struct sil__space *space, size_t offset)
{
    size_t unit = offset >> space->runs.shift;
    return unit < space->runs.count ? space->runs.at[unit].state : SIL__RUN_INSIDE;
}

/* --- blocks -------------------------------------------------------------------------------- */

static size_t take_run(struct sil__space *space, size_t size)
{
    uint32_t first = sil__runs_take(&space->runs, units_for(space, size));
    if (first == SIL__RUN_NONE)
        return SIL__SPACE_NONE;
    space->live_bytes += run_bytes(space, first);
    return (size_t)first << space->runs.shift;
}

static size_t take(struct sil__space *space, size_t size)
{
    if (size > MOST_SMALL)
        return take_run(space, size);
    size_t lines = size > 0 ? (size + SIL__SPACE_LINE - 1) / SIL__SPACE_LINE : 1;
    uint32_t class = sil__quarter((uint32_t)lines);
    struct sil__chunk *chunk = space->open[class];
    if (!chunk)
        chunk = chunk_create(space, class);
    return chunk ? chunk_take(space, chunk) : SIL__SPACE_NONE;
}

/* When there is no room: what is kept as chunks, or as warm runs beside cold ones, may be some. */
static size_t take_hard(struct sil__space *space, size_t size)
{
    destroy_empty(space, sil__clock_now());
    (void)sil__runs_cool(&space->runs, space->fd, INT64_MAX, UINT32_MAX);
    size_t offset = take(space, size);
    /* There may be room for a block, if not for a chunk. */
    return offset != SIL__SPACE_NONE ? offset : take_run(space, size > 0 ? size : 1);
}

size_t sil__space_take(struct sil__space *space, size_t size)
{
    if (size > (size_t)space->runs.count << space->runs.shift)
        return SIL__SPACE_NONE;
    size_t offset = take(space, size);
    if (offset == SIL__SPACE_NONE)
        offset = take_hard(space, size);
    if (offset != SIL__SPACE_NONE)
        space->live++;
    return offset;
}

bool sil__space_give(struct sil__space *space, size_t offset)
{
    uint32_t state = state_at(space, offset);
    uint32_t index;
    if (state == SIL__RUN_CHUNK) {
        struct sil__chunk *chunk = small_at(space, offset, &index);
        if (!chunk)
            return false;
        chunk_give(space, chunk, index);
    } else {
        if (state != SIL__RUN_BLOCK || offset & (unit_of(space) - 1))
            return false;
        uint32_t first = (uint32_t)(offset >> space->runs.shift);
        space->live_bytes -= run_bytes(space, first);
        sil__runs_give(&space->runs, first, sil__clock_now());
    }
    space->live--;
    return true;
}

bool sil__space_has(const struct sil__space *space, size_t offset, size_t size)
{
    uint32_t state = state_at(space, offset);
    uint32_t index;
    if (state == SIL__RUN_CHUNK) {
        const struct sil__chunk *chunk = small_at(space, offset, &index);
        return chunk && size <= chunk->size;
    }
    return state == SIL__RUN_BLOCK && !(offset & (unit_of(space) - 1)) &&
           size <= run_bytes(space, (uint32_t)(offset >> space->runs.shift));
}

/* --- what is kept -------------------------------------------------------------------------- */

size_t sil__space_kept(const struct sil__space *space)
{
    return ((size_t)space->runs.warm << space->runs.shift) + space->chunk_bytes -
           space->small_bytes;
}

/* Empty chunks of long ago become runs. The time of the first that is younger, or INT64_MAX. */
static int64_t tidy_chunks(struct sil__space *space, int64_t now)
{
    int64_t oldest = INT64_MAX;
    for (int i = 0; i < SIL__SPACE_CLASSES && space->empty > 0; i++) {
        struct sil__chunk *chunk = empty_of(space, i);
        if (!chunk)
            continue;
        /* Blocks come and go without a look at the clock, which would cost more than they do. */
        if (chunk->idle_since == 0)
            chunk->idle_since = now;
        if (chunk->idle_since <= now - IDLE)
            chunk_destroy(space, chunk, chunk->idle_since);
        else if (chunk->idle_since < oldest)
            oldest = chunk->idle_since;
    }
    return oldest;
}

int64_t sil__space_tidy(struct sil__space *space, int64_t now)
{
    int64_t oldest = tidy_chunks(space, now);
    if (sil__runs_cool(&space->runs, space->fd, now - IDLE, (uint32_t)(PIECE >> UNIT_SHIFT)))
        return now;
    if (space->runs.warm_due < oldest)
        oldest = space->runs.warm_due;
    if (oldest == INT64_MAX)
        return 0;
    return oldest + IDLE > now + TIDY_PAUSE ? oldest + IDLE : now + TIDY_PAUSE;
}

/* --- the whole ----------------------------------------------------------------------------- */

size_t sil__space_unit(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t unit = (size_t)1 << UNIT_SHIFT;
    return page > unit ? page : unit;
}

struct sil__space *sil__space_create(size_t size, int fd)
{
    struct sil__space *space = sil__alloc(sizeof *space);
    if (!space)
        return NULL;
    space->fd = fd;
    if (!sil__runs_init(&space->runs, size, (unsigned)__builtin_ctzll(sil__space_unit()))) {
        sil__free(space);
        return NULL;
    }
    return space;
}

void sil__space_destroy(struct sil__space *space)
{
    if (!space)
        return;
    SIL_ASSERT(space->live == 0);
    destroy_empty(space, 0);
    sil__runs_fini(&space->runs);
    sil__free(space);
}

void sil__space_abandon(struct sil__space *space)
{
    if (space)
        sil__runs_fini(&space->runs);
}
