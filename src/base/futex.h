/* SPDX-License-Identifier: MIT */
/*
 * Futexes: sleep until a word changes; wake those who sleep on a word.
 *
 * A wake may name a word that is gone already (its owner saw the change by itself and left). The
 * kernel only looks at the address, so such a wake does nothing, or wakes somebody for nothing:
 * every sleeper here looks again.
 */
#ifndef SIL__BASE_FUTEX_H
#define SIL__BASE_FUTEX_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Sleep while *word == expected, at most until the deadline (monotonic nanoseconds, INT64_MAX for
 * ever). May return early for no reason. False: the deadline has come.
 */
bool sil__futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t until);

/* Wake at most count sleepers. */
void sil__futex_wake(_Atomic uint32_t *word, int count);

/* The same for a word in memory that several processes have mapped. */
bool sil__futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, int64_t until);
void sil__futex_wake_shared(_Atomic uint32_t *word, int count);

#endif
