/* SPDX-License-Identifier: MIT */
/*
 * Deadlock detection, see deadlock.h.
 *
 * The walk asks of each future and each hold: stuck? It answers "no" as soon as it finds a way on, and trusts
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
/* Futures and holds named in a message; of a longer cycle the first ones. */
#define MAX_NAMED 16
#define LABEL_SIZE 48
#define MESSAGE_SIZE 1536

static struct {
    struct sil__lock lock;
    uint32_t walks; /* guarded by lock */
} graph;

/*
 * A future on the path, or a hold. A future's name is copied: a combined future may drop its inputs
 * any time.
 */
struct step {
    const sil_future *future;     /* to compare, not to follow */
    const struct sil__hold *hold; /* or NULL; there as long as somebody on the path waits for it */
    char label[LABEL_SIZE];       /* the future's, or that of the hold's holder */
};

/* What is waited for: one of the two, or neither. */
struct want {
    sil_future *future;
    struct sil__hold *hold;
};

struct walk {
    const struct sil__context *self;
    size_t steps;
    /* The steps on the path from self; the cycle when stuck. May grow past what is named. */
    size_t path_length;
    struct step path[MAX_NAMED];
    /* The combined futures on the path, whose locks we hold. */
    int depth;
    const sil_future *combined[MAX_DEPTH];
    int nesting;                 /* sets within sets */
    struct sil__context *victim; /* the first on the path that is blocked */
};

/* The name of the thread that is blocked, if it runs no task. */
static _Thread_local char thread_name[SIL__WORKER_NAME_SIZE];

static bool want_stuck(struct walk *walk, struct want want);

static void in_child(void)
{
    graph.lock = (struct sil__lock){0};
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(in_child);
}

static bool is_blocked(const struct sil__context *context)
{
    return context->blocked_count > 0 || context->blocked_hold;
}

/* Name a context, blocked or our own: the task that runs there, or the thread. */
static void label_context(const struct sil__context *context, char *buffer, size_t size)
{
    const sil_future *task = sil__context_task(context);
    char own[SIL__WORKER_NAME_SIZE];
    if (task)
        sil__future_label(task, buffer, size);
    else if (context->frame)
        (void)snprintf(buffer, size, "a callback");
    else
        (void)snprintf(buffer, size, "'%s'",
                       is_blocked(context) ? context->blocked_name
                                           : sil__thread_name(own, sizeof own));
}

static void path_push(struct walk *walk, const sil_future *future)
{
    if (walk->path_length < MAX_NAMED) {
        struct step *step = &walk->path[walk->path_length];
        step->future = future;
        step->hold = NULL;
        sil__future_label(future, step->label, sizeof step->label);
    }
    walk->path_length++;
}

