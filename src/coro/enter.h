/* SPDX-License-Identifier: MIT */
/*
 * The first step of what may wait and belongs to a loop.
 */
#ifndef SIL__CORO_ENTER_H
#define SIL__CORO_ENTER_H

#include <sillon/loop.h>
#include <sillon/status.h>

#include "core/context.h"

/* 0: a coroutine of this loop calls, with no cancel due. Else a code with the last error set. */
static inline int sil__enter(const sil_executor *loop, const char *what)
{
    if (!loop || sil_loop_current() != loop)
        return sil__fail(SIL_ENOTASK, "%s: only coroutines of its loop may call this", what);
    struct sil__context *context = sil__context();
    return sil__context_cancel_due(context) ? sil__context_deliver_cancel(context, what) : 0;
}

#endif
