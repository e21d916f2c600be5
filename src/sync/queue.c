/* SPDX-License-Identifier: MIT */
/*
 * The queue: a store (store.h), a line of those who wait to get, one of those who wait to put, and one
 * of those who wait until all is done.
 *
 * I1: while somebody waits to get, the store is empty, and what is put goes straight to the first of
 *     them, without a detour by the store.
 * I2: while somebody waits to put, the store is full, and who gets puts in the item of the first of
 *     them; the store has room for it already.
 * I3: unfinished counts what was put and not yet reported by task_done; while it is 0, nobody waits
 *     in joiners.
 */
#include <sillon/sync.h>

#include <sillon/status.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "sync/line.h"
#include "sync/store.h"

struct sil_queue {
    struct sil__biased lock;
    /* Guarded by lock. */
    bool closed;
    struct sil__line getters; /* item: where to copy it */
    struct sil__line putters; /* item: what to copy */
    struct sil__store store;
    size_t unfinished;
    struct sil__line joiners;
    /* Read-only. */
    size_t max_items; /* SIZE_MAX: no limit */
    char name[];
};

static const struct sil__purpose getting = {.text = "get of queue", .look = sil__line_look};
static const struct sil__purpose putting = {.text = "put to queue", .look = sil__line_look};
static const struct sil__purpose joining = {.text = "join of queue", .look = sil__line_look};

sil_queue *sil_queue_create(const sil_queue_options *options)
{
    if (!options || options->item_size == 0 || options->order > SIL_QUEUE_PRIORITY ||
        (options->order == SIL_QUEUE_PRIORITY && !options->compare)) {
        sil__fail(SIL_EINVAL, "sil_queue_create: options, an item_size, a known order, and for a "
                              "priority a compare are needed");
        return NULL;
    }
    sil_queue *queue = sil__alloc(sizeof *queue + sil__name_size(options->name));
    if (!queue) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    if (!sil__store_init(&queue->store, options)) {
        sil__fail(SIL_EINVAL, "sil_queue_create: items of %zu bytes", options->item_size);
        sil__free(queue);
        return NULL;
    }
    sil__biased_init(&queue->lock);
    sil__name_copy(queue->name, options->name);
    queue->max_items = options->max_items ? options->max_items : SIZE_MAX;
    return queue;
}

/* --- put ------------------------------------------------------------------------------------- */

static int closed(const sil_queue *queue)
{
    return sil__fail(SIL_ECLOSED, "sil_queue_put: queue '%s' was closed", queue->name);
}

/* The store is full. The lock is held, and dropped. */
static int put_wait_locked(sil_queue *queue, struct sil__context *context, const void *item,
                           sil_deadline until)
{
    if (until <= SIL_NOW) {
        sil__biased_drop(&queue->lock);
        return sil__line_miss(SIL_EFULL);
    }
    struct sil__place place;
    sil__place_init(&place, context, &putting, queue->name, (void *)item);
    int code = sil__line_wait(&queue->putters, &queue->lock, &place, NULL,
                              sil__context_until(context, until));
    if (code == 0)
        return place.code == 0 ? 0 : closed(queue);
    sil__biased_drop(&queue->lock);
    return sil__line_fail(context, code, "sil_queue_put", "queue", queue->name);
}

/* Nobody waits to get. The lock is held, and dropped. */
static int put_locked(sil_queue *queue, struct sil__context *context, const void *item,
                      sil_deadline until)
{
    if (sil__store_count(&queue->store) >= queue->max_items)
        return put_wait_locked(queue, context, item, until);
    bool stored = sil__store_put(&queue->store, item);
    queue->unfinished += stored;
    sil__biased_drop(&queue->lock);
    if (!stored)
        return sil__fail(SIL_ENOMEM, NULL);
    sil__line_pace(context, until);
    return 0;
}

int sil_queue_put(sil_queue *queue, const void *item, sil_deadline until)
{
    if (!queue || !item)
        return sil__fail(SIL_EINVAL, "sil_queue_put: an argument is NULL");
    struct sil__context *context = sil__context();
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_queue_put");
    sil__biased_take(&queue->lock);
    if (queue->closed) {
        sil__biased_drop(&queue->lock);
        return closed(queue);
    }
    struct sil__place *getter = sil__line_pop(&queue->getters);
    if (!getter)
        return put_locked(queue, context, item, until);
    queue->unfinished++;
    size_t size = queue->store.item_size;
    sil__biased_drop(&queue->lock);
    sil__item_copy(getter->item, item, size);
    sil__place_wake(getter);
    sil__line_pace(context, until);
    return 0;
}

/* --- get ------------------------------------------------------------------------------------- */

