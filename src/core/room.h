/* SPDX-License-Identifier: MIT */
/*
 * Room: how a submitter waits for a full queue to have room again.
 *
 * Room is made by a worker that takes a task, and by anybody who cancels a pending one. The
 * latter cannot touch the executor, which may be gone by then; so all who wait for room, in
 * whatever executor, sleep on one word of the library's. They are few, and queues are seldom
 * full.
 */
#ifndef SIL__CORE_ROOM_H
#define SIL__CORE_ROOM_H

#include <sillon/deadline.h>
#include <stdbool.h>
#include <stdint.h>

/* Begin to look for room; whatever makes room from now on ends a wait for the ticket. */
void sil__room_watch(void);
uint32_t sil__room_ticket(void);
bool sil__room_wait(uint32_t ticket, sil_deadline until);
void sil__room_unwatch(void);

/* A queue is shorter by one. */
void sil__room_made(void);

/* Somewhere in a queue is a task that nobody has to run any more. */
void sil__room_hole(void);

/* How often that was said. */
uint64_t sil__room_holes(void);

#endif
