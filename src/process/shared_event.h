/* SPDX-License-Identifier: MIT */
/*
 * Events: how threads of several processes wait for something in memory they share, when each of
 * them may be killed at any instruction.
 *
 * An event is a counter of calls and, in the same word, how many calls are owed to those who sleep.
 * Who is about to sleep enters, which raises the debt, and then looks once more at what it waits
 * for. Who changes that looks at the debt, and if there is any pays some: one step lowers it and
 * counts a call, which turns away those not asleep yet; then as many sleepers are woken. A waker
 * without debtors does nothing but read.
 *
 * I1: unless somebody is killed, the debt and the wakes still under way are never fewer than those
 *     who sleep, or are going to.
 * I2: a ticket whose event was not called since is still in the debt: it may be taken out again.
 *
 * Killed in its sleep, a sleeper leaves a debt behind: one wake later it is gone. A waker killed
 * between its change and its wake, and a sleeper killed between being woken and acting on it, leave
 * others asleep with work to do; so nobody sleeps longer than SIL__EVENT_NAP without looking again.
 */
#ifndef SIL__PROCESS_SHARED_EVENT_H
#define SIL__PROCESS_SHARED_EVENT_H

#include <sillon/deadline.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define SIL__EVENT_NAP (SIL__SECOND / 10)

/* All zero is ready for use. */
struct sil__event {
    _Atomic uint64_t
        word; /* calls in the high half, which sleepers sleep on; debt in the low one */
};

/* The slow part of sil__event_wake. */
void sil__event_pay(struct sil__event *event, uint32_t count);

/* After a change that so many sleepers could use; the change must be seq_cst, or made under a lock
 * that those who look take too. */
static inline void sil__event_wake(struct sil__event *event, uint32_t count)
{
    /* seq_cst, against enter: either we see the debt, or who entered sees our change. */
    if ((uint32_t)atomic_load_explicit(&event->word, memory_order_seq_cst) != 0)
        sil__event_pay(event, count);
}

/*
 * Wait until attempt gives something else than SIL_EAGAIN; that is the value. SIL_ETIMEDOUT: it did
 * not before the deadline. attempt reads seq_cst, or under the lock of whoever changes.
 */
int sil__event_await(struct sil__event *event, int (*attempt)(void *arg), void *arg,
                     sil_deadline until);

#endif
