/* SPDX-License-Identifier: MIT */
/*
 * Does who sleeps wake in time while N others give way to each other without end? 20 sleeps of
 * 10 ms.
 */
#include "harness/question.h"
#include "harness/statistics.h"

enum { SLEEPS = 20 };

static const double seconds = 0.01;

static int run(const struct request *request)
{
    uint64_t times[SLEEPS];
    if (request->peer->loop_beside == NULL)
        return report_unsupported(request);
    for (int i = 0; i < request->repetitions; i++) {
        request->peer->loop_beside(request->n, seconds, times, SLEEPS);
        statistics_sort(times, SLEEPS);
        report(request, "worst_ms", (double)times[SLEEPS - 1] * 1e-6);
        report(request, "p50_ms", (double)statistics_percentile(times, SLEEPS, 50) * 1e-6);
    }
    return 0;
}

const struct question question_beside = {
    .name = "beside",
    .help = "20 sleeps of 10 ms beside N coroutines that give way without end: worst_ms, p50_ms",
    .run = run,
};
