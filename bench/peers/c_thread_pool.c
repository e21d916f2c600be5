/* SPDX-License-Identifier: MIT */
/*
 * C-Thread-Pool by J. H. Seferidis, as Debian ships it: source to compile in (cthreadpool-dev).
 */
#include <cthreadpool/thpool.h>

#include "harness/adapter.h"

static threadpool pool;

static void start(int workers)
{
    pool = thpool_init(workers);
}

static void post(task_fn fn, void *arg)
{
    thpool_add_work(pool, fn, arg);
}

const struct adapter bench_adapter = {
    .name = "c-thread-pool",
    .start = start,
    .post = post,
};
