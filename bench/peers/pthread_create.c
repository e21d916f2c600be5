/* SPDX-License-Identifier: MIT */
/*
 * No pool: a thread for each task.
 */
#include <pthread.h>
#include <stdlib.h>

#include "harness/adapter.h"

struct handle {
    pthread_t thread;
    task_fn fn;
    void *arg;
};

static void *body(void *arg)
{
    struct handle *handle = arg;
    handle->fn(handle->arg);
    return NULL;
}

static void start(int workers)
{
    (void)workers;
}

static void submit(void *memory, task_fn fn, void *arg)
{
    struct handle *handle = memory;
    handle->fn = fn;
    handle->arg = arg;
    if (pthread_create(&handle->thread, NULL, body, handle) != 0)
        abort();
}

static void get(void *memory)
{
    struct handle *handle = memory;
    pthread_join(handle->thread, NULL);
}

const struct adapter bench_adapter = {
    .name = "pthread-create",
    .start = start,
    .handle_size = sizeof(struct handle),
    .submit = submit,
    .get = get,
};