static int ended(const sil_queue *queue)
{
    return sil__fail(SIL_EEND, "sil_queue_get: queue '%s' was closed, and is empty", queue->name);
}

/* The store is empty. The lock is held, and dropped. */
static int get_wait_locked(sil_queue *queue, struct sil__context *context, void *out_item,
                           sil_deadline until)
{
    if (queue->closed || until <= SIL_NOW) {
        int code = queue->closed ? SIL_EEND : SIL_ETIMEDOUT;
        sil__biased_drop(&queue->lock);
        return code == SIL_EEND ? ended(queue) : sil__line_miss(code);
    }
    struct sil__place place;
    sil__place_init(&place, context, &getting, queue->name, out_item);
    int code = sil__line_wait(&queue->getters, &queue->lock, &place, NULL,
                              sil__context_until(context, until));
    if (code == 0)
        return place.code == 0 ? 0 : ended(queue);
    sil__biased_drop(&queue->lock);
    return sil__line_fail(context, code, "sil_queue_get", "queue", queue->name);
}

int sil_queue_get(sil_queue *queue, void *out_item, sil_deadline until)
{
    if (!queue || !out_item)
        return sil__fail(SIL_EINVAL, "sil_queue_get: an argument is NULL");
    struct sil__context *context = sil__context();
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_queue_get");
    sil__biased_take(&queue->lock);
    if (sil__store_count(&queue->store) == 0)
        return get_wait_locked(queue, context, out_item, until);
    sil__store_get(&queue->store, out_item);
    struct sil__place *putter = sil__line_pop(&queue->putters);
    if (putter) {
        bool stored = sil__store_put(&queue->store, putter->item);
        SIL_ASSERT(stored);
        (void)stored;
        queue->unfinished++;
    }
    sil__biased_drop(&queue->lock);
    sil__place_wake(putter);
    sil__line_pace(context, until);
    return 0;
}

/* --- the rest -------------------------------------------------------------------------------- */

int sil_queue_task_done(sil_queue *queue)
{
    if (!queue)
        return sil__fail(SIL_EINVAL, "sil_queue_task_done: the queue is NULL");
    struct sil__place *list = NULL;
    sil__biased_take(&queue->lock);
    bool allowed = queue->unfinished > 0;
    if (allowed && --queue->unfinished == 0)
        list = sil__line_take(&queue->joiners, SIZE_MAX, 0);
    sil__biased_drop(&queue->lock);
    sil__places_wake(list);
    if (!allowed)
        return sil__fail(SIL_EINVAL, "sil_queue_task_done: queue '%s' has no unfinished items",
                         queue->name);
    return 0;
}

int sil_queue_join(sil_queue *queue, sil_deadline until)
{
    if (!queue)
        return sil__fail(SIL_EINVAL, "sil_queue_join: the queue is NULL");
    struct sil__context *context = sil__context();
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_queue_join");
    sil__biased_take(&queue->lock);
    bool finished = queue->unfinished == 0;
    if (finished || until <= SIL_NOW) {
        sil__biased_drop(&queue->lock);
        if (!finished)
            return sil__line_miss(SIL_ETIMEDOUT);
        sil__line_pace(context, until);
        return 0;
    }
    struct sil__place place;
    sil__place_init(&place, context, &joining, queue->name, NULL);
    int code = sil__line_wait(&queue->joiners, &queue->lock, &place, NULL,
                              sil__context_until(context, until));
    if (code == 0)
        return 0;
    sil__biased_drop(&queue->lock);
    return sil__line_fail(context, code, "sil_queue_join", "queue", queue->name);
}

int sil_queue_close(sil_queue *queue)
{
    if (!queue)
        return sil__fail(SIL_EINVAL, "sil_queue_close: the queue is NULL");
    sil__biased_take(&queue->lock);
    bool again = queue->closed;
    queue->closed = true;
    struct sil__place *getters = sil__line_take(&queue->getters, SIZE_MAX, SIL_EEND);
    struct sil__place *putters = sil__line_take(&queue->putters, SIZE_MAX, SIL_ECLOSED);
    sil__biased_drop(&queue->lock);
    sil__places_wake(getters);
    sil__places_wake(putters);
    return again ? sil__fail(SIL_EALREADY, "sil_queue_close: queue '%s' is closed", queue->name)
                 : 0;
}

size_t sil_queue_size(const sil_queue *queue)
{
    return queue ? sil__store_count(&queue->store) : 0;
}

void sil_queue_destroy(sil_queue *queue)
{
    if (!queue)
        return;
    SIL_ASSERT(!queue->getters.first && !queue->putters.first && !queue->joiners.first);
    sil__object_ends();
    sil__store_fini(&queue->store);
    sil__free(queue);
}
