/* SPDX-License-Identifier: MIT */
/*
 * A worker's life: find a task, run it, and rest when there is none.
 *
 * Where it looks: high priority first; its own queue, newest first, for what it submitted itself
 * is warm and probably awaited next; what comes from outside, oldest first; other workers' queues,
 * oldest first; low priority last. Now and then others' queues and what comes from outside are
 * before its own, so that neither tasks that submit tasks without end starve them, nor a flood from
 * outside what a worker took that now runs something long.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include <sillon/status.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/fork.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/room.h"
#include "core/trace.h"
#include "thread/crew.h"
#include "thread/pool.h"

/* Every so many turns others' queues and the outside come before one's own. */
#define FAIR_TURNS 61
/* What is taken from an intake in one go, at most. */
#define BATCH 32

static _Thread_local struct sil__worker *self;

static void in_child(void)
{
    self = NULL;
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(in_child);
}

struct sil__worker *sil__worker_current(void)
{
    return self;
}

struct sil__worker *sil__worker_self(const sil_executor *executor)
{
    return self && &self->pool->base == executor ? self : NULL;
}

/* --- finding ------------------------------------------------------------------------------- */

static const struct sil__cell none;

static struct sil__cell take(struct sil__worker *worker, enum sil__level level)
{
    sil_future *task = sil__injector_take(&worker->pool->injector, level);
    return task ? sil__cell_of_task(task) : none;
}

static bool is_none(struct sil__cell cell)
{
    return sil__cell_kind(cell) == SIL__CELL_NONE;
}

/*
 * Take several cells from an intake: the first is returned, the others go to our batch, where they
 * keep their order and can be stolen, should the first one block. Short queues are not divided.
 */
static struct sil__cell take_batch(struct sil__worker *worker, struct sil__deque *intake,
                                   bool *out_again)
{
    struct sil__cell cells[BATCH];
    size_t share = sil__deque_size(intake) / (2 * (size_t)worker->pool->base.workers);
    size_t max = share < 1 ? 1 : share > BATCH ? BATCH : share;
    bool lost;
    size_t taken = sil__deque_steal(intake, cells, max, &lost);
    *out_again |= lost;
    if (taken == 0)
        return none;
    if (taken > 1) {
        /* The batch is empty, and BATCH cells have room without growing: it cannot fail. */
        bool put = sil__deque_push(&worker->batch, cells + 1, taken - 1);
        SIL_ASSERT(put);
        (void)put;
        /* Meanwhile they were in no queue: others may have looked, and fallen asleep. */
        if (!worker->searching && sil__crew_wants(worker->pool))
            (void)sil__crew_notify(worker->pool);
    }
    return cells[0];
}

/* The oldest of another worker's: what it took from outside, then what it submitted. */
static struct sil__cell steal_from(struct sil__worker *worker, struct sil__worker *victim,
                                   bool *out_again)
{
    struct sil__cell cell;
    bool lost_batch, lost_deque = false;
    if (sil__deque_steal(&victim->batch, &cell, 1, &lost_batch) ||
        sil__deque_steal(&victim->deque, &cell, 1, &lost_deque)) {
        sil__worker_count(&worker->stolen, 1);
        return cell;
    }
    *out_again |= lost_batch | lost_deque;
    return none;
}

/* One look at each other worker, or at those that are away. *out_again: somebody was faster, so
 * there may be more. */
static struct sil__cell steal(struct sil__worker *worker, bool held_only, bool *out_again)
{
    struct sil__pool *pool = worker->pool;
    unsigned count = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    unsigned start = sil__worker_random(worker) % count;
    struct sil__cell cell = none;
    *out_again = false;
    for (unsigned i = 0; i < count && is_none(cell); i++) {
        struct sil__worker *victim =
            atomic_load_explicit(&pool->slots[(start + i) % count], memory_order_acquire);
        if (victim != worker &&
            (!held_only || atomic_load_explicit(&victim->held, memory_order_relaxed)))
            cell = steal_from(worker, victim, out_again);
    }
    return cell;
}

