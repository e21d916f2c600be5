/* SPDX-License-Identifier: MIT */
/*
 * Counting primes, see work_cpu.h.
 */
#include "bench/work_cpu.h"

#include <float.h>
#include <stdlib.h>

#include <sillon/deadline.h>

#include "bench/job.h"

enum {
    LEAST_BELOW = 16,
    FIRST_BELOW = 1024,
    TRIES = 3, /* the fastest counts: what comes between makes it slower, never faster */
    REFINEMENTS = 8,
};

static const double NEAR = 0.005;

uint64_t cpu_count_primes(uint64_t below)
{
    uint64_t count = below > 2 ? 1 : 0;
    for (uint64_t number = 3; number < below; number += 2) {
        uint64_t divisor = 3;
        while (divisor * divisor <= number && number % divisor != 0)
            divisor += 2;
        count += divisor * divisor > number;
    }
    return count;
}

uint64_t cpu_count_by_sieve(uint64_t below)
{
    uint64_t count = 0;
    unsigned char *crossed = calloc(below + 1, 1);
    if (crossed == NULL)
        return UINT64_MAX;
    for (uint64_t number = 2; number < below; number++) {
        if (crossed[number])
            continue;
        count++;
        for (uint64_t multiple = number * number; multiple < below; multiple += number)
            crossed[multiple] = 1;
    }
    free(crossed);
    return count;
}

static double time_here(uint64_t below, void *user)
{
    (void)user;
    double best = DBL_MAX;
    for (int i = 0; i < TRIES; i++) {
        struct record record = {0};
        record_begin(&record);
        record.answer = cpu_count_primes(below);
        record_end(&record);
        /* Its use must be seen, or it would not be counted at all. */
        __asm__ volatile("" : : "r"(record.answer));
        double taken = (double)record.cpu / 1e9;
        best = taken < best ? taken : best;
    }
    return best;
}

uint64_t cpu_calibrate(double seconds, cpu_clock_fn clock, void *user)
{
    if (clock == NULL)
        clock = time_here;
    uint64_t below = FIRST_BELOW;
    double taken = clock(below, user);
    /* First near it: the time of a short count says little of a long one. */
    while (taken < seconds / 4 && below < UINT64_C(1) << 40) {
        below *= 2;
        taken = clock(below, user);
    }
    for (int i = 0; i < REFINEMENTS && taken > 0; i++) {
        double error = seconds / taken - 1;
        if (error > -NEAR && error < NEAR)
            break;
        /* It takes some below to the power of 1.4; where far off, a step that cannot overshoot. */
        double factor = 1 + error / (error > 0.5 ? 2 : 1.4);
        double next = (double)below * (factor > 0.25 ? factor : 0.25);
        below = next > LEAST_BELOW ? (uint64_t)next : LEAST_BELOW;
        taken = clock(below, user);
    }
    return below;
}

int cpu_task(void *arg, void *result)
{
    struct record *record = result;
    record_begin(record);
    record->answer = cpu_count_primes(*(const uint64_t *)arg);
    record_end(record);
    return 0;
}
