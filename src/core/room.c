/* SPDX-License-Identifier: MIT */
/*
 * Room, see room.h.
 *
 * I1: either whoever makes room sees the watcher, or the watcher sees the room: both do a
 *     read-modify-write on watchers, after making the room and before looking for it, and the
 *     later one of the two has the earlier one's writes.
 */
#include "core/room.h"

#include <limits.h>

#include "base/futex.h"

static _Atomic uint32_t watchers;
static _Atomic uint32_t tickets;

void sil__room_watch(void)
{
    atomic_fetch_add_explicit(&watchers, 1, memory_order_acq_rel); /* I1 */
}

void sil__room_unwatch(void)
{
    atomic_fetch_sub_explicit(&watchers, 1, memory_order_relaxed);
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

void sil__room_made(void)
{
    if (atomic_fetch_add_explicit(&watchers, 0, memory_order_acq_rel) == 0) /* I1 */
        return;
    atomic_fetch_add_explicit(&tickets, 1, memory_order_release);
    sil__futex_wake(&tickets, INT_MAX);
}
