/* SPDX-License-Identifier: MIT */
/*
 * Spinning for a while: a few looks in a row, then with pauses between, then giving way to other
 * threads between, until SIL__SPIN_TIME is over. Bounded by time, since a pause takes from 5 to
 * 60 ns, and on a virtual machine more. What is looked for may need our very CPU: so it gets it
 * soon.
 */
#ifndef SIL__BASE_SPIN_H
#define SIL__BASE_SPIN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds: what it takes to put a thread to sleep and to wake it again. */
#define SIL__SPIN_TIME INT64_C(50000)
/* ... of which at most so much before others may have the CPU. */
#define SIL__SPIN_ALONE INT64_C(4000)
/* Looks without a pause. */
#define SIL__SPIN_TIGHT 16
/* Looks between two looks at the clock. */
#define SIL__SPIN_LOOKS 16

/* Is there a CPU on which what we look for can happen? Read-only once the library is loaded. */
extern bool sil__spin_pays;

/*
 * Whether the next spin promises anything is told by the last waits: short ones, slept through or
 * not, give credit, long ones take it. Where a spin was in vain, or stood in the way of another
 * thread on this CPU, it takes a number of short waits until the next try.
 */
enum sil__spin_wait { SIL__SPIN_SHORT, SIL__SPIN_LONG, SIL__SPIN_VAIN };

static inline int sil__spin_credit(int credit, enum sil__spin_wait wait)
{
    const int most = 8, least = -16, vain = 8;
    credit += wait == SIL__SPIN_SHORT ? 1 : wait == SIL__SPIN_LONG ? -1 : -vain;
    return credit > most ? most : credit < least ? least : credit;
}

struct sil__spin {
    unsigned looks;
    int64_t end;
    bool shared; /* another thread ran on our CPU meanwhile */
};

/* The real clock, also where tests have a fake one. */
static inline int64_t sil__spin_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline void sil__spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

static inline void sil__spin_begin(struct sil__spin *spin)
{
    spin->looks = 0;
    spin->end = 0;
    spin->shared = false;
}

/* What was looked for has come. */
static inline enum sil__spin_wait sil__spin_outcome(const struct sil__spin *spin)
{
    return spin->shared ? SIL__SPIN_VAIN : SIL__SPIN_SHORT;
}

/* Its clock. */
bool sil__spin_on(struct sil__spin *spin);

/* Wait a moment; false when the time is over. */
static inline bool sil__spin_again(struct sil__spin *spin)
{
    if (++spin->looks <= SIL__SPIN_TIGHT)
        return true;
    sil__spin_pause();
    if (spin->looks % SIL__SPIN_LOOKS != 0)
        return true;
    return sil__spin_on(spin);
}

#endif
