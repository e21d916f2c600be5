/* SPDX-License-Identifier: MIT */
/*
 * What a worker that dies does to others. How soon does its task's future fail, and how soon is
 * there a worker again that answers; and of the tasks queued around the one that kills its worker,
 * how many are lost?
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/question.h"

static const struct stint die = {.kind = STINT_DIE};
static const struct stint nothing = {.kind = STINT_SLEEP};
static const struct stint slow = {.kind = STINT_SLEEP, .amount = 50000000};

static int stint_once(const struct adapter *peer, void *handle, const struct stint *stint)
{
    struct stint_report unused;
    peer->submit_stint(handle, stint);
    return peer->get_stint(handle, &unused);
}

static int die_once(const struct request *request, void *handle)
{
    const struct adapter *peer = request->peer;
    if (stint_once(peer, handle, &nothing) != 0)
        return report_wrong(request, 1, 0);
    uint64_t begin = clock_now_ns();
    if (stint_once(peer, handle, &die) == 0)
        return report_wrong(request, 0, 1);
    uint64_t failed = clock_now_ns();
    if (stint_once(peer, handle, &nothing) != 0)
        return report_wrong(request, 1, 0);
    report(request, "failed_ms", (double)(failed - begin) * 1e-6);
    report(request, "replaced_ms", (double)(clock_now_ns() - begin) * 1e-6);
    return 0;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->submit_stint == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handle = handles_new(peer, 1);
    int status = 0;
    for (long i = 0; i < request->n && status == 0; i++)
        status = die_once(request, handle);
    free(handle);
    return status;
}

static long innocents_lost(const struct request *request, void *handles)
{
    const struct adapter *peer = request->peer;
    struct stint_report unused;
    long before = request->n / 4;
    long lost = 0;
    for (int i = 0; i < request->workers; i++)
        peer->submit_stint(handle_at(peer, handles, i), &nothing);
    for (int i = 0; i < request->workers; i++)
        (void)peer->get_stint(handle_at(peer, handles, i), &unused);
    for (long i = 0; i <= request->n; i++)
        peer->submit_stint(handle_at(peer, handles, i), i == before ? &die : &slow);
    for (long i = 0; i <= request->n; i++) {
        int code = peer->get_stint(handle_at(peer, handles, i), &unused);
        lost += i != before && code != 0;
    }
    return lost;
}

static int run_innocents(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->submit_stint == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handles = handles_new(peer, request->n + 1 + request->workers);
    for (int i = 0; i < request->repetitions; i++)
        report(request, "lost", (double)innocents_lost(request, handles));
    free(handles);
    return 0;
}

const struct question question_death = {
    .name = "death",
    .help = "N times a task kills its worker: failed_ms, replaced_ms (another has answered)",
    .run = run,
};

const struct question question_innocents = {
    .name = "innocents",
    .help = "N tasks, and among them one that kills its worker: how many others are lost",
    .run = run_innocents,
};
