/* SPDX-License-Identifier: MIT */
/*
 * Parallel loops: the range is divided among those who take part, and whoever is done with his
 * share takes half of what another has left.
 *
 * A share is one word on a cache line of its own, so working through it costs nobody else
 * anything, and where the work is even no one meets. The same index goes to the same participant
 * each time, so what is looped over again may still be in his cache.
 *
 * The loop lies on the caller's stack. Helpers are ordinary tasks that hold a pointer to it; the
 * caller works too, then cancels the helpers that have not begun and waits for the others, so the
 * frame outlives them all. What a helper that never began would have done, others have taken.
 */
#include <sillon/parallel.h>

#include <stdatomic.h>

#include <sillon/executor_impl.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/executor.h"
#include "core/first_error.h"
#include "core/wait.h"

/* Pieces a participant gets, so that one slow piece does not hold up all. */
#define PIECES_EACH 16
/* More than this on one loop only wait for each other. */
#define MAX_PARTICIPANTS 256
/* So many shares lie on the caller's stack. */
#define FEW 16

/* Pieces begin <= i < end, in one word: begin in the high half. Taken by compare-and-swap. */
struct share {
    _Alignas(64) _Atomic uint64_t word;
    sil_future *helper; /* the caller's: who was called to work on it */
};

struct loop {
    /* Read-only. */
    size_t begin;
    size_t count;
    size_t piece; /* indexes of a piece; the last has fewer */
    sil_range_fn body;
    void *user;
    struct share *shares;
    unsigned participants;

    _Atomic bool stop; /* one has failed */
    struct sil__first_error failure;
};

struct helper {
    struct loop *loop;
    unsigned self;
};

static uint64_t pack(uint32_t begin, uint32_t end)
{
    return (uint64_t)begin << 32 | end;
}

/* Cut pieces off a share: one at its beginning (own), or the later half. False: it is empty. */
static bool cut(struct share *share, bool own, uint32_t *out_begin, uint32_t *out_end)
{
    uint64_t word = atomic_load_explicit(&share->word, memory_order_relaxed);
    uint64_t rest;
    do {
        uint32_t begin = (uint32_t)(word >> 32), end = (uint32_t)word;
        if (begin >= end)
            return false;
        uint32_t middle = own ? begin + 1 : begin + (end - begin) / 2;
        *out_begin = own ? begin : middle;
        *out_end = own ? middle : end;
        rest = own ? pack(middle, end) : pack(begin, middle);
    } while (!atomic_compare_exchange_weak_explicit(&share->word, &word, rest, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* Take half of what another has left as our share. */
static bool take_over(struct loop *loop, unsigned self)
{
    uint32_t begin, end;
    for (unsigned i = 1; i < loop->participants; i++) {
        unsigned other = (self + i) % loop->participants;
        if (cut(&loop->shares[other], false, &begin, &end)) {
            /* Ours is empty, so nobody else writes it. */
            atomic_store_explicit(&loop->shares[self].word, pack(begin, end), memory_order_relaxed);
            return true;
        }
    }
    return false;
}

static int run_piece(const struct loop *loop, uint32_t piece)
{
    size_t first = loop->begin + piece * loop->piece;
    size_t left = loop->begin + loop->count - first;
    return loop->body(first, first + (left < loop->piece ? left : loop->piece), loop->user);
}

static void take_part(struct loop *loop, unsigned self)
{
    do {
        uint32_t piece, end;
        while (cut(&loop->shares[self], true, &piece, &end)) {
            if (atomic_load_explicit(&loop->stop, memory_order_relaxed))
                return;
            const sil_error *before = sil_last_error();
            int code = run_piece(loop, piece);
            if (code != 0) {
                sil__first_error_keep(&loop->failure, code, before);
                atomic_store_explicit(&loop->stop, true, memory_order_relaxed);
                return;
            }
        }
    } while (take_over(loop, self));
}

static int help(void *arg, void *result)
{
    (void)result;
    const struct helper *helper = arg;
    take_part(helper->loop, helper->self);
    return 0;
}

/* Call helpers, work, and part from the helpers. */
static void run(struct loop *loop, sil_executor *executor)
{
    for (unsigned i = 1; i < loop->participants; i++) {
        struct helper helper = {loop, i};
        loop->shares[i].helper = sil__submit(&(struct sil__task_spec){.executor = executor,
                                                                      .fn = help,
                                                                      .arg = &helper,
                                                                      .arg_size = sizeof helper,
                                                                      .no_wait = true});
    }
    take_part(loop, 0);
    for (unsigned i = 1; i < loop->participants; i++)
        (void)sil_task_cancel(loop->shares[i].helper);
    for (unsigned i = 1; i < loop->participants; i++) {
        sil__wait_out(loop->shares[i].helper);
        sil_future_release(loop->shares[i].helper);
    }
}

/* Divide the pieces among the participants, and run. */
static void divide(struct loop *loop, sil_executor *executor, size_t pieces)
{
    for (unsigned i = 0; i < loop->participants; i++) {
        uint32_t begin = (uint32_t)(pieces * i / loop->participants);
        uint32_t end = (uint32_t)(pieces * (i + 1) / loop->participants);
        atomic_init(&loop->shares[i].word, pack(begin, end));
    }
    if (loop->participants > 1)
        run(loop, executor);
    else
        take_part(loop, 0);
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
    /* The caller is one of those who run at the same time. */
    size_t participants = executor->workers;
    if (participants > MAX_PARTICIPANTS)
        participants = MAX_PARTICIPANTS;
    if (participants == 0)
        participants = 1;
    struct loop loop = {
        .begin = begin,
        .count = end - begin,
        .piece = choose_piece(end - begin, grain, participants),
        .body = body,
        .user = user,
    };
    size_t pieces = (loop.count - 1) / loop.piece + 1;
    loop.participants = (unsigned)(pieces < participants ? pieces : participants);
    struct share few[FEW];
    struct share *many =
        loop.participants > FEW ? sil__alloc_lines(loop.participants * sizeof *many) : NULL;
    if (loop.participants > FEW && !many)
        loop.participants = FEW;
    loop.shares = many ? many : few;
    divide(&loop, executor, pieces);
    sil__free(many);
    return sil__first_error_raise(&loop.failure);
}
