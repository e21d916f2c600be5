/* SPDX-License-Identifier: MIT */
/*
 * The lone thread: a queue for each priority under one mutex, and one thread that empties them.
 *
 * It proves that executor_impl.h is enough to write an engine that keeps the contract. A task that
 * awaits another one of it would wait for its own thread; for anything else it is a full engine.
 */
#include "lone_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <sillon/executor_impl.h>

enum { PRIORITIES = 3, NANOSECONDS = 1000000000 };

struct queue {
    sil_future *first;
    sil_future **end; /* where the next one is linked */
};

struct lone_thread {
    sil_executor base;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Guarded by mutex. */
    struct queue queues[PRIORITIES]; /* high first */
    uint64_t submitted;
    uint64_t done;
    bool running;
    bool closing; /* takes no more */
    bool leave;   /* the thread ends when nothing is left */
    bool orphan;  /* ... and frees the engine */
};

static void queue_clear(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void push_locked(struct lone_thread *engine, sil_future *task)
{
    struct queue *queue = &engine->queues[SIL_PRIORITY_HIGH - sil_task_priority(task)];
    *sil_task_next(task) = NULL;
    *queue->end = task;
    queue->end = sil_task_next(task);
    engine->submitted++;
}

static sil_future *pop_locked(struct lone_thread *engine)
{
    for (int i = 0; i < PRIORITIES; i++) {
        struct queue *queue = &engine->queues[i];
        sil_future *task = queue->first;
        if (task == NULL)
            continue;
        queue->first = *sil_task_next(task);
        if (queue->first == NULL)
            queue->end = &queue->first;
        return task;
    }
    return NULL;
}

static void retire(struct lone_thread *engine)
{
    (void)pthread_cond_destroy(&engine->changed);
    (void)pthread_mutex_destroy(&engine->mutex);
    sil_executor_retire(&engine->base);
}

static void *work(void *arg)
{
    struct lone_thread *engine = arg;
    (void)pthread_mutex_lock(&engine->mutex);
    for (;;) {
        sil_future *task = pop_locked(engine);
        if (task != NULL) {
            engine->running = true;
            (void)pthread_mutex_unlock(&engine->mutex);
            (void)sil_task_run(task);
            sil_future_release(task);
            (void)pthread_mutex_lock(&engine->mutex);
            engine->running = false;
            engine->done++;
            (void)pthread_cond_broadcast(&engine->changed);
        } else if (engine->leave) {
            break;
        } else {
            (void)pthread_cond_wait(&engine->changed, &engine->mutex);
        }
    }
    bool orphan = engine->orphan;
    (void)pthread_mutex_unlock(&engine->mutex);
    if (orphan)
        retire(engine);
    return NULL;
}

static void lone_submit(sil_executor *base, sil_future *const *tasks, size_t count)
{
    struct lone_thread *engine = (struct lone_thread *)base;
    (void)pthread_mutex_lock(&engine->mutex);
    bool closing = engine->closing;
    for (size_t i = 0; i < count && !closing; i++)
        push_locked(engine, tasks[i]);
    (void)pthread_cond_broadcast(&engine->changed);
    (void)pthread_mutex_unlock(&engine->mutex);
    for (size_t i = 0; i < count && closing; i++) {
        (void)sil_task_fail(tasks[i], SIL_ESHUTDOWN, "the lone thread was shut down");
        sil_future_release(tasks[i]);
    }
}

/* Callbacks of cancelled tasks run here, so the mutex is not held meanwhile. */
static void cancel_pending_locked(struct lone_thread *engine)
{
    sil_future *task;
    while ((task = pop_locked(engine)) != NULL) {
        (void)pthread_mutex_unlock(&engine->mutex);
        (void)sil_task_cancel(task);
        sil_future_release(task);
        (void)pthread_mutex_lock(&engine->mutex);
        engine->done++;
    }
    (void)pthread_cond_broadcast(&engine->changed);
}

static bool wait_locked(struct lone_thread *engine, sil_deadline until)
{
    struct timespec end = {.tv_sec = until / NANOSECONDS, .tv_nsec = until % NANOSECONDS};
    while (engine->done < engine->submitted) {
        int failed = until == SIL_FOREVER
                         ? pthread_cond_wait(&engine->changed, &engine->mutex)
                         : pthread_cond_timedwait(&engine->changed, &engine->mutex, &end);
        if (failed != 0)
            return engine->done == engine->submitted;
    }
    return true;
}

static int lone_shutdown(sil_executor *base, bool cancel_pending, sil_deadline until)
{
    struct lone_thread *engine = (struct lone_thread *)base;
    (void)pthread_mutex_lock(&engine->mutex);
    engine->closing = true;
    if (cancel_pending)
        cancel_pending_locked(engine);
    int code = 0;
    if (until > SIL_NOW && pthread_equal(pthread_self(), engine->thread))
        code = SIL_EDEADLK;
    else if (until > SIL_NOW && !wait_locked(engine, until))
        code = SIL_ETIMEDOUT;
    (void)pthread_mutex_unlock(&engine->mutex);
    return code == 0 ? 0 : sil_fail(code, "the lone thread: %s", sil_strerror(code));
}

static int lone_close(sil_executor *base)
{
    struct lone_thread *engine = (struct lone_thread *)base;
    bool inside = pthread_equal(pthread_self(), engine->thread);
    if (inside)
        sil_executor_disown(base);
    (void)pthread_mutex_lock(&engine->mutex);
    engine->closing = true;
    engine->leave = true;
    engine->orphan = inside;
    (void)pthread_cond_broadcast(&engine->changed);
    (void)pthread_mutex_unlock(&engine->mutex);
    if (inside) {
        (void)pthread_detach(engine->thread);
    } else {
        (void)pthread_join(engine->thread, NULL);
        retire(engine);
    }
    return 0;
}

static void lone_stats(sil_executor *base, sil_executor_stats *out)
{
    struct lone_thread *engine = (struct lone_thread *)base;
    (void)pthread_mutex_lock(&engine->mutex);
    out->submitted = engine->submitted;
    out->done = engine->done;
    out->running = engine->running;
    out->pending = engine->submitted - engine->done - engine->running;
    out->threads = 1;
    out->workers = 1;
    (void)pthread_mutex_unlock(&engine->mutex);
}

static const sil_executor_ops lone_ops = {
    .size = sizeof lone_ops,
    .kind = "lone thread",
    .shares_memory = true,
    .submit = lone_submit,
    .shutdown = lone_shutdown,
    .close = lone_close,
    .stats = lone_stats,
};

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

sil_executor *lone_thread_create(void)
{
    struct lone_thread *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return NULL;
    for (int i = 0; i < PRIORITIES; i++)
        queue_clear(&engine->queues[i]);
    (void)pthread_mutex_init(&engine->mutex, NULL);
    init_condition(&engine->changed);
    sil_executor_init(&engine->base, &lone_ops, 1);
    if (pthread_create(&engine->thread, NULL, work, engine) != 0) {
        free(engine);
        return NULL;
    }
    return &engine->base;
}
