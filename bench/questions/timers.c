/* SPDX-License-Identifier: MIT */
/*
 * N timers that never fire: set, in 1 to 60 s, all together; then cancelled, in the order in which
 * they were set.
 */
#include <stdlib.h>

#include "harness/question.h"

/* The same moments for each peer. */
static uint32_t *moments_new(long n)
{
    uint32_t *ms = malloc((size_t)n * sizeof *ms);
    uint64_t state = 1;
    if (ms == NULL)
        abort();
    for (long i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        ms[i] = 1000 + (uint32_t)(state >> 33) % 59000;
    }
    return ms;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->timers_set == NULL)
        return report_unsupported(request);
    double n = (double)request->n;
    uint32_t *ms = moments_new(request->n);
    peer->timers_new(request->n);
    for (int i = 0; i <= request->repetitions; i++) {
        uint64_t set = peer->timers_set(ms, request->n);
        uint64_t cancelled = peer->timers_cancel(request->n);
        if (i == 0)
            continue;
        report(request, "ns", (double)(set + cancelled) / n);
        report(request, "set_ns", (double)set / n);
        report(request, "cancel_ns", (double)cancelled / n);
    }
    free(ms);
    return 0;
}

const struct question question_timers = {
    .name = "timers",
    .help = "N timers set, and then cancelled: ns of both, set_ns, cancel_ns",
    .run = run,
};
