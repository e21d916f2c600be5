/* SPDX-License-Identifier: MIT */
/*
 * The transitions of a future: all of them, and nothing else.
 *
 *                 claim                   finish (code != SIL_ECANCELLED)
 *     PENDING ------------> RUNNING ------------------------------------> FINISHED
 *        |                     |
 *        | cancel              | finish (code == SIL_ECANCELLED)
 *        v                     v
 *     CANCELLED <--------------+
 *
 * PENDING    nobody has begun; code, result and error are not written.
 * RUNNING    one claimer has it: the only one who writes them (future.h, I1). A cancel request
 *            only sets CANCEL_ASKED, and tells waiters with on_cancel.
 * FINISHED, CANCELLED   final: readable by all, never written again.
 *
 * The end of a future: the state word takes its final value, under the lock if anybody listens;
 * waiters are told under the lock; then, without it, callbacks are told in the order added. A
 * callback that ends another future while we are telling does not nest: that future's callbacks
 * are put at the end of the context's list, so a chain of any length needs no stack.
 */
#include "base/assert.h"
#include "base/asymmetric.h"
#include "base/work.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/room.h"

/* --- the list of listeners: circular, in the order added ----------------------------------- */

static void list_append(struct sil__listener **list, struct sil__listener *listener)
{
    struct sil__listener *first = *list;
    if (!first) {
        listener->next = listener->prev = listener;
        *list = listener;
        return;
    }
    listener->next = first;
    listener->prev = first->prev;
    first->prev->next = listener;
    first->prev = listener;
}

static void list_remove(struct sil__listener **list, struct sil__listener *listener)
{
    if (listener->next == listener) {
        *list = NULL;
    } else {
        listener->next->prev = listener->prev;
        listener->prev->next = listener->next;
        if (*list == listener)
            *list = listener->next;
    }
    listener->next = listener->prev = NULL;
}

/* --- telling ------------------------------------------------------------------------------- */

/* Tell the waiters; hand back the callbacks, as a circular list of the same order. */
static struct sil__listener *notify_waiters_locked(sil_future *future)
{
    struct sil__listener *callbacks = NULL;
    while (future->listeners) {
        struct sil__listener *listener = future->listeners;
        list_remove(&future->listeners, listener);
        sil__work();
        if (listener->deferred) {
            listener->future = future;
            list_append(&callbacks, listener);
        } else {
            listener->notify(listener, future);
        }
    }
    return callbacks;
}

void sil__state_drain(struct sil__context *context)
{
    if (!context->deferred)
        return;
    bool outer = context->draining;
    struct sil__frame frame = {.outer = context->frame, .over = true};
    context->draining = true;
    sil__context_push(context, &frame);
    while (context->deferred) {
        struct sil__listener *listener = context->deferred;
        sil_future *future = listener->future;
        list_remove(&context->deferred, listener);
        frame.task = future;
        frame.executor = future->executor;
        listener->notify(listener, future);
        sil_future_release(future);
    }
    sil__context_pop(context, frame.outer);
    context->draining = outer;
}

static void run_callbacks(struct sil__listener *callbacks)
{
    struct sil__context *context = sil__context();
    while (callbacks) {
        struct sil__listener *listener = callbacks;
        list_remove(&callbacks, listener);
        sil_future_retain(listener->future);
        list_append(&context->deferred, listener);
    }
    if (!context->draining)
        sil__state_drain(context);
}

void sil__state_hold(struct sil__context *context, struct sil__held *held)
{
    *held = (struct sil__held){.deferred = context->deferred, .draining = context->draining};
    context->deferred = NULL;
    context->draining = true;
}

struct sil__listener *sil__state_unhold(struct sil__context *context, struct sil__held *held)
{
    struct sil__listener *callbacks = context->deferred;
    context->deferred = held->deferred;
    context->draining = held->draining;
    return callbacks;
}

void sil__state_join(struct sil__listener **list, struct sil__listener *other)
{
    if (!*list || !other) {
        *list = *list ? *list : other;
        return;
    }
    struct sil__listener *last = (*list)->prev;
    last->next = other;
    (*list)->prev = other->prev;
    other->prev->next = *list;
    other->prev = last;
}

