/* SPDX-License-Identifier: MIT */
/*
 * Turns, see turn.h.
 */
#include "output/turn.h"

#include <errno.h>

#include <sillon/deadline.h>
#include <sillon/status.h>

bool turn_init(struct turn *turn, const char *name)
{
    *turn = (struct turn){.mutex = sil_mutex_create(name)};
    return turn->mutex != NULL;
}

void turn_fini(struct turn *turn)
{
    sil_mutex_destroy(turn->mutex);
    turn->mutex = NULL;
}

int turn_take(struct turn *turn)
{
    int code = sil_mutex_lock(turn->mutex, SIL_FOREVER);
    /* A mutex says of its holder that he would wait for ever: who has it, takes it once more. */
    if (code == 0 || code == SIL_EDEADLK) {
        turn->depth++;
        return 0;
    }
    return code == SIL_ETIMEDOUT ? ETIMEDOUT : ECANCELED;
}

void turn_take_surely(struct turn *turn)
{
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    sil_deadline_restore(SIL_FOREVER);
    while (turn_take(turn) != 0)
        ; /* a cancel is told once */
    sil_deadline_restore(outer);
}

void turn_give(struct turn *turn)
{
    if (--turn->depth == 0)
        (void)sil_mutex_unlock(turn->mutex);
}

bool turn_is_taken(const struct turn *turn)
{
    return sil_mutex_locked(turn->mutex);
}
