/* SPDX-License-Identifier: MIT */
/*
 * How many CPUs the machine has.
 */
#include <sillon/process.h>

#include <unistd.h>

unsigned sil_cpu_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}
