/* SPDX-License-Identifier: MIT */
/*
 * The store of a queue, see store.h.
 *
 * Heap: entry 0 is the least; those of entry i come after it, at 2i + 1 and 2i + 2. An entry is the
 * item, padded, then its coming; the stride keeps items as aligned as malloc's memory.
 */
#include "sync/store.h"

#include "base/alloc.h"

#define FIRST_BYTES 256 /* of the first ring or heap, about */

static size_t coming_offset(const struct sil__store *store)
{
    const size_t align = _Alignof(uint64_t);
    return (store->item_size + align - 1) & ~(align - 1);
}

bool sil__store_init(struct sil__store *store, const sil_queue_options *options)
{
    if (options->item_size > SIL__SIZE_LIMIT)
        return false;
    *store = (struct sil__store){
        .item_size = options->item_size,
        .stride = options->item_size,
        .order = options->order,
        .compare = options->compare,
    };
    if (options->order == SIL_QUEUE_PRIORITY)
        store->stride = sil__size_align(coming_offset(store) + sizeof(uint64_t));
    return true;
}

void sil__store_fini(struct sil__store *store)
{
    sil__free(store->bytes);
}

bool sil__store_grow(struct sil__store *store)
{
    size_t capacity = store->capacity ? store->capacity * 2 : 4;
    while (store->capacity == 0 && capacity * store->stride < FIRST_BYTES)
        capacity *= 2;
    size_t size;
    unsigned char *bytes =
        sil__size_mul(capacity, store->stride, &size) ? sil__alloc_raw(size) : NULL;
    if (!bytes)
        return false;
    if (store->bytes) {
        /* The ring is full: from first to its end, then from its beginning. */
        size_t first = store->first & (store->capacity - 1);
        size_t upper = (store->capacity - first) * store->stride;
        memcpy(bytes, store->bytes + first * store->stride, upper);
        memcpy(bytes + upper, store->bytes, first * store->stride);
    }
    sil__free(store->bytes);
    store->bytes = bytes;
    store->capacity = capacity;
    store->first = 0;
    return true;
}

static uint64_t coming_of(const struct sil__store *store, const unsigned char *entry)
{
    uint64_t coming;
    memcpy(&coming, entry + coming_offset(store), sizeof coming);
    return coming;
}

static bool before(const struct sil__store *store, const unsigned char *a, const unsigned char *b)
{
    int order = store->compare(a, b);
    return order < 0 || (order == 0 && coming_of(store, a) < coming_of(store, b));
}

void sil__store_push_heap(struct sil__store *store, const void *item)
{
    size_t hole = sil__store_count(store);
    while (hole > 0) {
        unsigned char *parent = sil__store_entry(store, (hole - 1) / 2);
        /* An equal one came earlier, and stays before it. */
        if (store->compare(item, parent) >= 0)
            break;
        memcpy(sil__store_entry(store, hole), parent, store->stride);
        hole = (hole - 1) / 2;
    }
    unsigned char *entry = sil__store_entry(store, hole);
    uint64_t coming = store->comings++;
    memcpy(entry, item, store->item_size);
    memcpy(entry + coming_offset(store), &coming, sizeof coming);
}

void sil__store_pop_heap(struct sil__store *store, void *out)
{
    size_t count = sil__store_count(store) - 1;
    const unsigned char *last = sil__store_entry(store, count);
    memcpy(out, sil__store_entry(store, 0), store->item_size);
    size_t hole = 0;
    for (size_t child; (child = 2 * hole + 1) < count; hole = child) {
        if (child + 1 < count &&
            before(store, sil__store_entry(store, child + 1), sil__store_entry(store, child)))
            child++;
        if (!before(store, sil__store_entry(store, child), last))
            break;
        memcpy(sil__store_entry(store, hole), sil__store_entry(store, child), store->stride);
    }
    if (hole != count)
        memcpy(sil__store_entry(store, hole), last, store->stride);
}
