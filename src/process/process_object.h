/* SPDX-License-Identifier: MIT */
/*
 * The object behind sil_process, and what its two kinds, a function (process_start.c) and a
 * program (process_run.c), have in common.
 *
 * A process that shall not outlive us is killed by the kernel when we end, however that comes
 * (PR_SET_PDEATHSIG). The kernel means the thread that started it, not the process. So it is
 * started by a thread of its own, its keeper, which stays until it has ended. That a watcher in the
 * new process would be enough is tempting, but wrong: it would not see us end while its process is
 * stopped, nor after an exec, and a program cannot be given one.
 *
 * I1: descriptor is open as long as the object lives: the process's id is never used for anything.
 * I2: over is set once, by whoever took the status (or found it taken), under the lock.
 */
#ifndef SIL__PROCESS_OBJECT_H
#define SIL__PROCESS_OBJECT_H

#include <pthread.h>
#include <sillon/process.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/lock.h"

struct sil_process {
    /* Read-only after create. */
    pid_t pid;
    int descriptor; /* pidfd */
    uint32_t generation;
    bool outlives_us;
    bool kept; /* it has a keeper */
    pthread_t keeper;

    struct sil__lock lock;
    /* Guarded by lock. */
    bool over;
    int code; /* once over: what sil_process_exit_code says */

    sil_process *next; /* of those let go of while they ran (process.c) */
};

/*
 * Starts the process; called once, on the keeper's thread or the caller's. 0, or a code with an
 * error set. *out_descriptor: a pidfd, owned.
 */
typedef int (*sil__process_starter)(void *plan, pid_t *out_pid, int *out_descriptor);

/* Returns owned; NULL with an error set: the starter's, SIL_ENOMEM, or SIL_EAGAIN no thread. */
sil_process *sil__process_create(sil__process_starter starter, void *plan, bool outlives_us);

/* Are they in range, and the descriptors open? 0, or a code with an error set. NULL allowed. */
int sil__process_check(const sil_process_options *options, const char *caller);

/* The descriptors to become its 0, 1 and 2; negative: ours. */
void sil__process_standard(const sil_process_options *options, int out[3]);

/* Fail for want of something of the system's, an errno value; returns SIL_EAGAIN, SIL_ENOMEM or
 * SIL_ENOTSUP. */
int sil__fail_system(int error, const char *what);

#endif
