/* SPDX-License-Identifier: MIT */
/*
 * What a queue keeps its items in: any number of them, all of one size, in one of three orders. One
 * thread at a time.
 *
 * FIFO and LIFO: a ring. PRIORITY: a binary heap, whose entries carry the number of their coming
 * behind the item, so that equal items come out in the order they went in.
 */
#ifndef SIL__SYNC_STORE_H
#define SIL__SYNC_STORE_H

#include <sillon/sync.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sil__store {
    /* Read-only after init. */
    size_t item_size;
    size_t stride;
    sil_queue_order order;
    int (*compare)(const void *a, const void *b);

    unsigned char *bytes; /* NULL until the first put */
    size_t capacity;      /* entries; a power of two, or 0 */
    size_t first;         /* of the ring */
    atomic_size_t count;  /* read by others, too */
    uint64_t comings;
};

/* The item size and the order must be valid; a priority needs a compare. False: items too large. */
bool sil__store_init(struct sil__store *store, const sil_queue_options *options);
void sil__store_fini(struct sil__store *store);

/* Room for one more; false without memory. */
bool sil__store_grow(struct sil__store *store);

/* Copy an item in; the heap's. There is room, and so below. */
void sil__store_push_heap(struct sil__store *store, const void *item);
/* Copy the least item out; there is one, and so below. */
void sil__store_pop_heap(struct sil__store *store, void *out);

static inline size_t sil__store_count(const struct sil__store *store)
{
    return atomic_load_explicit(&store->count, memory_order_relaxed);
}

/* Most items are a pointer or a few words: no call for those. */
static inline void sil__item_copy(void *to, const void *from, size_t size)
{
    switch (size) {
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    default:
        memcpy(to, from, size);
    }
}

static inline unsigned char *sil__store_entry(const struct sil__store *store, size_t index)
{
    return store->bytes + (index & (store->capacity - 1)) * store->stride;
}

/* False without memory, and nothing has changed. */
static inline bool sil__store_put(struct sil__store *store, const void *item)
{
    size_t count = sil__store_count(store);
    if (count == store->capacity && !sil__store_grow(store))
        return false;
    if (store->order == SIL_QUEUE_PRIORITY)
        sil__store_push_heap(store, item);
    else
        sil__item_copy(sil__store_entry(store, store->first + count), item, store->item_size);
    atomic_store_explicit(&store->count, count + 1, memory_order_relaxed);
    return true;
}

/* There is one. */
static inline void sil__store_get(struct sil__store *store, void *out)
{
    size_t count = sil__store_count(store) - 1;
    if (store->order == SIL_QUEUE_PRIORITY) {
        sil__store_pop_heap(store, out);
    } else {
        size_t index = store->order == SIL_QUEUE_LIFO ? store->first + count : store->first++;
        sil__item_copy(out, sil__store_entry(store, index), store->item_size);
    }
    atomic_store_explicit(&store->count, count, memory_order_relaxed);
}

#endif
