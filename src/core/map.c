/* SPDX-License-Identifier: MIT */
/*
 * Map over arrays.
 *
 * Where tasks share our memory, as many tasks as there are workers go over the arrays together,
 * each claiming a few elements at a time; nothing is copied, and the arrays are the caller's.
 * Elsewhere they travel in chunks, each a task with a copy of its elements.
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
/* Elsewhere: tasks under way, and what one carries of arguments or results. */
#define WINDOW 256
#define CHUNK_BYTES ((size_t)256 * 1024)

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

/* --- elsewhere ----------------------------------------------------------------------------- */

/* Elements [next, end) as one task, which gets a copy of their arguments. */
static sil_future *submit_items(sil_executor *executor, const struct map *map, size_t next,
                                size_t items)
{
    bool several = sil__executor_takes_items(executor);
    return sil__submit(&(struct sil__task_spec){
        .kind = several ? &sil__items_kind : NULL,
        .executor = executor,
        .fn = map->fn,
        .arg = map->args + next * map->arg_size,
        .arg_size = items * map->arg_size,
        .result_size = items * map->result_size,
        .items = several ? items : 0,
    });
}

struct window {
    sil_future *futures[WINDOW]; /* a ring */
    size_t submitted;
    size_t taken;
};

/* Its results, in order; a code is the map's end. */
static int take_oldest(struct window *window, const struct map *map)
{
    size_t at = window->taken * map->claim;
    sil_future *future = window->futures[window->taken++ % WINDOW];
    return sil_take(future, map->results + at * map->result_size, SIL_FOREVER);
}

static void give_up(struct window *window)
{
    for (size_t i = window->taken; i < window->submitted; i++)
        (void)sil_future_cancel(window->futures[i % WINDOW]);
    const sil_error *error = sil__error_retain((sil_error *)sil_last_error());
    for (size_t i = window->taken; i < window->submitted; i++) {
        sil__wait_out(window->futures[i % WINDOW]);
        sil_future_release(window->futures[i % WINDOW]);
    }
    sil__context_set_error((sil_error *)error);
}

static int map_by_copy(sil_executor *executor, struct map *map)
{
    size_t widest = map->arg_size > map->result_size ? map->arg_size : map->result_size;
    size_t most = widest < CHUNK_BYTES ? CHUNK_BYTES / (widest ? widest : 1) : 1;
    map->claim = map->count / ((size_t)executor->workers * CLAIMS_EACH) + 1;
    if (map->claim > most)
        map->claim = most;
    if (!sil__executor_takes_items(executor))
        map->claim = 1;
    size_t chunks = (map->count + map->claim - 1) / map->claim;
    size_t under_way = (size_t)executor->workers * 4;
    if (under_way > WINDOW)
        under_way = WINDOW;

    struct window window = {.submitted = 0};
    int code = 0;
    while (window.taken < chunks && code == 0) {
        while (window.submitted < chunks && window.submitted - window.taken < under_way) {
            size_t next = window.submitted * map->claim;
            size_t left = map->count - next;
            sil_future *future =
                submit_items(executor, map, next, left < map->claim ? left : map->claim);
            window.futures[window.submitted++ % WINDOW] = future;
        }
        code = take_oldest(&window, map);
    }
    if (code != 0)
        give_up(&window);
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
