/* SPDX-License-Identifier: MIT */
/*
 * Process pools in dumps: the tasks that workers have begun, and where.
 */
#include "process/pool.h"

static void add_locked(struct sil__part *part, const struct sil__procs *pool,
                       const struct sil__staff *staff, const sil_future *task)
{
    struct sil__node node = {
        .task = task,
        .executor = &pool->base,
        .fn = task->fn,
        .name = sil__part_name(part, sil_future_name(task)),
        /* The helper may not have told yet who it is. */
        .where = staff->pid ? sil__part_text(part, "process %lld", (long long)staff->pid)
                            : sil__part_text(part, "a process"),
        .seen = SIL__SEEN_RUNNING,
    };
    sil__part_add(part, &node);
}

static bool fill(struct sil__source *source, struct sil__part *part)
{
    struct sil__procs *pool =
        (struct sil__procs *)((char *)source - offsetof(struct sil__procs, source));
    (void)sil__source_stats(source, part, &pool->base, pool->name);
    sil__lock_take(&pool->lock);
    for (unsigned i = 0; i < pool->base.workers; i++) {
        const struct sil__staff *staff = &pool->staff[i];
        for (uint32_t at = staff->oldest; staff->channel && at != staff->sent; at++) {
            const sil_future *task = staff->flights[at % SIL__RING].task;
            if (task && sil__begun_locked(staff, at))
                add_locked(part, pool, staff, task);
        }
    }
    sil__lock_drop(&pool->lock);
    return true;
}

const struct sil__source_ops sil__procs_source = {.fill = fill};
