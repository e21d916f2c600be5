/* SPDX-License-Identifier: MIT */
/*
 * The steps every wait for futures is made of; await.c, wait.c and as_completed.c put them
 * together.
 */
#ifndef SIL__CORE_WAIT_H
#define SIL__CORE_WAIT_H

#include "core/context.h"
#include "core/deadlock.h"
#include "core/future.h"

/*
 * Sleep until the waiter is woken: register with the deadlock detector, let another worker take
 * our place, park. The futures (borrowed) are what the wait is for.
 * 0, SIL_ETIMEDOUT, SIL_ECANCELLED (to be delivered), or SIL_EDEADLK with its message.
 */
int sil__wait_block(struct sil__context *context, struct sil__waiter *waiter,
                    sil_future *const *futures, size_t count, enum sil__need need,
                    sil_deadline until);

/*
 * The same for what is no future. hold: whose holder must let go (borrowed; deadlock.h); NULL: nobody
 * is known who will end the wait.
 */
int sil__wait_hold(struct sil__context *context, struct sil__waiter *waiter, struct sil__hold *hold,
                   sil_deadline until);

/* Without a hold, where the context may have no stand-in to be found. */
static inline int sil__wait_plain(struct sil__context *context, struct sil__waiter *waiter,
                                  sil_deadline until)
{
    if (context->ops->block || context->deferred)
        return sil__wait_hold(context, waiter, NULL, until);
    return context->ops->wait(context, waiter, until);
}

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
