/* SPDX-License-Identifier: MIT */
/*
 * Map over arrays.
 *
 * Where tasks share our memory, as many tasks as there are workers go over the arrays together,
 * each claiming a few elements at a time; nothing is copied, and the arrays are the caller's.
 * Elsewhere each element travels as a task of its own, by way of the iterator.
 */
#include <sillon/map.h>

#include <stdatomic.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/error.h"
#include "core/executor.h"
#include "core/first_error.h"
#include "core/wait.h"

/* Claims a worker makes, so that a slow element does not hold up all. */
#define CLAIMS_EACH 16
/* Tasks of one map. */
#define MAX_TASKS 64

struct map {
    /* Read-only. */
    sil_task_fn fn;
    unsigned char *args;
    unsigned char *results;
    size_t arg_size;
    size_t result_size;
    size_t count;
    size_t claim;

    _Atomic size_t next; /* elements below are claimed */
    struct sil__first_error failure;
};

static int call(const struct map *map, size_t index)
{
    return map->fn(map->arg_size ? map->args + index * map->arg_size : NULL,
                   map->result_size ? map->results + index * map->result_size : NULL);
}

static int map_task(void *arg, void *result)
{
    (void)result;
    struct map *map = *(struct map **)arg;
    size_t next = atomic_load_explicit(&map->next, memory_order_relaxed);
    while (next < map->count) {
        size_t left = map->count - next;
        size_t end = next + (left < map->claim ? left : map->claim);
        if (!atomic_compare_exchange_weak_explicit(&map->next, &next, end, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        for (size_t i = next; i < end; i++) {
            if (sil__first_error_kept(&map->failure))
                return 0;
            const sil_error *before = sil_last_error();
            int code = call(map, i);
            if (code != 0) {
                sil__first_error_keep(&map->failure, code, before);
                return 0;
            }
        }
        next = atomic_load_explicit(&map->next, memory_order_relaxed);
    }
    return 0;
}

/* The code with which the executor refused a task, if it did; its error becomes the last one. */
static int refusal(sil_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int code = sil_future_code(futures[i]);
        if (code != 0) {
            sil__context_set_error(sil__error_retain((sil_error *)sil_future_error(futures[i])));
            return code;
        }
    }
    return 0;
}

static int map_in_place(sil_executor *executor, struct map *map)
{
    sil_future *futures[MAX_TASKS];
    struct map *args[MAX_TASKS] = {NULL};
    size_t tasks = executor->workers < MAX_TASKS ? executor->workers : MAX_TASKS;
    if (tasks > map->count)
        tasks = map->count;
    if (tasks == 0)
        tasks = 1;
    map->claim = map->count / (tasks * CLAIMS_EACH) + 1;
    for (size_t i = 0; i < tasks; i++)
        args[i] = map;
    (void)sil_submit_many(executor, NULL, map_task, args, sizeof args[0], 0, tasks, futures);
    for (size_t i = 0; i < tasks; i++)
        sil__wait_out(futures[i]);
    int code = sil__first_error_raise(&map->failure);
    if (code == 0 && atomic_load_explicit(&map->next, memory_order_relaxed) < map->count)
        code = refusal(futures, tasks);
    for (size_t i = 0; i < tasks; i++)
        sil_future_release(futures[i]);
    return code;
}

static int map_by_copy(sil_executor *executor, const struct map *map)
{
    const sil_map_options options = {
        .fn = map->fn,
        .arg_size = map->arg_size,
        .result_size = map->result_size,
        .args = map->args,
        .count = map->count,
    };
    sil_map_iterator *iterator = sil_map_iterator_create(executor, &options);
    if (!iterator)
        return sil_error_code(sil_last_error());
    int code = 0;
    for (size_t i = 0; i < map->count && code == 0; i++)
        code = sil_map_next(iterator, map->result_size ? map->results + i * map->result_size : NULL,
                            SIL_FOREVER);
    sil_map_iterator_destroy(iterator);
    return code;
}

int sil_map(sil_executor *executor, sil_task_fn fn, void *args, size_t arg_size, void *results,
            size_t result_size, size_t count)
{
    size_t bytes;
    if (!executor || !fn || (count > 0 && ((!args && arg_size) || (!results && result_size))))
        return sil__fail(SIL_EINVAL, "sil_map: an argument is NULL");
    if (!sil__size_mul(count, arg_size, &bytes) || !sil__size_mul(count, result_size, &bytes))
        return sil__fail(SIL_EINVAL, "sil_map: the arrays are too large");
    if (count == 0)
        return 0;
    struct map map = {
        .fn = fn,
        .args = args,
        .results = results,
        .arg_size = arg_size,
        .result_size = result_size,
        .count = count,
    };
    return sil__executor_shares_memory(executor) ? map_in_place(executor, &map)
                                                 : map_by_copy(executor, &map);
}
