/* SPDX-License-Identifier: MIT */
/*
 * How long does a coroutine wait for a pool of threads to do nothing? One at a time: the loop has
 * nothing else to do meanwhile.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/question.h"
#include "harness/statistics.h"
#include "harness/usage.h"

enum { WARM_UP = 500 };

static void measure(const struct request *request, uint64_t *times)
{
    size_t n = (size_t)request->n;
    double cpu = usage_cpu_seconds();
    uint64_t begin = clock_now_ns();
    request->peer->loop_offload(times, request->n);
    double seconds = 1e-9 * (double)(clock_now_ns() - begin);
    report(request, "cpu_fraction", (usage_cpu_seconds() - cpu) / seconds);
    statistics_sort(times, n);
    report(request, "p50_ns", (double)statistics_percentile(times, n, 50));
    report(request, "p99_ns", (double)statistics_percentile(times, n, 99));
}

static int run(const struct request *request)
{
    if (request->peer->loop_offload == NULL)
        return report_unsupported(request);
    size_t room = request->n > WARM_UP ? (size_t)request->n : WARM_UP;
    uint64_t *times = malloc(room * sizeof *times);
    if (times == NULL)
        abort();
    request->peer->start(request->workers);
    request->peer->loop_offload(times, WARM_UP);
    for (int i = 0; i < request->repetitions; i++)
        measure(request, times);
    free(times);
    return 0;
}

const struct question question_offload = {
    .name = "offload",
    .help = "N times: a coroutine has a pool of threads do nothing, and awaits it: p50_ns ...",
    .run = run,
};
