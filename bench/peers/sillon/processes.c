/* SPDX-License-Identifier: MIT */
/*
 * sillon's process pool, linked as a user would: public headers, the shared library.
 */
#include <string.h>
#include <unistd.h>

#include "harness/adapter.h"
#include "pool.h"

static void processes_start_limited(int workers, double seconds)
{
    pool = sil_process_pool(
        &(sil_process_pool_options){.workers = (unsigned)workers, .task_timeout = seconds});
    if (pool == NULL)
        pool_must(sil_error_code(sil_last_error()));
}

static void processes_start(int workers)
{
    processes_start_limited(workers, 0);
}

static void processes_stop(void)
{
    (void)sil_executor_close(pool);
    pool = NULL;
}

static int nothing(void *arg, void *result)
{
    (void)arg, (void)result;
    return 0;
}

/* The harness's own tasks count in memory that a worker does not share: they stand for nothing. */
static void submit(void *handle, task_fn fn, void *arg)
{
    (void)fn, (void)arg;
    *(sil_future **)handle = sil_submit(pool, nothing, NULL, 0, 0);
}

static void get(void *handle)
{
    pool_must(sil_take(*(sil_future **)handle, NULL, SIL_FOREVER));
}

static int same(void *arg, void *result)
{
    *(int *)result = *(const int *)arg;
    return 0;
}

static void map(int *args, int *results, size_t count)
{
    pool_must(sil_map(pool, same, args, sizeof *args, results, sizeof *results, count));
}

static int own_pid(void *arg, void *result)
{
    (void)arg;
    *(int *)result = getpid();
    return 0;
}

static void map_pids(int *args, int *results, size_t count)
{
    pool_must(sil_map(pool, own_pid, args, sizeof *args, results, sizeof *results, count));
}

static int copy_bytes(void *arg, void *result)
{
    size_t size;
    memcpy(&size, arg, sizeof size);
    memcpy(result, arg, size);
    return 0;
}

static void copy(const void *arg, void *result, size_t size, bool touch)
{
    sil_future *future = sil_submit(pool, touch ? copy_bytes : nothing, arg, size, size);
    pool_must(sil_take(future, result, SIL_FOREVER));
}

static void *block_new(size_t size)
{
    void *block = sil_shared_alloc(size);
    if (block == NULL)
        pool_must(sil_error_code(sil_last_error()));
    return block;
}

struct range {
    unsigned char *bytes;
    size_t size;
};

static int touch_ends(void *arg, void *result)
{
    const struct range *range = arg;
    (void)result;
    range->bytes[0]++;
    range->bytes[range->size - 1]++;
    return 0;
}

static void submit_block(void *handle, void *block, size_t size)
{
    struct range range = {block, size};
    *(sil_future **)handle = sil_submit(pool, touch_ends, &range, sizeof range, 0);
}

static int stint(void *arg, void *result)
{
    stint_do(arg, result);
    return 0;
}

static void submit_stint(void *handle, const struct stint *order)
{
    *(sil_future **)handle =
        sil_submit(pool, stint, order, sizeof *order, sizeof(struct stint_report));
}

static int get_stint(void *handle, struct stint_report *out)
{
    return sil_take(*(sil_future **)handle, out, SIL_FOREVER);
}

const struct adapter bench_adapter = {
    .name = "sillon-processes",
    .start = processes_start,
    .stop = processes_stop,
    .handle_size = sizeof(sil_future *),
    .submit = submit,
    .get = get,
    .start_limited = processes_start_limited,
    .map = map,
    .map_pids = map_pids,
    .copy = copy,
    .block_new = block_new,
    .block_free = sil_shared_free,
    .submit_block = submit_block,
    .submit_stint = submit_stint,
    .get_stint = get_stint,
};
