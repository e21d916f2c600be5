/* SPDX-License-Identifier: MIT */
/*
 * What others did, see noise.h.
 */
#include "bench/noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

bool noise_parse(const char *line, uint64_t *out_busy, uint64_t *out_all)
{
    /* user nice system idle iowait irq softirq steal; old systems have the first four */
    enum { LEAST = 4, MOST = 8 };
    uint64_t ticks[MOST] = {0};
    int count = 0;
    if (strncmp(line, "cpu ", 4) != 0)
        return false;
    for (const char *at = line + 4; count < MOST; count++) {
        char *end;
        ticks[count] = strtoull(at, &end, 10);
        if (end == at)
            break;
        at = end;
    }
    if (count < LEAST)
        return false;
    *out_busy = ticks[0] + ticks[1] + ticks[2] + ticks[7];
    *out_all = 0;
    for (int i = 0; i < count; i++)
        *out_all += ticks[i];
    return true;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

bool noise_look(struct noise *out)
{
    char line[512];
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return false;
    bool known =
        fgets(line, sizeof(line), file) != NULL && noise_parse(line, &out->busy, &out->all);
    (void)fclose(file);
    out->own = 0;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->own += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
        out->own += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    return known;
}

double noise_share(const struct noise *before, const struct noise *after, long ticks)
{
    if (after->all <= before->all || ticks <= 0)
        return 0;
    double busy = (double)(after->busy - before->busy) / (double)ticks;
    double all = (double)(after->all - before->all) / (double)ticks;
    double others = (busy - (after->own - before->own)) / all;
    return others < 0 ? 0 : others > 1 ? 1 : others;
}