static struct sil__cell take_intakes(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    struct sil__cell cell = none;
    unsigned first = worker->first_intake++;
    unsigned count = atomic_load_explicit(&pool->intakes.count, memory_order_acquire);
    for (bool again = count > 0; again && is_none(cell);) {
        again = false;
        for (unsigned i = 0; i < count && is_none(cell); i++) {
            unsigned index = (first + i) % count;
            cell = take_batch(worker, &sil__intake_at(pool, index)->deque, &again);
        }
    }
    return cell;
}

/*
 * From outside: what we took before, what those who are away have taken, then a new batch,
 * beginning with another intake each time.
 */
static struct sil__cell take_outside(struct sil__worker *worker)
{
    struct sil__cell cell = none;
    for (bool again = !sil__deque_is_empty(&worker->batch); again;)
        if (sil__deque_steal(&worker->batch, &cell, 1, &again))
            return cell;
    cell = none; /* a steal that lost has written to it */
    bool again = atomic_load_explicit(&worker->pool->held, memory_order_relaxed) > 0;
    while (is_none(cell) && again)
        cell = steal(worker, true, &again);
    if (is_none(cell))
        cell = take_intakes(worker);
    return is_none(cell) ? take(worker, SIL__LEVEL_NORMAL) : cell;
}

struct sil__cell sil__worker_find(struct sil__worker *worker)
{
    struct sil__cell cell = take(worker, SIL__LEVEL_HIGH);
    bool fair = worker->fair_in-- == 0;
    bool again;
    if (fair) {
        worker->fair_in = FAIR_TURNS;
        if (is_none(cell))
            cell = steal(worker, false, &again);
    }
    if (is_none(cell) && !fair)
        cell = sil__deque_pop(&worker->deque);
    if (is_none(cell))
        cell = take_outside(worker);
    if (is_none(cell) && fair)
        cell = sil__deque_pop(&worker->deque);
    for (again = true; is_none(cell) && again;)
        cell = steal(worker, false, &again);
    if (is_none(cell))
        cell = take(worker, SIL__LEVEL_LOW);
    if (!is_none(cell) && worker->pool->max_pending)
        sil__room_made();
    return cell;
}

/* --- running ------------------------------------------------------------------------------- */

/* True unless it has ended elsewhere. */
static bool run_task(sil_future *task)
{
    if (sil__state_claim(task)) {
        sil__task_execute(task, true);
        return true;
    }
    /* What an awaiter ran is counted there; what was cancelled and never ran is done now. */
    bool done = sil__future_never_ran(task);
    sil_future_release(task);
    return done;
}

__attribute__((noinline, cold)) static void run_cell_traced(struct sil__cell cell)
{
    sil_task_fn fn = sil__cell_function(cell);
    int64_t begun = sil__clock_now();
    sil__cell_run(cell);
    sil__trace_posted(fn, begun);
}

static void run_posted(struct sil__worker *worker, struct sil__cell cell)
{
    struct sil__context *context = worker->context;
    struct sil__frame frame = {.posted = sil__cell_function(cell),
                               .executor = &worker->pool->base,
                               .outer = context->frame};
    sil_error *outer_error = context->last_error;
    sil__context_push(context, &frame);
    context->last_error = NULL;
    if (sil__trace_library())
        run_cell_traced(cell);
    else
        sil__cell_run(cell);
    if (context->last_error)
        sil__error_release(context->last_error);
    sil__context_pop(context, frame.outer);
    context->last_error = outer_error;
}

