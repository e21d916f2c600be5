/* SPDX-License-Identifier: MIT */
/*
 * Groups from inside: for group.c, which fills them, group_wait.c, which waits for them, for what
 * starts the tasks of a group elsewhere, and for sil_gather, which is a group too.
 *
 * I1: a child is in the list until it is swept or the group is freed; and neither happens before
 *     its listener has been told and let go (`told`).
 * I2: once the group is closed no child leaves the list, and none is added but those that were
 *     about to be; whoever adds one to a closed group cancels it.
 * I3: a child in `failed` stays.
 * I4: the opener's context is there as long as it is noted in `opener`, under the lock.
 *
 * Lock order: the group's, then a future's or a loop's. No lock is held while a future is
 * cancelled.
 */
#ifndef SIL__CORE_GROUP_H
#define SIL__CORE_GROUP_H

#include <sillon/group.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "core/context.h"
#include "core/future.h"

/* Which of its futures fail a group: then the others are cancelled. */
enum sil__group_fails {
    SIL__GROUP_TASKS,    /* one that fails; being cancelled is no failure */
    SIL__GROUP_ANYTHING, /* one that does not succeed */
    SIL__GROUP_NOTHING,
};

struct sil__child {
    struct sil__listener listener; /* first */
    sil_group *group;
    sil_future *future;             /* owned */
    struct sil__child *next;        /* guarded by lock */
    struct sil__child *next_failed; /* written before it is published in failed */
    _Atomic bool told;              /* I1 */
    bool has_failed;                /* written before told */
    bool loose;                     /* read-only */
    bool cancelled;                 /* guarded by lock: we have asked it to stop */
};

struct sil_group {
    struct sil__lock lock;
    _Atomic uint32_t refs; /* the opener, the callback of the first failure, and those left */

    /* Guarded by lock. */
    struct sil__child *first; /* in the order added */
    struct sil__child *last;
    struct sil__child *first_open; /* all before it have been told; NULL: all have */
    size_t count;
    size_t sweep_at;             /* when there are so many, some may be taken out */
    struct sil__context *opener; /* I4; NULL: it waits here already, or cannot be interrupted */
    sil_future *refusal;         /* owned, or NULL */
    bool left;                   /* its opener has closed it, and some had not ended */

    /* Atomic. */
    _Atomic bool closed;                 /* nothing is added any more; written under lock */
    _Atomic(struct sil__child *) failed; /* the last first */

    /* Opener only. */
    struct sil__context *context; /* whose cause we are, or NULL */
    struct sil__cause cause;
    bool ended;                /* all have been waited for, */
    bool outlived;             /* but some in vain: they wait for us */
    struct sil__child *errors; /* then: the failed, the first first */

    /* Read-only after create. */
    enum sil__group_fails fails;
    uint32_t generation;

    struct sil__listener failure; /* of whoever was the first in failed */
    struct sil__child spare;      /* for the failure to make one */
    _Atomic bool spare_used;
    char label[]; /* its name in quotes, for messages */
};

/* NULL with an error set. The calling context, if its waits can be ended, is told of a failure. */
sil_group *sil__group_create(const char *name, enum sil__group_fails fails);

/* Room for one more, to be given to join. NULL with an error set: SIL_EINVAL (NULL), SIL_EFORKED,
 * SIL_ECLOSED, SIL_ENOMEM. */
struct sil__child *sil__group_enter(sil_group *group);

/* Room for one more in any group; NULL without memory, and no error is set. */
struct sil__child *sil__group_child(void);

/* The future (takes) becomes a part of the group, which keeps it until it is closed; unless it
 * is loose: then until it has ended. The future, borrowed. */
sil_future *sil__group_join(sil_group *group, struct sil__child *child, sil_future *future,
                            bool loose);

/* A future that says why enter failed, borrowed. Without memory the group has failed, too. */
sil_future *sil__group_refused(sil_group *group);

/* Nothing is added any more, and all are cancelled. */
void sil__group_cancel(sil_group *group);

/* The group is about to be closed, but this one goes on: the group's memory stays until it has ended.
 * For whoever holds a reference. */
void sil__group_leave(struct sil__child *child);

/* One of its references goes: takes. */
void sil__group_drop(sil_group *group);

static inline bool sil__group_closed(sil_group *group)
{
    return atomic_load_explicit(&group->closed, memory_order_acquire);
}

static inline bool sil__group_has_failed(sil_group *group)
{
    return atomic_load_explicit(&group->failed, memory_order_acquire) != NULL;
}

/*
 * Wait until all have ended, and cancel them if the wait is given up. 0, or why it was, with an
 * error set: that is not said if the group had failed already, unless it is a cancel of the caller.
 * SIL_EDEADLK, whatever else: some may not have ended.
 */
int sil__group_wait(sil_group *group, sil_deadline until);

/* Whoever waits for it says so to dumps, until unsay (context.h). */
void sil__group_say(sil_group *group, struct sil__said *said);

/* After that: the first that failed, borrowed; NULL. */
sil_future *sil__group_first_failed(const sil_group *group);

/* Wait until the future is final, in the cheapest way there is: 0, or why that was given up,
 * with an error set; a cancel has been delivered. For whoever holds it. */
int sil__group_await(sil_future *future, sil_deadline until);

/*
 * The same come what may, but a deadlock: 0, or SIL_EDEADLK. insists: another in the circle gives up, if
 * one can. Not for who was told of a deadlock: perhaps since another insists, and cannot give up.
 */
int sil__group_wait_out(sil_future *future, bool insists);

/* Its code, with its error as the last one; 0 for NULL. */
int sil__group_raise(const sil_future *failed);

#endif
