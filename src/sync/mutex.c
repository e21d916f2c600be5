/* SPDX-License-Identifier: MIT */
/*
 * The mutex: a word that says whether it is locked, a holder, and a line of those who want to be it.
 *
 * Who unlocks hands it to the first in line, so nobody overtakes, and a mutex that is waited for is
 * never free in between. While nobody waits, locking and unlocking is one change of the word: by
 * compare-and-swap, or, as long as only one thread has used the mutex, by plain loads and stores
 * (biased.h). The line is guarded by the lock.
 *
 * I1: the word goes to WAITED, and away from it, under the lock only. While it is WAITED nobody but
 *     the holder may be in line, and unlocking takes the lock.
 * I2: the holder has the hold in its list (deadlock.h), from the moment it runs as the holder. If it
 *     ends like that, nobody can unlock it any more: the holder is `nobody`, for good, and all who
 *     wait and all who come have SIL_EDEADLK.
 *
 * Lock order: the deadlock graph's lock, then the mutex's.
 */
#include "sync/mutex.h"

#include <sillon/status.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/spin.h"
#include "core/deadlock.h"
#include "sync/line.h"

enum { FREE, LOCKED, WAITED };

struct sil_mutex {
    _Atomic uint32_t word;
    struct sil__hold hold; /* the holder is written by who gets or gives the mutex */
    struct sil__biased lock;
    struct sil__line line;
    char name[];
};

/* Holds what was never unlocked. It is never blocked, and never goes on. */
static struct sil__context nobody;

static sil_mutex *mutex_of(struct sil__hold *hold)
{
    return (sil_mutex *)((char *)hold - offsetof(sil_mutex, hold));
}

static struct sil__context *holder_of(const sil_mutex *mutex)
{
    return atomic_load_explicit(&mutex->hold.holder, memory_order_relaxed);
}

static void set_holder(sil_mutex *mutex, struct sil__context *holder)
{
    atomic_store_explicit(&mutex->hold.holder, holder, memory_order_relaxed);
}

/* --- the word -------------------------------------------------------------------------------- */

