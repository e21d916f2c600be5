/* SPDX-License-Identifier: MIT */
/*
 * Limits of a worker, see limits.h, setrlimit(2), setpriority(2), sched_setaffinity(2).
 *
 * I1: the soft limit of processor time is the only one that changes after the start; its hard limit
 *     stays as it was, so that each task can be given more than the one before had.
 */
#include "process/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <sillon/status.h>

#include "core/context.h"

#define NICENESS_MAX 19
/* CPU_SETSIZE, but that is 128 in musl 1.2.3, whose cpu_set_t holds as many as glibc's. */
#define CPU_COUNT_MAX (8 * sizeof(cpu_set_t))
/* The seconds of all tasks before are added to it. */
#define CPU_SECONDS_MAX (INT_MAX / 2)

/* --- from options -------------------------------------------------------------------------- */

/*
 * Whether one of the CPUs may be used is not written anywhere: neither those of the calling thread
 * nor those of the machine are what the process's cpuset allows. So the calling thread moves there
 * for a moment. Nothing to say where its own CPUs are more than a cpu_set_t holds.
 */
static bool is_usable(const cpu_set_t *cpus)
{
    cpu_set_t before;
    if (sched_getaffinity(0, sizeof before, &before) != 0)
        return true;
    if (sched_setaffinity(0, sizeof *cpus, cpus) != 0)
        return false;
    (void)sched_setaffinity(0, sizeof before, &before);
    return true;
}

static int take_cpus(const unsigned *cpus, size_t count, struct sil__limits *limits)
{
    if (!cpus != (count == 0))
        return sil__fail(SIL_EINVAL, "sil_process_pool: cpus and cpu_count do not go together");
    CPU_ZERO(&limits->cpus);
    for (size_t i = 0; i < count; i++) {
        if (cpus[i] >= CPU_COUNT_MAX)
            return sil__fail(SIL_EINVAL, "sil_process_pool: there is no CPU %u", cpus[i]);
        CPU_SET(cpus[i], &limits->cpus);
    }
    limits->pinned = count > 0;
    if (limits->pinned && !is_usable(&limits->cpus))
        return sil__fail(SIL_EINVAL, "sil_process_pool: none of the CPUs given may be used");
    return 0;
}

static int check_sandbox(sil_sandbox sandbox)
{
    switch (sandbox) {
    case SIL_SANDBOX_NONE:
        return 0;
    case SIL_SANDBOX_READ_ONLY:
    case SIL_SANDBOX_COMPUTE:
        if (sil__sandbox_supported())
            return 0;
        return sil__fail(SIL_ENOTSUP, "sil_process_pool: the kernel has no sandbox (seccomp)");
    }
    return sil__fail(SIL_EINVAL, "sil_process_pool: there is no sandbox %d", (int)sandbox);
}

int sil__limits_take(const sil_process_pool_options *options, struct sil__limits *out)
{
    if (options->niceness < 0 || options->niceness > NICENESS_MAX)
        return sil__fail(SIL_EINVAL, "sil_process_pool: a niceness of %d is not from 0 to %d",
                         options->niceness, NICENESS_MAX);
    if (options->cpu_limit > CPU_SECONDS_MAX)
        return sil__fail(SIL_EINVAL, "sil_process_pool: a cpu_limit of %u seconds is too much",
                         options->cpu_limit);
    int code = check_sandbox(options->sandbox);
    if (code != 0)
        return code;
    struct sil__limits limits;
    memset(&limits, 0, sizeof limits); /* it travels as bytes, padding too */
    limits.memory = options->memory_limit;
    limits.cpu_seconds = options->cpu_limit;
    limits.niceness = options->niceness;
    limits.sandbox = (uint32_t)options->sandbox;
    code = take_cpus(options->cpus, options->cpu_count, &limits);
    if (code == 0)
        memcpy(out, &limits, sizeof limits);
    return code;
}

/* --- in the worker ------------------------------------------------------------------------- */

/* A limit below what is used already is accepted, and everything fails then. */
static bool can_get_memory(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    (void)munmap(page, size);
    return true;
}

static int apply_memory(uint64_t bytes)
{
    struct rlimit limit;
    if (bytes == 0)
        return 0;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return sil__fail(SIL_ENOTSUP, "the memory limit could not be read: %s",
                         sil_strerror(errno));
    if (limit.rlim_max > bytes)
        limit.rlim_max = bytes;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_DATA, &limit) != 0)
        return sil__fail(SIL_ENOTSUP, "the memory limit of %" PRIu64 " bytes could not be set: %s",
                         bytes, sil_strerror(errno));
    if (!can_get_memory())
        return sil__fail(SIL_ENOMEM,
                         "the memory limit of %" PRIu64 " bytes is less than what a worker has "
                         "when it starts",
                         bytes);
    return 0;
}

static int apply_niceness(int added)
{
    if (added == 0)
        return 0;
    errno = 0; /* -1 is a niceness too */
    int niceness = getpriority(PRIO_PROCESS, 0);
    if (errno == 0) {
        niceness = niceness + added < NICENESS_MAX ? niceness + added : NICENESS_MAX;
        if (setpriority(PRIO_PROCESS, 0, niceness) == 0)
            return 0;
    }
    return sil__fail(SIL_ENOTSUP, "the niceness could not be raised by %d: %s", added,
                     sil_strerror(errno));
}

static int apply_cpus(const struct sil__limits *limits)
{
    if (!limits->pinned || sched_setaffinity(0, sizeof limits->cpus, &limits->cpus) == 0)
        return 0;
    return sil__fail(SIL_ENOTSUP, "the CPUs could not be set: %s", sil_strerror(errno));
}

int sil__limits_apply(const struct sil__limits *limits)
{
    int code = apply_niceness(limits->niceness);
    if (code == 0)
        code = apply_cpus(limits);
    /* The last: with less memory even the message of a failure might not be had. */
    return code != 0 ? code : apply_memory(limits->memory);
}

/* SIGXCPU as it was at the start, whatever the task before made of it. */
static void reset_signal(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigset_t set;
    /* Ignoring it drops one that is pending: that of a task which blocked it. */
    (void)sigaction(SIGXCPU, &action, NULL);
    action.sa_handler = SIG_DFL;
    (void)sigaction(SIGXCPU, &action, NULL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGXCPU);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void sil__limits_begin_task(const struct sil__limits *limits)
{
    struct rlimit limit;
    struct timespec used;
    if (limits->cpu_seconds == 0)
        return;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0 || getrlimit(RLIMIT_CPU, &limit) != 0)
        return;
    rlim_t soft = (rlim_t)used.tv_sec + (used.tv_nsec > 0) + limits->cpu_seconds;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    (void)setrlimit(RLIMIT_CPU, &limit);
    reset_signal();
}