void sil__worker_run(struct sil__worker *worker, struct sil__cell cell)
{
    if (atomic_load_explicit(&worker->pool->cancelling, memory_order_relaxed)) {
        sil__pool_cancel(worker->pool, cell);
        return;
    }
    bool done = true;
    uint32_t running = atomic_load_explicit(&worker->running, memory_order_relaxed);
    atomic_store_explicit(&worker->running, running + 1, memory_order_relaxed);
    if (sil__cell_kind(cell) == SIL__CELL_FUTURE)
        done = run_task(sil__cell_task(cell));
    else
        run_posted(worker, cell);
    atomic_store_explicit(&worker->running, running, memory_order_relaxed);
    if (done)
        sil__worker_count(&worker->done, 1);
}

/* False: the initializer failed, and with it the pool. */
static bool initialize(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    int code = pool->initializer ? pool->initializer(pool->initializer_arg) : 0;
    if (code == 0)
        return true;
    sil_error *error = sil__context()->last_error;
    sil__lock_take(&pool->lock);
    if (!atomic_load_explicit(&pool->broken, memory_order_relaxed)) {
        pool->broken_by = code;
        if (sil_error_code(error) == code)
            pool->broken_error = sil__error_retain(error);
        /* Release: who sees broken sees by what. */
        atomic_store_explicit(&pool->broken, true, memory_order_release);
    }
    sil__lock_drop(&pool->lock);
    sil__pool_refuse(pool);
    sil__pool_empty(pool, SIL_EBROKEN);
    return false;
}

static void name_thread(const struct sil__worker *worker)
{
    char name[SIL__POOL_NAME_SIZE];
    char number[8];
    int digits = snprintf(number, sizeof number, "-%u", worker->index);
    (void)snprintf(name, sizeof name, "%.*s%s", (int)sizeof name - 1 - digits, worker->pool->name,
                   number);
    (void)prctl(PR_SET_NAME, name);
}

/* The address below which the stack counts as low: a quarter is left, or enough for most. */
static const char *find_stack_mark(void)
{
    const size_t enough = (size_t)256 * 1024;
    pthread_attr_t attributes;
    void *low;
    size_t size;
    const char *mark = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) == 0)
            mark = (const char *)low + (size / 4 < enough ? size / 4 : enough);
        pthread_attr_destroy(&attributes);
    }
    return mark;
}

/* Until there is nothing left to do and no reason to wait for more. */
static void work(struct sil__worker *worker, bool *out_last)
{
    struct sil__pool *pool = worker->pool;
    for (;;) {
        bool too_many = sil__crew_too_many(pool);
        if (!too_many)
            sil__crew_back(worker);
        struct sil__cell cell = too_many ? none : sil__worker_find(worker);
        bool found = !is_none(cell);
        if (found) {
            sil__crew_found(worker);
            sil__worker_run(worker, cell);
        } else {
            found = !too_many && sil__fork_run_stolen(worker);
        }
        if (found) {
            /* The task forked and came back in the child: the pool is the parent's. */
            if (pool->base.generation != sil__fork_generation())
                return;
        } else if (!too_many && !worker->searching) {
            /* Once more, now that others rely on us. */
            sil__crew_search(worker);
        } else if (!too_many && sil__crew_spin(worker)) {
            continue;
        } else if (!sil__crew_rest(worker, out_last)) {
            return;
        }
    }
}

void *sil__worker_main(void *argument)
{
    struct sil__worker *worker = argument;
    struct sil__pool *pool = worker->pool;
    struct sil__context *context = sil__context();
    bool last = false;
    self = worker;
    worker->thread = pthread_self();
    worker->context = context;
    context->ops = &sil__park_worker;
    worker->searching = true;
    worker->stack_mark = find_stack_mark();
    name_thread(worker);
    if (initialize(worker))
        work(worker, &last);
    else
        sil__crew_leave(worker, &last);
    /* From here on the pool may be gone, unless we are the last. */
    self = NULL;
    context->ops = &sil__park_thread;
    if (last) {
        pthread_detach(pthread_self());
        worker->to_join = false;
        sil__pool_destroy(pool);
    }
    return NULL;
}
