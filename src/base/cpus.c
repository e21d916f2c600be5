/* SPDX-License-Identifier: MIT */
/*
 * How many CPUs this process may use, see cpus.h, sched_setaffinity(2), cgroups(7) and the
 * kernel's cgroup-v2.rst, "cpu.max".
 *
 * The process's cgroup is a path below a hierarchy (/proc/self/cgroup); where the hierarchy is
 * mounted, and which of its folders is the mount's root, stands in /proc/self/mountinfo. A
 * container may see only part of the path; what cannot be read limits nothing.
 */
#include "base/cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 4096
/* Larger machines answer EINVAL until the mask is large enough. */
#define MAX_CPUS (1 << 16)

/* --- affinity ------------------------------------------------------------------------------ */

static unsigned affinity_count(void)
{
    for (int cpus = 1024; cpus <= MAX_CPUS; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)cpus);
        if (!set)
            return 1;
        size_t size = CPU_ALLOC_SIZE((size_t)cpus);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0)
            return (unsigned)count;
    }
    return 1;
}

/* --- quota --------------------------------------------------------------------------------- */

static bool read_line(const char *folder, const char *file, char *line, int size)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path)
        return false;
    FILE *stream = fopen(path, "re");
    if (!stream)
        return false;
    bool read = fgets(line, size, stream) != NULL;
    (void)fclose(stream);
    return read;
}

/* CPUs of one folder, rounded up; 0 for no limit. */
static unsigned folder_quota(const char *folder, bool v2)
{
    char line[64];
    long long quota = 0;
    long long period = 0;
    if (v2) {
        /* "max 100000" or "150000 100000" */
        char *rest;
        if (!read_line(folder, "cpu.max", line, sizeof line))
            return 0;
        quota = strtoll(line, &rest, 10);
        period = strtoll(rest, NULL, 10);
    } else {
        if (!read_line(folder, "cpu.cfs_quota_us", line, sizeof line))
            return 0;
        quota = strtoll(line, NULL, 10); /* -1 for none */
        if (!read_line(folder, "cpu.cfs_period_us", line, sizeof line))
            return 0;
        period = strtoll(line, NULL, 10);
    }
    if (quota <= 0 || period <= 0)
        return 0;
    long long cpus = quota / period + (quota % period != 0);
    return cpus < MAX_CPUS ? (unsigned)cpus : MAX_CPUS;
}

static unsigned least(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The folder, and its parents up to the mount. */
static unsigned tree_quota(char *folder, size_t mount_length, bool v2)
{
    unsigned quota = folder_quota(folder, v2);
    while (strlen(folder) > mount_length) {
        *strrchr(folder, '/') = '\0';
        quota = least(quota, folder_quota(folder, v2));
    }
    return quota;
}

static bool has_option(const char *options, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = options; (at = strstr(at, option)); at += length)
        if ((at == options || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* The process's path in the hierarchy of the cpu controller, or the unified one. */
static bool find_cgroup(const char *process, bool v2, char *out_path)
{
    char file[PATH_SIZE];
    char line[PATH_SIZE];
    bool found = false;
    if (snprintf(file, sizeof file, "%s/cgroup", process) >= (int)sizeof file)
        return false;
    FILE *stream = fopen(file, "re");
    if (!stream)
        return false;
    while (!found && fgets(line, sizeof line, stream)) {
        /* "4:cpu,cpuacct:/path" or "0::/path" */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        controllers++;
        found = v2 ? *controllers == '\0' : has_option(controllers, "cpu");
        if (found)
            memcpy(out_path, path, strlen(path) + 1);
    }
    (void)fclose(stream);
    return found;
}

/* A line of mountinfo: is it the hierarchy we look for? Cuts the line up. */
static bool parse_mount(char *line, bool v2, char **out_root, char **out_point)
{
    /* "36 35 98:0 /root /point options - type source super,options" */
    char *fields[5];
    char *rest = line;
    for (int i = 0; i < 5; i++)
        if (!(fields[i] = strsep(&rest, " ")))
            return false;
    char *tail = rest ? strstr(rest, " - ") : NULL;
    if (!tail)
        return false;
    tail += 3;
    const char *type = strsep(&tail, " ");
    const char *source = strsep(&tail, " ");
    const char *options = tail ? tail : "";
    *out_root = fields[3];
    *out_point = fields[4];
    if (!source)
        return false;
    return v2 ? strcmp(type, "cgroup2") == 0
              : strcmp(type, "cgroup") == 0 && has_option(options, "cpu");
}

/* The process's folder below a mount whose root is some folder of the hierarchy. */
static const char *place_in_mount(const char *root_of_mount, const char *cgroup)
{
    size_t length = strcmp(root_of_mount, "/") == 0 ? 0 : strlen(root_of_mount);
    bool inside = strncmp(cgroup, root_of_mount, length) == 0 &&
                  (cgroup[length] == '/' || cgroup[length] == '\0');
    /* Not below the root: all we see of the hierarchy is the root itself. */
    return inside && strcmp(cgroup + length, "/") != 0 ? cgroup + length : "";
}

static unsigned mount_quota(const char *root, const char *root_of_mount, const char *point,
                            const char *cgroup, bool v2)
{
    char folder[2 * PATH_SIZE];
    const char *below = place_in_mount(root_of_mount, cgroup);
    int mount_length = snprintf(folder, sizeof folder, "%s%s", root, point);
    if (mount_length < 0 || (size_t)mount_length + strlen(below) >= sizeof folder)
        return 0;
    memcpy(folder + mount_length, below, strlen(below) + 1);
    return tree_quota(folder, (size_t)mount_length, v2);
}

static unsigned hierarchy_quota(const char *process, const char *root, bool v2)
{
    char cgroup[PATH_SIZE];
    char file[PATH_SIZE];
    char line[PATH_SIZE];
    unsigned quota = 0;
    if (!find_cgroup(process, v2, cgroup) ||
        snprintf(file, sizeof file, "%s/mountinfo", process) >= (int)sizeof file)
        return 0;
    FILE *stream = fopen(file, "re");
    if (!stream)
        return 0;
    while (fgets(line, sizeof line, stream)) {
        char *root_of_mount;
        char *point;
        line[strcspn(line, "\n")] = '\0';
        if (parse_mount(line, v2, &root_of_mount, &point))
            quota = least(quota, mount_quota(root, root_of_mount, point, cgroup, v2));
    }
    (void)fclose(stream);
    return quota;
}

unsigned sil__cpus_quota(const char *process, const char *root)
{
    return least(hierarchy_quota(process, root, true), hierarchy_quota(process, root, false));
}

unsigned sil__cpus_usable(const char *process, const char *root)
{
    unsigned quota = sil__cpus_quota(process, root);
    return least(affinity_count(), quota);
}
