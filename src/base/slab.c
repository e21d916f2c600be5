/* SPDX-License-Identifier: MIT */
/*
 * Slabs, see slab.h.
 */
#include "base/slab.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"

/* Large enough that the system calls for one cost each of its blocks a nanosecond or two. */
#define SLAB_SIZE ((size_t)256 * 1024)
#define UNITS (SLAB_SIZE / SIL__SLAB_UNIT)
#define WORDS (UNITS / 64)

struct sil__slab {
    struct sil__slab *next;
    struct sil__slab *prev;
    int64_t home_since; /* in the reserve */
    uint32_t kind;
    uint32_t out;   /* blocks handed out, and not home again */
    uint32_t fresh; /* from this unit on nothing was ever handed out */
    /* Which of the words below are not 0. */
    uint64_t summary[WORDS / 64];
    /* A bit for each unit: it is the first of a block that came home. */
    uint64_t home[WORDS];
};

/* Where blocks begin: at a cache line. */
#define FIRST_UNIT ((uint32_t)((sizeof(struct sil__slab) + 63) / 64 * 64 / SIL__SLAB_UNIT))

static struct sil__slab *slab_of(void *block)
{
    unsigned char *bytes = block;
    return (struct sil__slab *)(bytes - ((uintptr_t)bytes & (SLAB_SIZE - 1)));
}

static void *block_at(struct sil__slab *slab, size_t unit)
{
    return (unsigned char *)slab + unit * SIL__SLAB_UNIT;
}

static size_t units_of(size_t kind)
{
    return kind + 1;
}

/* Nothing of it is to be handed out any more. */
static bool is_spent(const struct sil__slab *slab)
{
    for (size_t i = 0; i < WORDS / 64; i++)
        if (slab->summary[i])
            return false;
    return slab->fresh + units_of(slab->kind) > UNITS;
}

/* --- lists --------------------------------------------------------------------------------- */

static void list_add_last(struct sil__slab **list, struct sil__slab *slab)
{
    if (!*list) {
        slab->next = slab->prev = slab;
        *list = slab;
        return;
    }
    slab->next = *list;
    slab->prev = (*list)->prev;
    slab->prev->next = slab;
    slab->next->prev = slab;
}

static void list_remove(struct sil__slab **list, struct sil__slab *slab)
{
    if (slab->next == slab) {
        *list = NULL;
        return;
    }
    slab->prev->next = slab->next;
    slab->next->prev = slab->prev;
    if (*list == slab)
        *list = slab->next;
}

/* --- the reserve --------------------------------------------------------------------------- */

static void leave_reserve(struct sil__slabs *slabs, struct sil__slab *slab)
{
    list_remove(&slabs->reserve, slab);
    slabs->reserve_count--;
}

/* What is beyond the limit, and came home before that time, becomes surplus. */
static void drop_reserve(struct sil__slabs *slabs, int64_t before)
{
    while (slabs->reserve && slabs->reserve_count > slabs->reserve_limit &&
           slabs->reserve->home_since <= before) {
        struct sil__slab *slab = slabs->reserve;
        leave_reserve(slabs, slab);
        slab->next = slabs->surplus;
        slabs->surplus = slab;
        slabs->count--;
    }
}

/* --- blocks -------------------------------------------------------------------------------- */

/* Those that came home. */
static size_t take_home(struct sil__slab *slab, void **out, size_t want)
{
    size_t got = 0;
    for (size_t part = 0; part < WORDS / 64; part++) {
        while (slab->summary[part] && got < want) {
            size_t word = part * 64 + (size_t)__builtin_ctzll(slab->summary[part]);
            uint64_t bits = slab->home[word];
            for (; bits && got < want; bits &= bits - 1)
                out[got++] = block_at(slab, word * 64 + (size_t)__builtin_ctzll(bits));
            slab->home[word] = bits;
            if (!bits)
                slab->summary[part] &= slab->summary[part] - 1;
        }
    }
    return got;
}

static size_t take_fresh(struct sil__slab *slab, void **out, size_t want)
{
    size_t units = units_of(slab->kind);
    size_t left = (UNITS - slab->fresh) / units;
    size_t got = want < left ? want : left;
    for (size_t i = 0; i < got; i++)
        out[i] = block_at(slab, slab->fresh + i * units);
    slab->fresh += (uint32_t)(got * units);
    return got;
}

static void become(struct sil__slab *slab, size_t kind)
{
    SIL_ASSERT(slab->out == 0);
    slab->kind = (uint32_t)kind;
    slab->fresh = FIRST_UNIT;
    memset(slab->summary, 0, sizeof slab->summary);
    memset(slab->home, 0, sizeof slab->home);
}

static struct sil__slab *next_of_kind(struct sil__slabs *slabs, size_t kind)
{
    if (!slabs->available[kind] && slabs->reserve) {
        struct sil__slab *slab = slabs->reserve->prev;
        leave_reserve(slabs, slab);
        become(slab, kind);
        list_add_last(&slabs->available[kind], slab);
    }
    return slabs->available[kind];
}

