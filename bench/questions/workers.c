/* SPDX-License-Identifier: MIT */
/*
 * What happens with fewer or more workers than cores? A stream of posts and a tree of forks, with
 * what they cost and how much the workers disturb each other: context switches (a thread that
 * went to sleep, or was pushed off its core) and tasks stolen.
 */
#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/tree.h"
#include "harness/usage.h"

enum { FIB_N = 30, FIB_WARM_UP = 20, POST_WARM_UP = 10000 };

struct tally {
    uint64_t ns;
    uint64_t stolen;
    long slept;
    long pushed_off;
};

static struct tally tally_now(const struct adapter *peer)
{
    return (struct tally){
        .ns = clock_now_ns(),
        .stolen = peer->stolen != NULL ? peer->stolen() : 0,
        .slept = usage_voluntary_switches(),
        .pushed_off = usage_involuntary_switches(),
    };
}

static void post_all(const struct adapter *peer, long count)
{
    latch_set(count);
    for (long i = 0; i < count; i++)
        peer->post(task_count_down, NULL);
    latch_wait();
    if (peer->drain != NULL)
        peer->drain();
}

static void measure_posts(const struct request *request)
{
    const struct adapter *peer = request->peer;
    double n = (double)request->n;
    struct tally before = tally_now(peer);
    post_all(peer, request->n);
    struct tally after = tally_now(peer);
    report(request, "post_ns", (double)(after.ns - before.ns) / n);
    report(request, "post_slept_per_1000", 1e3 * (double)(after.slept - before.slept) / n);
    report(request, "post_pushed_off_per_1000",
           1e3 * (double)(after.pushed_off - before.pushed_off) / n);
}

static int measure_forks(const struct request *request)
{
    const struct adapter *peer = request->peer;
    struct tally before = tally_now(peer);
    long result = peer->fib(FIB_N);
    struct tally after = tally_now(peer);
    if (result != fib_result(FIB_N))
        return report_wrong(request, (double)result, (double)fib_result(FIB_N));
    report(request, "fork_ns_per_call", (double)(after.ns - before.ns) / (double)fib_calls(FIB_N));
    report(request, "fork_slept", (double)(after.slept - before.slept));
    report(request, "fork_pushed_off", (double)(after.pushed_off - before.pushed_off));
    if (peer->stolen != NULL)
        report(request, "fork_stolen", (double)(after.stolen - before.stolen));
    return 0;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->post == NULL || peer->fib == NULL || peer->inside != NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    post_all(peer, POST_WARM_UP);
    (void)peer->fib(FIB_WARM_UP);
    int status = 0;
    for (int i = 0; i < request->repetitions && status == 0; i++) {
        measure_posts(request);
        status = measure_forks(request);
    }
    return status;
}

const struct question question_workers = {
    .name = "workers",
    .help = "N posts and fib(30): ns, context switches and steals for this number of WORKERS",
    .run = run,
};
