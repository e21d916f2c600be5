/* SPDX-License-Identifier: MIT */
/*
 * Counted work: lets tests prove that a cost is linear without a clock.
 *
 * In the builds that carry fault points, the places whose number matters count themselves here;
 * in release builds the calls vanish.
 */
#ifndef SIL__BASE_WORK_H
#define SIL__BASE_WORK_H

#include <stdint.h>

#ifdef SIL_FAULTS

void sil__work(void);        /* one listener added, removed, or told */
void sil__work_wakeup(void); /* one waiter woken */

uint64_t sil__work_count(void);
uint64_t sil__work_wakeups(void);

#else

static inline void sil__work(void)
{
}
static inline void sil__work_wakeup(void)
{
}

#endif

#endif