void sil__state_run(struct sil__listener *callbacks)
{
    struct sil__context *context = sil__context();
    sil__state_join(&context->deferred, callbacks);
    if (!context->draining)
        sil__state_drain(context);
}

/* It is final, and locked. release: let go of one reference, too. */
static void tell_and_unlock(sil_future *future, bool release)
{
    struct sil__listener *callbacks = notify_waiters_locked(future);
    sil__lock_drop(&future->lock);
    run_callbacks(callbacks);
    if (release)
        sil_future_release(future);
}

/* In end's from: also one that was sent. */
#define FROM_SENT (1u << 8)

static bool may_end(uint64_t word, unsigned from)
{
    return (from & (1u << (word & SIL__STATE_PHASE))) &&
           (!(word & SIL__STATE_SENT) || (from & FROM_SENT));
}

/*
 * Give the state its final phase from one of the phases in from; false if it has another. release:
 * let go of one reference too, in the same step if nobody listens.
 */
static bool end(sil_future *future, unsigned from, sil_state phase, bool release)
{
    uint64_t word = atomic_load_explicit(&future->word, memory_order_relaxed);
    uint64_t final;
    bool locked = false;
    do {
        if (!may_end(word, from)) {
            if (locked)
                sil__lock_drop(&future->lock);
            return false;
        }
        /* I3: with LISTENED set we take the lock first, so that no listener slips in. */
        if ((word & SIL__STATE_LISTENED) && !locked) {
            sil__lock_take(&future->lock);
            locked = true;
        }
        final = (word & ~(uint64_t)SIL__STATE_PHASE) | phase;
        if (release && !locked)
            final -= SIL__ONE_REF;
        /* Release: whoever sees the final phase sees code, result and error. */
    } while (!atomic_compare_exchange_weak_explicit(&future->word, &word, final,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if (!locked) {
        if (final < SIL__ONE_REF)
            sil__future_destroy(future);
        return true;
    }
    tell_and_unlock(future, release);
    return true;
}

/* --- the transitions ----------------------------------------------------------------------- */

bool sil__state_claim(sil_future *future)
{
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    do {
        if ((state & SIL__STATE_PHASE) != SIL_PENDING || (state & SIL__STATE_SENT))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&future->word, &state, state | SIL_RUNNING,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

bool sil__state_claim_alone(sil_future *future)
{
    /* Acquire: what those did who have let go of it. */
    uint64_t state = atomic_load_explicit(&future->word, memory_order_acquire);
    if (state != (2 * SIL__ONE_REF | SIL__STATE_READY | SIL_PENDING))
        return false;
    atomic_store_explicit(&future->word, state | SIL_RUNNING | SIL__STATE_ALONE,
                          memory_order_relaxed);
    return true;
}

/* Nobody listens to one that is alone, and no other thread looks. False: it is not. */
static bool end_alone(sil_future *future, sil_state phase, bool release)
{
    uint64_t word = atomic_load_explicit(&future->word, memory_order_relaxed);
    if ((word & (SIL__STATE_ALONE | SIL__STATE_LISTENED)) != SIL__STATE_ALONE)
        return false;
    word = (word & ~(uint64_t)SIL__STATE_PHASE) | phase;
    if (release)
        word -= SIL__ONE_REF;
    /* Release: a walk through the graph of waits may look on, from another thread. */
    atomic_store_explicit(&future->word, word, memory_order_release);
    if (word < SIL__ONE_REF)
        sil__future_destroy(future);
    return true;
}

static void finish(sil_future *future, int code, sil_error *error, bool release)
{
    SIL_ASSERT(sil__future_phase(future) <= SIL_RUNNING);
    future->code = code;
    if (error) {
        struct sil__details *details = sil__future_details(future);
        if (details)
            atomic_store_explicit(&details->error, error, memory_order_relaxed);
        else
            sil__error_release(error);
    }
    sil_state phase = code == SIL_ECANCELLED ? SIL_CANCELLED : SIL_FINISHED;
    if (end_alone(future, phase, release))
        return;
    bool ended = end(future, FROM_SENT | 1u << SIL_PENDING | 1u << SIL_RUNNING, phase, release);
    SIL_ASSERT(ended);
    (void)ended;
}

void sil__state_finish(sil_future *future, int code, sil_error *error)
{
    finish(future, code, error, false);
}

void sil__state_finish_release(sil_future *future, int code, sil_error *error)
{
    finish(future, code, error, true);
}

/*
 * Take the lock of a future that is not final, and has one of these flags if any is given, and keep it
 * from ending until the lock is dropped (I3: whoever ends it takes the lock, too). False: it is final,
 * or has none of them, and not locked.
 */
static bool lock_open(sil_future *future, unsigned flags)
{
    sil__lock_take(&future->lock);
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    do {
        if ((state & SIL__STATE_PHASE) >= SIL_FINISHED || (flags && !(state & flags))) {
            sil__lock_drop(&future->lock);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&future->word, &state,
                                                    state | SIL__STATE_LISTENED,
                                                    memory_order_acq_rel, memory_order_relaxed));
    return true;
}

static void tell_cancel_asked(sil_future *future)
{
    sil__lock_take(&future->lock);
    struct sil__listener *first = future->listeners;
    struct sil__listener *listener = first;
    while (listener) {
        if (listener->on_cancel)
            listener->notify(listener, future);
        listener = listener->next != first ? listener->next : NULL;
    }
    sil__lock_drop(&future->lock);
}

/*
 * Where a task runs that was asked to stop, if waits end there when that happens: told, with the lock
 * held, so that the task does not end meanwhile.
 */
static void interrupt(sil_future *future)
{
    if (!future->executor || !lock_open(future, 0))
        return;
    struct sil__context *runner = atomic_load_explicit(&future->runner, memory_order_acquire);
    if (!runner) {
        /* It is about to be there: either we see it now, or it sees our request (task.c). */
        sil__barrier_heavy();
        runner = atomic_load_explicit(&future->runner, memory_order_acquire);
    }
    if (runner && runner->ops->interrupt)
        runner->ops->interrupt(runner, SIL__INTERRUPT_CANCEL);
    sil__lock_drop(&future->lock);
}

/* Set CANCEL_ASKED on a running future; false if it is not running. */
static bool ask(sil_future *future)
{
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    do {
        if ((state & SIL__STATE_PHASE) != SIL_RUNNING)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&future->word, &state,
                                                    state | SIL__STATE_CANCEL_ASKED,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if (state & SIL__STATE_LISTENED)
        tell_cancel_asked(future);
    if (!(state & SIL__STATE_SENT))
        interrupt(future);
    return true;
}

/* --- tasks that were sent ------------------------------------------------------------------ */

bool sil__state_send(sil_future *task)
{
    uint64_t state = atomic_load_explicit(&task->word, memory_order_relaxed);
    do {
        if ((state & SIL__STATE_PHASE) != SIL_PENDING)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&task->word, &state, state | SIL__STATE_SENT,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

void sil__state_recall(sil_future *task)
{
    atomic_fetch_and_explicit(&task->word, ~(uint64_t)(SIL__STATE_SENT | SIL__STATE_PHASE),
                              memory_order_release);
}

/* So its executor is there, too. */
static bool lock_sent(sil_future *future)
{
    return lock_open(future, SIL__STATE_SENT);
}

/* Those of an executor of an older table have none of the later operations. */
static const sil_executor_ops *ops_of(const sil_executor *executor)
{
    static const sil_executor_ops none;
    const sil_executor_ops *ops = __atomic_load_n(&executor->ops, __ATOMIC_ACQUIRE);
    return ops->size >= sizeof *ops ? ops : &none;
}

static void begin_locked(sil_future *future)
{
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    while ((state & SIL__STATE_PHASE) == SIL_PENDING && (state & SIL__STATE_SENT) &&
           !atomic_compare_exchange_weak_explicit(&future->word, &state, state | SIL_RUNNING,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

/* As the operation; 0 once it is cancelled. */
static int stop_sent(sil_future *future, bool force)
{
    if (!lock_sent(future))
        return SIL_EAGAIN;
    const sil_executor_ops *ops = ops_of(future->executor);
    int outcome = ops->stop ? ops->stop(future->executor, future, force) : SIL_EINPROGRESS;
    if (outcome == SIL_EINPROGRESS) {
        atomic_fetch_or_explicit(&future->word, SIL__STATE_CANCEL_ASKED, memory_order_relaxed);
        begin_locked(future);
    }
    if (outcome != 0) {
        sil__lock_drop(&future->lock);
        return outcome;
    }
    /* With the lock still held: who cancels it next must find it cancelled. */
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &future->word, &state, (state & ~(uint64_t)SIL__STATE_PHASE) | SIL_CANCELLED,
        memory_order_acq_rel, memory_order_relaxed))
        ;
    tell_and_unlock(future, true);
    return 0;
}

bool sil__state_attend(sil_future *future)
{
    if (!lock_sent(future))
        return false;
    future->executor->attend->enter(future->executor);
    sil__lock_drop(&future->lock);
    return true;
}

sil_state sil__state_look(sil_future *future)
{
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    if ((state & SIL__STATE_SENT) && (state & SIL__STATE_PHASE) == SIL_PENDING &&
        lock_sent(future)) {
        const sil_executor_ops *ops = ops_of(future->executor);
        if (ops->begun && ops->begun(future->executor, future))
            begin_locked(future);
        sil__lock_drop(&future->lock);
    }
    return sil__future_phase(future);
}

bool sil__state_progress(sil_future *future, uint64_t *out_done, uint64_t *out_total)
{
    uint64_t state = atomic_load_explicit(&future->word, memory_order_relaxed);
    if (!(state & SIL__STATE_SENT) || !lock_sent(future))
        return false;
    const sil_executor_ops *ops = ops_of(future->executor);
    if (ops->progress)
        ops->progress(future->executor, future, out_done, out_total);
    sil__lock_drop(&future->lock);
    return ops->progress != NULL;
}

bool sil__state_cancel_pending(sil_future *future)
{
    if (!end(future, 1u << SIL_PENDING, SIL_CANCELLED, false))
        return false;
    sil__room_hole();
    return true;
}

void sil__state_set_ready(sil_future *task)
{
    /* Release pairs with the acquire of the claim: what the source did comes first. */
    atomic_fetch_or_explicit(&task->word, SIL__STATE_READY, memory_order_release);
}

bool sil__state_ready(const sil_future *task)
{
    uint64_t state = atomic_load_explicit(&task->word, memory_order_relaxed);
    return (state & SIL__STATE_READY) && (state & SIL__STATE_PHASE) == SIL_PENDING;
}

int sil__state_cancel(sil_future *future, bool force)
{
    for (;;) {
        bool sent = atomic_load_explicit(&future->word, memory_order_relaxed) & SIL__STATE_SENT;
        int outcome;
        switch (sil__future_phase(future)) {
        case SIL_PENDING:
            if (sent && (outcome = stop_sent(future, force)) != SIL_EAGAIN)
                return outcome;
            if (!sent && sil__state_cancel_pending(future))
                return 0;
            break;
        case SIL_RUNNING:
            if (ask(future)) {
                if (sent)
                    (void)stop_sent(future, force);
                return SIL_EINPROGRESS;
            }
            break;
        case SIL_FINISHED:
            return SIL_EALREADY;
        case SIL_CANCELLED:
            return 0;
        }
    }
}

bool sil__state_cancel_asked(const sil_future *future)
{
    return atomic_load_explicit(&future->word, memory_order_relaxed) & SIL__STATE_CANCEL_ASKED;
}

/* --- listening ----------------------------------------------------------------------------- */

bool sil__state_listen(sil_future *future, struct sil__listener *listener)
{
    sil__work();
    sil__lock_take(&future->lock);
    uint64_t state = atomic_load_explicit(&future->word, memory_order_acquire);
    do {
        if ((state & SIL__STATE_PHASE) >= SIL_FINISHED) {
            sil__lock_drop(&future->lock);
            return false;
        }
    } while (!(state & SIL__STATE_LISTENED) &&
             !atomic_compare_exchange_weak_explicit(&future->word, &state,
                                                    state | SIL__STATE_LISTENED,
                                                    memory_order_acq_rel, memory_order_acquire));
    list_append(&future->listeners, listener);
    sil__lock_drop(&future->lock);
    return true;
}

bool sil__state_unlisten(sil_future *future, struct sil__listener *listener)
{
    sil__work();
    sil__lock_take(&future->lock);
    /* I2: once it is final the list is empty, so a listener with links is in it. */
    bool listed = !sil__future_final(future) && listener->next;
    if (listed)
        list_remove(&future->listeners, listener);
    sil__lock_drop(&future->lock);
    return listed;
}
