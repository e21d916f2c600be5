/* SPDX-License-Identifier: MIT */
/*
 * How many jobs at the same time: what was typed, or SILLON_JOBS, in numbers of this machine.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include <sillon/thread_pool.h>

#include "syntax/options.h"
#include "syntax/values.h"

enum {
    MOST_JOBS = 65536,
    FILES_OF_OURS = 64, /* standard ones, the loop's, inputs, logs */
    FILES_A_JOB = 4, /* a process and what it writes; a connection, its file and the .part's lock */
};

/* "No limit" is as many as there can be files for. */
static double file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return MOST_JOBS;
    return ((double)limit.rlim_cur - FILES_OF_OURS) / FILES_A_JOB;
}

size_t jobs_count(const struct jobs *jobs, size_t fallback)
{
    struct jobs wanted = *jobs;
    const char *environment = getenv("SILLON_JOBS");
    if (wanted.kind == JOBS_DEFAULT && environment != NULL)
        (void)value_read_jobs(environment, &wanted);

    double cpus = sil_process_cpu_count(), count = (double)fallback;
    if (wanted.kind == JOBS_PERCENT)
        count = cpus * wanted.number / 100 + 0.5;
    else if (wanted.kind == JOBS_MORE)
        count = cpus + wanted.number;
    else if (wanted.kind == JOBS_NUMBER)
        count = wanted.number > 0 ? wanted.number : file_limit();
    return count < 1 ? 1 : count > MOST_JOBS ? MOST_JOBS : (size_t)count;
}
