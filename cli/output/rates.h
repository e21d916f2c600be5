/* SPDX-License-Identifier: MIT */
/*
 * How fast it goes: from the figures of the last seconds, so that a rate follows what happens, and an
 * estimate of the time left.
 *
 * A window of five seconds says nothing of items that take a minute each: for them it is widened, up to
 * the whole time, until some have ended in it.
 */
#ifndef CLI_OUTPUT_RATES_H
#define CLI_OUTPUT_RATES_H

#include <stddef.h>
#include <stdint.h>

#include "output/screen.h"

enum { RATES_SAMPLES = 64 };

struct rates_sample {
    int64_t at; /**< sil_clock() */
    uint64_t done, bytes;
};

/** All zero but for start.at is one that begins. */
struct rates {
    struct rates_sample start;
    struct rates_sample past[RATES_SAMPLES]; /**< a ring */
    struct rates_sample now;
    size_t count; /**< that were ever put into it */
};

/** The figures of a moment; the moments go up. */
void rates_add(struct rates *rates, int64_t now, const struct screen_figures *figures);

/** A second; 0: nothing happens. */
double rates_items(const struct rates *rates);
double rates_bytes(const struct rates *rates);

/** Seconds that what is left will take; < 0: nobody knows. */
double rates_left(const struct rates *rates, uint64_t total);

/** Seconds since the start. */
double rates_seconds(const struct rates *rates);

#endif
