/* SPDX-License-Identifier: MIT */
/*
 * The recycler, see recycle.h: the threads' side of the depot (depot.h).
 *
 * For each kind a thread has a rack of two magazines, which serve it without atomic operations;
 * what they cannot serve is the depot's matter. A thread without racks (its end has come, or there
 * was no memory for a magazine) takes and gives single blocks at the depot.
 *
 * I1: a thread that has magazines is registered: at its end they go to the depot.
 */
#include "base/recycle.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/depot.h"
#include "base/fault.h"

_Static_assert(SIL__RECYCLE_MOST == SIL__DEPOT_KINDS * SIL__SLAB_UNIT, "larger: malloc");

/* Small, so that a library loaded late finds room for it beside the thread's other variables. */
static _Thread_local struct {
    struct sil__rack racks[SIL__DEPOT_KINDS];
    bool registered;
    bool ended; /* no magazines any more */
} here __attribute__((tls_model("initial-exec")));

/* Read-only after the library is loaded. */
static pthread_key_t at_thread_end;
static bool has_key;

/* --- tools that must see every block ------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define BUILT_FOR_TOOL true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILT_FOR_TOOL true
#endif
#endif
#ifndef BUILT_FOR_TOOL
#define BUILT_FOR_TOOL false
#endif

/* Present in programs built with -fsanitize=address or leak, and in those that valgrind runs. */
extern void __lsan_ignore_object(const void *object) __attribute__((weak));
extern void _vgnU_freeres(void) __attribute__((weak));

static bool is_bypassed(void)
{
    return BUILT_FOR_TOOL || __lsan_ignore_object || _vgnU_freeres;
}

/* --- this thread's magazines --------------------------------------------------------------- */

static bool thread_ready(void)
{
    if (!here.registered && !here.ended && has_key)
        here.registered = pthread_setspecific(at_thread_end, &here) == 0;
    return here.registered;
}

static void swap_magazines(struct sil__rack *rack)
{
    struct sil__magazine *loaded = rack->loaded;
    rack->loaded = rack->spare;
    rack->spare = loaded;
}

static void *pop(struct sil__magazine *magazine)
{
    return magazine->rounds[--magazine->count];
}

static void push(struct sil__magazine *magazine, void *block)
{
    magazine->rounds[magazine->count++] = block;
}

__attribute__((noinline)) static void *take_slowly(size_t kind, size_t size)
{
    if (kind >= SIL__DEPOT_KINDS || is_bypassed())
        return malloc(size ? size : 1);
    struct sil__rack *rack = &here.racks[kind];
    if (rack->spare && rack->spare->count > 0)
        swap_magazines(rack);
    else if (!thread_ready() || !sil__depot_load(kind, rack))
        return sil__depot_take(kind);
    return pop(rack->loaded);
}

__attribute__((noinline)) static void give_slowly(void *block, size_t kind)
{
    if (kind >= SIL__DEPOT_KINDS || is_bypassed()) {
        free(block);
        return;
    }
    struct sil__rack *rack = &here.racks[kind];
    if (rack->spare && rack->spare->count < SIL__MAGAZINE_ROUNDS) {
        swap_magazines(rack);
    } else if (!thread_ready() || !sil__depot_make_room(kind, rack)) {
        sil__depot_give(block);
        return;
    }
    push(rack->loaded, block);
}

/* --- taking and giving --------------------------------------------------------------------- */

void *sil__recycle_take(size_t size)
{
    if (sil__fault(SIL__FAULT_ALLOC))
        return NULL;
    size_t kind = sil__slab_kind(size);
    struct sil__magazine *loaded = kind < SIL__DEPOT_KINDS ? here.racks[kind].loaded : NULL;
    return loaded && loaded->count > 0 ? pop(loaded) : take_slowly(kind, size);
}

void sil__recycle_give(void *block, size_t size)
{
    if (!block)
        return;
    size_t kind = sil__slab_kind(size);
    struct sil__magazine *loaded = kind < SIL__DEPOT_KINDS ? here.racks[kind].loaded : NULL;
    if (loaded && loaded->count < SIL__MAGAZINE_ROUNDS)
        push(loaded, block);
    else
        give_slowly(block, kind);
}

struct sil__recycle_stats sil__recycle_stats(void)
{
    struct sil__recycle_stats stats = {.bypassed = is_bypassed()};
    sil__depot_count(&stats.slabs, &stats.reserve, &stats.reserve_limit);
    return stats;
}

/* --- ends and beginnings ------------------------------------------------------------------- */

/* What was registered later may still take and give on this thread: then without magazines. */
static void thread_ends(void *unused)
{
    (void)unused;
    here.ended = true;
    here.registered = false;
    sil__depot_clear(here.racks);
}

/* Keys are not called for the thread that ends the program. */
__attribute__((destructor)) static void program_ends(void)
{
    thread_ends(NULL);
    sil__depot_close();
}

__attribute__((constructor)) static void prepare(void)
{
    has_key = pthread_key_create(&at_thread_end, thread_ends) == 0;
}
