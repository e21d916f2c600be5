/* SPDX-License-Identifier: MIT */
/*
 * The semaphore of shared.h: a count, and an event for those who wait for it to be more than 0.
 */
#include <sillon/shared.h>

#include <limits.h>
#include <stdatomic.h>

#include <sillon/status.h>

#include "core/context.h"
#include "core/error.h"
#include "process/shared_event.h"

#define MOST ((unsigned)INT_MAX)

struct sil_shared_semaphore {
    _Atomic uint32_t count;
    struct sil__event more;
};

sil_shared_semaphore *sil_shared_semaphore_create(unsigned count)
{
    if (count > MOST) {
        sil__fail(SIL_EINVAL, "sil_shared_semaphore_create: a count of %u is too large", count);
        return NULL;
    }
    sil_shared_semaphore *semaphore = sil_shared_alloc(sizeof *semaphore);
    if (!semaphore)
        return NULL;
    atomic_init(&semaphore->count, count);
    atomic_init(&semaphore->more.word, 0);
    return semaphore;
}

static int take_one(void *arg)
{
    sil_shared_semaphore *semaphore = arg;
    /* seq_cst: see sil__event_wake. A success acquires what the releaser did before. */
    uint32_t count = atomic_load_explicit(&semaphore->count, memory_order_seq_cst);
    while (count > 0)
        if (atomic_compare_exchange_weak_explicit(&semaphore->count, &count, count - 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return 0;
    return SIL_EAGAIN;
}

int sil_shared_semaphore_acquire(sil_shared_semaphore *semaphore, sil_deadline until)
{
    if (!semaphore)
        return sil__fail(SIL_EINVAL, "sil_shared_semaphore_acquire: the semaphore is NULL");
    int code = sil__event_await(&semaphore->more, take_one, semaphore, until);
    if (code != 0)
        sil__context_set_error(sil__error_fixed(code));
    return code;
}

int sil_shared_semaphore_release(sil_shared_semaphore *semaphore, unsigned count)
{
    if (!semaphore)
        return sil__fail(SIL_EINVAL, "sil_shared_semaphore_release: the semaphore is NULL");
    uint32_t before = atomic_load_explicit(&semaphore->count, memory_order_relaxed);
    do {
        if (count > MOST - before)
            return sil__fail(SIL_EINVAL, "sil_shared_semaphore_release: %u and %u are too many",
                             (unsigned)before, count);
        /* Also a release, for the acquire in take_one. */
    } while (!atomic_compare_exchange_weak_explicit(&semaphore->count, &before, before + count,
                                                    memory_order_seq_cst, memory_order_relaxed));
    sil__event_wake(&semaphore->more, count);
    return 0;
}

unsigned sil_shared_semaphore_value(const sil_shared_semaphore *semaphore)
{
    return semaphore ? atomic_load_explicit(&semaphore->count, memory_order_acquire) : 0;
}

void sil_shared_semaphore_destroy(sil_shared_semaphore *semaphore)
{
    sil_shared_free(semaphore);
}
