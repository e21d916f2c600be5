/* SPDX-License-Identifier: MIT */
/*
 * Deadlock detection: who waits for whom.
 *
 * A context that is about to block for ever says so first, with what it waits for, and looks
 * whether that can ever end. Following the graph: a context is blocked on futures; a future that
 * runs, runs in a context; a combined future waits for its inputs. Whoever closes a cycle is the
 * last to block, so one look at that moment is enough. Not found are: a wait for one of several
 * that becomes stuck when another of them ends without ending the wait; and cycles through waits
 * that are not for futures (a shutdown, room in a queue, a loop's own helpers).
 *
 * What can go on, and is therefore never followed: a final future, a pending task (an executor
 * will run it), a promise (somebody may keep it), a context that does not block or has a finite
 * deadline.
 *
 * A task that awaits another may run it on its own stack. Both are then in one context, and
 * neither can go on before the context does: the graph needs no more than that.
 *
 * One lock for the whole graph, taken only by those about to sleep.
 * Lock order: the graph's lock, then a future's lock.
 */
#ifndef SIL__CORE_DEADLOCK_H
#define SIL__CORE_DEADLOCK_H

#include "core/context.h"

/*
 * The context, which runs a task, is about to wait for these futures (borrowed until leave).
 * 0, or SIL_EDEADLK with the cycle named in the last error; then there is nothing to leave.
 */
int sil__deadlock_enter(struct sil__context *context, struct sil__waiter *waiter,
                        sil_future *const *futures, size_t count, enum sil__need need);

/*
 * The wait is over. 0, or SIL_EDEADLK with its message: it was ended, because it was part of a
 * cycle with a wait that cannot be given up (a loop waits for its helpers, whatever happens).
 */
int sil__deadlock_leave(struct sil__context *context);

/* The context's memory goes away. */
void sil__deadlock_forget(struct sil__context *context);

#endif
