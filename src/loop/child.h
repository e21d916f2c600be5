/* SPDX-License-Identifier: MIT */
/*
 * A child process that executes a program: starting it, signals to it, how it ended. Waiting for
 * its end is watch.h's: its descriptor becomes readable.
 *
 * I1: as long as it is not over its process id is its own: nobody but us takes its status (and
 *     where somebody else does, signals still go by its descriptor alone, but for those to a
 *     group).
 */
#ifndef SIL__LOOP_CHILD_H
#define SIL__LOOP_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/execute.h"

struct sil__child_usage {
    double user_seconds;
    double system_seconds;
    uint64_t peak_memory; /* bytes */
};

struct sil__child {
    pid_t pid;
    int descriptor; /* a pidfd; -1: it was over before we could have one */
    bool leads;     /* a group: signals go to all of it */
    bool over;
    int status; /* once over: its exit code, minus the signal that ended it, or SIL_EALREADY */
    struct sil__child_usage usage; /* of it and those it waited for; once over, if we have status */
};

/* 0, or a code with the last error set. */
int sil__child_start(struct sil__child *child, const struct sil__execution *plan);

/* 0; SIL_EALREADY it is over; SIL_EINVAL; an errno value. Sets no error. */
int sil__child_signal(struct sil__child *child, int signal);

/* Is it over? Then its status has been taken. */
bool sil__child_poll(struct sil__child *child);

/* Kill it, if it is not over, and stand still until it is: for when nothing better can be done. */
void sil__child_end(struct sil__child *child);

/* Let go of the descriptor. It is over. */
void sil__child_fini(struct sil__child *child);

#endif
