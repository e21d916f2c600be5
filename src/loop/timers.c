/* SPDX-License-Identifier: MIT */
/*
 * Timers, see timers.h.
 *
 * Time jumps from one used slot to the next. What is in a slot of level 0 is due, and goes into the
 * list of those that fire; what is in any other goes to lower levels (I1, for the new `tick`). That
 * list is linked as slots are, so whatever is in it can be cancelled until it fires.
 */
#include "loop/timers.h"

#include <string.h>

/* The ith sorted list is of 2^i runs: so many there cannot be. */
enum { RUNS = 48 };

void sil__timers_init(struct sil__timers *timers, int64_t now)
{
    memset(timers, 0, sizeof *timers);
    timers->tick = now >> SIL__TIMER_SHIFT;
}

/* The first slot of a level, from slot on, that has timers; SIL__TIMER_SLOTS: none. Clears bits
 * of what it finds empty. */
static unsigned used_slot(struct sil__timers *timers, unsigned level, unsigned slot)
{
    for (unsigned word = slot / 64; word < SIL__TIMER_SLOTS / 64; word++) {
        uint64_t *used = &timers->used[level][word];
        uint64_t mask = word == slot / 64 ? ~UINT64_C(0) << slot % 64 : ~UINT64_C(0);
        while (*used & mask) {
            unsigned found = word * 64 + (unsigned)__builtin_ctzll(*used & mask);
            if (timers->slots[level][found])
                return found;
            *used &= ~(UINT64_C(1) << found % 64);
        }
    }
    return SIL__TIMER_SLOTS;
}

struct place {
    unsigned level;
    unsigned slot;
    int64_t tick; /* when time comes to it */
};

/* The next slot that has timers; false: none has. */
static bool next_place(struct sil__timers *timers, struct place *out)
{
    if (timers->count == 0)
        return false;
    for (unsigned level = 0; level < SIL__TIMER_LEVELS; level++) {
        unsigned shift = level * SIL__TIMER_DIGIT;
        int64_t now = timers->tick >> shift;
        unsigned here = (unsigned)now % SIL__TIMER_SLOTS;
        unsigned slot = used_slot(timers, level, level == 0 ? here : here + 1);
        if (slot < SIL__TIMER_SLOTS) {
            *out = (struct place){level, slot, (now - here + slot) << shift};
            return true;
        }
        if (level == SIL__TIMER_LEVELS - 1 && timers->slots[level][0]) {
            *out = (struct place){level, 0, (now - here + SIL__TIMER_SLOTS) << shift};
            return true;
        }
    }
    return false;
}

int64_t sil__timers_next(struct sil__timers *timers)
{
    struct place place;
    if (!next_place(timers, &place) || place.tick > INT64_MAX >> SIL__TIMER_SHIFT)
        return INT64_MAX;
    return place.tick << SIL__TIMER_SHIFT;
}

/* --- sorting: by moment, equal ones stay as they are; only `next` counts ---------------------- */

/* Equal ones of first come first. */
static struct sil__timer *merge(struct sil__timer *first, struct sil__timer *second)
{
    struct sil__timer *merged;
    struct sil__timer **tail = &merged;
    while (first && second) {
        struct sil__timer **from = second->at < first->at ? &second : &first;
        *tail = *from;
        tail = &(*from)->next;
        *from = (*from)->next;
    }
    *tail = first ? first : second;
    return merged;
}

/* Take the beginning of the list that is in order. */
static struct sil__timer *take_run(struct sil__timer **list)
{
    struct sil__timer *run = *list;
    struct sil__timer *last = run;
    while (last->next && last->at <= last->next->at)
        last = last->next;
    *list = last->next;
    last->next = NULL;
    return run;
}

/* Merges runs of as many runs each, so it takes n log runs. */
static struct sil__timer *sort(struct sil__timer *list)
{
    struct sil__timer *sorted[RUNS] = {NULL};
    while (list) {
        struct sil__timer *run = take_run(&list);
        int i = 0;
        for (; sorted[i]; i++) {
            run = merge(sorted[i], run);
            sorted[i] = NULL;
        }
        sorted[i] = run;
    }
    for (int i = 0; i < RUNS; i++)
        list = merge(sorted[i], list);
    return list;
}

/* --- running ------------------------------------------------------------------------------- */

/* A slot's timers, the newest first; the slot is empty now. */
static struct sil__timer *take_slot(struct sil__timers *timers, const struct place *place)
{
    struct sil__timer **head = &timers->slots[place->level][place->slot];
    struct sil__timer *newest = *head;
    *head = NULL;
    timers->used[place->level][place->slot / 64] &= ~(UINT64_C(1) << place->slot % 64);
    return newest;
}

/* Turned round, the oldest first; linked among themselves, but for the first. */
static struct sil__timer *turn(struct sil__timer *newest, bool *out_in_order)
{
    struct sil__timer *list = NULL;
    *out_in_order = true;
    while (newest) {
        struct sil__timer *timer = newest;
        newest = timer->next;
        timer->next = list;
        if (list) {
            list->link = &timer->next;
            *out_in_order &= timer->at <= list->at;
        }
        list = timer;
    }
    return list;
}

/* Add a slot of level 0 at the end of those that fire; the new end. */
static struct sil__timer **take_due(struct sil__timers *timers, const struct place *place,
                                    struct sil__timer **end)
{
    struct sil__timer *last = take_slot(timers, place);
    bool in_order;
    struct sil__timer *list = turn(last, &in_order);
    *end = list;
    list->link = end;
    if (in_order)
        return &last->next;
    *end = sort(list);
    for (; *end; end = &(*end)->next)
        (*end)->link = end;
    return end;
}

static void move_down(struct sil__timers *timers, const struct place *place)
{
    bool in_order;
    struct sil__timer *list = turn(take_slot(timers, place), &in_order);
    while (list) {
        struct sil__timer *timer = list;
        list = timer->next;
        sil__timer_place(timers, timer);
    }
}

void sil__timers_run(struct sil__timers *timers, int64_t now)
{
    int64_t end = now >> SIL__TIMER_SHIFT;
    struct sil__timer *due = NULL;
    struct sil__timer **last = &due;
    struct place place;
    while (next_place(timers, &place) && place.tick <= end) {
        timers->tick = place.tick;
        if (place.level == 0)
            last = take_due(timers, &place, last);
        else
            move_down(timers, &place);
    }
    /* Nothing lies between: I1 holds for all of these moments. */
    if (timers->tick < end)
        timers->tick = end;
    while (due) {
        struct sil__timer *timer = due;
        due = timer->next;
        if (due)
            due->link = &due;
        timer->link = NULL;
        timers->count--;
        timer->fire(timer);
    }
}
