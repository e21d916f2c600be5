/* SPDX-License-Identifier: MIT */
/*
 * Scenarios of coroutines that share things of sync.h.
 */
#ifndef TESTS_UNIT_SYNC_COROUTINES_H
#define TESTS_UNIT_SYNC_COROUTINES_H

#include <sillon/sync.h>

#include "unit/coro/scenario.h"

/** Start fn with a pointer as its argument: *(type **)arg. */
static inline sil_future *go(sil_task_fn fn, void *pointer)
{
    return sil_go(fn, &pointer, sizeof pointer, 0);
}

/** Wait for its end, and release; its code. */
static inline int finish(sil_future *future)
{
    return sil_take(future, NULL, SIL_FOREVER);
}

/** All others have run until they wait. */
static inline void settle(void)
{
    give_way(3);
}

#endif
