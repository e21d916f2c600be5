/* SPDX-License-Identifier: MIT */
/*
 * Who awaits whom: nodes found by the addresses they are known by.
 *
 * An address may have been used again between two parts; then a line stands in the wrong place.
 */
#include "base/alloc.h"
#include "core/dump.h"

static size_t slot_of(const struct sil__map *map, const void *key)
{
    /* Fibonacci hashing, D. E. Knuth, The Art of Computer Programming 3, 6.4. */
    return (size_t)(((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & map->mask;
}

static const void *key_of(const struct sil__map *map, const struct sil__links *links,
                          const struct sil__node *node)
{
    return map == &links->tasks ? node->task : node->context;
}

static bool init(struct sil__map *map, size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    map->mask = size - 1;
    map->slots = sil__alloc_array(size, sizeof(struct sil__node *));
    return map->slots != NULL;
}

/* The first of those with one key stays. */
static void insert(struct sil__links *links, struct sil__map *map, struct sil__node *node)
{
    const void *key = key_of(map, links, node);
    if (!key)
        return;
    size_t slot = slot_of(map, key);
    while (map->slots[slot] && key_of(map, links, map->slots[slot]) != key)
        slot = (slot + 1) & map->mask;
    if (!map->slots[slot])
        map->slots[slot] = node;
}

static struct sil__node *find(const struct sil__links *links, const struct sil__map *map,
                              const void *key)
{
    size_t slot = slot_of(map, key);
    while (map->slots[slot] && key_of(map, links, map->slots[slot]) != key)
        slot = (slot + 1) & map->mask;
    return map->slots[slot];
}

struct sil__node *sil__links_task(const struct sil__links *links, const void *task)
{
    return find(links, &links->tasks, task);
}

struct sil__node *sil__links_context(const struct sil__links *links, const void *context)
{
    return context ? find(links, &links->contexts, context) : NULL;
}

static void insert_all(struct sil__links *links, struct sil__part *parts, bool stubs)
{
    for (struct sil__part *part = parts; part; part = part->next) {
        for (size_t i = 0; i < part->node_count; i++) {
            struct sil__node *node = &part->nodes[i];
            if (node->stub != stubs)
                continue;
            node->part = part;
            insert(links, &links->tasks, node);
            insert(links, &links->contexts, node);
        }
    }
}

static void mark_awaited(struct sil__links *links, struct sil__part *parts)
{
    for (struct sil__part *part = parts; part; part = part->next) {
        for (size_t i = 0; i < part->node_count; i++) {
            const struct sil__node *node = &part->nodes[i];
            for (uint32_t k = 0; k < node->count; k++) {
                struct sil__node *awaited = sil__links_task(links, part->ids[node->first + k]);
                if (awaited && awaited != node)
                    awaited->awaited = true;
            }
        }
    }
}

bool sil__links_init(struct sil__links *links, struct sil__part *parts)
{
    *links = (struct sil__links){.tasks = {0}};
    size_t count = 0;
    for (struct sil__part *part = parts; part; part = part->next)
        count += part->node_count;
    if (!init(&links->tasks, count) || !init(&links->contexts, count)) {
        sil__links_fini(links);
        return false;
    }
    insert_all(links, parts, false);
    insert_all(links, parts, true); /* only where nothing better is known */
    mark_awaited(links, parts);
    return true;
}

void sil__links_fini(struct sil__links *links)
{
    sil__free(links->tasks.slots);
    sil__free(links->contexts.slots);
}
