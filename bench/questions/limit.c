/* SPDX-License-Identifier: MIT */
/*
 * A task without end in a pool whose tasks may run 50 ms: how much later than that has its future
 * failed? From the submit, with a worker that waits for work.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/question.h"

enum { LIMIT_MS = 50 };

static const struct stint endless = {.kind = STINT_ENDLESS};
static const struct stint nothing = {.kind = STINT_SLEEP};

static int limit_once(const struct request *request, void *handle)
{
    const struct adapter *peer = request->peer;
    struct stint_report unused;
    peer->submit_stint(handle, &nothing);
    if (peer->get_stint(handle, &unused) != 0)
        return report_wrong(request, 1, 0);
    uint64_t begin = clock_now_ns();
    peer->submit_stint(handle, &endless);
    if (peer->get_stint(handle, &unused) == 0)
        return report_wrong(request, 0, 1);
    double ms = (double)(clock_now_ns() - begin) * 1e-6;
    report(request, "late_ms", ms - LIMIT_MS);
    return ms < LIMIT_MS ? report_wrong(request, ms, LIMIT_MS) : 0;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->start_limited == NULL)
        return report_unsupported(request);
    peer->start_limited(request->workers, LIMIT_MS * 1e-3);
    void *handle = handles_new(peer, 1);
    int status = 0;
    for (long i = 0; i < request->n && status == 0; i++)
        status = limit_once(request, handle);
    free(handle);
    return status;
}

const struct question question_limit = {
    .name = "limit",
    .help = "N times a task without end under a limit of 50 ms: late_ms",
    .run = run,
};
