/* SPDX-License-Identifier: MIT */
/*
 * How long does a thread outside wait for one empty task? Back to back (warm), and after a
 * millisecond in which nothing happened. With the peer's futures where it has them, else by an
 * event that the task sets.
 */
#include <stdio.h>
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/event.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/statistics.h"
#include "harness/usage.h"

enum { WARM_UP = 2000, WARM_UP_IDLE = 50 };

static uint32_t done __attribute__((aligned(128)));

static void trip_by_handle(const struct adapter *peer, void *handle)
{
    peer->submit(handle, task_nothing, NULL);
    peer->get(handle);
}

static void trip_by_event(const struct adapter *peer)
{
    event_clear(&done);
    peer->post(task_event, &done);
    event_wait(&done);
}

static uint64_t trip(const struct request *request, void *handle)
{
    if (request->question->idle_ns > 0)
        clock_sleep_ns((uint64_t)request->question->idle_ns);
    uint64_t begin = clock_now_ns();
    if (handle != NULL)
        trip_by_handle(request->peer, handle);
    else
        trip_by_event(request->peer);
    return clock_now_ns() - begin;
}

static void measure(const struct request *request, void *handle, uint64_t *times)
{
    size_t n = (size_t)request->n;
    double cpu = usage_cpu_seconds();
    uint64_t begin = clock_now_ns();
    for (size_t i = 0; i < n; i++)
        times[i] = trip(request, handle);
    double seconds = 1e-9 * (double)(clock_now_ns() - begin);
    report(request, "cpu_fraction", (usage_cpu_seconds() - cpu) / seconds);
    statistics_sort(times, n);
    report(request, "p50_ns", (double)statistics_percentile(times, n, 50));
    report(request, "p99_ns", (double)statistics_percentile(times, n, 99));
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->post == NULL && peer->handle_size == 0)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handle = peer->handle_size > 0 ? handles_new(peer, 1) : NULL;
    uint64_t *times = malloc((size_t)request->n * sizeof *times);
    if (times == NULL)
        abort();
    for (int i = 0; i < (request->question->idle_ns > 0 ? WARM_UP_IDLE : WARM_UP); i++)
        (void)trip(request, handle);
    for (int i = 0; i < request->repetitions; i++)
        measure(request, handle, times);
    free(times);
    free(handle);
    return 0;
}

const struct question question_round_trip = {
    .name = "round_trip",
    .help = "N times: submit one task and get it: p50_ns, p99_ns, cpu_fraction",
    .submits = true,
    .run = run,
};

const struct question question_round_trip_idle = {
    .name = "round_trip_idle",
    .help = "the same, each after 1 ms of sleep: p50_ns, p99_ns, cpu_fraction",
    .submits = true,
    .idle_ns = 1000000,
    .run = run,
};
