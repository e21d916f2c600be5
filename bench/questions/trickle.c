/* SPDX-License-Identifier: MIT */
/*
 * What does a pool burn when there is hardly anything to do? One task each millisecond, nobody
 * waits for it. Sleeping and waking at that rate costs something by itself, so it is measured
 * before, in the same process, without a pool.
 */
#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/usage.h"

enum { PERIOD_NS = 1000000 };

/* The fraction of one core that count periods took; peer NULL: the sleeper alone. */
static double trickle(const struct adapter *peer, long count)
{
    double cpu = usage_cpu_seconds();
    uint64_t begin = clock_now_ns();
    for (long i = 1; i <= count; i++) {
        clock_sleep_until(begin + (uint64_t)i * PERIOD_NS);
        if (peer != NULL)
            peer->post(task_nothing, NULL);
    }
    double seconds = 1e-9 * (double)(clock_now_ns() - begin);
    return (usage_cpu_seconds() - cpu) / seconds;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->post == NULL)
        return report_unsupported(request);
    double sleeper = trickle(NULL, request->n / 2 + 1);
    peer->start(request->workers);
    latch_set(request->workers);
    for (int i = 0; i < request->workers; i++)
        peer->post(task_count_down, NULL); /* the workers' start is not counted */
    latch_wait();
    clock_sleep_ns(20u * PERIOD_NS);
    for (int i = 0; i < request->repetitions; i++) {
        report(request, "cpu_fraction", trickle(peer, request->n));
        report(request, "sleeper_fraction", sleeper);
    }
    if (peer->drain != NULL)
        peer->drain();
    return 0;
}

const struct question question_trickle = {
    .name = "trickle",
    .help = "N tasks, one each millisecond: cpu_fraction of one core, sleeper_fraction without",
    .submits = true,
    .run = run,
};
