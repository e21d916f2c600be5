/* SPDX-License-Identifier: MIT */
/*
 * The threads, for dumps: all that have a context.
 *
 * I1: threads enlist without a lock, since that happens at first use, whatever is locked then; they
 *     leave with the registry locked (dump.h). So whoever has that sees all that were there before, and
 *     they stay.
 */
#ifndef SIL__CORE_DUMP_THREAD_H
#define SIL__CORE_DUMP_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/context.h"

struct sil__node;
struct sil__part;

/* In each thread's own storage. */
struct sil__thread {
    struct sil__context context;
    _Atomic(struct sil__thread *) next;
    pid_t tid; /* read-only while listed */
    bool listed;
    bool left; /* it ends: what it still does is not seen */
};

/* The calling thread. */
void sil__thread_enlist(struct sil__thread *thread);
void sil__thread_leave(struct sil__thread *thread);

/* In the child of a fork, whose only thread this is. dump: for all that dumps are made of. */
void sil__threads_in_child(struct sil__thread *self);
void sil__dump_in_child(struct sil__thread *self);

/* All that run a task or wait. The registry is locked. */
void sil__threads_fill(struct sil__part *part);

/*
 * What runs in a context of another thread's that is not its own: a coroutine's, which current gives, of
 * a loop that does not answer. Its memory stays mapped while the registry is locked, which it is. False:
 * it is another by now, or none.
 */
bool sil__thread_peek(struct sil__part *part, struct sil__context *(*current)(void *user),
                      void *user, struct sil__node *node);

/* --- dump_source.c ------------------------------------------------------------------------------ */

void sil__registry_lock(void);
void sil__registry_unlock(void);

/* --- dump_signal.c ------------------------------------------------------------------------------ */

void sil__dump_signal_in_child(void);

#endif
