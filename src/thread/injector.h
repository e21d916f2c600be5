/* SPDX-License-Identifier: MIT */
/*
 * The common queue: what has a priority or a bound, and what finds no intake (intake.h).
 *
 * One list a priority, linked through the tasks themselves, so taking a task in never needs
 * memory. Each task in it is held by one reference.
 */
#ifndef SIL__THREAD_INJECTOR_H
#define SIL__THREAD_INJECTOR_H

#include <sillon/executor.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

/* Highest first. */
enum sil__level { SIL__LEVEL_HIGH, SIL__LEVEL_NORMAL, SIL__LEVEL_LOW, SIL__LEVELS };

struct sil__injector {
    struct sil__lock lock;
    /* Guarded by lock; the sizes may be read without. */
    bool closed; /* nothing more may enter */
    struct {
        sil_future *first;
        sil_future *last;
        _Atomic size_t size;
    } level[SIL__LEVELS];
    uint64_t swept_at; /* when it was last looked through for what was cancelled (room.h) */
    uint64_t entered;
    uint64_t dropped; /* swept out: cancelled by users before anybody began them */
    /* Atomic; raised under lock: submitters who put something in and still look at the pool. */
    _Atomic uint32_t inside;
};

enum sil__inject { SIL__INJECTED, SIL__INJECT_FULL, SIL__INJECT_CLOSED };

/*
 * Append tasks (takes them if INJECTED). limit: how many may wait at most, 0 for no limit. If
 * INJECTED the caller counts as inside until it lowers that.
 */
enum sil__inject sil__injector_put(struct sil__injector *injector, sil_future *const *tasks,
                                   size_t count, size_t limit);

/* Sequentially consistent, for those about to sleep. */
static inline size_t sil__injector_size(const struct sil__injector *injector, enum sil__level level)
{
    return atomic_load_explicit(&injector->level[level].size, memory_order_seq_cst);
}

sil_future *sil__injector_take_one(struct sil__injector *injector, enum sil__level level);

/* The oldest task of a level, or NULL. */
static inline sil_future *sil__injector_take(struct sil__injector *injector, enum sil__level level)
{
    return sil__injector_size(injector, level) > 0 ? sil__injector_take_one(injector, level) : NULL;
}

/* Take all tasks, linked through sil_task_next. */
sil_future *sil__injector_drain(struct sil__injector *injector);

/* Nothing may enter from now on; what is in stays. */
void sil__injector_close(struct sil__injector *injector);

/* Of all levels. */
size_t sil__injector_total(const struct sil__injector *injector);

/* How many ever entered, and how many of those were swept out. */
void sil__injector_counts(struct sil__injector *injector, uint64_t *out_entered,
                          uint64_t *out_dropped);

#endif
