/* SPDX-License-Identifier: MIT */
/*
 * Standing in line: how everything in this folder waits, first come, first served.
 *
 * Whoever has to wait puts a place, on its own stack, at the end of the object's line under the
 * object's lock, and parks. Whoever lets it go takes the place out of the line, again under the lock,
 * writes down what it gives, and wakes it afterwards, without the lock.
 *
 * I1: a place that is in no line any more has been let go: what it was given is its, and is never
 *     lost, whatever else ended its wait. A deadline then counts as not having come, and a cancel
 *     stays due for the next wait.
 * I2: the wake is the last touch of a place, and happens once. The object is not touched after the
 *     lock is dropped: who was let go may destroy it.
 */
#ifndef SIL__SYNC_LINE_H
#define SIL__SYNC_LINE_H

#include <sillon/status.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/biased.h"
#include "core/dump.h"
#include "core/wait.h"

struct sil__place {
    struct sil__waiter waiter;
    /* Guarded by the object's lock while in_line; then who has taken it out. */
    struct sil__place *next;
    struct sil__place *prev;
    _Atomic bool in_line; /* read by dumps (core/dump.h, I2) */
    int code;             /* of the wait; 0 unless who lets it go says otherwise */
    void *item;           /* what is handed over, or where to; the object's */
};

struct sil__line {
    struct sil__place *first;
    struct sil__place *last;
};

static inline void sil__line_append(struct sil__line *line, struct sil__place *place)
{
    atomic_store_explicit(&place->in_line, true, memory_order_relaxed);
    place->next = NULL;
    place->prev = line->last;
    if (line->last)
        line->last->next = place;
    else
        line->first = place;
    line->last = place;
}

static inline void sil__line_remove(struct sil__line *line, struct sil__place *place)
{
    if (place->prev)
        place->prev->next = place->next;
    else
        line->first = place->next;
    if (place->next)
        place->next->prev = place->prev;
    else
        line->last = place->prev;
    atomic_store_explicit(&place->in_line, false, memory_order_relaxed);
}

/* By who holds the lock. */
static inline bool sil__place_in_line(const struct sil__place *place)
{
    return atomic_load_explicit(&place->in_line, memory_order_relaxed);
}

/* Take the first one out; NULL: nobody waits. */
static inline struct sil__place *sil__line_pop(struct sil__line *line)
{
    struct sil__place *place = line->first;
    if (place)
        sil__line_remove(line, place);
    return place;
}

/* Take at most so many out, with this code: a list by next, to be woken; NULL: none. */
struct sil__place *sil__line_take(struct sil__line *line, size_t count, int code);

/* I2: without the lock. NULL allowed. */
static inline void sil__place_wake(struct sil__place *place)
{
    if (place)
        place->waiter.ops->wake(&place->waiter);
}

void sil__places_wake(struct sil__place *list);

/* The same for a waiter, by who has locked sight. */
static inline bool sil__waiter_in_line(const struct sil__waiter *waiter)
{
    return sil__place_in_line(
        (const struct sil__place *)((const char *)waiter - offsetof(struct sil__place, waiter)));
}

/* For purposes (core/park.h) whose object is the name: it follows the text. */
void sil__line_look(const void *name, struct sil__waiter *waiter, struct sil__sight *sight);

/* purpose, object: what is waited for. item: see above; NULL where nothing is handed over. */
static inline void sil__place_init(struct sil__place *place, struct sil__context *context,
                                   const struct sil__purpose *purpose, const void *object,
                                   void *item)
{
    place->waiter = (struct sil__waiter){
        .ops = context->ops, .context = context, .purpose = purpose, .object = object};
    place->code = 0;
    place->item = item;
}

/* What may wait may end at once, for a cancel that is due. */
static inline bool sil__line_cancelled(const struct sil__context *context, sil_deadline until)
{
    return until > SIL_NOW && sil__context_cancel_due(context);
}

/* What may have waited did not: let others have their turn, now and then. */
static inline void sil__line_pace(struct sil__context *context, sil_deadline until)
{
    if (until > SIL_NOW)
        sil__context_pace(context);
}

/* A wait has ended with this code, not 0: as sil__line_await. */
int sil__line_give_up(struct sil__line *line, struct sil__biased *lock, struct sil__place *place,
                      int code);

/*
 * Wait in a place that stands in line, until it is let go: 0, and place->code says with what. Else it
 * is out of the line, and the lock is taken: SIL_ETIMEDOUT, SIL_ECANCELLED (to be delivered) or
 * SIL_EDEADLK (with its message). Inline: a coroutine that goes on pays for each frame it returns
 * through, since the processor expects to return to where another one left off.
 *
 * @param hold   what is waited for, if it has a holder; NULL: nobody known ends the wait.
 * @param until  with the context's scope in it (sil__context_until); not SIL_NOW.
 */
static inline int sil__line_await(struct sil__line *line, struct sil__biased *lock,
                                  struct sil__place *place, struct sil__hold *hold,
                                  sil_deadline until)
{
    struct sil__waiter *waiter = &place->waiter;
    int code = hold ? sil__wait_hold(waiter->context, waiter, hold, until)
                    : sil__wait_plain(waiter->context, waiter, until);
    return code == 0 ? 0 : sil__line_give_up(line, lock, place, code);
}

/* The same for one who holds the lock: stand in line, drop the lock, wait. */
static inline int sil__line_wait(struct sil__line *line, struct sil__biased *lock,
                                 struct sil__place *place, struct sil__hold *hold,
                                 sil_deadline until)
{
    sil__line_append(line, place);
    sil__biased_drop(lock);
    return sil__line_await(line, lock, place, hold, until);
}

/* A wait in the function what, for the object of that noun and name ("": none), was given up with this
 * code: make it the last error. */
int sil__line_fail(struct sil__context *context, int code, const char *what, const char *noun,
                   const char *name);

/* A poll missed: the code, with an error that costs nothing. They are frequent, and expected to. */
int sil__line_miss(int code);

/* A copy of a name behind an object: bytes for it, 0 included; NULL is "". */
size_t sil__name_size(const char *name);
void sil__name_copy(char *to, const char *name);

#endif
