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

static int64_t in_nanoseconds(const struct timespec *time)
{
    return time->tv_sec * SIL__SECOND + time->tv_nsec;
}

int64_t sil__clock_now(void)
{
    int64_t fake = atomic_load_explicit(&fake_now, memory_order_relaxed);
    if (fake != 0)
        return fake;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return in_nanoseconds(&now);
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

/*
 * For deadlines that are far away: reading the clock to the nanosecond takes 25 to 50 ns, too long for
 * each of many messages that are waited for a few seconds at most. The kernel's coarse clock takes 3,
 * and is behind by up to two ticks: it is moved on once a tick, and by whole ticks only. (More if the
 * kernel itself was held up by a hypervisor.)
 */
#define COARSE_FROM (SIL__SECOND / 2)

static int64_t coarse_lag;

__attribute__((constructor)) static void prepare(void)
{
    struct timespec tick;
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0)
        coarse_lag = 2 * in_nanoseconds(&tick);
}

/* Not before the present moment, and at most two ticks after it. */
static int64_t now_or_soon(void)
{
    struct timespec now;
    if (coarse_lag == 0 || sil__clock_is_fake() || clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
        return sil__clock_now();
    return in_nanoseconds(&now) + coarse_lag;
}

sil_deadline sil_in(double seconds)
{
    /* Not SIL_NOW: as an option of a task, 0 would mean that there is no deadline at all. */
    if (!(seconds > 0))
        return 1;
    double span = seconds * (double)SIL__SECOND;
    int64_t now = span >= (double)COARSE_FROM ? now_or_soon() : sil__clock_now();
    /* The nearest double below 2^63 - now: whatever passes this test fits after the addition. */
    if (span >= (double)(SIL_FOREVER - now))
        return SIL_FOREVER;
    return now + (int64_t)span;
}

int64_t sil_clock(void)
{
    return sil__clock_now();
}
