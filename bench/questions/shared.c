/* SPDX-License-Identifier: MIT */
/*
 * The round trip of a task that is given a pointer into shared memory and touches both ends of what
 * it points to: it should be the same for blocks of any size, and hardly more than for no block.
 *
 * On which CPUs the two processes run decides what a round trip takes, and differs from process to
 * process. So all three kinds of trip take turns in one.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/clock.h"
#include "harness/latch.h"
#include "harness/question.h"
#include "harness/statistics.h"

enum { TRIPS = 10000, WARM_UP = 2000, SMALL = 1024 };

enum kind { KIND_LARGE, KIND_SMALL, KIND_EMPTY, KINDS };

static uint64_t times[KINDS][TRIPS];

struct block {
    unsigned char *bytes;
    size_t size; /* 0: the task gets none */
};

static struct block block_make(const struct adapter *peer, size_t size)
{
    struct block block = {peer->block_new(size), size};
    memset(block.bytes, 0, size);
    return block;
}

static uint64_t trip(const struct adapter *peer, void *handle, const struct block *block)
{
    uint64_t begin = clock_now_ns();
    if (block->size > 0)
        peer->submit_block(handle, block->bytes, block->size);
    else
        peer->submit(handle, task_nothing, NULL);
    peer->get(handle);
    return clock_now_ns() - begin;
}

static void measure(const struct request *request, void *handle, const struct block *blocks)
{
    for (int i = 0; i < TRIPS; i++)
        for (int kind = 0; kind < KINDS; kind++)
            times[kind][i] = trip(request->peer, handle, &blocks[kind]);
    double p50[KINDS];
    for (int kind = 0; kind < KINDS; kind++) {
        statistics_sort(times[kind], TRIPS);
        p50[kind] = (double)statistics_percentile(times[kind], TRIPS, 50);
    }
    report(request, "p50_ns", p50[KIND_LARGE]);
    report(request, "small_ns", p50[KIND_SMALL]);
    report(request, "empty_ns", p50[KIND_EMPTY]);
    report(request, "to_small", p50[KIND_LARGE] / p50[KIND_SMALL]);
    report(request, "to_empty", p50[KIND_LARGE] / p50[KIND_EMPTY]);
}

/* Each trip has been in the block. */
static int check(const struct request *request, const struct block *block)
{
    unsigned char wanted = (unsigned char)(WARM_UP + TRIPS * request->repetitions);
    if (block->bytes[0] != wanted)
        return report_wrong(request, block->bytes[0], wanted);
    if (block->bytes[block->size - 1] != wanted)
        return report_wrong(request, block->bytes[block->size - 1], wanted);
    return 0;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->submit_block == NULL)
        return report_unsupported(request);
    if (request->n < 2)
        return report_wrong(request, (double)request->n, 2);
    peer->start(request->workers);
    void *handle = handles_new(peer, 1);
    struct block blocks[KINDS] = {
        [KIND_LARGE] = block_make(peer, (size_t)request->n),
        [KIND_SMALL] = block_make(peer, SMALL),
    };
    for (int i = 0; i < WARM_UP; i++)
        for (int kind = 0; kind < KINDS; kind++)
            (void)trip(peer, handle, &blocks[kind]);
    for (int i = 0; i < request->repetitions; i++)
        measure(request, handle, blocks);
    int status = check(request, &blocks[KIND_LARGE]) | check(request, &blocks[KIND_SMALL]);
    peer->block_free(blocks[KIND_LARGE].bytes);
    peer->block_free(blocks[KIND_SMALL].bytes);
    free(handle);
    return status;
}

const struct question question_shared = {
    .name = "shared",
    .help = "tasks that touch both ends of a shared block of N bytes, of 1 KiB, none, in turn: ns",
    .run = run,
};
