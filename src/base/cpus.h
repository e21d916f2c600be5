/* SPDX-License-Identifier: MIT */
/*
 * How many CPUs this process may use.
 */
#ifndef SIL__BASE_CPUS_H
#define SIL__BASE_CPUS_H

/*
 * The affinity mask, cut down by the CPU quota of the process's cgroup and all its parents,
 * cgroup v1 and v2. At least 1.
 *
 * process  the folder that tells about the process: "/proc/self", or a test's.
 * root     put before every path of a mount: "", or a test's.
 */
unsigned sil__cpus_usable(const char *process, const char *root);

/* The quota alone, rounded up to whole CPUs; 0 for none. */
unsigned sil__cpus_quota(const char *process, const char *root);

#endif
