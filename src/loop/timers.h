/* SPDX-License-Identifier: MIT */
/*
 * Timers: any number of moments, of which the next is asked for and the passed ones fire.
 *
 * A hashed and hierarchical timing wheel (G. Varghese and T. Lauck, "Hashed and hierarchical timing
 * wheels", 1987, schemes 6 and 7): setting and cancelling is a few stores, whatever the number of
 * timers. Time is counted in ticks of a quarter of a millisecond, rounded up: a timer never fires
 * early. One thread only.
 *
 * A moment is a number of SIL__TIMER_LEVELS digits, to the base of SIL__TIMER_SLOTS, and more
 * above.
 *
 * I1: a timer lies in the level of the highest digit in which it differs from `tick`, in the slot
 *     of its own digit there; what differs above all levels lies in slot 0 of the last level. What
 *     is due already counts as `tick`. So where it lies depends on the two moments alone, and all
 *     of one moment lie in one slot, the newest first.
 * I2: so slot 0 of the other levels but the first is never used, and all of level 0 is due before
 *     anything of level 1, and so on.
 * I3: a slot whose bit in `used` is clear is empty.
 */
#ifndef SIL__LOOP_TIMERS_H
#define SIL__LOOP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds in a tick: 1 << shift. */
#define SIL__TIMER_SHIFT 18

enum { SIL__TIMER_DIGIT = 8, SIL__TIMER_SLOTS = 1 << SIL__TIMER_DIGIT, SIL__TIMER_LEVELS = 4 };

struct sil__timer {
    struct sil__timer *next;
    struct sil__timer **link; /* what points to us; NULL: not set */
    int64_t at;               /* nanoseconds on the monotonic clock */
    void (*fire)(struct sil__timer *timer);
};

struct sil__timers {
    int64_t tick; /* all before this one have fired */
    size_t count;
    uint64_t used[SIL__TIMER_LEVELS][SIL__TIMER_SLOTS / 64]; /* slots that may have timers */
    struct sil__timer *slots[SIL__TIMER_LEVELS][SIL__TIMER_SLOTS];
};

void sil__timers_init(struct sil__timers *timers, int64_t now);

/* The first tick at which it may fire. */
static inline int64_t sil__timer_tick(const struct sil__timers *timers, int64_t at)
{
    const int64_t rest = ((int64_t)1 << SIL__TIMER_SHIFT) - 1;
    int64_t tick = (at >> SIL__TIMER_SHIFT) + ((at & rest) != 0);
    return tick > timers->tick ? tick : timers->tick;
}

/* Put it where I1 says. */
static inline void sil__timer_place(struct sil__timers *timers, struct sil__timer *timer)
{
    uint64_t tick = (uint64_t)sil__timer_tick(timers, timer->at);
    uint64_t differs = tick ^ (uint64_t)timers->tick;
    unsigned level = (63 - (unsigned)__builtin_clzll(differs | 1)) / SIL__TIMER_DIGIT;
    unsigned slot = (unsigned)(tick >> (level * SIL__TIMER_DIGIT)) % SIL__TIMER_SLOTS;
    if (__builtin_expect(level >= SIL__TIMER_LEVELS, 0)) {
        level = SIL__TIMER_LEVELS - 1;
        slot = 0;
    }
    struct sil__timer **head = &timers->slots[level][slot];
    timer->next = *head;
    timer->link = head;
    if (*head)
        (*head)->link = &timer->next;
    *head = timer;
    timers->used[level][slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Not set at present. Its fire is called by run, once, when `at` has passed; or it is cancelled. */
static inline void sil__timer_set(struct sil__timers *timers, struct sil__timer *timer, int64_t at)
{
    timer->at = at;
    timers->count++;
    sil__timer_place(timers, timer);
}

static inline bool sil__timer_is_set(const struct sil__timer *timer)
{
    return timer->link != NULL;
}

/* Nothing if it is not set. */
static inline void sil__timer_cancel(struct sil__timers *timers, struct sil__timer *timer)
{
    if (!timer->link)
        return;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
    timers->count--;
}

/*
 * When to call run next, in nanoseconds: not later than run would first fire one, seldom earlier
 * (at most once a level for each timer, and once in 13 days). INT64_MAX: there is none.
 */
int64_t sil__timers_next(struct sil__timers *timers);

/* Fire all that are due by now, in the order of their moments; equal ones in the order set. A
 * fire may set and cancel timers: what is set for a tick that has come fires at the next run. */
void sil__timers_run(struct sil__timers *timers, int64_t now);

#endif
