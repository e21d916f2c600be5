/* SPDX-License-Identifier: MIT */
/*
 * The clock, see clock.h, and the public deadlines made from it.
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

#include <sillon/deadline.h>

/* The fake moment; 0 means the real clock runs. */
static _Atomic int64_t fake_now;

int64_t sil__clock_now(void)
{
    int64_t fake = atomic_load_explicit(&fake_now, memory_order_relaxed);
    if (fake != 0)
        return fake;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SIL__SECOND + now.tv_nsec;
}

bool sil__clock_is_fake(void)
{
    return atomic_load_explicit(&fake_now, memory_order_relaxed) != 0;
}

void sil__clock_fake_start(int64_t now)
{
    atomic_store_explicit(&fake_now, now > 0 ? now : 1, memory_order_relaxed);
}

void sil__clock_fake_advance(int64_t nanoseconds)
{
    atomic_fetch_add_explicit(&fake_now, nanoseconds, memory_order_relaxed);
}

void sil__clock_fake_stop(void)
{
    atomic_store_explicit(&fake_now, 0, memory_order_relaxed);
}

sil_deadline sil_in(double seconds)
{
    /* Not SIL_NOW: as an option of a task, 0 would mean that there is no deadline at all. */
    if (!(seconds > 0))
        return 1;
    int64_t now = sil__clock_now();
    double nanoseconds = seconds * (double)SIL__SECOND;
    /* The nearest double below 2^63 - now: whatever passes this test fits after the addition. */
    if (nanoseconds >= (double)(SIL_FOREVER - now))
        return SIL_FOREVER;
    return now + (int64_t)nanoseconds;
}

int64_t sil_clock(void)
{
    return sil__clock_now();
}
