/* SPDX-License-Identifier: MIT */
/*
 * Timers: any number of moments, of which the next is asked for and the passed ones fire.
 *
 * A hashed and hierarchical timing wheel (G. Varghese and T. Lauck, "Hashed and hierarchical timing
 * wheels", 1987, schemes 6 and 7): setting and cancelling is a few stores, whatever the number of
 * timers. Time is counted in ticks of a quarter of a millisecond; a timer never fires early.
 * One thread only.
 */
#ifndef SIL__LOOP_TIMERS_H
#define SIL__LOOP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds in a tick: 1 << shift. */
#define SIL__TIMER_SHIFT 18

struct sil__timer {
    struct sil__timer *next;
    struct sil__timer **link; /* what points to us; NULL: not set */
    int64_t at;               /* nanoseconds on the monotonic clock */
    void (*fire)(struct sil__timer *timer);
};

#define SIL__TIMER_SLOTS 256
#define SIL__TIMER_LEVELS 4

struct sil__timers {
    int64_t tick; /* all before this one have fired */
    size_t count;
    uint64_t used[SIL__TIMER_LEVELS][SIL__TIMER_SLOTS / 64]; /* slots that may have timers */
    struct sil__timer *slots[SIL__TIMER_LEVELS][SIL__TIMER_SLOTS];
};

void sil__timers_init(struct sil__timers *timers, int64_t now);

/* Not set at present. Its fire is called by run, once, when `at` has passed; or it is cancelled. */
void sil__timer_set(struct sil__timers *timers, struct sil__timer *timer, int64_t at);

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
 * When to call run next, in nanoseconds: not later than the first timer, seldom earlier. INT64_MAX:
 * there is none.
 */
int64_t sil__timers_next(struct sil__timers *timers);

/* Fire all that are due by now, in the order of their moments; equal ones in the order set. A fire may
 * set and cancel timers: what it sets for now or earlier fires at the next run. */
void sil__timers_run(struct sil__timers *timers, int64_t now);

#endif
