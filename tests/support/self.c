/* SPDX-License-Identifier: MIT */
/*
 * Readers of /proc/self. Threads come and go while we read: one that is gone counts for nothing.
 */
#include "support/self.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* The file of one thread, read into text; false if the thread is gone. */
static bool read_of_thread(const char *thread, const char *name, char *text, size_t size)
{
    char path[300];
    (void)snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    (void)fclose(file);
    return length > 0;
}

static bool is_named(const char *thread, const char *prefix)
{
    char name[64];
    return read_of_thread(thread, "comm", name, sizeof name) &&
           strncmp(name, prefix, strlen(prefix)) == 0;
}

/* A number of a thread's status, such as "Threads:"; 0 if the thread is gone. */
static uint64_t status_of(const char *thread, const char *key)
{
    char text[4096];
    if (!read_of_thread(thread, "status", text, sizeof text))
        return 0;
    const char *line = strstr(text, key);
    return line != NULL ? strtoull(line + strlen(key), NULL, 10) : 0;
}

/* Adds one for each thread of the prefix, or its switches. */
static uint64_t sum_over_threads(const char *prefix, bool switches)
{
    uint64_t sum = 0;
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] == '.' || !is_named(entry->d_name, prefix))
            continue;
        sum += switches ? status_of(entry->d_name, "\nvoluntary_ctxt_switches:") : 1;
    }
    (void)closedir(threads);
    return sum;
}

/* The folder may skip a thread while another one leaves it: the kernel's own count is exact. */
unsigned self_threads(const char *prefix)
{
    if (*prefix == '\0') {
        char thread[32];
        (void)snprintf(thread, sizeof thread, "%d", (int)getpid());
        return (unsigned)status_of(thread, "\nThreads:");
    }
    return (unsigned)sum_over_threads(prefix, false);
}

uint64_t self_voluntary_switches(const char *prefix)
{
    return sum_over_threads(prefix, true);
}

unsigned self_descriptors(void)
{
    unsigned count = 0;
    DIR *descriptors = opendir("/proc/self/fd");
    if (descriptors == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(descriptors)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(descriptors);
    return count - 1;
}

bool self_asleep(pid_t thread)
{
    char name[32];
    char text[4096];
    (void)snprintf(name, sizeof name, "%d", (int)thread);
    if (!read_of_thread(name, "stat", text, sizeof text))
        return false;
    const char *after_name = strrchr(text, ')');
    return after_name != NULL && after_name[1] == ' ' && after_name[2] == 'S';
}

double self_cpu_seconds(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}
