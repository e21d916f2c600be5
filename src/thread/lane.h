/* SPDX-License-Identifier: MIT */
/*
 * A lane: the stack of children that one worker has forked, of which others may take the oldest.
 * A split deque, after T. van Dijk and J. van de Pol, "Lace: Non-blocking Split Deque for
 * Work-Stealing" (2014).
 *
 *     slots   0 ........ tail ........ split ........ head ........ end
 *               stolen        published       private        free
 *
 * Thieves claim the slot at the tail by moving it up, in one compare-and-swap of the word that has
 * tail and split. The owner pushes and pops at the head by plain stores (sillon/fork.h); the head
 * is in its hands only, not in memory. It moves the split up to publish, and down to take back.
 *
 * I1: a slot is written while it is free, and not again before its child is joined. So a thief
 *     reads it after its claim, and it does not matter what happened before (no ABA).
 * I2: whenever the owner forks or joins, floor is not below the slot at the split: what is joined
 *     without asking is private. Only the owner writes it lower than the end.
 * I3: while nothing is published the lane is hungry (limit NULL, floor and enough at the end): the
 *     next fork or join goes the slow way, and publishes half of what is private. The thief that
 *     takes the last published child sees to it; if it is late, so does whoever finds nothing.
 *     Hungry without need does no harm. The owner writes the edge before the change of the word
 *     that it goes with: a thief that empties what was published then has seen it, and its hungry
 *     is the later one.
 * I4: who publishes looks at the gate afterwards (crew.h, I2), so that no child lies there while
 *     a worker sleeps that could take it.
 * I5: the word also has an epoch, which the owner changes when it begins something else on this
 *     lane: a child that was stolen, or what it had put aside for that. A claim made for the sake
 *     of one stolen child (sil__lane_steal) so never gets another's.
 *
 * A worker has one lane for each region that it is in at the same time: one forks, awaits a task
 * that it runs itself, and that forks too. They are kept, and never freed before the pool is, so
 * anybody may look at any of them. Who has no worker, or no memory, gets the serial lane, where
 * each fork runs its child.
 */
#ifndef SIL__THREAD_LANE_H
#define SIL__THREAD_LANE_H

#include <sillon/fork.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sil__frame;
struct sil__worker;

/* In a line of its own, and not next to one that others write: processors fetch lines in pairs. */
#define SIL__LANE_APART 128

struct sil__lane {
    sil_lane_edge edge; /* first: it is found by rounding a slot's address down */

    /* Read-only after create. */
    struct sil__worker *worker; /* NULL: the serial lane */
    struct sil__lane *outer;    /* the owner's region around this one */

    /* Owner thread only. */
    const struct sil__frame *frame; /* what the children that are forked now belong to */
    size_t overflow;                /* children run by their fork, the lane being full */

    /* Atomic. */
    _Alignas(SIL__LANE_APART) _Atomic uint64_t word; /* epoch, tail, split */
    _Atomic(struct sil__lane *) inner; /* the lane for a region within, once there was one */

    _Alignas(SIL__LANE_APART) sil_child *slots[];
};

/* --- the owner ----------------------------------------------------------------------------- */

/* Enter a region: a lane of this worker's (NULL: of nobody's) with no child in it. Never NULL. */
struct sil__lane *sil__lane_enter(struct sil__worker *worker, const struct sil__frame *frame);
void sil__lane_leave(struct sil__lane *lane);

/* Something else begins, on top of what is there: I5. Nothing may be published. */
void sil__lane_turn(struct sil__lane *lane);

/* What the children that are forked from now on belong to: a frame, or NULL. */
static inline void sil__lane_belongs(struct sil__lane *lane, const struct sil__frame *frame)
{
    if (lane->worker)
        lane->frame = frame;
}

/* A fork the slow way. False: there is no room, the child is to be run now. */
bool sil__lane_push(struct sil__lane *lane, sil_child **slot, sil_child *child);

enum sil__lane_join {
    SIL__LANE_PRIVATE, /* it is popped: run it */
    SIL__LANE_STOLEN,  /* wait until it is done, then pop it: sil__lane_drop */
    SIL__LANE_RAN,     /* it was run by its fork, and has no slot */
};

/* A join the slow way, of the newest child; its slot, if it has one. */
enum sil__lane_join sil__lane_pop(struct sil__lane *lane, sil_child **slot);
void sil__lane_drop(struct sil__lane *lane, sil_child **slot);

static inline struct sil__lane *sil__lane_of(sil_child **slot)
{
    return (struct sil__lane *)sil_lane_edge_of(slot);
}

/* --- others -------------------------------------------------------------------------------- */

/*
 * Claim the oldest published child, or NULL. for_child, unless NULL: only while its state is
 * for_state, which says that it is being run on this lane, or around this lane's region.
 */
sil_child *sil__lane_steal(struct sil__lane *lane, const sil_child *for_child,
                           const void *for_state);

/* The first of a worker's lanes, the outermost, or NULL; and the next. */
struct sil__lane *sil__lane_first(const struct sil__worker *worker);
struct sil__lane *sil__lane_next(const struct sil__lane *lane);

/* Is a child published on any lane of this worker's? */
bool sil__lane_any(const struct sil__worker *worker);

/* Free the lanes of a worker that is no more. */
void sil__lane_fini(struct sil__worker *worker);

#endif
