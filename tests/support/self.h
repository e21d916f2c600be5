/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of this process: its threads and descriptors, read from /proc/self.
 */
#ifndef TESTS_SUPPORT_SELF_H
#define TESTS_SUPPORT_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Threads whose name starts with the prefix; "" counts all. */
unsigned self_threads(const char *prefix);

/** Open descriptors, without the one that counting needs. */
unsigned self_descriptors(void);

/** How often the threads of that prefix went to sleep of their own will since they began. */
uint64_t self_voluntary_switches(const char *prefix);

/** Is this thread asleep in the kernel now? */
bool self_asleep(pid_t thread);

/** Processor time of the whole process, in seconds. */
double self_cpu_seconds(void);

#endif
