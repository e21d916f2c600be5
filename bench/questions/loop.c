/* SPDX-License-Identifier: MIT */
/*
 * What does a parallel loop cost? The sum of an array of doubles: one that lies in the caches,
 * where starting and joining show, or one of memory size, where nothing but memory should. Peers
 * without loops get one task for each worker.
 */
#include <stdio.h>
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/sum.h"

enum { MAX_CHUNKS = 64 };

/* About so many values are read for each time that is reported. */
static const long values_wanted = 200000000;

struct chunk {
    const double *values;
    size_t begin;
    size_t end;
    double sum;
} __attribute__((aligned(128)));

static void task_chunk(void *arg)
{
    struct chunk *chunk = arg;
    chunk->sum = sum_range(chunk->values, chunk->begin, chunk->end);
    latch_count_down();
}

static double sum_by_tasks(const struct adapter *peer, int workers, const double *values, size_t n)
{
    static struct chunk chunks[MAX_CHUNKS];
    size_t count = workers < MAX_CHUNKS ? (size_t)workers : MAX_CHUNKS;
    latch_set((long)count);
    for (size_t i = 0; i < count; i++) {
        chunks[i].values = values;
        chunks[i].begin = n * i / count;
        chunks[i].end = n * (i + 1) / count;
        peer->post(task_chunk, &chunks[i]);
    }
    latch_wait();
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += chunks[i].sum;
    return sum;
}

static double sum_once(const struct request *request, const double *values)
{
    const struct adapter *peer = request->peer;
    size_t n = (size_t)request->n;
    if (peer->sum != NULL)
        return peer->sum(values, n);
    return sum_by_tasks(peer, request->workers, values, n);
}

static double *values_new(size_t n)
{
    double *values = malloc(n * sizeof *values);
    if (values == NULL) {
        fprintf(stderr, "no memory for %zu doubles\n", n);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        values[i] = (double)(i & 7);
    return values;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->sum == NULL && peer->post == NULL)
        return report_unsupported(request);
    double *values = values_new((size_t)request->n);
    double wanted = sum_range(values, 0, (size_t)request->n);
    long loops = values_wanted / request->n > 0 ? values_wanted / request->n : 1;
    peer->start(request->workers);
    double sum = wanted;
    /* The first repetition warms up, and is not reported. */
    for (int i = -1; i < request->repetitions && sum == wanted; i++) {
        uint64_t begin = clock_now_ns();
        for (long k = 0; k < loops && sum == wanted; k++)
            sum = sum_once(request, values);
        uint64_t ns = clock_now_ns() - begin;
        if (i < 0)
            continue;
        report(request, "us_per_loop", (double)ns / 1e3 / (double)loops);
    }
    free(values);
    return sum == wanted ? 0 : report_wrong(request, sum, wanted);
}

const struct question question_loop = {
    .name = "loop",
    .help = "parallel sum of N doubles, 100000 or 100000000: us_per_loop",
    .run = run,
};
