/* SPDX-License-Identifier: MIT */
/*
 * The asymmetric barrier, see asymmetric.h.
 */
#include "base/asymmetric.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fork.h"

#if defined(__SANITIZE_THREAD__)
#define SYMMETRIC_ALWAYS true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SYMMETRIC_ALWAYS true
#endif
#endif
#ifndef SYMMETRIC_ALWAYS
#define SYMMETRIC_ALWAYS false
#endif

bool sil__barrier_symmetric = true;
static _Atomic uint32_t meeting;

/* A child of fork begins unregistered. */
static void enlist(void)
{
    sil__barrier_symmetric =
        SYMMETRIC_ALWAYS ||
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0;
}

__attribute__((constructor)) static void prepare(void)
{
    enlist();
    sil__fork_on_child(enlist);
}

void sil__barrier_meet(void)
{
    atomic_fetch_add_explicit(&meeting, 1, memory_order_seq_cst);
}

void sil__barrier_heavy(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (sil__barrier_symmetric)
        sil__barrier_meet();
    else
        (void)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}
