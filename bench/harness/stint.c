/* SPDX-License-Identifier: MIT */
#include "harness/stint.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "harness/clock.h"

/* Each step needs the one before it, so that no compiler makes it shorter. */
static uint64_t count(uint64_t steps)
{
    uint64_t value = 1;
    for (uint64_t i = 0; i < steps; i++) {
        value = value * 6364136223846793005u + i;
        __asm__ volatile("" : "+r"(value));
    }
    return value;
}

static void work(const struct stint *stint)
{
    switch (stint->kind) {
    case STINT_SLEEP:
        if (stint->amount > 0)
            clock_sleep_ns(stint->amount);
        break;
    case STINT_COUNT:
        (void)count(stint->amount);
        break;
    case STINT_DIE:
        (void)kill(getpid(), SIGKILL);
        break;
    case STINT_ENDLESS:
        while (true)
            (void)count(1000000);
    }
}

void stint_do(const struct stint *stint, struct stint_report *out)
{
    out->pid = getpid();
    out->begin_ns = clock_now_ns();
    work(stint);
    out->end_ns = clock_now_ns();
}
