/* SPDX-License-Identifier: MIT */
/*
 * Gates and latches: how tests put threads, and processes, in order without sleeping.
 *
 * In memory that several processes share they work for all of them. They are made of single words
 * and futexes alone, so a process that is killed while it waits leaves them whole, which conditions
 * do not promise.
 *
 * Every wait is bounded: after TEST_PATIENCE seconds it ends the program with a message.
 */
#ifndef TESTS_SUPPORT_GATE_H
#define TESTS_SUPPORT_GATE_H

#include <stdatomic.h>
#include <stdbool.h>

/** Those who come wait until it is open; it stays open. */
struct gate {
    atomic_uint open;
    atomic_uint arrived; /**< how many have come, passed on or not */
};

void gate_init(struct gate *gate);

/** Nobody may be using it. */
void gate_fini(struct gate *gate);

void gate_open(struct gate *gate);
bool gate_is_open(struct gate *gate);
void gate_wait(struct gate *gate);

/** Wait until so many in all have come to the gate. */
void gate_wait_for_arrivals(struct gate *gate, unsigned count);

/** Open once it was counted down to 0. */
struct latch {
    atomic_uint left;
};

void latch_init(struct latch *latch, unsigned count);

/** Nobody may be using it. */
void latch_fini(struct latch *latch);

void latch_down(struct latch *latch);
void latch_wait(struct latch *latch);

#endif
