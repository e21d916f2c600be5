/* SPDX-License-Identifier: MIT */
/*
 * How many tasks a second can one thread outside the pool have done, asking for nothing back?
 * Timed from the first hand-over to the end of the last task.
 */
#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/usage.h"

enum { WARM_UP = 10000 };

static void post_all(const struct adapter *peer, long count)
{
    for (long i = 0; i < count; i++)
        peer->post(task_count_down, NULL);
}

static void wait_all(const struct adapter *peer)
{
    latch_wait();
    if (peer->drain != NULL)
        peer->drain();
}

static void post_timed(const struct request *request)
{
    const struct adapter *peer = request->peer;
    double n = (double)request->n;
    latch_set(request->n);
    double cpu = usage_cpu_seconds();
    uint64_t begin = clock_now_ns();
    post_all(peer, request->n);
    uint64_t posted = clock_now_ns();
    wait_all(peer);
    uint64_t end = clock_now_ns();
    report(request, "mtasks_per_s", n * 1e3 / (double)(end - begin));
    report(request, "submit_ns", (double)(posted - begin) / n);
    report(request, "cpu_ns", (usage_cpu_seconds() - cpu) * 1e9 / n);
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->post == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    latch_set(WARM_UP);
    post_all(peer, WARM_UP);
    wait_all(peer);
    for (int i = 0; i < request->repetitions; i++)
        post_timed(request);
    return 0;
}

const struct question question_post = {
    .name = "post",
    .help = "N tasks from one outside thread, fire and forget: mtasks_per_s, submit_ns, cpu_ns",
    .submits = true,
    .run = run,
};