size_t sil__slabs_take(struct sil__slabs *slabs, size_t kind, void **out, size_t want)
{
    size_t got = 0;
    while (got < want) {
        struct sil__slab *slab = next_of_kind(slabs, kind);
        if (!slab)
            break;
        size_t before = got;
        got += take_home(slab, out + got, want - got);
        got += take_fresh(slab, out + got, want - got);
        slab->out += (uint32_t)(got - before);
        if (is_spent(slab))
            list_remove(&slabs->available[kind], slab);
    }
    return got;
}

/* I2 */
static void set_aside(struct sil__slabs *slabs, struct sil__slab *slab)
{
    int64_t now = sil__clock_now();
    slab->home_since = now;
    list_add_last(&slabs->reserve, slab);
    slabs->reserve_count++;
    drop_reserve(slabs, slabs->reserve_limit > 0 ? now - SIL__SLAB_KEPT : INT64_MAX);
}

/* The bytes that one word of the bitmap stands for, as a number. */
static uintptr_t stretch_of(const void *block)
{
    return (uintptr_t)block / SIL__SLAB_UNIT / 64;
}

/* How many of the blocks, from the first on, are of one stretch; they are marked. */
static size_t mark_home(struct sil__slab *slab, void *const *blocks, size_t count)
{
    uintptr_t stretch = stretch_of(blocks[0]);
    size_t word = stretch % WORDS;
    uint64_t bits = slab->home[word];
    size_t marked = 0;
    for (; marked < count && stretch_of(blocks[marked]) == stretch; marked++) {
        uint64_t bit = UINT64_C(1) << (uintptr_t)blocks[marked] / SIL__SLAB_UNIT % 64;
        SIL_ASSERT(!(bits & bit)); /* else it was given twice */
        bits |= bit;
    }
    slab->home[word] = bits;
    slab->summary[word / 64] |= UINT64_C(1) << word % 64;
    return marked;
}

void sil__slabs_give(struct sil__slabs *slabs, void *const *blocks, size_t count)
{
    for (size_t given = 0; given < count;) {
        struct sil__slab *slab = slab_of(blocks[given]);
        bool was_spent = is_spent(slab);
        size_t marked = mark_home(slab, blocks + given, count - given);
        given += marked;
        SIL_ASSERT(slab->out >= marked);
        slab->out -= (uint32_t)marked;
        if (slab->out == 0) {
            if (!was_spent)
                list_remove(&slabs->available[slab->kind], slab);
            set_aside(slabs, slab);
        } else if (was_spent) {
            list_add_last(&slabs->available[slab->kind], slab);
        }
    }
}

void sil__slabs_add(struct sil__slabs *slabs, size_t kind, struct sil__slab *slab)
{
    slab->kind = (uint32_t)kind;
    slab->fresh = FIRST_UNIT;
    slabs->count++;
    list_add_last(&slabs->available[kind], slab);
}

void sil__slabs_tidy(struct sil__slabs *slabs, bool all)
{
    if (slabs->reserve_count > slabs->reserve_limit)
        drop_reserve(slabs, all ? INT64_MAX : sil__clock_now() - SIL__SLAB_KEPT);
}

void sil__slabs_limit_reserve(struct sil__slabs *slabs, uint32_t limit)
{
    slabs->reserve_limit = limit;
    drop_reserve(slabs, INT64_MAX);
}

/* --- pages --------------------------------------------------------------------------------- */

/* Atomic: where the next slab might lie. Only a wish, so relaxed. */
static _Atomic(unsigned char *) hint;

static unsigned char *map_pages(void *where, size_t size)
{
    void *pages = mmap(where, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* The aligned part of twice as much. */
static unsigned char *map_and_trim(void)
{
    unsigned char *pages = map_pages(NULL, 2 * SLAB_SIZE);
    if (!pages)
        return NULL;
    unsigned char *slab = (unsigned char *)slab_of(pages + SLAB_SIZE - 1);
    if (slab > pages)
        (void)munmap(pages, (size_t)(slab - pages));
    if (slab < pages + SLAB_SIZE)
        (void)munmap(slab + SLAB_SIZE, (size_t)(pages + SLAB_SIZE - slab));
    return slab;
}

struct sil__slab *sil__slab_map(void)
{
    unsigned char *wish = atomic_load_explicit(&hint, memory_order_relaxed);
    unsigned char *slab = wish ? map_pages(wish, SLAB_SIZE) : NULL;
    if (slab && slab != (unsigned char *)slab_of(slab)) {
        (void)munmap(slab, SLAB_SIZE);
        slab = NULL;
    }
    if (!slab)
        slab = map_and_trim();
    if (slab)
        atomic_store_explicit(&hint, slab - SLAB_SIZE, memory_order_relaxed);
    return (struct sil__slab *)slab;
}

void sil__slab_unmap(struct sil__slab *surplus)
{
    while (surplus) {
        struct sil__slab *next = surplus->next;
        (void)munmap(surplus, SLAB_SIZE);
        surplus = next;
    }
}
