/* SPDX-License-Identifier: MIT */
/*
 * The asymmetric barrier: between two sides that each write one thing and then look at the other's,
 * where one side is frequent and the other rare.
 *
 *     frequent:  write A; sil__barrier_light(); read B
 *     rare:      write B; sil__barrier_heavy(); read A
 *
 * At least one of the two sees what the other wrote, as with a full fence on both sides; but light
 * costs nothing: heavy has the kernel put a full fence into every running thread of the process
 * (membarrier(2), private expedited: 0.4 us when the others are idle, up to 9 us when they run).
 * Where the kernel does not have it, and under ThreadSanitizer, which cannot see it, both sides
 * are a read-modify-write of one word instead: of two such the later has all that came before the
 * earlier.
 */
#ifndef SIL__BASE_ASYMMETRIC_H
#define SIL__BASE_ASYMMETRIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Read-only once the library is loaded, but for the tests. */
extern bool sil__barrier_symmetric;

void sil__barrier_meet(void);
void sil__barrier_heavy(void);

static inline void sil__barrier_light(void)
{
    /* Keeps the compiler from moving the read up; heavy does the same to the processor. */
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(sil__barrier_symmetric, 0))
        sil__barrier_meet();
}

/* A full fence here and now, for the case that the other side is as frequent. */
static inline void sil__barrier_full(void)
{
#if defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
    sil__barrier_meet();
#else
    /* What gcc makes of a fence; clang takes mfence, which is eight times slower. */
    __asm__ volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
#endif
}

#endif
