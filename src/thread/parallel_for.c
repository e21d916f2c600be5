/* SPDX-License-Identifier: MIT */
/*
 * Parallel loops: everybody who takes part claims pieces from one counter.
 *
 * The loop lies on the caller's stack. Helpers are ordinary tasks that hold a pointer to it; the
 * caller works too, then cancels the helpers that have not begun and waits for the others, so the
 * frame outlives them all.
 */
#include <sillon/parallel.h>

#include <stdatomic.h>

#include <sillon/executor_impl.h>

#include "core/context.h"
#include "core/executor.h"
#include "core/first_error.h"
#include "core/wait.h"

/* Pieces a participant gets, so that one slow piece does not hold up all. */
#define PIECES_EACH 8
/* More helpers than this on one loop only wait for each other. */
#define MAX_HELPERS 256

struct loop {
    /* Read-only. */
    size_t begin;
    size_t count;
    size_t piece;
    sil_range_fn body;
    void *user;

    _Atomic size_t next; /* indexes below begin + next are claimed */
    struct sil__first_error failure;
};

/* The next piece; false when there is none. The counter never passes count: it cannot wrap. */
static bool claim(struct loop *loop, size_t *out_first, size_t *out_count)
{
    size_t next = atomic_load_explicit(&loop->next, memory_order_relaxed);
    do {
        size_t left = loop->count - next;
        if (left == 0)
            return false;
        *out_count = left < loop->piece ? left : loop->piece;
        *out_first = loop->begin + next;
    } while (!atomic_compare_exchange_weak_explicit(&loop->next, &next, next + *out_count,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void take_part(struct loop *loop)
{
    size_t first, count;
    while (claim(loop, &first, &count)) {
        const sil_error *before = sil_last_error();
        int code = loop->body(first, first + count, loop->user);
        if (code != 0) {
            sil__first_error_keep(&loop->failure, code, before);
            /* Nothing is left to claim. */
            atomic_store_explicit(&loop->next, loop->count, memory_order_relaxed);
            return;
        }
    }
}

static int helper(void *arg, void *result)
{
    (void)result;
    take_part(*(struct loop **)arg);
    return 0;
}

/* Call helpers, work, and part from the helpers. */
static void run(struct loop *loop, sil_executor *executor, size_t helpers)
{
    sil_future *futures[MAX_HELPERS];
    for (size_t i = 0; i < helpers; i++)
        futures[i] = sil__submit(&(struct sil__task_spec){.executor = executor,
                                                          .fn = helper,
                                                          .arg = &loop,
                                                          .arg_size = sizeof loop,
                                                          .no_wait = true});
    take_part(loop);
    for (size_t i = 0; i < helpers; i++)
        (void)sil_task_cancel(futures[i]);
    for (size_t i = 0; i < helpers; i++) {
        sil__wait_out(futures[i]);
        sil_future_release(futures[i]);
    }
}

static size_t choose_piece(size_t count, size_t grain, size_t participants)
{
    size_t piece = count / (participants * PIECES_EACH) + 1;
    return piece > grain ? piece : grain;
}

static int check(const sil_executor *executor, size_t begin, size_t end, sil_range_fn body)
{
    if (!executor || !body || begin > end)
        return sil__fail(SIL_EINVAL, "sil_parallel_for: an argument is NULL, or begin > end");
    if (!sil__executor_shares_memory(executor))
        return sil__fail(SIL_ENOTSUP, "sil_parallel_for: a %s does not share our memory",
                         sil_executor_kind(executor));
    return 0;
}

int sil_parallel_for(sil_executor *executor, size_t begin, size_t end, size_t grain,
                     sil_range_fn body, void *user)
{
    int code = check(executor, begin, end, body);
    if (code != 0 || begin == end)
        return code;
    size_t workers = executor->workers;
    /* A worker that calls is one of them. */
    size_t others = sil__context_runs(sil__context(), executor) ? workers - 1 : workers;
    struct loop loop = {
        .begin = begin,
        .count = end - begin,
        .piece = choose_piece(end - begin, grain, others + 1),
        .body = body,
        .user = user,
    };
    size_t pieces = (loop.count - 1) / loop.piece + 1;
    size_t helpers = pieces - 1 < others ? pieces - 1 : others;
    run(&loop, executor, helpers < MAX_HELPERS ? helpers : MAX_HELPERS);
    return sil__first_error_raise(&loop.failure);
}
