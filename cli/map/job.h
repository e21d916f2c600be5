/* SPDX-License-Identifier: MIT */
/*
 * One try of a job: a program started, its time watched, its end taken.
 *
 * I1  Who is ended by us is ended with all of its family: asked first (TERM, and CONT for those that
 *     are stopped), killed after kill_after. What a job leaves that ends by itself is let go on.
 * I2  A signal goes to nobody who took a number of the job's since.
 */
#ifndef CLI_MAP_JOB_H
#define CLI_MAP_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sillon/future.h>

#include "map/capture.h"
#include "map/family.h"
#include "map/syntax.h"

enum job_outcome {
    JOB_EXITED,      /**< with a code */
    JOB_SIGNALLED,   /**< by a signal */
    JOB_TIMED_OUT,   /**< and was ended */
    JOB_NOT_STARTED, /**< error says why */
};

/** What a try needs. All borrowed. */
struct job {
    char *const *words; /**< the command */
    struct family *family;
    struct capture *capture; /**< NULL: outputs are inherited */
    int input;               /**< a descriptor, SIL_NULL or SIL_INHERIT (--tty: the job stays in our
                                  group then, which alone may read from the terminal) */
    uint64_t seq;
    unsigned slot;
    unsigned attempt;  /**< from 1 */
    double timeout;    /**< seconds; 0: none */
    double kill_after; /**< between TERM and KILL */
    unsigned nice;
    const char *const *more_environment; /**< "NAME=value", ends with NULL; NULL: none */

    /* While it runs. */
    pid_t pid;          /**< 0: it does not run */
    int asked;          /**< the last signal that job_signal sent; if before job_run, none starts */
    bool own_group;     /**< it leads one */
    bool leader_ended;  /**< others of it may be left */
    bool ending;        /**< it is being ended, by us */
    int64_t kill_at;    /**< sil_clock() when what is left of it then will be killed */
    sil_future *killer; /**< the coroutine that does so; owned; NULL: none */
};

struct job_end {
    enum job_outcome outcome;
    int code; /**< exit code */
    int signal;
    int error;              /**< errno, when it was not started; ECANCELED: we did not want it to */
    double timeout;         /**< seconds that it had */
    int64_t started, ended; /**< sil_clock(); started: it executes */
    int64_t spawned;        /**< sil_clock() before the start */
    double user, system;    /**< CPU seconds, of it and what it waited for */
    uint64_t peak;          /**< bytes of memory at most */
    pid_t pid;
};

/** Run it, until it has ended. In a coroutine, which waits. Orphans it leaves are let go on, unless it was
 *  ended by us. */
void job_run(struct job *job, struct job_end *out);

/**
 * Send it a signal. One that ends programs (HUP, INT, QUIT, TERM, KILL) is to end all of its family:
 * its group at once, who left that when the job has ended, and with SIGKILL after kill_after whoever
 * is left. In a coroutine; callable while another one is in job_run.
 */
void job_signal(struct job *job, int signal);

/** "exit 3", "killed by SIGSEGV", "timed out after 3 s", "cannot execute: ...". @return out */
const char *job_describe(char *out, size_t size, const struct job_end *end);

#endif
