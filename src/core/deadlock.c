/* SPDX-License-Identifier: MIT */
/*
 * Deadlock detection, see deadlock.h.
 *
 * The walk asks of each future: stuck? It answers "no" as soon as it finds a way on, and trusts
 * that answer for the rest of the walk. A context met again on the path counts as stuck, which is
 * true for this path only: a "yes" is forgotten when the path is left. Single waits, the common
 * case, are followed in a loop; only sets of futures nest. A walk that grows past its limits
 * answers "no": a missed report is better than a false one.
 */
#include "core/deadlock.h"

#include <stdio.h>
#include <string.h>

#include <sillon/status.h>

#include "base/fork.h"
#include "base/lock.h"
#include "core/error.h"
#include "core/future.h"

#define MAX_STEPS 20000
#define MAX_DEPTH 64
#define MAX_NESTING 32
/* Futures named in a message; of a longer cycle the first ones. */
#define MAX_NAMED 16
#define LABEL_SIZE 48
#define MESSAGE_SIZE 1536

static struct {
    struct sil__lock lock;
    uint32_t walks; /* guarded by lock */
} graph;

/* A future on the path. Its name is copied: a combined future may drop its inputs any time. */
struct step {
    const sil_future *future; /* to compare, not to follow */
    char label[LABEL_SIZE];
};

struct walk {
    const struct sil__context *self;
    size_t steps;
    /* The futures on the path from self; the cycle when stuck. May grow past what is named. */
    size_t path_length;
    struct step path[MAX_NAMED];
    /* The combined futures on the path, whose locks we hold. */
    int depth;
    const sil_future *combined[MAX_DEPTH];
    int nesting;                 /* sets within sets */
    struct sil__context *victim; /* the first on the path that is blocked */
};

static bool future_stuck(struct walk *walk, sil_future *future);

static void in_child(void)
{
    graph.lock = (struct sil__lock){0};
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(in_child);
}

static void path_push(struct walk *walk, const sil_future *future)
{
    if (walk->path_length < MAX_NAMED) {
        struct step *step = &walk->path[walk->path_length];
        step->future = future;
        sil__future_label(future, step->label, sizeof step->label);
    }
    walk->path_length++;
}

/*
 * What runs on top of the future in its context, which it therefore waits for. The context is
 * blocked or our own: its frames stand still.
 */
static void path_push_inner(struct walk *walk, const struct sil__context *context,
                            const sil_future *future)
{
    const sil_future *inner[MAX_NAMED];
    size_t count = 0;
    const struct sil__frame *frame = context->frame;
    for (; frame && frame->task != future; frame = frame->outer)
        if (!frame->over && frame->task)
            inner[count++ % MAX_NAMED] = frame->task;
    /* The innermost first: the last ones kept are those next to the future. */
    for (size_t i = 0; frame && i < count; i++) {
        if (i < MAX_NAMED)
            path_push(walk, inner[(count - 1 - i) % MAX_NAMED]);
        else
            walk->path_length++;
    }
}

/* Does a final future end the wait, which then is about to go on? */
static bool ends_wait(enum sil__need need, const sil_future *future)
{
    int code = sil_future_code(future);
    return need == SIL__NEED_ONE || (need == SIL__NEED_SUCCESS && code == 0) ||
           (need == SIL__NEED_FAILURE && code != 0 && sil__future_phase(future) == SIL_FINISHED);
}

/*
 * Are the futures stuck, as a set? Leaves the path of the first stuck one if so, and the path as
 * it was if not.
 */
static bool members_stuck(struct walk *walk, sil_future *const *futures, size_t count,
                          enum sil__need need)
{
    const size_t length = walk->path_length;
    struct sil__context *const victim = walk->victim;
    size_t stuck_length = 0;
    bool any_stuck = false;
    for (size_t i = 0; i < count; i++) {
        if (sil__future_final(futures[i])) {
            if (ends_wait(need, futures[i]))
                return false;
            continue;
        }
        if (future_stuck(walk, futures[i])) {
            if (need == SIL__NEED_ALL)
                return true;
            if (!any_stuck)
                stuck_length = walk->path_length;
            any_stuck = true;
        } else {
            walk->path_length = length;
            walk->victim = victim;
            if (need != SIL__NEED_ALL)
                return false;
        }
    }
    if (any_stuck)
        walk->path_length = stuck_length;
    return any_stuck;
}

static bool set_stuck(struct walk *walk, sil_future *const *futures, size_t count,
                      enum sil__need need)
{
    if (walk->nesting == MAX_NESTING)
        return false;
    walk->nesting++;
    bool stuck = members_stuck(walk, futures, count, need);
    walk->nesting--;
    return stuck;
}

/* Combined futures: their inputs are stable while we hold their lock. */
static bool combined_stuck(struct walk *walk, sil_future *future)
{
    for (int i = 0; i < walk->depth; i++)
        if (walk->combined[i] == future)
            return true;
    if (walk->depth == MAX_DEPTH)
        return false;
    walk->combined[walk->depth++] = future;
    sil_future *const *inputs = NULL;
    enum sil__need need = SIL__NEED_ALL;
    sil__lock_take(&future->lock);
    size_t count = sil__future_final(future) ? 0 : future->kind->inputs(future, &inputs, &need);
    bool stuck = set_stuck(walk, inputs, count, need);
    sil__lock_drop(&future->lock);
    walk->depth--;
    return stuck;
}

