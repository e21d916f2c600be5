/* SPDX-License-Identifier: MIT */
/*
 * Does a task cost more when there are many? The same as post and submit at sizes far apart (the
 * caller chooses N), free-running, and all of them queued before the first one may run. Small
 * sizes are repeated until a million tasks have run, so that the clock has something to see.
 */
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/gate.h"
#include "harness/latch.h"
#include "harness/question.h"

static const long tasks_wanted = 1000000;

static void post_all(const struct adapter *peer, long count)
{
    latch_set(count);
    for (long i = 0; i < count; i++)
        peer->post(task_count_down, NULL);
}

static void wait_all(const struct adapter *peer)
{
    latch_wait();
    if (peer->drain != NULL)
        peer->drain();
}

static uint64_t time_running(const struct adapter *peer, long count)
{
    uint64_t begin = clock_now_ns();
    post_all(peer, count);
    wait_all(peer);
    return clock_now_ns() - begin;
}

static uint64_t time_queued(const struct adapter *peer, long count, int workers)
{
    gate_close(peer, workers, NULL);
    uint64_t begin = clock_now_ns();
    post_all(peer, count);
    gate_open();
    wait_all(peer);
    return clock_now_ns() - begin;
}

static uint64_t time_futures(const struct adapter *peer, void *handles, long count)
{
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < count; i++)
        peer->submit(handle_at(peer, handles, i), task_nothing, NULL);
    for (long i = 0; i < count; i++)
        peer->get(handle_at(peer, handles, i));
    return clock_now_ns() - begin;
}

static long rounds_of(long n)
{
    return n < tasks_wanted ? tasks_wanted / n : 1;
}

static int run_posts(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->post == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    (void)time_running(peer, 10000);
    long rounds = rounds_of(request->n);
    double tasks = (double)rounds * (double)request->n;
    for (int i = 0; i < request->repetitions; i++) {
        uint64_t running = 0;
        uint64_t queued = 0;
        for (long k = 0; k < rounds; k++) {
            running += time_running(peer, request->n);
            queued += time_queued(peer, request->n, request->workers);
        }
        report(request, "running_ns", (double)running / tasks);
        report(request, "queued_ns", (double)queued / tasks);
    }
    return 0;
}

static int run_futures(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->handle_size == 0)
        return report_unsupported(request);
    peer->start(request->workers);
    void *handles = handles_new(peer, request->n);
    long rounds = rounds_of(request->n);
    (void)time_futures(peer, handles, request->n < 10000 ? request->n : 10000);
    for (int i = 0; i < request->repetitions; i++) {
        uint64_t ns = 0;
        for (long k = 0; k < rounds; k++)
            ns += time_futures(peer, handles, request->n);
        report(request, "futures_ns", (double)ns / (double)rounds / (double)request->n);
    }
    free(handles);
    return 0;
}

const struct question question_growth = {
    .name = "growth",
    .help = "N tasks, 10000 to 10000000: running_ns and queued_ns a task",
    .submits = true,
    .run = run_posts,
};

const struct question question_growth_futures = {
    .name = "growth_futures",
    .help = "N tasks with a handle each, 10000 to 10000000: futures_ns a task",
    .submits = true,
    .futures = true,
    .run = run_futures,
};
