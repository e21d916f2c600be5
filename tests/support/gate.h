/* SPDX-License-Identifier: MIT */
/*
 * Gates and latches: how tests put threads in order without sleeping.
 *
 * Every wait is bounded: after TEST_PATIENCE seconds it ends the program with a message.
 */
#ifndef TESTS_SUPPORT_GATE_H
#define TESTS_SUPPORT_GATE_H

#include <pthread.h>
#include <stdbool.h>

/** Those who come wait until it is open; it stays open. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;        /**< Guarded by mutex, as arrived. */
    unsigned arrived; /**< how many have come, passed on or not */
};

void gate_init(struct gate *gate);
void gate_fini(struct gate *gate);
void gate_open(struct gate *gate);
bool gate_is_open(struct gate *gate);
void gate_wait(struct gate *gate);

/** Wait until so many in all have come to the gate. */
void gate_wait_for_arrivals(struct gate *gate, unsigned count);

/** Open once it was counted down to 0. */
struct latch {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned left; /**< Guarded by mutex. */
};

void latch_init(struct latch *latch, unsigned count);
void latch_fini(struct latch *latch);
void latch_down(struct latch *latch);
void latch_wait(struct latch *latch);

#endif
