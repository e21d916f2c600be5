/* SPDX-License-Identifier: MIT */
/*
 * A run in a process, see round.h.
 */
#include "bench/round.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>

static size_t page_size(uint64_t tasks)
{
    return sizeof(struct round_page) + tasks * sizeof(struct record);
}

struct round_page *round_create(uint64_t tasks)
{
    void *page =
        mmap(NULL, page_size(tasks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

void round_destroy(struct round_page *page, uint64_t tasks)
{
    if (page != NULL)
        (void)munmap(page, page_size(tasks));
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* This process and those it has waited for. */
static void add_usage(struct usage *usage, int sign)
{
    static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage found;
        if (getrusage(whose[i], &found) != 0)
            continue;
        usage->cpu += sign * (seconds(found.ru_utime) + seconds(found.ru_stime));
        usage->switches += (uint64_t)(sign * (found.ru_nvcsw + found.ru_nivcsw));
    }
}

static int compare_workers(const void *a, const void *b)
{
    const struct record *left = a, *right = b;
    return (left->worker > right->worker) - (left->worker < right->worker);
}

/* Of worker processes, which each said how much they had at their end of each task. */
static uint64_t workers_memory(const struct record *records, uint64_t count)
{
    struct record *sorted = malloc(count * sizeof(*sorted));
    if (sorted == NULL)
        return 0;
    memcpy(sorted, records, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_workers);
    uint64_t sum = 0, most = 0;
    for (uint64_t i = 0; i < count; i++) {
        most = sorted[i].memory > most ? sorted[i].memory : most;
        if (i + 1 == count || sorted[i].worker != sorted[i + 1].worker) {
            sum += most;
            most = 0;
        }
    }
    free(sorted);
    return sum;
}

static void measure(const struct job *job, struct round_page *page)
{
    struct usage usage = {0};
    add_usage(&usage, -1);
    usage.begin = sil_clock();
    usage.code = job_run(job, page->records);
    usage.wall = (double)(sil_clock() - usage.begin) / 1e9;
    add_usage(&usage, 1);
    if (usage.code != 0)
        (void)snprintf(usage.message, sizeof(usage.message), "%s",
                       sil_error_message(sil_last_error()));
    struct rusage own;
    if (getrusage(RUSAGE_SELF, &own) == 0)
        usage.memory = (uint64_t)own.ru_maxrss * 1024;
    if (job->mode == MODE_PROCESSES)
        usage.memory += workers_memory(page->records, job->tasks);
    page->usage = usage;
}

int round_run(const struct job *job, struct round_page *page)
{
    memset(page, 0, page_size(job->tasks));
    (void)fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return sil_fail(errno, "fork: %s", strerror(errno));
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() == parent)
            measure(job, page);
        _exit(0);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return sil_fail(errno, "waitpid: %s", strerror(errno));
    }
    if (WIFSIGNALED(status))
        return sil_fail(SIL_EBROKEN, "a run was ended by signal %d", WTERMSIG(status));
    return 0;
}
