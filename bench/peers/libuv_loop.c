/* SPDX-License-Identifier: MIT */
/*
 * libuv's loop: callbacks, no coroutines. So it answers where one callback is as good as another: a
 * pool's answer, and timers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "harness/adapter.h"
#include "harness/clock.h"

static void start(int workers)
{
    char size[16];
    snprintf(size, sizeof size, "%d", workers);
    setenv("UV_THREADPOOL_SIZE", size, 1);
}

/* Round trips that are still to be made, one after the other. */
struct trips {
    uv_work_t work; /* first: libuv hands us this back */
    uint64_t *times;
    long left;
    uint64_t begin;
};

static void on_work(uv_work_t *work)
{
    (void)work;
}

static void trip_begin(struct trips *trips);

static void trip_end(uv_work_t *work, int status)
{
    struct trips *trips = (struct trips *)work;
    (void)status;
    trips->times[--trips->left] = clock_now_ns() - trips->begin;
    if (trips->left > 0)
        trip_begin(trips);
}

static void trip_begin(struct trips *trips)
{
    trips->begin = clock_now_ns();
    if (uv_queue_work(uv_default_loop(), &trips->work, on_work, trip_end) != 0)
        abort();
}

static void loop_offload(uint64_t *out, long count)
{
    struct trips trips = {.times = out, .left = count};
    trip_begin(&trips);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static uv_timer_t *timers;

static void timers_new(long n)
{
    timers = malloc((size_t)n * sizeof *timers);
    if (timers == NULL)
        abort();
    for (long i = 0; i < n; i++)
        uv_timer_init(uv_default_loop(), &timers[i]);
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    abort();
}

static uint64_t timers_set(const uint32_t *ms, long n)
{
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < n; i++)
        uv_timer_start(&timers[i], on_timer, ms[i], 0);
    return clock_now_ns() - begin;
}

static uint64_t timers_cancel(long n)
{
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < n; i++)
        uv_timer_stop(&timers[i]);
    return clock_now_ns() - begin;
}

const struct adapter bench_adapter = {
    .name = "libuv",
    .start = start,
    .loop_offload = loop_offload,
    .timers_new = timers_new,
    .timers_set = timers_set,
    .timers_cancel = timers_cancel,
};
