/* SPDX-License-Identifier: MIT */
/*
 * Waiting for what comes from elsewhere with a hand in bringing it in (sil_attend_ops): a thread
 * that waits for a task in another process is the one that process wakes.
 */
#ifndef SIL__CORE_ATTEND_H
#define SIL__CORE_ATTEND_H

#include <sillon/executor_impl.h>

#include "core/context.h"

/* From here to leave the executor of this future is there; NULL: it is not waited for like that. */
sil_executor *sil__attend_enter(struct sil__context *context, sil_future *future);

/* NULL allowed. */
void sil__attend_leave(sil_executor *executor);

/* A fresh waiter of a thread that entered this executor; NULL: it did not. */
void sil__attend_waiter(struct sil__waiter *waiter, sil_executor *executor);

#endif