static void path_push_hold(struct walk *walk, const struct sil__hold *hold,
                           const struct sil__context *holder)
{
    if (walk->path_length < MAX_NAMED) {
        struct step *step = &walk->path[walk->path_length];
        step->future = sil__context_task(holder);
        step->hold = hold;
        label_context(holder, step->label, sizeof step->label);
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
        if (want_stuck(walk, (struct want){.future = futures[i]})) {
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

/* Who holds it now. */
static struct sil__context *holder_of(const struct sil__hold *hold)
{
    return atomic_load_explicit(&hold->holder, memory_order_relaxed);
}

/*
 * May a cancel end its wait? One that was asked for may have been delivered before: then a deadlock of
 * what it waits for to clean up is missed.
 */
static bool is_cancelled(const struct sil__context *context)
{
    if (!context->ops->interrupt || context->shielded > 0)
        return false;
    for (const struct sil__frame *frame = context->frame; frame; frame = frame->outer)
        if (frame->task && !frame->over && sil__state_cancel_asked(frame->task))
            return true;
    return sil__context_caused(context);
}

/* What a blocked context waits for, if that is a single thing; else nothing, and *out_stuck. */
static struct want follow(struct walk *walk, struct sil__context *context, bool *out_stuck)
{
    *out_stuck = false;
    if (!is_blocked(context) || is_cancelled(context))
        return (struct want){0};
    if (context->walk == graph.walks) {
        *out_stuck = !context->walk_progress;
        return (struct want){0};
    }
    context->walk = graph.walks;
    context->walk_progress = false;
    if (context->blocked_hold) {
        bool given = holder_of(context->blocked_hold) == context;
        return (struct want){.hold = given ? NULL : context->blocked_hold};
    }
    if (context->blocked_count == 1)
        return (struct want){.future = context->blocked_futures[0]};
    *out_stuck =
        set_stuck(walk, context->blocked_futures, context->blocked_count, context->blocked_need);
    return (struct want){0};
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

/* The context that must go on before the future ends; NULL: none, and *out_stuck. */
static struct sil__context *runner_of(struct walk *walk, sil_future *future, bool *out_stuck)
{
    sil_state phase = sil__future_phase(future);
    if (phase >= SIL_FINISHED)
        return NULL;
    path_push(walk, future);
    if (phase == SIL_PENDING) {
        *out_stuck = future->kind && future->kind->inputs && combined_stuck(walk, future);
        return NULL;
    }
    struct sil__context *runner = atomic_load_explicit(&future->runner, memory_order_acquire);
    if (runner && (runner == walk->self || is_blocked(runner)))
        path_push_inner(walk, runner, future);
    return runner;
}

static bool want_stuck(struct walk *walk, struct want want)
{
    struct sil__context *last = NULL;
    bool stuck = false;
    while ((want.future || want.hold) && ++walk->steps <= MAX_STEPS) {
        struct sil__context *next =
            want.hold ? holder_of(want.hold) : runner_of(walk, want.future, &stuck);
        if (!next)
            break;
        if (want.hold && (next == walk->self || is_blocked(next)))
            path_push_hold(walk, want.hold, next);
        if (next == walk->self) {
            stuck = true;
            break;
        }
        if (is_blocked(next) && !walk->victim)
            walk->victim = next;
        bool first_visit = next->walk != graph.walks;
        want = follow(walk, next, &stuck);
        if (first_visit && next->walk == graph.walks) {
            next->walk_before = last;
            last = next;
        }
    }
    leave(last, stuck);
    return stuck;
}

/* " waits for 'b'", " waits for mutex 'm' held by 'b'" */
static int describe(const struct step *step, char *buffer, size_t size)
{
    const struct sil__hold *hold = step->hold;
    if (!hold)
        return snprintf(buffer, size, " waits for %s", step->label);
    if (!hold->name)
        return snprintf(buffer, size, " waits for a %s held by %s", hold->ops->noun, step->label);
    return snprintf(buffer, size, " waits for %s '%s' held by %s", hold->ops->noun, hold->name,
                    step->label);
}

/*
 * "deadlock: 'a' waits for 'b', which waits for 'a'"; after a hold it is "who", since it is its
 * holder that waits.
 */
static int report(const struct walk *walk)
{
    char message[MESSAGE_SIZE];
    char self[LABEL_SIZE];
    bool whole = walk->path_length <= MAX_NAMED;
    size_t named = whole ? walk->path_length : MAX_NAMED;
    const struct step *last = &walk->path[named - 1];
    label_context(walk->self, self, sizeof self);
    size_t length = (size_t)snprintf(message, sizeof message, "deadlock: %s", self);
    const char *then = "";
    for (size_t i = 0; i < named && length < sizeof message; i++) {
        length += (size_t)snprintf(message + length, sizeof message - length, "%s", then);
        if (length < sizeof message)
            length += (size_t)describe(&walk->path[i], message + length, sizeof message - length);
        then = walk->path[i].hold ? ", who" : ", which";
    }
    bool closed = whole && (last->hold ? holder_of(last->hold) == walk->self
                                       : last->future == sil__context_task(walk->self));
    if (!closed && length < sizeof message)
        (void)snprintf(message + length, sizeof message - length, "%s waits for %s%s", then,
                       whole ? "" : "others, and they for ", self);
    return sil__fail(SIL_EDEADLK, "%s", message);
}

/* End the wait of one that is stuck with us; false if there is none but ours. */
static bool condemn(struct sil__context *victim)
{
    if (!victim || victim->condemned)
        return false;
    /* It leaves through our lock, so its waiter is there. A waiter is woken once: that of a hold by
     * whoever takes it out of the line. */
    struct sil__hold *hold = victim->blocked_hold;
    if (hold && !hold->ops->evict(hold, victim->blocked_waiter))
        return true; /* it has the hold: there is no cycle any more */
    victim->condemned = true;
    victim->verdict = sil__error_retain(sil__context()->last_error);
    if (!hold && victim->ops->interrupt)
        victim->ops->interrupt(victim, SIL__INTERRUPT_CONDEMN);
    else if (!hold)
        sil__waiter_wake(victim->blocked_waiter);
    return true;
}

static void walk_begin_locked(void)
{
    if (++graph.walks == 0)
        graph.walks = 1; /* 0 is no walk */
}

/* The walk has ended. 0: the context is blocked from now on. */
static int judge_locked(const struct walk *walk, struct sil__context *context, bool stuck,
                        struct sil__waiter *waiter)
{
    if (stuck) {
        int code = report(walk);
        if (!context->insists || !condemn(walk->victim))
            return code;
    }
    context->blocked_waiter = waiter;
    if (!context->frame)
        context->blocked_name = sil__thread_name(thread_name, sizeof thread_name);
    return 0;
}

int sil__deadlock_enter(struct sil__context *context, struct sil__waiter *waiter,
                        sil_future *const *futures, size_t count, enum sil__need need)
{
    struct walk walk = {.self = context};
    sil__lock_take(&graph.lock);
    walk_begin_locked();
    bool stuck = set_stuck(&walk, futures, count, need);
    int code = judge_locked(&walk, context, stuck, waiter);
    if (code == 0) {
        context->blocked_futures = futures;
        context->blocked_need = need;
        context->blocked_count = count;
    }
    sil__lock_drop(&graph.lock);
    return code;
}

int sil__deadlock_enter_hold(struct sil__context *context, struct sil__waiter *waiter,
                             struct sil__hold *hold)
{
    struct walk walk = {.self = context};
    sil__lock_take(&graph.lock);
    walk_begin_locked();
    /* It may have been given to us by now. */
    bool stuck = holder_of(hold) != context && want_stuck(&walk, (struct want){.hold = hold});
    int code = judge_locked(&walk, context, stuck, waiter);
    if (code == 0)
        context->blocked_hold = hold;
    sil__lock_drop(&graph.lock);
    return code;
}

int sil__deadlock_leave(struct sil__context *context)
{
    sil__lock_take(&graph.lock);
    context->blocked_count = 0;
    context->blocked_hold = NULL;
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

bool sil__deadlock_condemned(const struct sil__context *context)
{
    sil__lock_take(&graph.lock);
    bool condemned = context->condemned;
    sil__lock_drop(&graph.lock);
    return condemned;
}

void sil__hold_abandon_all(struct sil__context *context)
{
    while (context->held) {
        struct sil__hold *hold = context->held;
        sil__hold_remove(hold);
        hold->ops->abandon(hold);
    }
}

void sil__deadlock_forget(struct sil__context *context)
{
    (void)sil__deadlock_leave(context);
}

void sil__deadlock_pass(void)
{
    sil__lock_take(&graph.lock);
    sil__lock_drop(&graph.lock);
    sil__context_pass();
}
