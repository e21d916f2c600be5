/* SPDX-License-Identifier: MIT */
/*
 * sillon's event loop, linked as a user would. Each call runs a loop on the calling thread; its
 * main coroutine starts the others, keeps the time, and waits for all.
 */
#include <stdlib.h>

#include "harness/adapter.h"
#include "harness/clock.h"
#include "pool.h"

/* What the main coroutine is to do, and what it says. Coroutines get a pointer to it. */
struct job {
    long n;
    double seconds;
    uint64_t *times; /* count of them */
    long count;
    uint64_t ns;
    sil_queue *to;
    sil_queue *fro;
    bool stop;
    void (*waits)(void);
};

static sil_event *event;

static struct job *job_of(void *arg)
{
    return *(struct job **)arg;
}

static uint64_t run(sil_task_fn fn, struct job *job)
{
    pool_must(sil_run(fn, &job, sizeof(struct job *), NULL, 0));
    return job->ns;
}

static sil_future *go(sil_task_fn fn, struct job *job)
{
    return sil_go(fn, &job, sizeof(struct job *), 0);
}

static void take(sil_future *future)
{
    pool_must(sil_take(future, NULL, SIL_FOREVER));
}

static int give_way(void *arg, void *result)
{
    (void)result;
    for (long i = job_of(arg)->n / 2; i > 0; i--)
        pool_must(sil_yield());
    return 0;
}

static int yield_main(void *arg, void *result)
{
    struct job *job = job_of(arg);
    (void)result;
    uint64_t begin = clock_now_ns();
    sil_future *one = go(give_way, job);
    sil_future *other = go(give_way, job);
    take(one);
    take(other);
    job->ns = clock_now_ns() - begin;
    return 0;
}

static uint64_t loop_yield(long n)
{
    return run(yield_main, &(struct job){.n = n});
}

static int nothing(void *arg, void *result)
{
    (void)arg, (void)result;
    return 0;
}

static int go_main(void *arg, void *result)
{
    struct job *job = job_of(arg);
    (void)result;
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < job->n; i++)
        take(sil_go(nothing, NULL, 0, 0));
    job->ns = clock_now_ns() - begin;
    return 0;
}

static uint64_t loop_go(long n)
{
    return run(go_main, &(struct job){.n = n});
}

static sil_queue *queue_new(void)
{
    sil_queue *queue =
        sil_queue_create(&(sil_queue_options){.item_size = sizeof(long), .max_items = 1});
    if (queue == NULL)
        abort();
    return queue;
}

static long receive(sil_queue *queue, double seconds)
{
    long item;
    pool_must(sil_queue_get(queue, &item, seconds > 0 ? sil_in(seconds) : SIL_FOREVER));
    return item;
}

static int answer(void *arg, void *result)
{
    const struct job *job = job_of(arg);
    (void)result;
    for (long i = job->n / 2; i > 0; i--) {
        long item = receive(job->to, job->seconds);
        pool_must(sil_queue_put(job->fro, &item, SIL_FOREVER));
    }
    return 0;
}

static int message_main(void *arg, void *result)
{
    struct job *job = job_of(arg);
    (void)result;
    job->to = queue_new();
    job->fro = queue_new();
    uint64_t begin = clock_now_ns();
    sil_future *other = go(answer, job);
    for (long i = job->n / 2; i > 0; i--) {
        pool_must(sil_queue_put(job->to, &i, SIL_FOREVER));
        if (receive(job->fro, job->seconds) != i)
            abort();
    }
    take(other);
    job->ns = clock_now_ns() - begin;
    sil_queue_destroy(job->to);
    sil_queue_destroy(job->fro);
    return 0;
}

static uint64_t loop_message(long n, double limit)
{
    return run(message_main, &(struct job){.n = n, .seconds = limit});
}

static int sleep_once(void *arg, void *result)
{
    (void)result;
    return sil_sleep(sil_in(job_of(arg)->seconds));
}

static int asleep_main(void *arg, void *result)
{
    struct job *job = job_of(arg);
    (void)result;
    sil_future **futures = malloc((size_t)job->n * sizeof(sil_future *));
    if (futures == NULL)
        return SIL_ENOMEM;
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < job->n; i++)
        futures[i] = go(sleep_once, job);
    for (long i = 0; i < job->n; i++)
        take(futures[i]);
    job->ns = clock_now_ns() - begin;
    free(futures);
    return 0;
}

static uint64_t loop_asleep(long n, double seconds)
{
    return run(asleep_main, &(struct job){.n = n, .seconds = seconds});
}

static int give_way_until_stopped(void *arg, void *result)
{
    const struct job *job = job_of(arg);
    (void)result;
    while (!job->stop)
        pool_must(sil_yield());
    return 0;
}

static int beside_main(void *arg, void *result)
{
    struct job *job = job_of(arg);
    (void)result;
    sil_group *group = sil_group_open(NULL);
    if (group == NULL)
        return SIL_ENOMEM;
    for (long i = 0; i < job->n; i++)
        (void)sil_group_go(group, give_way_until_stopped, &job, sizeof(struct job *), 0);
    for (long i = 0; i < job->count; i++) {
        uint64_t begin = clock_now_ns();
        pool_must(sil_sleep(sil_in(job->seconds)));
        job->times[i] = clock_now_ns() - begin;
    }
    job->stop = true;
    pool_must(sil_group_wait(group, SIL_FOREVER));
    sil_group_close(group);
    return 0;
}

static void loop_beside(long others, double seconds, uint64_t *out, long count)
{
    struct job job = {.n = others, .seconds = seconds, .times = out, .count = count};
    (void)run(beside_main, &job);
}

static int offload_main(void *arg, void *result)
{
    struct job *job = job_of(arg);
    (void)result;
    for (long i = 0; i < job->count; i++) {
        uint64_t begin = clock_now_ns();
        take(sil_submit(pool, nothing, NULL, 0, 0));
        job->times[i] = clock_now_ns() - begin;
    }
    return 0;
}

static void loop_offload(uint64_t *out, long count)
{
    (void)run(offload_main, &(struct job){.times = out, .count = count});
}

static int wait_main(void *arg, void *result)
{
    (void)result;
    job_of(arg)->waits();
    return sil_event_wait(event, SIL_FOREVER);
}

static void loop_wait(void (*waits)(void))
{
    event = sil_event_create(NULL);
    if (event == NULL)
        abort();
    (void)run(wait_main, &(struct job){.waits = waits});
    sil_event_destroy(event);
}

static void loop_set(void)
{
    pool_must(sil_event_set(event));
}

const struct adapter bench_adapter = {
    .name = "sillon",
    .start = pool_start,
    .loop_yield = loop_yield,
    .loop_go = loop_go,
    .loop_message = loop_message,
    .loop_asleep = loop_asleep,
    .loop_beside = loop_beside,
    .loop_offload = loop_offload,
    .loop_wait = loop_wait,
    .loop_set = loop_set,
};
