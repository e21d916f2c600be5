/* SPDX-License-Identifier: MIT */
/*
 * Work on a network: the user's own URLs, loaded with sillon-http. What comes is counted, not kept.
 *
 * I1  A client belongs to a loop. In one loop all workers share one; where workers are threads or
 *     processes, each runs a loop with a client of its own, so that connections are used again in
 *     every mode.
 */
#ifndef CLI_BENCH_WORK_URL_H
#define CLI_BENCH_WORK_URL_H

#include <sillon/executor.h>

#include "bench/job.h"

/** On the calling thread, in one loop: job->workers coroutines. @return as job_run. */
int url_run_in_loop(const struct job *job, struct record *records);

/** In workers of an executor, each with a loop. @param executor  borrows. @return as job_run. */
int url_run_on_executor(const struct job *job, sil_executor *executor, struct record *records);

#endif
