/* SPDX-License-Identifier: MIT */
/*
 * Noticing a fork, see fork.h. Registered once, when the library is loaded.
 */
#include "base/fork.h"

#include <pthread.h>
#include <stddef.h>

#include "base/assert.h"

#define HOOKS 8

_Atomic uint32_t sil__fork_count;

/* Written while the library is loaded, by constructors that run one after the other. */
static void (*hooks[HOOKS])(void);
static int hook_count;

static void in_child(void)
{
    atomic_fetch_add_explicit(&sil__fork_count, 1, memory_order_relaxed);
    for (int i = 0; i < hook_count; i++)
        hooks[i]();
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, in_child);
}

void sil__fork_on_child(void (*fn)(void))
{
    SIL_ASSERT(hook_count < HOOKS);
    hooks[hook_count++] = fn;
}
