/* SPDX-License-Identifier: MIT */
/*
 * The steps every wait for futures is made of; await.c, wait.c and as_completed.c put them
 * together.
 */
#ifndef SIL__CORE_WAIT_H
#define SIL__CORE_WAIT_H

#include "core/context.h"
#include "core/future.h"

/*
 * Sleep until the waiter is woken: register with the deadlock detector, let another worker take
 * our place, park. The futures (borrowed) are what the wait is for.
 * 0, SIL_ETIMEDOUT, or SIL_EDEADLK with its message.
 */
int sil__wait_block(struct sil__context *context, struct sil__waiter *waiter,
                    sil_future *const *futures, size_t count, enum sil__need need,
                    sil_deadline until);

/* Run what is awaited on this stack if nobody has started it. For waits for all of something. */
void sil__wait_help(struct sil__context *context, sil_future *future);

/*
 * Wait until the future is final, come what may: for whoever must not leave before. But not in the
 * child of a fork for what was left behind in the parent.
 */
void sil__wait_out(sil_future *future);

/* Must a wait for this future be refused? It was made before a fork and has not ended. */
bool sil__wait_forked(const sil_future *future);

#endif
