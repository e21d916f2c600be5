/* SPDX-License-Identifier: MIT */
/*
 * Fault points, see fault.h.
 *
 * I1: a site that is not armed has fail_from == 0, and no pass number is 0.
 */
#include "base/fault.h"

#include <stdatomic.h>

#ifdef SIL_FAULTS

static struct {
    /* Atomic. Tests arm while no other thread passes, so the orders need not be strong. */
    _Atomic uint64_t passes;
    _Atomic uint64_t fail_from;
    _Atomic bool and_all_later;
} sites[SIL__FAULT_SITES];

bool sil__fault(enum sil__fault_site site)
{
    uint64_t pass = atomic_fetch_add_explicit(&sites[site].passes, 1, memory_order_relaxed) + 1;
    uint64_t from = atomic_load_explicit(&sites[site].fail_from, memory_order_relaxed);
    if (from == 0 || pass < from)
        return false;
    return pass == from || atomic_load_explicit(&sites[site].and_all_later, memory_order_relaxed);
}

void sil__fault_arm(enum sil__fault_site site, uint64_t nth, bool and_all_later)
{
    uint64_t passes = atomic_load_explicit(&sites[site].passes, memory_order_relaxed);
    atomic_store_explicit(&sites[site].and_all_later, and_all_later, memory_order_relaxed);
    atomic_store_explicit(&sites[site].fail_from, passes + nth, memory_order_relaxed);
}

uint64_t sil__fault_hits(enum sil__fault_site site)
{
    return atomic_load_explicit(&sites[site].passes, memory_order_relaxed);
}

void sil__fault_reset(void)
{
    for (int i = 0; i < SIL__FAULT_SITES; i++) {
        atomic_store_explicit(&sites[i].fail_from, 0, memory_order_relaxed);
        atomic_store_explicit(&sites[i].passes, 0, memory_order_relaxed);
    }
}

#endif
