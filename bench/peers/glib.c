/* SPDX-License-Identifier: MIT */
/*
 * GLib's GThreadPool. It has no futures; the handle here is what programs put on top of it: the
 * task with a mutex, a condition variable and a flag.
 */
#include <glib.h>

#include "harness/adapter.h"

struct closure {
    task_fn fn;
    void *arg;
    struct promise *promise; /* NULL: nobody waits */
};

struct promise {
    struct closure closure;
    GMutex lock;
    GCond changed;
    gboolean done;
};

static GThreadPool *pool;

static void promise_keep(struct promise *promise)
{
    g_mutex_lock(&promise->lock);
    promise->done = TRUE;
    g_cond_signal(&promise->changed);
    g_mutex_unlock(&promise->lock);
}

static void run(gpointer data, gpointer user)
{
    struct closure *closure = data;
    (void)user;
    closure->fn(closure->arg);
    if (closure->promise != NULL)
        promise_keep(closure->promise);
    else
        g_free(closure);
}

static void start(int workers)
{
    pool = g_thread_pool_new(run, NULL, workers, TRUE, NULL);
}

static void post(task_fn fn, void *arg)
{
    struct closure *closure = g_new(struct closure, 1);
    *closure = (struct closure){fn, arg, NULL};
    g_thread_pool_push(pool, closure, NULL);
}

static void submit(void *handle, task_fn fn, void *arg)
{
    struct promise *promise = g_new(struct promise, 1);
    promise->closure = (struct closure){fn, arg, promise};
    g_mutex_init(&promise->lock);
    g_cond_init(&promise->changed);
    promise->done = FALSE;
    *(struct promise **)handle = promise;
    g_thread_pool_push(pool, &promise->closure, NULL);
}

static void get(void *handle)
{
    struct promise *promise = *(struct promise **)handle;
    g_mutex_lock(&promise->lock);
    while (!promise->done)
        g_cond_wait(&promise->changed, &promise->lock);
    g_mutex_unlock(&promise->lock);
    g_mutex_clear(&promise->lock);
    g_cond_clear(&promise->changed);
    g_free(promise);
}

const struct adapter bench_adapter = {
    .name = "glib",
    .start = start,
    .post = post,
    .handle_size = sizeof(struct promise *),
    .submit = submit,
    .get = get,
};
