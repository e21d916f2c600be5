/* SPDX-License-Identifier: MIT */
/*
 * The common queue, see injector.h.
 */
#include "thread/injector.h"

#include "core/future.h"
#include "core/room.h"

static enum sil__level level_of(const sil_future *task)
{
    return task->priority > 0   ? SIL__LEVEL_HIGH
           : task->priority < 0 ? SIL__LEVEL_LOW
                                : SIL__LEVEL_NORMAL;
}

static void set_size_locked(struct sil__injector *injector, enum sil__level level, size_t size)
{
    /* Sequentially consistent: see sil__deque_push. */
    atomic_store_explicit(&injector->level[level].size, size, memory_order_seq_cst);
}

static size_t size_locked(const struct sil__injector *injector, enum sil__level level)
{
    return atomic_load_explicit(&injector->level[level].size, memory_order_relaxed);
}

static size_t total_locked(const struct sil__injector *injector)
{
    size_t total = 0;
    for (int level = 0; level < SIL__LEVELS; level++)
        total += size_locked(injector, (enum sil__level)level);
    return total;
}

static void append_locked(struct sil__injector *injector, sil_future *task)
{
    enum sil__level level = level_of(task);
    task->next = NULL;
    if (injector->level[level].last)
        injector->level[level].last->next = task;
    else
        injector->level[level].first = task;
    injector->level[level].last = task;
}

/* Take out what is not pending any more, cancelled or run by an awaiter; returned as a list. */
static sil_future *sweep_locked(struct sil__injector *injector)
{
    sil_future *swept = NULL;
    uint64_t now = sil__room_holes();
    if (now == injector->swept_at)
        return NULL;
    injector->swept_at = now;
    for (int level = 0; level < SIL__LEVELS; level++) {
        sil_future *task = injector->level[level].first;
        size_t size = 0;
        injector->level[level].first = injector->level[level].last = NULL;
        while (task) {
            sil_future *next = task->next;
            if (sil__future_phase(task) != SIL_PENDING) {
                task->next = swept;
                swept = task;
                injector->dropped += sil__future_never_ran(task);
            } else {
                append_locked(injector, task);
                size++;
            }
            task = next;
        }
        set_size_locked(injector, (enum sil__level)level, size);
    }
    return swept;
}

enum sil__inject sil__injector_put(struct sil__injector *injector, sil_future *const *tasks,
                                   size_t count, size_t limit)
{
    enum sil__inject outcome = SIL__INJECTED;
    sil_future *swept = NULL;
    sil__lock_take(&injector->lock);
    if (limit > 0 && total_locked(injector) + count > limit)
        swept = sweep_locked(injector);
    if (injector->closed) {
        outcome = SIL__INJECT_CLOSED;
    } else if (limit > 0 && total_locked(injector) + count > limit) {
        outcome = SIL__INJECT_FULL;
    } else {
        size_t added[SIL__LEVELS] = {0};
        for (size_t i = 0; i < count; i++) {
            added[level_of(tasks[i])]++;
            append_locked(injector, tasks[i]);
        }
        for (int level = 0; level < SIL__LEVELS; level++)
            if (added[level])
                set_size_locked(injector, (enum sil__level)level,
                                size_locked(injector, (enum sil__level)level) + added[level]);
        injector->entered += count;
        atomic_fetch_add_explicit(&injector->inside, 1, memory_order_seq_cst);
    }
    sil__lock_drop(&injector->lock);
    while (swept) {
        sil_future *next = swept->next;
        sil_future_release(swept);
        swept = next;
    }
    return outcome;
}

sil_future *sil__injector_take_one(struct sil__injector *injector, enum sil__level level)
{
    sil__lock_take(&injector->lock);
    sil_future *task = injector->level[level].first;
    if (task) {
        injector->level[level].first = task->next;
        if (!task->next)
            injector->level[level].last = NULL;
        set_size_locked(injector, level, size_locked(injector, level) - 1);
    }
    sil__lock_drop(&injector->lock);
    return task;
}

sil_future *sil__injector_drain(struct sil__injector *injector)
{
    sil_future *first = NULL;
    sil_future **end = &first;
    sil__lock_take(&injector->lock);
    for (int level = 0; level < SIL__LEVELS; level++) {
        if (!injector->level[level].first)
            continue;
        *end = injector->level[level].first;
        end = &injector->level[level].last->next;
        injector->level[level].first = injector->level[level].last = NULL;
        set_size_locked(injector, (enum sil__level)level, 0);
    }
    sil__lock_drop(&injector->lock);
    return first;
}

void sil__injector_close(struct sil__injector *injector)
{
    sil__lock_take(&injector->lock);
    injector->closed = true;
    sil__lock_drop(&injector->lock);
}

size_t sil__injector_total(const struct sil__injector *injector)
{
    size_t total = 0;
    for (int level = 0; level < SIL__LEVELS; level++)
        total += sil__injector_size(injector, (enum sil__level)level);
    return total;
}

void sil__injector_counts(struct sil__injector *injector, uint64_t *out_entered,
                          uint64_t *out_dropped)
{
    sil__lock_take(&injector->lock);
    *out_entered = injector->entered;
    *out_dropped = injector->dropped;
    sil__lock_drop(&injector->lock);
}
