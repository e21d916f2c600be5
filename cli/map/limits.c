/* SPDX-License-Identifier: MIT */
/*
 * Whether there is room for one more job, see limits.h.
 *
 * Not the load average: it knows of a job some ten seconds after that began. The number of processes
 * that can run at this moment is exact, and noisy; the pressure (how long some had to wait since the
 * last look) is neither, but says nothing above one process a CPU. So both must allow it.
 */
#include "map/limits.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/thread_pool.h>

static const double look_every = 0.1;
static const double much_pressure = 0.5;

/* --- what is typed ------------------------------------------------------------------------- */

bool limits_read(struct limits *out, const char *load, uint64_t memory_free)
{
    *out = (struct limits){.memory_free = memory_free};
    if (load == NULL)
        return true;
    char *end;
    double number = strtod(load, &end);
    if (end == load || !isfinite(number) || number <= 0 || load[0] == '+' || load[0] == ' ')
        return false;
    if (strcmp(end, "%") == 0)
        number = number / 100 * (double)sil_process_cpu_count();
    else if (*end != '\0')
        return false;
    out->load = number;
    return true;
}

/* --- what the kernel says ------------------------------------------------------------------ */

static bool read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, out, size - 1);
    (void)close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* "0.20 0.18 0.12 3/80 11206": the third last is what can run now, this process with it. */
static double look_at_wanting(void)
{
    char text[128];
    double number = 0;
    if (!read_file("/proc/loadavg", text, sizeof(text)))
        return 0;
    const char *at = text;
    for (int i = 0; at != NULL && i < 3; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at != NULL)
        number = strtod(at, NULL) - 1;
    return number > 0 ? number : 0;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345", in microseconds. */
static uint64_t look_at_waited(void)
{
    char text[256];
    if (!read_file("/proc/pressure/cpu", text, sizeof(text)))
        return 0;
    const char *total = strstr(text, "total=");
    return total != NULL ? strtoull(total + strlen("total="), NULL, 10) : 0;
}

static uint64_t look_at_available(void)
{
    char text[1024];
    if (!read_file("/proc/meminfo", text, sizeof(text)))
        return UINT64_MAX;
    const char *line = strstr(text, "MemAvailable:");
    return line != NULL ? strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024 : UINT64_MAX;
}

static void look(struct limits *limits, int64_t now)
{
    if (limits->load > 0) {
        uint64_t waited = look_at_waited();
        double microseconds = (double)(now - limits->looked_at) / 1e3;
        limits->pressure = 0;
        if (limits->looked_at != 0 && waited > limits->waited)
            limits->pressure = (double)(waited - limits->waited) / microseconds;
        limits->waited = waited;
        limits->wanting = look_at_wanting();
    }
    if (limits->memory_free > 0)
        limits->available = look_at_available();
    limits->looked_at = now;
}

/* --- the answer ---------------------------------------------------------------------------- */

static bool is_loaded(const struct limits *limits)
{
    if (limits->load <= 0)
        return false;
    if (limits->wanting >= limits->load)
        return true;
    return limits->load <= (double)sil_process_cpu_count() && limits->pressure > much_pressure;
}

double limits_may_start(struct limits *limits, size_t running)
{
    if (limits->load <= 0 && limits->memory_free == 0)
        return 0;
    int64_t now = sil_clock();
    if (limits->looked_at == 0 || now - limits->looked_at >= (int64_t)(look_every * 1e9))
        look(limits, now);
    bool is_full = limits->memory_free > 0 && limits->available < limits->memory_free;
    if (is_full || (running > 0 && is_loaded(limits)))
        return look_every;
    limits->wanting += 1;
    return 0;
}
