/* SPDX-License-Identifier: MIT */
/*
 * What is gained by handing over many tasks in one call? To be compared with post and with submit
 * of the same peer.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"

enum { WARM_UP = 10000 };

static void hand_over(const struct adapter *peer, void *handles, long count)
{
    if (handles != NULL)
        peer->submit_many(handles, task_nothing, (size_t)count);
    else
        peer->post_many(task_count_down, (size_t)count);
}

static void collect(const struct adapter *peer, void *handles, long count)
{
    if (handles == NULL)
        latch_wait();
    for (long i = 0; handles != NULL && i < count; i++)
        peer->get(handle_at(peer, handles, i));
}

static void measure(const struct request *request, void *handles)
{
    double n = (double)request->n;
    latch_set(request->n);
    uint64_t begin = clock_now_ns();
    hand_over(request->peer, handles, request->n);
    uint64_t handed_over = clock_now_ns();
    collect(request->peer, handles, request->n);
    uint64_t end = clock_now_ns();
    report(request, "mtasks_per_s", n * 1e3 / (double)(end - begin));
    report(request, "submit_ns", (double)(handed_over - begin) / n);
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    bool futures = request->question->futures;
    if (futures ? peer->submit_many == NULL : peer->post_many == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handles = futures ? handles_new(peer, request->n) : NULL;
    long warm_up = request->n < WARM_UP ? request->n : WARM_UP;
    latch_set(warm_up);
    hand_over(peer, handles, warm_up);
    collect(peer, handles, warm_up);
    for (int i = 0; i < request->repetitions; i++)
        measure(request, handles);
    free(handles);
    return 0;
}

const struct question question_bulk = {
    .name = "bulk",
    .help = "N tasks in one call, fire and forget: mtasks_per_s, submit_ns",
    .submits = true,
    .run = run,
};

const struct question question_bulk_futures = {
    .name = "bulk_futures",
    .help = "the same with a handle each, collected in order: mtasks_per_s, submit_ns",
    .submits = true,
    .futures = true,
    .run = run,
};
