/* SPDX-License-Identifier: MIT */
/*
 * The same with a handle for each task: one outside thread submits them all, then collects them
 * in order.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"

static void submit_all(const struct adapter *peer, void *handles, long count)
{
    for (long i = 0; i < count; i++)
        peer->submit(handle_at(peer, handles, i), task_nothing, NULL);
}

static void get_all(const struct adapter *peer, void *handles, long count)
{
    for (long i = 0; i < count; i++)
        peer->get(handle_at(peer, handles, i));
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    double n = (double)request->n;
    if (peer->handle_size == 0)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handles = handles_new(peer, request->n);
    /* Once without measuring: so much memory that was never touched takes the system longer than
     * all the rest. What that costs stands in the questions of growth and of memory. */
    submit_all(peer, handles, request->n);
    get_all(peer, handles, request->n);
    for (int i = 0; i < request->repetitions; i++) {
        uint64_t begin = clock_now_ns();
        submit_all(peer, handles, request->n);
        uint64_t submitted = clock_now_ns();
        get_all(peer, handles, request->n);
        uint64_t end = clock_now_ns();
        report(request, "mtasks_per_s", n * 1e3 / (double)(end - begin));
        report(request, "submit_ns", (double)(submitted - begin) / n);
    }
    free(handles);
    return 0;
}

const struct question question_submit = {
    .name = "submit",
    .help = "N tasks with a handle each, collected in order: mtasks_per_s, submit_ns",
    .submits = true,
    .run = run,
};
