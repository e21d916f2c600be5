/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is to write, for outlets that lead to the same place: first come, first served. Whoever
 * has it may take it again, and gives it back as often.
 */
#ifndef CLI_OUTPUT_TURN_H
#define CLI_OUTPUT_TURN_H

#include <stdbool.h>

#include <sillon/sync.h>

struct turn {
    sil_mutex *mutex;
    unsigned depth; /**< how often its holder has taken it */
};

/** @return false: no memory, with sil_last_error. */
bool turn_init(struct turn *turn, const char *name);
void turn_fini(struct turn *turn);

/** Wait for it. In a coroutine. @return 0; ECANCELED, ETIMEDOUT the caller was cancelled, or its scope
 *  ended. */
int turn_take(struct turn *turn);
/** The same, whatever happens meanwhile to the caller. */
void turn_take_surely(struct turn *turn);
void turn_give(struct turn *turn);

bool turn_is_taken(const struct turn *turn);

#endif
