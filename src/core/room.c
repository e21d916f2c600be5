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

#include "base/futex.h"

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

bool sil__room_wait(uint32_t ticket, sil_deadline until)
{
    return sil__futex_wait(&tickets, ticket, until);
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
