/* SPDX-License-Identifier: MIT */
/*
 * Rates, see rates.h.
 */
#include "output/rates.h"

enum {
    SPACING_NS = 250000000, /* between two samples: the ring holds 16 seconds */
    ENOUGH_ITEMS = 8,       /* for a rate */
};

static const double WINDOW = 5, WIDE_WINDOW = 15;

static double seconds_between(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e9;
}

void rates_add(struct rates *rates, int64_t now, const struct screen_figures *figures)
{
    const struct rates_sample *last = &rates->past[(rates->count - 1) % RATES_SAMPLES];
    rates->now = (struct rates_sample){now, figures->done, figures->bytes};
    if (rates->count > 0 && now - last->at < SPACING_NS)
        return;
    rates->past[rates->count++ % RATES_SAMPLES] = rates->now;
}

/* The latest sample that is at least so old, or else the oldest there is: the start, or, once the ring is
 * full, its oldest. */
static const struct rates_sample *sample_before(const struct rates *rates, double seconds)
{
    size_t kept = rates->count < RATES_SAMPLES ? rates->count : RATES_SAMPLES;
    for (size_t i = 1; i <= kept; i++) {
        const struct rates_sample *sample = &rates->past[(rates->count - i) % RATES_SAMPLES];
        if (seconds_between(sample->at, rates->now.at) >= seconds)
            return sample;
    }
    return rates->count <= RATES_SAMPLES ? &rates->start
                                         : &rates->past[rates->count % RATES_SAMPLES];
}

static double rate(const struct rates_sample *from, const struct rates_sample *to, uint64_t before,
                   uint64_t after)
{
    double seconds = seconds_between(from->at, to->at);
    /* A try that begins anew takes bytes back. */
    return seconds > 0 && after > before ? (double)(after - before) / seconds : 0;
}

double rates_items(const struct rates *rates)
{
    const struct rates_sample *now = &rates->now, *from = sample_before(rates, WINDOW);
    if (now->done < from->done + ENOUGH_ITEMS)
        from = sample_before(rates, WIDE_WINDOW);
    if (now->done < from->done + ENOUGH_ITEMS)
        from = &rates->start;
    return rate(from, now, from->done, now->done);
}

double rates_bytes(const struct rates *rates)
{
    const struct rates_sample *from = sample_before(rates, WINDOW);
    return rate(from, &rates->now, from->bytes, rates->now.bytes);
}

double rates_left(const struct rates *rates, uint64_t total)
{
    uint64_t done = rates->now.done;
    double items = rates_items(rates);
    if (total == 0)
        return -1;
    if (done >= total)
        return 0;
    return items > 0 ? (double)(total - done) / items : -1;
}

double rates_seconds(const struct rates *rates)
{
    return seconds_between(rates->start.at, rates->now.at);
}
