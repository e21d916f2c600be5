/* SPDX-License-Identifier: MIT */
/*
 * Futures in the order in which they end.
 *
 * Each future's listener puts its entry at the end of a queue; next takes from the front. Lock
 * order: a future's lock, then the iterator's.
 *
 * I1: an entry is in the queue, or its listener is in its future's list, or it was yielded.
 * I2: open[0 .. open_count) are the futures not yielded yet, in any order; changed only by the
 *     iterating thread, and not while it sleeps (the deadlock detector reads it then).
 */
#include <sillon/wait.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "base/lock.h"
#include "core/context.h"
#include "core/future.h"
#include "core/wait.h"

struct entry {
    struct sil__listener listener;
    sil_as_completed *iterator;
    sil_future *future; /* owned */
    size_t slot;        /* in open */
    struct entry *next; /* in the queue */
};

struct sil_as_completed {
    /* Guarded by lock. */
    struct sil__lock lock;
    struct entry *first;
    struct entry *last;
    struct sil__waiter *waiter; /* of a next that sleeps */

    /* Iterating thread only. */
    uint32_t generation; /* of the process that made it, or an older one of a future in it */
    struct entry *entries;
    size_t count;
    struct entry **open_entries;
    sil_future **open; /* I2; beside open_entries, slot by slot */
    size_t open_count;
    sil_future *yielded; /* owned; until the next call */
};

static void queue_append_locked(sil_as_completed *iterator, struct entry *entry)
{
    entry->next = NULL;
    if (iterator->last)
        iterator->last->next = entry;
    else
        iterator->first = entry;
    iterator->last = entry;
}

static struct entry *queue_take_locked(sil_as_completed *iterator)
{
    struct entry *entry = iterator->first;
    if (!entry)
        return NULL;
    iterator->first = entry->next;
    if (!iterator->first)
        iterator->last = NULL;
    return entry;
}

static void entry_notify(struct sil__listener *listener, sil_future *future)
{
    (void)future;
    struct entry *entry = (struct entry *)listener;
    sil_as_completed *iterator = entry->iterator;
    sil__lock_take(&iterator->lock);
    queue_append_locked(iterator, entry);
    struct sil__waiter *waiter = iterator->waiter;
    iterator->waiter = NULL;
    if (waiter)
        sil__waiter_wake(waiter);
    /* Whoever takes the entry takes the lock first: until the drop the iterator stays. */
    sil__lock_drop(&iterator->lock);
}

static sil_as_completed *allocate(size_t count)
{
    sil_as_completed *iterator = sil__alloc(sizeof *iterator);
    if (!iterator)
        return NULL;
    iterator->entries = sil__alloc_array(count, sizeof *iterator->entries);
    iterator->open = sil__alloc_array(count, sizeof(sil_future *));
    iterator->open_entries = sil__alloc_array(count, sizeof(struct entry *));
    if (iterator->entries && iterator->open && iterator->open_entries)
        return iterator;
    sil_as_completed_destroy(iterator);
    return NULL;
}

sil_as_completed *sil_as_completed_create(sil_future *const *futures, size_t count)
{
    bool valid = (futures || count == 0) && count <= SIL__SIZE_LIMIT / sizeof(sil_future *);
    for (size_t i = 0; valid && i < count; i++)
        valid = futures[i] != NULL;
    if (!valid) {
        sil__fail(SIL_EINVAL, "sil_as_completed_create: a future is NULL, or there are too many");
        return NULL;
    }
    sil_as_completed *iterator = allocate(count);
    if (!iterator) {
        sil__fail(SIL_ENOMEM, "no memory to iterate over %zu futures", count);
        return NULL;
    }
    iterator->generation = sil__fork_generation();
    iterator->count = iterator->open_count = count;
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &iterator->entries[i];
        *entry = (struct entry){.listener.notify = entry_notify,
                                .iterator = iterator,
                                .future = sil_future_retain(futures[i]),
                                .slot = i};
        iterator->open[i] = futures[i];
        if (sil__wait_forked(futures[i]))
            iterator->generation = futures[i]->generation;
        iterator->open_entries[i] = entry;
        if (!sil__state_listen(futures[i], &entry->listener)) {
            sil__lock_take(&iterator->lock);
            queue_append_locked(iterator, entry);
            sil__lock_drop(&iterator->lock);
        }
    }
    return iterator;
}

/* The entry leaves open: the last one takes its slot. */
static void close_slot(sil_as_completed *iterator, const struct entry *entry)
{
    size_t last = --iterator->open_count;
    struct entry *moved = iterator->open_entries[last];
    iterator->open_entries[entry->slot] = moved;
    iterator->open[entry->slot] = iterator->open[last];
    moved->slot = entry->slot;
}

static int sleep_until_one_ends(sil_as_completed *iterator, struct entry **out_entry,
                                sil_deadline until)
{
    struct sil__context *context = sil__context();
    struct sil__waiter waiter;
    sil__waiter_init(&waiter, context);
    sil__lock_take(&iterator->lock);
    *out_entry = queue_take_locked(iterator);
    if (!*out_entry && until > SIL_NOW)
        iterator->waiter = &waiter;
    sil__lock_drop(&iterator->lock);
    if (*out_entry)
        return 0;
    int code = SIL_ETIMEDOUT;
    if (until > SIL_NOW)
        code = sil__wait_block(context, &waiter, iterator->open, iterator->open_count,
                               SIL__NEED_ONE, until);
    sil__lock_take(&iterator->lock);
    bool woken = !iterator->waiter;
    iterator->waiter = NULL;
    *out_entry = queue_take_locked(iterator);
    sil__lock_drop(&iterator->lock);
    if (woken && until > SIL_NOW)
        sil__waiter_settle(&waiter);
    return *out_entry ? 0 : code;
}

int sil_as_completed_next(sil_as_completed *iterator, sil_future **out_future, sil_deadline until)
{
    if (!iterator || !out_future)
        return sil__fail(SIL_EINVAL, "sil_as_completed_next: an argument is NULL");
    sil_future_release(iterator->yielded);
    iterator->yielded = NULL;
    if (iterator->open_count == 0)
        return SIL_EEND;
    struct entry *entry = NULL;
    bool forked = iterator->generation != sil__fork_generation();
    until = sil__context_until(sil__context(), until);
    int code = sleep_until_one_ends(iterator, &entry, forked ? SIL_NOW : until);
    if (code == SIL_ETIMEDOUT && forked)
        return sil__fail(SIL_EFORKED, "the futures left were made before a fork");
    if (code == SIL_ETIMEDOUT)
        sil__fail(code, "the deadline came before another future ended");
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(sil__context(), "sil_as_completed_next");
    if (code != 0)
        return code;
    close_slot(iterator, entry);
    iterator->yielded = entry->future;
    entry->future = NULL;
    *out_future = iterator->yielded;
    return 0;
}

size_t sil_as_completed_left(const sil_as_completed *iterator)
{
    return iterator ? iterator->open_count : 0;
}

void sil_as_completed_destroy(sil_as_completed *iterator)
{
    if (!iterator)
        return;
    for (size_t i = 0; iterator->entries && i < iterator->count; i++) {
        struct entry *entry = &iterator->entries[i];
        if (!entry->future)
            continue;
        (void)sil__state_unlisten(entry->future, &entry->listener);
        sil_future_release(entry->future);
    }
    sil_future_release(iterator->yielded);
    sil__free(iterator->entries);
    sil__free(iterator->open_entries);
    sil__free(iterator->open);
    sil__free(iterator);
}
