/* SPDX-License-Identifier: MIT */
/*
 * Pure computing: as many count loops as there are workers, in sequence by the parent itself, and
 * at the same time by the pool.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/question.h"

static double in_sequence(const struct request *request, const struct stint *stint)
{
    struct stint_report unused;
    uint64_t begin = clock_now_ns();
    for (int i = 0; i < request->workers; i++)
        stint_do(stint, &unused);
    return (double)(clock_now_ns() - begin);
}

/* @return 0 if one failed */
static double at_once(const struct request *request, const struct stint *stint, void *handles)
{
    const struct adapter *peer = request->peer;
    struct stint_report unused;
    bool failed = false;
    uint64_t begin = clock_now_ns();
    for (int i = 0; i < request->workers; i++)
        peer->submit_stint(handle_at(peer, handles, i), stint);
    for (int i = 0; i < request->workers; i++)
        failed |= peer->get_stint(handle_at(peer, handles, i), &unused) != 0;
    return failed ? 0 : (double)(clock_now_ns() - begin);
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    const struct stint stint = {.kind = STINT_COUNT, .amount = (uint64_t)request->n};
    const struct stint warm_up = {.kind = STINT_SLEEP, .amount = 50000000};
    if (peer->submit_stint == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handles = handles_new(peer, request->workers);
    int status = at_once(request, &warm_up, handles) > 0 ? 0 : report_wrong(request, 1, 0);
    for (int i = 0; i < request->repetitions && status == 0; i++) {
        double sequence = in_sequence(request, &stint);
        double pool = at_once(request, &stint, handles);
        if (pool > 0)
            report(request, "speed_up", sequence / pool);
        else
            status = report_wrong(request, 1, 0);
        report(request, "loop_ms", sequence * 1e-6 / request->workers);
    }
    free(handles);
    return status;
}

const struct question question_count = {
    .name = "count",
    .help = "a count loop of N steps for each worker, against all in sequence: speed_up, loop_ms",
    .run = run,
};
