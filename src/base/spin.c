/* SPDX-License-Identifier: MIT */
/*
 * Does spinning pay? See spin.h.
 */
#include "base/spin.h"

#include <sched.h>

bool sil__spin_pays = true;

/* Nanoseconds: a yield to nobody takes less. */
#define SIL__SPIN_YIELD 2000

bool sil__spin_on(struct sil__spin *spin)
{
    int64_t now = sil__spin_now();
    if (spin->end == 0)
        spin->end = now + SIL__SPIN_TIME;
    if (now > spin->end - SIL__SPIN_TIME + SIL__SPIN_ALONE) {
        (void)sched_yield();
        spin->shared |= sil__spin_now() - now > SIL__SPIN_YIELD;
        spin->looks = SIL__SPIN_TIGHT + SIL__SPIN_LOOKS - 1; /* come here again next time */
    }
    return now < spin->end;
}

__attribute__((constructor)) static void prepare(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        sil__spin_pays = CPU_COUNT(&set) > 1;
}
