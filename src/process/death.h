/* SPDX-License-Identifier: MIT */
/*
 * How a process ended, in words.
 */
#ifndef SIL__PROCESS_DEATH_H
#define SIL__PROCESS_DEATH_H

#include <stddef.h>
#include <stdint.h>

/* Processes the kernel killed so far in our cgroup for want of memory (memory.events, cgroup v2;
 * v1's memory.oom_control); 0 where that is not told. root: put before every path: "", or a
 * test's. */
uint64_t sil__death_oom_kills(const char *root);

/*
 * "was killed by SIGKILL", "was killed by SIGSEGV (core dumped)", "exited with status 3"; SIGKILL
 * with ", out of memory" when oom, SIGXCPU with its meaning. status: as of waitpid. Always ends
 * with 0.
 */
void sil__death_describe(int status, int oom, char *buffer, size_t size);

/* "SIGKILL"; "signal 34" for those without a name. */
const char *sil__death_signal_name(int signal, char *buffer, size_t size);

#endif
