/* SPDX-License-Identifier: MIT */
/*
 * Finding processes of a run that are in no group of a job any more: by the run's word in
 * /proc/PID/environ, and by descent where that cannot be read (set-user-ID programs, those that are
 * not to be looked into).
 *
 * I1  A signal goes to the very process that was looked at, not to one that took its number since.
 * I2  No memory is allocated: the guardian uses this, too.
 * I3  Processes that have ended and were not waited for (zombies) do not count.
 */
#ifndef CLI_MAP_KIN_H
#define CLI_MAP_KIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Who has been sent a signal already: all zero to begin with. */
struct kin_asked {
    pid_t pids[64]; /**< of more the first are forgotten, and asked again */
    size_t count;
};

struct kin_search {
    const char *word;             /**< "SILLON_RUN=..." */
    uint64_t seq;                 /**< only those with this SILLON_SEQ, too; 0: all */
    const _Atomic pid_t *leaders; /**< of groups; 0: none there */
    size_t count;
    pid_t root;   /**< whose descendants are meant where the environment cannot be read; of seq 0
                       leaders' are, too; 0: no others */
    pid_t except; /**< it never is one; 0: nobody */
    int signal;   /**< to send; 0: none, just count */
    struct kin_asked *asked; /**< send it to none of these, and add who gets it; NULL: to all */
};

/** @return how many there are outside of the leaders' groups. Those inside are sent nothing. */
size_t kin_signal(const struct kin_search *search);

/** Send a signal to a leader's group, or to it alone if it leads none. */
void kin_signal_group(pid_t leader, int signal);

#endif
