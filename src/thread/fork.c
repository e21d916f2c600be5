/* SPDX-License-Identifier: MIT */
/*
 * Fork-join: regions, children that were stolen, and waiting for them. lane.h has the queue.
 *
 * Who joins a child that another worker took runs, meanwhile, what can be stolen back from that
 * worker: D. B. Wagner and B. G. Calder, "Leapfrogging: A Portable Technique for Implementing
 * Efficient Futures" (1993). All of it is part of the child waited for, so it would have to be
 * done before the join in any case: nothing is buried under it that it could wait for, and the
 * stack grows no deeper than it would with one worker. When there is nothing, it looks a little
 * longer, and then blocks like any wait, and another worker takes its place.
 *
 * The state of a child, once it is published, is a pointer whose lowest bits tell its kind:
 *
 *     AT_FRAME    published, or just claimed: the frame of the task it belongs to
 *     AT_LANE     being run: the thief's lane
 *     AT_SLEEPER  the owner sleeps until it is done: its struct sleeper
 *     DONE        by an exchange, and then the child's memory may be gone, unless a sleeper was
 *                 there: it stays until it is woken
 *
 * I1: between AT_LANE and DONE the thief's lane, and those within, hold descendants of the child
 *     only (lane.h, I5).
 */
#include <sillon/fork.h>

#include <sillon/status.h>

#include "base/spin.h"
#include "core/context.h"
#include "core/error.h"
#include "core/executor.h"
#include "core/wait.h"
#include "thread/crew.h"
#include "thread/lane.h"
#include "thread/pool.h"

enum kind { AT_FRAME, AT_LANE, AT_SLEEPER, KIND_MASK };
#define DONE ((void *)3)

struct sleeper {
    struct sil__waiter waiter;
    const struct sil__frame *frame; /* what the state said before, if it was AT_FRAME */
};

static enum kind kind_of(const void *state)
{
    return (enum kind)((uintptr_t)state & KIND_MASK);
}

static void *with_kind(void *pointer, enum kind kind)
{
    return (char *)pointer + kind;
}

static void *without_kind(void *state)
{
    return (char *)state - kind_of(state);
}

static void *look(const sil_child *child)
{
    /* Acquire pairs with the exchange that says DONE, and with the thief's AT_LANE. */
    return __atomic_load_n(&child->state, __ATOMIC_ACQUIRE);
}

