/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel inside our loop, on its own: what remains of a deadline when nothing is in its
 * way. The one program here that looks into the library (src/loop/timers.h): a deadline that is set
 * and taken back cannot be had from outside without a wait.
 */
#include <loop/timers.h>
#include <stdlib.h>

#include "harness/adapter.h"
#include "harness/clock.h"

static struct sil__timers wheel;
static struct sil__timer *timers;

static void on_timer(struct sil__timer *timer)
{
    (void)timer;
    abort();
}

static void timers_new(long n)
{
    timers = malloc((size_t)n * sizeof *timers);
    if (timers == NULL)
        abort();
    for (long i = 0; i < n; i++)
        timers[i] = (struct sil__timer){.fire = on_timer};
    sil__timers_init(&wheel, (int64_t)clock_now_ns());
}

static uint64_t timers_set(const uint32_t *ms, long n)
{
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < n; i++)
        sil__timer_set(&wheel, &timers[i], (int64_t)begin + (int64_t)ms[i] * 1000000);
    return clock_now_ns() - begin;
}

static uint64_t timers_cancel(long n)
{
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < n; i++)
        sil__timer_cancel(&wheel, &timers[i]);
    return clock_now_ns() - begin;
}

const struct adapter bench_adapter = {
    .name = "sillon-wheel",
    .timers_new = timers_new,
    .timers_set = timers_set,
    .timers_cancel = timers_cancel,
};
