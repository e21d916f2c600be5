/* SPDX-License-Identifier: MIT */
/*
 * Intakes, see intake.h.
 *
 * That a thread has ended is said by a token that outlives it, for it cannot know which of its
 * pools are still there.
 */
#include "thread/intake.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/asymmetric.h"
#include "thread/pool.h"

/* Submits by the injector until a thread that got no intake asks again. */
#define PATIENCE 256
/* Looks at a busy thread before we sleep between them: it may wait for our CPU. */
#define YIELDS 1000

_Thread_local struct sil__intake_entry sil__intake_cache[SIL__INTAKE_CACHED];
_Thread_local struct sil__submitter *sil__submitter_own;
static _Thread_local bool ended; /* its end has begun: no more intakes */
static pthread_key_t at_thread_end;

static void submitter_release(struct sil__submitter *submitter)
{
    /* Acquire and release: the last one has what the others did before. */
    if (submitter && atomic_fetch_sub_explicit(&submitter->refs, 1, memory_order_acq_rel) == 1)
        sil__free(submitter);
}

static void thread_ends(void *submitter)
{
    struct sil__submitter *mine = submitter;
    ended = true;
    sil__submitter_own = NULL;
    for (int i = 0; i < SIL__INTAKE_CACHED; i++)
        sil__intake_cache[i].serial = 0;
    /* Release: who takes over our intakes has what we put in. */
    atomic_store_explicit(&mine->gone, true, memory_order_release);
    submitter_release(mine);
}

__attribute__((constructor)) static void prepare(void)
{
    (void)pthread_key_create(&at_thread_end, thread_ends);
}

/* Keys are not called for the thread that ends the program. */
__attribute__((destructor)) static void program_ends(void)
{
    if (sil__submitter_own)
        thread_ends(sil__submitter_own);
}

struct sil__submitter *sil__submitter_create(void)
{
    if (ended)
        return NULL;
    struct sil__submitter *fresh = sil__alloc_lines(sizeof *fresh);
    if (!fresh)
        return NULL;
    atomic_init(&fresh->refs, 1);
    if (pthread_setspecific(at_thread_end, fresh) != 0) {
        sil__free(fresh);
        return NULL;
    }
    return sil__submitter_own = fresh;
}

static struct sil__intake *intake_create(void)
{
    struct sil__intake *intake = sil__alloc_lines(sizeof *intake);
    if (intake && !sil__deque_init(&intake->deque)) {
        sil__free(intake);
        return NULL;
    }
    return intake;
}

/* The one it has, one whose thread has ended, or a new one. */
static struct sil__intake *find_locked(struct sil__pool *pool, struct sil__submitter *submitter)
{
    struct sil__intakes *intakes = &pool->intakes;
    unsigned count = atomic_load_explicit(&intakes->count, memory_order_relaxed);
    struct sil__intake *orphan = NULL;
    for (unsigned i = 0; i < count; i++) {
        struct sil__intake *intake = sil__intake_at(pool, i);
        if (intake->owner == submitter)
            return intake;
        /* Acquire pairs with the release of the thread's end. */
        if (atomic_load_explicit(&intake->owner->gone, memory_order_acquire))
            orphan = intake;
    }
    struct sil__intake *intake = orphan ? orphan : count < SIL__INTAKES ? intake_create() : NULL;
    if (!intake)
        return NULL;
    submitter_release(intake->owner);
    intake->owner = submitter;
    atomic_fetch_add_explicit(&submitter->refs, 1, memory_order_relaxed);
    if (!orphan) {
        atomic_store_explicit(&intakes->at[count], intake, memory_order_release);
        /* Release: who sees the count sees the intake. */
        atomic_store_explicit(&intakes->count, count + 1, memory_order_release);
    }
    return intake;
}

struct sil__intake *sil__intake_find(struct sil__pool *pool)
{
    struct sil__intake *intake = NULL;
    sil__lock_take(&pool->lock);
    /* Who closes the pool settles the intakes there are then: no more of them. */
    bool refusing = atomic_load_explicit(&pool->refusing, memory_order_relaxed);
    if (!refusing)
        intake = find_locked(pool, sil__submitter_own);
    sil__lock_drop(&pool->lock);
    if (!refusing)
        sil__intake_cache[pool->serial % SIL__INTAKE_CACHED] =
            (struct sil__intake_entry){pool->serial, intake, PATIENCE};
    return intake;
}

void sil__intakes_settle(struct sil__pool *pool)
{
    sil__barrier_heavy();
    unsigned count = atomic_load_explicit(&pool->intakes.count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__intake *intake = sil__intake_at(pool, i);
        /* Acquire: what it put in is seen. It is busy for some nanoseconds, unless preempted. */
        int looks = 0;
        while (atomic_load_explicit(&intake->owner->busy, memory_order_acquire))
            if (looks++ < YIELDS)
                (void)sched_yield();
            else
                (void)usleep(100);
    }
}

void sil__intakes_fini(struct sil__pool *pool)
{
    unsigned count = atomic_load_explicit(&pool->intakes.count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        struct sil__intake *intake = sil__intake_at(pool, i);
        sil__deque_fini(&intake->deque);
        submitter_release(intake->owner);
        sil__free(intake);
    }
}
