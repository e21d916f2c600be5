/* SPDX-License-Identifier: MIT */
/*
 * What tasks say of themselves, see job.h.
 */
#include "bench/job.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <sillon/deadline.h>

const char *const mode_names[MODES + 1] = {"seq", "threads", "processes", "async", NULL};

static int64_t thread_time(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void record_begin(struct record *record)
{
    record->worker = gettid();
    record->begin = sil_clock();
    record->cpu = -thread_time();
}

void record_end(struct record *record)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        record->memory = (uint64_t)usage.ru_maxrss * 1024;
    record->cpu += thread_time();
    record->end = sil_clock();
}
