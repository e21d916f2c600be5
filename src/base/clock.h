/* SPDX-License-Identifier: MIT */
/*
 * The monotonic clock, and a fake one for tests.
 *
 * While the fake clock runs, time stands still until a test moves it; whoever waits with a
 * deadline sees the new time within a millisecond of real time.
 */
#ifndef SIL__BASE_CLOCK_H
#define SIL__BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SIL__SECOND INT64_C(1000000000)

/* Nanoseconds. */
int64_t sil__clock_now(void);

bool sil__clock_is_fake(void);

/* Test only: replace the clock by one that stands at now; move it on; bring the real one back. */
void sil__clock_fake_start(int64_t now);
void sil__clock_fake_advance(int64_t nanoseconds);
void sil__clock_fake_stop(void);

#endif