static bool swap_word(sil_mutex *mutex, uint32_t from, uint32_t to)
{
    /* Acquire pairs with the release of who made it FREE. */
    return atomic_compare_exchange_strong_explicit(&mutex->word, &from, to, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

/* Between FREE and LOCKED, without the lock. False: try with it. */
static bool change_word(sil_mutex *mutex, uint32_t from, uint32_t to)
{
    if (sil__biased_enter(&mutex->lock)) {
        bool fits = atomic_load_explicit(&mutex->word, memory_order_relaxed) == from;
        if (fits)
            atomic_store_explicit(&mutex->word, to, memory_order_relaxed);
        sil__biased_leave(&mutex->lock);
        return fits;
    }
    return sil__biased_is_over(&mutex->lock) && swap_word(mutex, from, to);
}

/* Under the lock: get it if it is free; else it is WAITED from now on. */
static bool take_word_locked(sil_mutex *mutex)
{
    for (;;) {
        if (swap_word(mutex, FREE, LOCKED))
            return true;
        if (atomic_load_explicit(&mutex->word, memory_order_relaxed) == WAITED ||
            swap_word(mutex, LOCKED, WAITED))
            return false;
    }
}

/* --- the hold -------------------------------------------------------------------------------- */

static void look(const void *object, struct sil__waiter *waiter, struct sil__sight *sight)
{
    const sil_mutex *mutex = object;
    sil__line_look(mutex->name, waiter, sight);
    sil__sight_lock();
    if (sil__waiter_in_line(waiter))
        sil__sight_held(sight, holder_of(mutex));
    sil__sight_unlock();
}

static const struct sil__purpose purpose = {.text = "mutex", .look = look};

static bool evict(struct sil__hold *hold, struct sil__waiter *waiter)
{
    sil_mutex *mutex = mutex_of(hold);
    struct sil__place *place =
        (struct sil__place *)((char *)waiter - offsetof(struct sil__place, waiter));
    sil__biased_take(&mutex->lock);
    bool waits = sil__place_in_line(place);
    if (waits) {
        sil__line_remove(&mutex->line, place);
        place->code = SIL_EDEADLK;
    }
    sil__biased_drop(&mutex->lock);
    if (waits)
        sil__place_wake(place);
    return waits;
}

static void abandon(struct sil__hold *hold)
{
    sil_mutex *mutex = mutex_of(hold);
    sil__biased_take(&mutex->lock);
    set_holder(mutex, &nobody);
    struct sil__place *list = sil__line_take(&mutex->line, SIZE_MAX, SIL_EBROKEN);
    sil__biased_drop(&mutex->lock);
    sil__places_wake(list);
}

static const struct sil__hold_ops hold_ops = {
    .noun = "mutex",
    .evict = evict,
    .abandon = abandon,
};

/* --- life ------------------------------------------------------------------------------------ */

sil_mutex *sil_mutex_create(const char *name)
{
    sil_mutex *mutex = sil__alloc(sizeof *mutex + sil__name_size(name));
    if (!mutex) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    sil__biased_init(&mutex->lock);
    sil__name_copy(mutex->name, name);
    mutex->hold.ops = &hold_ops;
    mutex->hold.name = name ? mutex->name : NULL;
    return mutex;
}

void sil_mutex_destroy(sil_mutex *mutex)
{
    if (!mutex)
        return;
    SIL_ASSERT(!mutex->line.first);
    if (sil__mutex_held(mutex, sil__context()))
        sil__hold_remove(&mutex->hold);
    sil__object_ends();
    sil__free(mutex);
}

bool sil_mutex_locked(const sil_mutex *mutex)
{
    return mutex && atomic_load_explicit(&mutex->word, memory_order_relaxed) != FREE;
}

bool sil__mutex_held(const sil_mutex *mutex, const struct sil__context *context)
{
    return holder_of(mutex) == context;
}

/* --- locking --------------------------------------------------------------------------------- */

static int lost(const sil_mutex *mutex)
{
    return sil__fail(SIL_EDEADLK, "mutex '%s' stays locked: who locked it has ended", mutex->name);
}

static int got(sil_mutex *mutex, struct sil__context *context)
{
    set_holder(mutex, context);
    sil__hold_add(&mutex->hold, context);
    return 0;
}

/*
 * A thread looks for a moment before it stands in line: a section is often shorter than a sleep. True:
 * it has the mutex. While others wait it does not, so as not to overtake them.
 */
static bool spin(sil_mutex *mutex, const struct sil__context *context)
{
    enum { LOOKS = 100 };
    if (!sil__spin_pays || context->ops->wait != sil__park_thread_wait ||
        !sil__biased_is_over(&mutex->lock))
        return false;
    for (int i = 0; i < LOOKS; i++) {
        uint32_t word = atomic_load_explicit(&mutex->word, memory_order_relaxed);
        if (word == WAITED)
            return false;
        if (word == FREE && swap_word(mutex, FREE, LOCKED))
            return true;
        sil__spin_pause();
    }
    return false;
}

/*
 * In line if need be. 0: it is ours. SIL_ECANCELLED and SIL_ETIMEDOUT are without a message. until: as
 * for sil__line_await.
 */
static int lock_in_line(sil_mutex *mutex, struct sil__context *context, sil_deadline until)
{
    sil__biased_take(&mutex->lock);
    if (take_word_locked(mutex)) {
        sil__biased_drop(&mutex->lock);
        return got(mutex, context);
    }
    if (holder_of(mutex) == &nobody) {
        sil__biased_drop(&mutex->lock);
        return lost(mutex);
    }
    struct sil__place place;
    sil__place_init(&place, context, &purpose, mutex, NULL);
    int code = sil__line_wait(&mutex->line, &mutex->lock, &place, &mutex->hold, until);
    if (code != 0) {
        sil__biased_drop(&mutex->lock);
        return code;
    }
    if (place.code != 0)
        return place.code == SIL_EBROKEN ? lost(mutex) : place.code;
    sil__hold_add(&mutex->hold, context);
    return 0;
}

/* It was not to be had at once. */
static int lock_slow(sil_mutex *mutex, struct sil__context *context, sil_deadline until)
{
    const struct sil__context *holder = holder_of(mutex);
    if (holder == context)
        return sil__fail(SIL_EDEADLK, "deadlock: mutex '%s' is locked by its caller already",
                         mutex->name);
    if (holder == &nobody)
        return lost(mutex);
    if (until <= SIL_NOW) {
        /* The bias may be another's, or nobody's yet, and the mutex free. */
        sil__biased_take(&mutex->lock);
        bool taken = swap_word(mutex, FREE, LOCKED);
        sil__biased_drop(&mutex->lock);
        return taken ? got(mutex, context) : sil__line_miss(SIL_ETIMEDOUT);
    }
    if (spin(mutex, context))
        return got(mutex, context);
    int code = lock_in_line(mutex, context, sil__context_until(context, until));
    return code == 0 ? 0 : sil__line_fail(context, code, "sil_mutex_lock", "mutex", mutex->name);
}

int sil_mutex_lock(sil_mutex *mutex, sil_deadline until)
{
    if (!mutex)
        return sil__fail(SIL_EINVAL, "sil_mutex_lock: the mutex is NULL");
    struct sil__context *context = sil__context();
    /* Before, not after: others would only run into the lock. */
    sil__line_pace(context, until);
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_mutex_lock");
    if (change_word(mutex, FREE, LOCKED))
        return got(mutex, context);
    return lock_slow(mutex, context, until);
}

int sil__mutex_lock_out(sil_mutex *mutex, struct sil__context *context)
{
    if (change_word(mutex, FREE, LOCKED))
        return got(mutex, context);
    bool insisted = context->insists;
    context->shielded++;
    context->insists = true;
    int code = lock_in_line(mutex, context, SIL_FOREVER);
    /* Nobody else can give up: a finite deadline, however late, is not watched. */
    while (code != 0 && holder_of(mutex) != &nobody)
        code = lock_in_line(mutex, context, SIL_FOREVER - 1);
    context->insists = insisted;
    context->shielded--;
    return code;
}

/* --- unlocking ------------------------------------------------------------------------------- */

void sil__mutex_unlock(sil_mutex *mutex)
{
    sil__hold_remove(&mutex->hold);
    set_holder(mutex, NULL);
    if (change_word(mutex, LOCKED, FREE))
        return;
    sil__biased_take(&mutex->lock);
    struct sil__place *next = sil__line_pop(&mutex->line);
    if (next)
        set_holder(mutex, next->waiter.context);
    /* I1: it is WAITED, or LOCKED under another's bias, and nobody else changes that now. Release
     * pairs with the acquire in swap_word. */
    uint32_t word = mutex->line.first ? WAITED : next ? LOCKED : FREE;
    atomic_store_explicit(&mutex->word, word, memory_order_release);
    sil__biased_drop(&mutex->lock);
    sil__place_wake(next);
}

int sil_mutex_unlock(sil_mutex *mutex)
{
    if (!mutex)
        return sil__fail(SIL_EINVAL, "sil_mutex_unlock: the mutex is NULL");
    if (!sil__mutex_held(mutex, sil__context()))
        return sil__fail(SIL_EINVAL, "sil_mutex_unlock: mutex '%s' is not held by its caller",
                         mutex->name);
    sil__mutex_unlock(mutex);
    return 0;
}
