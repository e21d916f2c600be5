/* SPDX-License-Identifier: MIT */
/*
 * What does a loop do while there is nothing to do? A coroutine waits for ever on an event; a
 * thread watches for N milliseconds what all other threads of the process do, and then sets it.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/event.h"
#include "harness/question.h"

enum { SETTLE_NS = 100000000 };

static uint32_t waiting;

struct doings {
    long switches; /* voluntary ones */
    long cpu_ns;
};

static FILE *task_file(long task, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/%s", task, name);
    return fopen(path, "r");
}

/* Nothing, for a thread that has ended meanwhile. */
static void add_task(struct doings *sum, long task)
{
    char line[256];
    long value = 0;
    FILE *file = task_file(task, "schedstat");
    if (file != NULL && fscanf(file, "%ld", &value) == 1)
        sum->cpu_ns += value;
    if (file != NULL)
        fclose(file);
    file = task_file(task, "status");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &value) == 1)
            sum->switches += value;
    if (file != NULL)
        fclose(file);
}

static struct doings others_so_far(void)
{
    struct doings sum = {0, 0};
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL)
        abort();
    for (const struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks)) {
        long task = atol(entry->d_name);
        if (task > 0 && task != gettid())
            add_task(&sum, task);
    }
    closedir(tasks);
    return sum;
}

static void on_waiting(void)
{
    event_set(&waiting);
}

static void *watch(void *arg)
{
    const struct request *request = arg;
    event_wait(&waiting);
    clock_sleep_ns(SETTLE_NS);
    struct doings before = others_so_far();
    clock_sleep_ns((uint64_t)request->n * 1000000u);
    struct doings after = others_so_far();
    report(request, "switches", (double)(after.switches - before.switches));
    report(request, "cpu_us", 1e-3 * (double)(after.cpu_ns - before.cpu_ns));
    request->peer->loop_set();
    return NULL;
}

static int run(const struct request *request)
{
    pthread_t watcher;
    if (request->peer->loop_wait == NULL)
        return report_unsupported(request);
    event_clear(&waiting);
    if (pthread_create(&watcher, NULL, watch, (void *)request) != 0)
        abort();
    request->peer->loop_wait(on_waiting);
    pthread_join(watcher, NULL);
    return 0;
}

const struct question question_idle = {
    .name = "idle",
    .help = "a loop with nothing to do for N ms: switches (voluntary) and cpu_us of its threads",
    .run = run,
};
