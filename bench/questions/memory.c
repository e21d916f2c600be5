/* SPDX-License-Identifier: MIT */
/*
 * How many bytes does a task take that waits for a worker? All workers stand at a gate, N tasks
 * are handed over, and the growth of resident memory is divided by N; handles count, too.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/gate.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/usage.h"

static void hand_over(const struct request *request, void *handles)
{
    const struct adapter *peer = request->peer;
    for (long i = 0; i < request->n; i++) {
        if (handles != NULL)
            peer->submit(handle_at(peer, handles, i), task_nothing, NULL);
        else
            peer->post(task_count_down, NULL);
    }
}

/* The gate's tasks have the handles after those of the N. */
static void collect(const struct request *request, void *handles)
{
    const struct adapter *peer = request->peer;
    if (handles != NULL) {
        for (long i = 0; i < request->n + request->workers; i++)
            peer->get(handle_at(peer, handles, i));
        return;
    }
    latch_wait();
    if (peer->drain != NULL)
        peer->drain();
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    bool futures = request->question->futures;
    if (futures ? peer->handle_size == 0 : peer->post == NULL)
        return report_unsupported(request);
    double n = (double)request->n;
    peer->start(request->workers);
    void *handles = futures ? handles_new(peer, request->n + request->workers) : NULL;
    gate_close(peer, request->workers, futures ? handle_at(peer, handles, request->n) : NULL);
    latch_set(request->n);
    long before = usage_resident_bytes();
    uint64_t begin = clock_now_ns();
    hand_over(request, handles);
    uint64_t handed_over = clock_now_ns();
    long after = usage_resident_bytes();
    gate_open();
    collect(request, handles);
    uint64_t end = clock_now_ns();
    report(request, "bytes_per_task",
           (double)(after - before) / n + (futures ? (double)peer->handle_size : 0));
    report(request, "submit_ns", (double)(handed_over - begin) / n);
    report(request, "drain_ns", (double)(end - handed_over) / n);
    free(handles);
    return 0;
}

const struct question question_memory = {
    .name = "memory",
    .help = "N tasks queued, fire and forget: bytes_per_task, submit_ns, drain_ns; runs once",
    .submits = true,
    .run = run,
};

const struct question question_memory_futures = {
    .name = "memory_futures",
    .help = "the same with a handle each",
    .submits = true,
    .futures = true,
    .run = run,
};
