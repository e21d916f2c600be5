/* SPDX-License-Identifier: MIT */
/*
 * Events, see shared_event.h.
 */
#include "process/shared_event.h"

#include <limits.h>

#include <sillon/status.h>

#include "base/futex.h"

#define ONE_CALL (UINT64_C(1) << 32)

/* The half of the word that counts calls, for the kernel. */
static _Atomic uint32_t *calls_of(struct sil__event *event)
{
    const int high = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    return (_Atomic uint32_t *)(void *)&event->word + high;
}

/* The ticket is how often the event was called before. */
static uint32_t enter(struct sil__event *event)
{
    return (uint32_t)(atomic_fetch_add_explicit(&event->word, 1, memory_order_seq_cst) >> 32);
}

static bool called_since(struct sil__event *event, uint32_t ticket)
{
    return atomic_load_explicit(&event->word, memory_order_relaxed) >> 32 != ticket;
}

static void leave(struct sil__event *event, uint32_t ticket)
{
    uint64_t word = atomic_load_explicit(&event->word, memory_order_relaxed);
    while (word >> 32 == ticket && (uint32_t)word != 0 &&
           !atomic_compare_exchange_weak_explicit(&event->word, &word, word - 1,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

/* False: the deadline has come. */
static bool nap(struct sil__event *event, uint32_t ticket, sil_deadline until)
{
    int64_t now = sil__clock_now();
    if (until <= now)
        return false;
    int64_t look_again = now < INT64_MAX - SIL__EVENT_NAP ? now + SIL__EVENT_NAP : INT64_MAX;
    (void)sil__futex_wait_shared(calls_of(event), ticket, until < look_again ? until : look_again);
    return true;
}

void sil__event_pay(struct sil__event *event, uint32_t count)
{
    uint64_t word = atomic_load_explicit(&event->word, memory_order_relaxed);
    uint32_t pay;
    do {
        pay = (uint32_t)word < count ? (uint32_t)word : count;
        if (pay == 0)
            return;
    } while (!atomic_compare_exchange_weak_explicit(&event->word, &word, word + ONE_CALL - pay,
                                                    memory_order_seq_cst, memory_order_relaxed));
    sil__futex_wake_shared(calls_of(event), pay < INT_MAX ? (int)pay : INT_MAX);
}

int sil__event_await(struct sil__event *event, int (*attempt)(void *arg), void *arg,
                     sil_deadline until)
{
    int code = attempt(arg);
    if (code != SIL_EAGAIN)
        return code;
    if (until <= SIL_NOW)
        return SIL_ETIMEDOUT;
    uint32_t ticket = enter(event);
    bool in_time = true;
    /* Each time the look comes after entering; and there is one more after the deadline. */
    while ((code = attempt(arg)) == SIL_EAGAIN && in_time) {
        in_time = nap(event, ticket, until);
        if (called_since(event, ticket))
            ticket = enter(event);
    }
    leave(event, ticket);
    return code == SIL_EAGAIN ? SIL_ETIMEDOUT : code;
}
