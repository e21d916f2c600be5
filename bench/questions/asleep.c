/* SPDX-License-Identifier: MIT */
/*
 * N coroutines asleep at once, for a second: how much longer than that until all have ended, from
 * the first one's start; and how far resident memory grew, at its highest.
 */
#include "harness/question.h"
#include "harness/usage.h"

static const double seconds = 1.0;

static int run(const struct request *request)
{
    if (request->peer->loop_asleep == NULL)
        return report_unsupported(request);
    (void)request->peer->loop_asleep(10, 0.001);
    long before = usage_peak_bytes();
    uint64_t ns = request->peer->loop_asleep(request->n, seconds);
    report(request, "over_ms", (double)ns * 1e-6 - seconds * 1e3);
    report(request, "bytes", (double)(usage_peak_bytes() - before) / (double)request->n);
    return 0;
}

const struct question question_asleep = {
    .name = "asleep",
    .help = "N coroutines asleep at once for 1 s: over_ms beyond that, bytes each",
    .run = run,
};
