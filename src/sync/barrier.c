/* SPDX-License-Identifier: MIT */
/*
 * The barrier: a line that is let go when so many stand in it.
 *
 * The last to come does not stand in line, but lets the others go, in one step with coming; so those
 * who come afterwards are of the next round, however late those of the last one run.
 *
 * Who gives up breaks it in the same step as it leaves the line. That includes one whose cancel is due
 * before it comes: whoever cancels a party cannot know how far it was.
 */
#include <sillon/sync.h>

#include <sillon/status.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "sync/line.h"

struct sil_barrier {
    struct sil__biased lock;
    struct sil__line line;
    size_t parties;        /* read-only */
    atomic_size_t waiting; /* in line; written under lock */
    atomic_bool broken;    /* written under lock */
    char name[];
};

static const struct sil__purpose purpose = {.text = "barrier", .look = sil__line_look};

sil_barrier *sil_barrier_create(const char *name, size_t parties)
{
    if (parties == 0) {
        sil__fail(SIL_EINVAL, "sil_barrier_create: a barrier for nobody");
        return NULL;
    }
    sil_barrier *barrier = sil__alloc(sizeof *barrier + sil__name_size(name));
    if (!barrier) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    sil__biased_init(&barrier->lock);
    sil__name_copy(barrier->name, name);
    barrier->parties = parties;
    return barrier;
}

static size_t waiting_in(const sil_barrier *barrier)
{
    return atomic_load_explicit(&barrier->waiting, memory_order_relaxed);
}

static bool is_broken(const sil_barrier *barrier)
{
    return atomic_load_explicit(&barrier->broken, memory_order_relaxed);
}

/* Let all go with this code; the lock is held, and dropped. */
static void release_locked(sil_barrier *barrier, int code)
{
    atomic_store_explicit(&barrier->waiting, 0, memory_order_relaxed);
    struct sil__place *list = sil__line_take(&barrier->line, SIZE_MAX, code);
    sil__biased_drop(&barrier->lock);
    sil__places_wake(list);
}

static void break_locked(sil_barrier *barrier)
{
    atomic_store_explicit(&barrier->broken, true, memory_order_relaxed);
    release_locked(barrier, SIL_EBROKEN);
}

static int broken(const sil_barrier *barrier)
{
    return sil__fail(SIL_EBROKEN, "barrier '%s' is broken, or was reset", barrier->name);
}

/* Come and wait; the lock is held, and dropped. */
static int join_locked(sil_barrier *barrier, struct sil__context *context, sil_deadline until)
{
    size_t index = waiting_in(barrier);
    if (index + 1 == barrier->parties) {
        release_locked(barrier, 0);
        sil__line_pace(context, until);
        return 0;
    }
    int code = SIL_ETIMEDOUT;
    if (until > SIL_NOW) {
        struct sil__place place;
        sil__place_init(&place, context, &purpose, barrier->name, NULL);
        atomic_store_explicit(&barrier->waiting, index + 1, memory_order_relaxed);
        code = sil__line_wait(&barrier->line, &barrier->lock, &place, NULL,
                              sil__context_until(context, until));
        if (code == 0)
            return place.code == 0 ? 0 : broken(barrier);
    }
    break_locked(barrier);
    return until > SIL_NOW
               ? sil__line_fail(context, code, "sil_barrier_wait", "barrier", barrier->name)
               : sil__line_miss(code);
}

int sil_barrier_wait(sil_barrier *barrier, size_t *out_index, sil_deadline until)
{
    if (!barrier)
        return sil__fail(SIL_EINVAL, "sil_barrier_wait: the barrier is NULL");
    struct sil__context *context = sil__context();
    sil__biased_take(&barrier->lock);
    if (sil__line_cancelled(context, until)) {
        break_locked(barrier);
        return sil__context_deliver_cancel(context, "sil_barrier_wait");
    }
    if (is_broken(barrier)) {
        sil__biased_drop(&barrier->lock);
        return broken(barrier);
    }
    size_t index = waiting_in(barrier);
    int code = join_locked(barrier, context, until);
    if (code == 0 && out_index)
        *out_index = index;
    return code;
}

int sil_barrier_abort(sil_barrier *barrier)
{
    if (!barrier)
        return sil__fail(SIL_EINVAL, "sil_barrier_abort: the barrier is NULL");
    sil__biased_take(&barrier->lock);
    break_locked(barrier);
    return 0;
}

int sil_barrier_reset(sil_barrier *barrier)
{
    if (!barrier)
        return sil__fail(SIL_EINVAL, "sil_barrier_reset: the barrier is NULL");
    sil__biased_take(&barrier->lock);
    atomic_store_explicit(&barrier->broken, false, memory_order_relaxed);
    release_locked(barrier, SIL_EBROKEN);
    return 0;
}

size_t sil_barrier_waiting(const sil_barrier *barrier)
{
    return barrier ? waiting_in(barrier) : 0;
}

bool sil_barrier_broken(const sil_barrier *barrier)
{
    return barrier && is_broken(barrier);
}

void sil_barrier_destroy(sil_barrier *barrier)
{
    if (!barrier)
        return;
    SIL_ASSERT(!barrier->line.first);
    sil__object_ends();
    sil__free(barrier);
}
