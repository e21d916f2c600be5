/* SPDX-License-Identifier: MIT */
#include "harness/usage.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rusage usage_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage;
}

double usage_cpu_seconds(void)
{
    struct rusage usage = usage_now();
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

long usage_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size = 0;
    long resident = 0;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

long usage_peak_bytes(void)
{
    /* Not ru_maxrss: that of a new program begins with what its parent had. */
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

long usage_voluntary_switches(void)
{
    return usage_now().ru_nvcsw;
}

long usage_involuntary_switches(void)
{
    return usage_now().ru_nivcsw;
}