/* What a blocked context waits for, if that is a single future; else NULL, and *out_stuck. */
static sil_future *follow(struct walk *walk, struct sil__context *context, bool *out_stuck)
{
    *out_stuck = false;
    if (!context || context->blocked_count == 0)
        return NULL;
    if (context->walk == graph.walks) {
        *out_stuck = !context->walk_progress;
        return NULL;
    }
    context->walk = graph.walks;
    context->walk_progress = false;
    if (context->blocked_count == 1)
        return context->blocked_futures[0];
    *out_stuck =
        set_stuck(walk, context->blocked_futures, context->blocked_count, context->blocked_need);
    return NULL;
}

/*
 * We leave the contexts we came by. That they can go on is worth remembering; that they are stuck
 * holds on this path only, and must be asked again on another.
 */
static void leave(struct sil__context *last, bool stuck)
{
    for (; last; last = last->walk_before) {
        last->walk_progress = !stuck;
        if (stuck)
            last->walk = 0;
    }
}

static bool future_stuck(struct walk *walk, sil_future *future)
{
    struct sil__context *last = NULL;
    bool stuck = false;
    while (future && ++walk->steps <= MAX_STEPS) {
        sil_state phase = sil__future_phase(future);
        if (phase >= SIL_FINISHED)
            break;
        path_push(walk, future);
        if (phase == SIL_PENDING) {
            stuck = future->kind && future->kind->inputs && combined_stuck(walk, future);
            break;
        }
        struct sil__context *runner = atomic_load_explicit(&future->runner, memory_order_acquire);
        if (runner == walk->self) {
            path_push_inner(walk, runner, future);
            stuck = true;
            break;
        }
        if (runner && runner->blocked_count > 0) {
            path_push_inner(walk, runner, future);
            if (!walk->victim)
                walk->victim = runner;
        }
        bool first_visit = runner && runner->walk != graph.walks;
        future = follow(walk, runner, &stuck);
        if (first_visit && runner->walk == graph.walks) {
            runner->walk_before = last;
            last = runner;
        }
    }
    leave(last, stuck);
    return stuck;
}

/* "deadlock: 'a' waits for 'b', which waits for 'a'" */
static int report(const struct walk *walk, const sil_future *task)
{
    char message[MESSAGE_SIZE];
    char self[LABEL_SIZE];
    bool whole = walk->path_length <= MAX_NAMED;
    size_t named = whole ? walk->path_length : MAX_NAMED;
    if (task)
        sil__future_label(task, self, sizeof self);
    else
        (void)snprintf(self, sizeof self, "a callback");
    size_t length = (size_t)snprintf(message, sizeof message, "deadlock: %s", self);
    for (size_t i = 0; i < named && length < sizeof message; i++)
        length += (size_t)snprintf(message + length, sizeof message - length, "%s waits for %s",
                                   i ? ", which" : "", walk->path[i].label);
    bool closed = whole && named > 0 && walk->path[named - 1].future == task;
    if (!closed && length < sizeof message)
        (void)snprintf(message + length, sizeof message - length, ", which waits for %s%s",
                       whole ? "" : "others, and they for ", self);
    return sil__fail(SIL_EDEADLK, "%s", message);
}

/* End the wait of one that is stuck with us; false if there is none but ours. */
static bool condemn(struct sil__context *victim)
{
    if (!victim || victim->condemned)
        return false;
    victim->condemned = true;
    victim->verdict = sil__error_retain(sil__context()->last_error);
    /* It leaves through our lock, so its waiter is there. */
    if (victim->ops->interrupt)
        victim->ops->interrupt(victim, SIL__INTERRUPT_CONDEMN);
    else
        sil__waiter_wake(victim->blocked_waiter);
    return true;
}

int sil__deadlock_enter(struct sil__context *context, struct sil__waiter *waiter,
                        sil_future *const *futures, size_t count, enum sil__need need)
{
    struct walk walk = {.self = context};
    sil__lock_take(&graph.lock);
    if (++graph.walks == 0)
        graph.walks = 1; /* 0 is no walk */
    int code = 0;
    if (set_stuck(&walk, futures, count, need)) {
        code = report(&walk, sil__context_task(context));
        if (context->insists && condemn(walk.victim))
            code = 0;
    }
    if (code == 0) {
        context->blocked_futures = futures;
        context->blocked_need = need;
        context->blocked_waiter = waiter;
        context->blocked_count = count;
    }
    sil__lock_drop(&graph.lock);
    return code;
}

int sil__deadlock_leave(struct sil__context *context)
{
    sil__lock_take(&graph.lock);
    context->blocked_count = 0;
    bool condemned = context->condemned;
    sil_error *verdict = context->verdict;
    context->condemned = false;
    context->verdict = NULL;
    sil__lock_drop(&graph.lock);
    if (!condemned)
        return 0;
    sil__context_set_error(verdict);
    return SIL_EDEADLK;
}

void sil__deadlock_forget(struct sil__context *context)
{
    (void)sil__deadlock_leave(context);
}
