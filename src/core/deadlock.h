/* SPDX-License-Identifier: MIT */
/*
 * Deadlock detection: who waits for whom.
 *
 * A context that is about to block for ever says so first, with what it waits for, and looks
 * whether that can ever end. Following the graph: a context is blocked on futures, or on a hold (a
 * mutex); a future that runs, runs in a context; a hold is held by a context; a combined future
 * waits for its inputs. Whoever closes a cycle is the last to block, so one look at that moment is
 * enough. Not found are: a wait for one of several that becomes stuck when another of them ends
 * without ending the wait; and cycles through waits for what nobody is known to end (a shutdown, a
 * semaphore, room in a queue, a loop's own helpers).
 *
 * What can go on, and is therefore never followed: a final future, a pending task (an executor
 * will run it), a promise (somebody may keep it), a context that does not block or has a finite
 * deadline, whose wait a cancel may end, or that has been given the hold it waits for and is about to
 * notice.
 *
 * Why who holds what may be read without the hold's own lock: who is blocked stays so while the
 * graph's lock is held, and what it holds, it held when it blocked. So a holder that is blocked is
 * the true one, and any other ends the walk.
 *
 * A task that awaits another may run it on its own stack. Both are then in one context, and
 * neither can go on before the context does: the graph needs no more than that.
 *
 * One lock for the whole graph, taken only by those about to sleep.
 * Lock order: the graph's lock, then a future's lock.
 */
#ifndef SIL__CORE_DEADLOCK_H
#define SIL__CORE_DEADLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/context.h"

struct sil__hold_ops {
    const char *noun; /* what it is, for messages */
    /* End the wait of this waiter with SIL_EDEADLK. False: it has been given the hold meanwhile. The
     * graph's lock is held. */
    bool (*evict)(struct sil__hold *hold, struct sil__waiter *waiter);
    /* Its holder has ended, and can never let go. Called where the holder ran. */
    void (*abandon)(struct sil__hold *hold);
};

/* What one context at a time holds, and others wait for. Lies in what it is about. */
struct sil__hold {
    _Atomic(struct sil__context *) holder; /* or NULL; written by the hold's owner as it sees fit */
    const struct sil__hold_ops *ops;
    const char *name; /* or NULL */
    /* Holder only. */
    struct sil__hold *next;
    struct sil__hold **link;
};

/* The calling context has it now; it lets it go. */
static inline void sil__hold_add(struct sil__hold *hold, struct sil__context *context)
{
    hold->next = context->held;
    hold->link = &context->held;
    if (hold->next)
        hold->next->link = &hold->next;
    context->held = hold;
}

static inline void sil__hold_remove(struct sil__hold *hold)
{
    *hold->link = hold->next;
    if (hold->next)
        hold->next->link = hold->link;
}

/* The calling context ends: what it holds is abandoned. */
void sil__hold_abandon_all(struct sil__context *context);

/*
 * The context, which runs a task or holds something, is about to wait for these futures (borrowed
 * until leave). 0, or SIL_EDEADLK with the cycle named in the last error; then there is nothing to leave.
 */
int sil__deadlock_enter(struct sil__context *context, struct sil__waiter *waiter,
                        sil_future *const *futures, size_t count, enum sil__need need);

/* The same for a hold (borrowed until leave), which another holds. */
int sil__deadlock_enter_hold(struct sil__context *context, struct sil__waiter *waiter,
                             struct sil__hold *hold);

/*
 * The wait is over. 0, or SIL_EDEADLK with its message: it was ended, because it was part of a
 * cycle with a wait that cannot be given up (a loop waits for its helpers, whatever happens).
 */
int sil__deadlock_leave(struct sil__context *context);

/* Must the calling context, which has not left yet, give up its wait for that? */
bool sil__deadlock_condemned(const struct sil__context *context);

/* The context's memory goes away. */
void sil__deadlock_forget(struct sil__context *context);

/* Whoever looked at contexts when this was called, does no longer: their memory may be unmapped. */
void sil__deadlock_pass(void);

#endif
