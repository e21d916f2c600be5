/* SPDX-License-Identifier: MIT */
/*
 * libuv's thread pool: one for the process, sized by the environment. Results come back through
 * the event loop, which the submitting thread has to run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "harness/adapter.h"

struct work {
    uv_work_t request; /* first: libuv hands us this back */
    task_fn fn;
    void *arg;
    int done;
};

static void start(int workers)
{
    char size[16];
    snprintf(size, sizeof size, "%d", workers);
    setenv("UV_THREADPOOL_SIZE", size, 1);
}

static void on_work(uv_work_t *request)
{
    struct work *work = (struct work *)request;
    work->fn(work->arg);
}

static void after_post(uv_work_t *request, int status)
{
    (void)status;
    free(request);
}

static void after_submit(uv_work_t *request, int status)
{
    (void)status;
    ((struct work *)request)->done = 1;
}

static void queue(struct work *work, task_fn fn, void *arg, uv_after_work_cb after)
{
    work->fn = fn;
    work->arg = arg;
    work->done = 0;
    if (uv_queue_work(uv_default_loop(), &work->request, on_work, after) != 0)
        abort();
}

static void post(task_fn fn, void *arg)
{
    struct work *work = malloc(sizeof *work);
    if (work == NULL)
        abort();
    queue(work, fn, arg, after_post);
}

static void drain(void)
{
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static void submit(void *handle, task_fn fn, void *arg)
{
    queue(handle, fn, arg, after_submit);
}

static void get(void *handle)
{
    const struct work *work = handle;
    while (!work->done)
        uv_run(uv_default_loop(), UV_RUN_ONCE);
}

const struct adapter bench_adapter = {
    .name = "libuv",
    .start = start,
    .post = post,
    .drain = drain,
    .handle_size = sizeof(struct work),
    .submit = submit,
    .get = get,
};
