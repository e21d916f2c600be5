/* SPDX-License-Identifier: MIT */
#include "harness/gate.h"

#include <limits.h>
#include <sched.h>

#include "harness/clock.h"
#include "harness/futex.h"

static uint32_t is_open __attribute__((aligned(128)));
static uint32_t standing __attribute__((aligned(128)));

static void task_stand(void *arg)
{
    (void)arg;
    __atomic_fetch_add(&standing, 1u, __ATOMIC_ACQ_REL);
    while (!__atomic_load_n(&is_open, __ATOMIC_ACQUIRE))
        futex_wait(&is_open, 0);
}

void gate_close(const struct adapter *peer, int workers, void *handles)
{
    __atomic_store_n(&is_open, 0u, __ATOMIC_RELAXED);
    __atomic_store_n(&standing, 0u, __ATOMIC_RELEASE);
    for (int i = 0; i < workers; i++) {
        if (handles != NULL)
            peer->submit((char *)handles + (size_t)i * peer->handle_size, task_stand, NULL);
        else
            peer->post(task_stand, NULL);
    }
    uint64_t end = clock_now_ns() + 200000000u;
    while (__atomic_load_n(&standing, __ATOMIC_ACQUIRE) < (uint32_t)workers && clock_now_ns() < end)
        sched_yield();
}

void gate_open(void)
{
    __atomic_store_n(&is_open, 1u, __ATOMIC_RELEASE);
    futex_wake(&is_open, INT_MAX);
}