/* Give the state another value, if it still has the expected one. */
static bool change(sil_child *child, void *expected, void *state)
{
    /* Release: the frame or lane, and the sleeper, can be read. Acquire: as in look. */
    return __atomic_compare_exchange_n(&child->state, &expected, state, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* --- running what was stolen --------------------------------------------------------------- */

/* Say where it runs. Returns the frame of its task, or NULL. */
static const struct sil__frame *begin(sil_child *child, struct sil__lane *lane)
{
    void *state = look(child);
    if (kind_of(state) == AT_FRAME && change(child, state, with_kind(lane, AT_LANE)))
        return state;
    /* The owner sleeps already. */
    return ((struct sleeper *)without_kind(look(child)))->frame;
}

static void end(sil_child *child)
{
    /* Release: what it wrote can be read. Acquire pairs with the change to AT_SLEEPER. */
    void *state = __atomic_exchange_n(&child->state, DONE, __ATOMIC_ACQ_REL);
    if (kind_of(state) == AT_SLEEPER)
        sil__waiter_wake(&((struct sleeper *)without_kind(state))->waiter);
}

/*
 * Run a child that we claimed, on this lane from head on, where nothing is published. Its frames
 * are the pool's and a copy of the owner's, so that it acts on the task it belongs to.
 */
static void run(struct sil__worker *worker, struct sil__lane *lane, sil_child **head,
                sil_child *child)
{
    struct sil__context *context = sil__context();
    sil_error *outer_error = context->last_error;
    const struct sil__frame *outer_owner = lane->frame;
    sil__lane_turn(lane); /* I1: before others can see that it runs here */
    const struct sil__frame *of = begin(child, lane);
    struct sil__frame pool = {.executor = &worker->pool->base, .outer = context->frame};
    struct sil__frame frame = of ? *of : pool;
    frame.outer = &pool;
    sil__context_push(context, &frame);
    context->last_error = NULL;
    sil__lane_belongs(lane, &frame);

    child->fn((sil_lane){head}, child->arg);

    sil__lane_belongs(lane, outer_owner);
    sil__error_release(context->last_error);
    context->last_error = outer_error;
    sil__context_pop(context, pool.outer);
    end(child);
    sil__lane_turn(lane); /* I1: before others are published here */
    sil__worker_count(&worker->stolen, 1);
}

static sil_child *steal_any(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    unsigned count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    unsigned start = sil__worker_random(worker) % count;
    for (unsigned i = 0; i < count; i++) {
        const struct sil__worker *victim =
            atomic_load_explicit(&pool->slots[(start + i) % count], memory_order_acquire);
        struct sil__lane *lane = sil__lane_first(victim);
        for (; lane; lane = sil__lane_next(lane)) {
            sil_child *child = sil__lane_steal(lane, NULL, NULL);
            if (child)
                return child;
        }
    }
    return NULL;
}

bool sil__fork_run_stolen(struct sil__worker *worker)
{
    sil_child *child = steal_any(worker);
    if (!child)
        return false;
    sil__crew_found(worker);
    atomic_fetch_add_explicit(&worker->running, 1, memory_order_relaxed);
    struct sil__lane *lane = sil__lane_enter(worker, NULL);
    run(worker, lane, lane->slots, child);
    sil__lane_leave(lane);
    atomic_fetch_sub_explicit(&worker->running, 1, memory_order_relaxed);
    return true;
}

/* --- joining what was stolen --------------------------------------------------------------- */

/* A part of the child that runs on this lane, or NULL: leapfrogging. */
static sil_child *steal_part(const sil_child *child, void *state)
{
    sil_child *part = NULL;
    struct sil__lane *lane = without_kind(state);
    for (; lane && !part; lane = sil__lane_next(lane))
        part = sil__lane_steal(lane, child, state);
    return part;
}

static void sleep_until_done(sil_child *child)
{
    static const struct sil__purpose purpose = {.text = "a forked child"};
    struct sil__context *context = sil__context();
    struct sleeper sleeper = {.frame = NULL};
    sil__waiter_init(&sleeper.waiter, context);
    sleeper.waiter.purpose = &purpose;
    void *state;
    do {
        state = look(child);
        if (state == DONE)
            return;
        sleeper.frame = kind_of(state) == AT_FRAME ? state : NULL;
    } while (!change(child, state, with_kind(&sleeper, AT_SLEEPER)));
    /* What runs in another context is nothing the deadlock graph could follow: not for ever. */
    (void)sil__wait_block(context, &sleeper.waiter, NULL, 0, SIL__NEED_ALL, SIL_FOREVER - 1);
}

/* Nothing is published on the lane, and nothing lies above the slot. */
static void wait_for(struct sil__lane *lane, sil_child **slot)
{
    sil_child *child = __atomic_load_n(slot, __ATOMIC_RELAXED);
    struct sil__spin spin;
    sil__spin_begin(&spin);
    for (;;) {
        void *state = look(child);
        if (state == DONE)
            return;
        sil_child *part = NULL;
        if (kind_of(state) == AT_LANE && !sil__worker_stack_is_low(lane->worker))
            part = steal_part(child, state);
        if (part) {
            run(lane->worker, lane, slot + 1, part);
            sil__spin_begin(&spin);
        } else if (!sil__spin_pays || !sil__spin_again(&spin)) {
            break;
        }
    }
    sleep_until_done(child);
}

/* --- the public functions ------------------------------------------------------------------ */

/* worker: NULL for none of ours. */
static void run_region(struct sil__worker *worker, sil_fork_fn fn, void *arg)
{
    struct sil__lane *lane = sil__lane_enter(worker, sil__context()->frame);
    fn((sil_lane){lane->slots}, arg);
    sil__lane_leave(lane);
}

struct root {
    sil_executor *executor;
    sil_fork_fn fn;
    void *arg;
};

static int run_root(void *arg, void *result)
{
    (void)result;
    const struct root *root = arg;
    run_region(sil__worker_self(root->executor), root->fn, root->arg);
    return 0;
}

int sil_fork_run(sil_executor *executor, sil_fork_fn fn, void *arg)
{
    if (!executor || !fn)
        return sil__fail(SIL_EINVAL, "sil_fork_run: the executor or the function is NULL");
    if (!sil__executor_shares_memory(executor))
        return sil__fail(SIL_ENOTSUP, "sil_fork_run: a %s does not share our memory",
                         sil_executor_kind(executor));
    struct sil__worker *worker = sil__worker_self(executor);
    if (worker) {
        run_region(worker, fn, arg);
        return 0;
    }
    const struct root root = {.executor = executor, .fn = fn, .arg = arg};
    sil_future *future = sil_submit(executor, run_root, &root, sizeof root, 0);
    sil__wait_out(future); /* come what may: it has our argument */
    return sil_take(future, NULL, SIL_FOREVER);
}

sil_child **sil_fork_slow(sil_child **slot, sil_child *child)
{
    if (sil__lane_push(sil__lane_of(slot), slot, child))
        return slot + 1;
    child->fn((sil_lane){slot}, child->arg);
    return slot;
}

sil_joined sil_join_slow(sil_child **slot)
{
    struct sil__lane *lane = sil__lane_of(slot);
    switch (sil__lane_pop(lane, slot)) {
    case SIL__LANE_PRIVATE:
        return (sil_joined){.head = slot, .here = true};
    case SIL__LANE_RAN:
        return (sil_joined){.head = slot + 1, .here = false};
    default:
        wait_for(lane, slot);
        sil__lane_drop(lane, slot);
        return (sil_joined){.head = slot, .here = false};
    }
}
