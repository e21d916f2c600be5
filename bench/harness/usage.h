/* SPDX-License-Identifier: MIT */
/*
 * What this process has used: processor time, memory, and how often its threads gave up a CPU.
 */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

/** User and system time of all threads. */
double usage_cpu_seconds(void);

/** Resident memory. */
long usage_resident_bytes(void);
/** The most there ever was. */
long usage_peak_bytes(void);

/** Context switches of all threads: those that slept, and those that were pushed off. */
long usage_voluntary_switches(void);
long usage_involuntary_switches(void);

#endif
