/* SPDX-License-Identifier: MIT */
/*
 * What a worker may use: memory, processor time, which CPUs, how nice it is; and the sandbox.
 */
#ifndef SIL__PROCESS_LIMITS_H
#define SIL__PROCESS_LIMITS_H

#include <sched.h>
#include <sillon/process_pool.h>
#include <stdbool.h>
#include <stdint.h>

/* Travels to the worker as bytes. All zero: no limits. */
struct sil__limits {
    uint64_t memory;      /* bytes of private memory; 0: none */
    uint32_t cpu_seconds; /* of one task; 0: none */
    int32_t niceness;     /* added */
    uint32_t pinned;      /* cpus counts */
    uint32_t sandbox;     /* a sil_sandbox */
    cpu_set_t cpus;
};

/* Are the limits of these options in range? 0, or SIL_EINVAL/SIL_ENOTSUP with an error set. */
int sil__limits_take(const sil_process_pool_options *options, struct sil__limits *out);

/*
 * In a new worker, before the initializer and on its only thread, from which others inherit: all
 * but the sandbox. 0, or a code with an error set.
 */
int sil__limits_apply(const struct sil__limits *limits);

/* In a worker before each task: it may use cpu_seconds from here on. */
void sil__limits_begin_task(const struct sil__limits *limits);

/* In a new worker, after the initializer, for all its threads: no way back (sandbox.c). 0, or a
 * code with an error set. */
int sil__sandbox_enter(sil_sandbox sandbox);

/* Can this kernel do it? (sandbox.c) */
bool sil__sandbox_supported(void);

#endif
