/* SPDX-License-Identifier: MIT */
/*
 * A new process that executes a program.
 *
 * As posix_spawn does, the new process borrows our memory, with the calling thread standing still,
 * until it executes the program; so it costs the same in a process of any size, and what went wrong
 * is simply written down. posix_spawn takes a third longer: it maps a stack each time, asks for
 * limits, opens /dev/null anew and gives no pidfd.
 */
#ifndef SIL__BASE_EXECUTE_H
#define SIL__BASE_EXECUTE_H

#include <stdbool.h>
#include <sys/types.h>

/* Where one of its standard descriptors comes from, if from none of ours. */
enum { SIL__EXECUTE_OURS = -1, SIL__EXECUTE_NULL = -2, SIL__EXECUTE_MERGE = -3 };

/* All borrowed. */
struct sil__execution {
    const char *program; /* looked up in our PATH unless it has a slash */
    const char *const *arguments;
    const char *const *environment; /* NULL: ours */
    const char *directory;          /* NULL: ours */
    int standard[3];                /* descriptors of ours, or as above */
    bool new_group;
    bool new_session;
};

/* What failed. */
enum sil__execute_step {
    SIL__EXECUTE_PROCESS, /* there was none to be had */
    SIL__EXECUTE_DESCRIPTORS,
    SIL__EXECUTE_DIRECTORY,
    SIL__EXECUTE_PROGRAM,
};

/*
 * Start it: without our other descriptors, with no signal blocked or ignored. Returns 0 or an errno
 * value; out_step: what failed then. out_pidfd: -1 where the kernel gives none that way.
 */
int sil__execute(const struct sil__execution *execution, pid_t *out_pid, int *out_pidfd,
                 enum sil__execute_step *out_step);

#endif
