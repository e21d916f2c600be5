/* SPDX-License-Identifier: MIT */
/*
 * Counted work, see work.h.
 */
#include "base/work.h"

#include <stdatomic.h>

#ifdef SIL_FAULTS

static _Atomic uint64_t work_count;
static _Atomic uint64_t wakeup_count;

void sil__work(void)
{
    atomic_fetch_add_explicit(&work_count, 1, memory_order_relaxed);
}

void sil__work_wakeup(void)
{
    atomic_fetch_add_explicit(&wakeup_count, 1, memory_order_relaxed);
}

uint64_t sil__work_count(void)
{
    return atomic_load_explicit(&work_count, memory_order_relaxed);
}

uint64_t sil__work_wakeups(void)
{
    return atomic_load_explicit(&wakeup_count, memory_order_relaxed);
}

#endif
