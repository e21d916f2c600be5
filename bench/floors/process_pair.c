/* SPDX-License-Identifier: MIT */
/*
 * The least a round trip between two processes can take: a word of shared memory for each way. With
 * PAIR_SPINS both spin, and without both sleep on a futex: no pool whose workers spin, or sleep,
 * can be faster than this. With PAIR_APART each has a CPU of its own; otherwise the system places
 * them, and two that sleep and wake each other often share one, which is faster.
 */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/adapter.h"
#include "harness/futex.h"

#ifndef PAIR_SPINS
#define PAIR_SPINS 0
#endif
#ifndef PAIR_APART
#define PAIR_APART 0
#endif

struct word {
    uint32_t value __attribute__((aligned(128)));
};

struct pair {
    struct word there;
    struct word back;
};

static struct pair *pair;
static pid_t partner;

static void word_raise(struct word *word)
{
    __atomic_store_n(&word->value, 1u, __ATOMIC_RELEASE);
    if (!PAIR_SPINS)
        syscall(SYS_futex, &word->value, FUTEX_WAKE, 1, NULL, NULL, 0); /* not private */
}

static void word_take(struct word *word)
{
    while (__atomic_load_n(&word->value, __ATOMIC_ACQUIRE) != 1) {
        if (PAIR_SPINS)
            cpu_pause();
        else
            syscall(SYS_futex, &word->value, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    __atomic_store_n(&word->value, 0u, __ATOMIC_RELAXED);
}

/* Onto the first or the last of the CPUs we may use. */
static void move_to(bool last)
{
    cpu_set_t cpus;
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
        abort();
    int cpu = last ? CPU_SETSIZE - 1 : 0;
    while (!CPU_ISSET(cpu, &cpus))
        cpu += last ? -1 : 1;
    CPU_SET(cpu, &chosen);
    if (sched_setaffinity(0, sizeof chosen, &chosen) != 0)
        abort();
}

static void partner_run(pid_t parent)
{
    if (PAIR_APART)
        move_to(true);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getppid() == parent) {
        word_take(&pair->there);
        word_raise(&pair->back);
    }
    _exit(0);
}

static void start(int workers)
{
    (void)workers;
    pid_t parent = getpid();
    pair = mmap(NULL, sizeof *pair, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pair == MAP_FAILED)
        abort();
    partner = fork();
    if (partner < 0)
        abort();
    if (partner == 0)
        partner_run(parent);
    if (PAIR_APART)
        move_to(false);
}

static void stop(void)
{
    if (partner <= 0)
        return;
    kill(partner, SIGKILL);
    waitpid(partner, NULL, 0);
}

static void submit(void *handle, task_fn fn, void *arg)
{
    (void)handle, (void)fn, (void)arg;
    word_raise(&pair->there);
}

static void get(void *handle)
{
    (void)handle;
    word_take(&pair->back);
}

const struct adapter bench_adapter = {
    .name = PAIR_SPINS   ? "process-pair-spinning"
            : PAIR_APART ? "process-pair-apart"
                         : "process-pair-futex",
    .start = start,
    .stop = stop,
    .handle_size = 1,
    .submit = submit,
    .get = get,
};
