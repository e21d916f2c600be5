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
#include <sys/types.h>

/* Where one of its standard descriptors comes from, if from none of ours. */
enum { SIL__CHILD_OURS = -1, SIL__CHILD_NULL = -2, SIL__CHILD_MERGE = -3 };

/* All borrowed. */
struct sil__child_plan {
    const char *program; /* looked up in PATH unless it has a slash */
    const char *const *arguments;
    const char *const *environment; /* NULL: ours */
    const char *directory;          /* NULL: ours */
    int standard[3];                /* descriptors of ours, or as above */
    bool new_group;
    bool new_session;
};

struct sil__child {
    pid_t pid;
    int descriptor; /* a pidfd; -1: it was over before we could have one */
    bool leads;     /* a group: signals go to all of it */
    bool over;
    int status; /* once over: its exit code, minus the signal that ended it, or SIL_EALREADY */
};

/* 0, or a code with the last error set. */
int sil__child_start(struct sil__child *child, const struct sil__child_plan *plan);

/* 0; SIL_EALREADY it is over; SIL_EINVAL; an errno value. Sets no error. */
int sil__child_signal(struct sil__child *child, int signal);

/* Is it over? Then its status has been taken. */
bool sil__child_poll(struct sil__child *child);

/* Kill it, if it is not over, and stand still until it is: for when nothing better can be done. */
void sil__child_end(struct sil__child *child);

/* Let go of the descriptor. It is over. */
void sil__child_fini(struct sil__child *child);

#endif
