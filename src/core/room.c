/* SPDX-License-Identifier: MIT */
/*
 * Room, see room.h.
 *
 * I1: either whoever makes room sees the watcher, or the watcher sees the room: both do a
 *     read-modify-write on one word, after making the room and before looking for it, and the
 *     later one of the two has the earlier one's writes.
 */
#include "core/room.h"

#include <limits.h>

#include "base/clock.h"
#include "base/futex.h"
#include "core/context.h"

/* Watchers in the low bits, holes above. */
#define WATCHERS_MASK UINT64_C(0xffff)
#define ONE_HOLE (WATCHERS_MASK + 1)

static _Atomic uint64_t room;
static _Atomic uint32_t tickets;

void sil__room_watch(void)
{
    atomic_fetch_add_explicit(&room, 1, memory_order_acq_rel); /* I1 */
}

void sil__room_unwatch(void)
{
    atomic_fetch_sub_explicit(&room, 1, memory_order_relaxed);
}

uint32_t sil__room_ticket(void)
{
    /* Acquire pairs with the release below: what made room is seen. */
    return atomic_load_explicit(&tickets, memory_order_acquire);
}

/* Long enough to cost little; room is seldom waited for in a coroutine. */
#define LOOK_AGAIN INT64_C(1000000)

static const struct sil__purpose waiting = {.text = "room in a queue"};

/* A coroutine must not hold up its loop: it looks again and again. */
static bool wait_parked(struct sil__context *context, uint32_t ticket, sil_deadline until)
{
    while (sil__room_ticket() == ticket) {
        int64_t now = sil__clock_now();
        if (now >= until)
            return false;
        struct sil__waiter waiter;
        sil__waiter_init(&waiter, context);
        waiter.purpose = &waiting;
        context->shielded++;
        (void)context->ops->wait(context, &waiter,
                                 until - now > LOOK_AGAIN ? now + LOOK_AGAIN : until);
        context->shielded--;
    }
    return true;
}

bool sil__room_wait(uint32_t ticket, sil_deadline until)
{
    struct sil__context *context = sil__context();
    if (context->ops->interrupt)
        return wait_parked(context, ticket, until);
    struct sil__waiter waiter;
    sil__waiter_init(&waiter, context);
    waiter.purpose = &waiting;
    sil__context_sleeps(context, &waiter);
    bool in_time = sil__futex_wait(&tickets, ticket, until);
    sil__context_wakes(context);
    return in_time;
}

static void made(uint64_t holes)
{
    uint64_t before =
        atomic_fetch_add_explicit(&room, holes * ONE_HOLE, memory_order_acq_rel); /* I1 */
    if ((before & WATCHERS_MASK) == 0)
        return;
    atomic_fetch_add_explicit(&tickets, 1, memory_order_release);
    sil__futex_wake(&tickets, INT_MAX);
}

void sil__room_made(void)
{
    made(0);
}

void sil__room_hole(void)
{
    made(1);
}

uint64_t sil__room_holes(void)
{
    /* Acquire: the holes that were counted are seen. */
    return atomic_load_explicit(&room, memory_order_acquire) / ONE_HOLE;
}
