/* SPDX-License-Identifier: MIT */
/*
 * The depot, see depot.h.
 *
 * I2: the lock is a leaf: nothing is called under it but slab.c, and no memory is mapped or
 *     unmapped. (Over a fork it is held, and then other handlers of the fork do come in.)
 */
#include "base/depot.h"

#include <pthread.h>

#include "base/lock.h"

/* Most full magazines that are kept of one kind. */
#define CREDITS 8
/* Slabs kept for the next burst: 4 MiB. */
#define RESERVE 16

_Static_assert(sizeof(struct sil__magazine) == 512, "a magazine is a block of a slab");

static struct {
    struct sil__lock lock;
    /* Guarded by lock. */
    struct sil__slabs slabs;
    struct {
        struct sil__magazine *full;
        uint32_t credits; /* how many more are worth keeping: each demand adds one */
    } shelves[SIL__DEPOT_KINDS];
    bool closed;
} depot;

/* This thread forks, and holds the lock. */
static _Thread_local bool forks __attribute__((tls_model("initial-exec")));

static void enter(void)
{
    if (!forks)
        sil__lock_take(&depot.lock);
}

static void leave(void)
{
    sil__slabs_tidy(&depot.slabs, false);
    struct sil__slab *surplus = depot.slabs.surplus;
    depot.slabs.surplus = NULL;
    if (!forks)
        sil__lock_drop(&depot.lock);
    sil__slab_unmap(surplus);
}

/* Leaves the lock and enters it again if there must be a new slab. */
static size_t take_from_slabs_locked(size_t kind, void **out, size_t want)
{
    size_t got = sil__slabs_take(&depot.slabs, kind, out, want);
    if (got > 0)
        return got;
    leave();
    struct sil__slab *slab = sil__slab_map();
    enter();
    if (slab)
        sil__slabs_add(&depot.slabs, kind, slab);
    return sil__slabs_take(&depot.slabs, kind, out, want);
}

/* --- magazines ----------------------------------------------------------------------------- */

static struct sil__magazine *magazine_create_locked(void)
{
    void *block;
    if (take_from_slabs_locked(sil__slab_kind(sizeof(struct sil__magazine)), &block, 1) == 0)
        return NULL;
    struct sil__magazine *magazine = block;
    magazine->count = 0;
    return magazine;
}

static void unload_locked(struct sil__magazine *magazine)
{
    sil__slabs_give(&depot.slabs, magazine->rounds, magazine->count);
    magazine->count = 0;
}

/* NULL allowed. */
static void magazine_destroy_locked(struct sil__magazine *magazine)
{
    if (!magazine)
        return;
    unload_locked(magazine);
    sil__slabs_give(&depot.slabs, &(void *){magazine}, 1);
}

static struct sil__magazine *pop_full_locked(size_t kind)
{
    struct sil__magazine *magazine = depot.shelves[kind].full;
    if (magazine)
        depot.shelves[kind].full = magazine->next;
    return magazine;
}

/*
 * An empty magazine for a full one. That one is kept if credits allow; otherwise it is emptied
 * and handed back. And while nobody asks, those kept go home too, one each time.
 */
static struct sil__magazine *exchange_full_locked(size_t kind, struct sil__magazine *full)
{
    if (depot.shelves[kind].credits > 0) {
        depot.shelves[kind].credits--;
        struct sil__magazine *empty = magazine_create_locked();
        if (empty) {
            full->next = depot.shelves[kind].full;
            depot.shelves[kind].full = full;
            return empty;
        }
    }
    unload_locked(full);
    magazine_destroy_locked(pop_full_locked(kind));
    return full;
}

/* --- what threads come for ----------------------------------------------------------------- */

bool sil__depot_load(size_t kind, struct sil__rack *rack)
{
    enter();
    if (depot.shelves[kind].credits < CREDITS && !depot.closed)
        depot.shelves[kind].credits++;
    struct sil__magazine *full = pop_full_locked(kind);
    if (full) {
        magazine_destroy_locked(rack->spare);
        rack->spare = rack->loaded;
        rack->loaded = full;
    } else {
        if (!rack->loaded)
            rack->loaded = magazine_create_locked();
        if (rack->loaded)
            rack->loaded->count =
                take_from_slabs_locked(kind, rack->loaded->rounds, SIL__MAGAZINE_ROUNDS);
    }
    leave();
    return rack->loaded && rack->loaded->count > 0;
}

bool sil__depot_make_room(size_t kind, struct sil__rack *rack)
{
    enter();
    struct sil__magazine *empty =
        rack->spare ? exchange_full_locked(kind, rack->spare) : magazine_create_locked();
    leave();
    if (!empty)
        return false;
    rack->spare = rack->loaded;
    rack->loaded = empty;
    return true;
}

void sil__depot_clear(struct sil__rack racks[SIL__DEPOT_KINDS])
{
    enter();
    for (size_t kind = 0; kind < SIL__DEPOT_KINDS; kind++) {
        magazine_destroy_locked(racks[kind].loaded);
        magazine_destroy_locked(racks[kind].spare);
        racks[kind] = (struct sil__rack){0};
    }
    leave();
}

void *sil__depot_take(size_t kind)
{
    void *block = NULL;
    enter();
    (void)take_from_slabs_locked(kind, &block, 1);
    leave();
    return block;
}

void sil__depot_give(void *block)
{
    enter();
    sil__slabs_give(&depot.slabs, &block, 1);
    leave();
}

void sil__depot_tidy(bool now)
{
    enter();
    sil__slabs_tidy(&depot.slabs, now);
    leave();
}

void sil__depot_close(void)
{
    enter();
    depot.closed = true;
    for (size_t kind = 0; kind < SIL__DEPOT_KINDS; kind++) {
        depot.shelves[kind].credits = 0;
        for (struct sil__magazine *full; (full = pop_full_locked(kind));)
            magazine_destroy_locked(full);
    }
    sil__slabs_limit_reserve(&depot.slabs, 0);
    leave();
}

void sil__depot_count(size_t *out_slabs, size_t *out_reserve, size_t *out_reserve_limit)
{
    enter();
    *out_slabs = depot.slabs.count;
    *out_reserve = depot.slabs.reserve_count;
    *out_reserve_limit = depot.slabs.reserve_limit;
    leave();
}

/* --- fork ---------------------------------------------------------------------------------- */

/*
 * The lock is held over a fork, so that the child finds the depot whole. What handlers of others
 * take and give meanwhile on this thread is done under it. The racks of the other threads are
 * lost to the child.
 */
static void before_fork(void)
{
    enter();
    forks = true;
}

static void after_fork(void)
{
    forks = false;
    leave();
}

static void in_child(void)
{
    forks = false;
    depot.lock = (struct sil__lock){0};
}

__attribute__((constructor)) static void prepare(void)
{
    sil__slabs_limit_reserve(&depot.slabs, RESERVE);
    (void)pthread_atfork(before_fork, after_fork, in_child);
}
