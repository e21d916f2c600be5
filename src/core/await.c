/* SPDX-License-Identifier: MIT */
/*
 * Awaiting one future, and the steps all waits share.
 *
 * An await of a task that nobody has started runs it here (the context's help): safe, because the
 * waiter could not have gone on before it anyway. For the same reason nothing else is run here: a
 * task that is not awaited may itself be waiting for what the waiter does next. And with a finite
 * deadline nothing is run here, since it might come back too late. Both rules give way only when
 * nobody can take the waiter's place (stand_in).
 */
#include <sillon/future.h>

#include <string.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/spin.h"
#include "core/attend.h"
#include "core/deadlock.h"
#include "core/dump.h"
#include "core/error.h"
#include "core/wait.h"

/* Combined futures of combined futures: how deep help looks for a task to run. */
#define HELP_DEPTH 8
/* ... and how many of them it looks at. */
#define HELP_LOOKS 100000

bool sil__wait_forked(const sil_future *future)
{
    return future->generation != sil__fork_generation() && !sil__future_final(future);
}

/* Take a reference to the ith input, if there is one and the future needs all of them. */
static sil_future *input_at(sil_future *future, size_t index)
{
    sil_future *const *inputs = NULL;
    enum sil__need need;
    sil_future *input = NULL;
    sil__lock_take(&future->lock);
    if (!sil__future_final(future)) {
        size_t count = future->kind->inputs(future, &inputs, &need);
        if (index < count && need == SIL__NEED_ALL)
            input = sil_future_retain(inputs[index]);
    }
    sil__lock_drop(&future->lock);
    return input;
}

struct help {
    struct sil__context *context;
    bool last_resort;
    int looks; /* left: futures combined of the same others again and again have many paths */
};

static void help(struct help *help_state, sil_future *future, int depth)
{
    if (sil__future_phase(future) != SIL_PENDING || depth == HELP_DEPTH)
        return;
    if (future->kind && future->kind->inputs) {
        sil_future *input;
        for (size_t i = 0; help_state->looks-- > 0 && (input = input_at(future, i)); i++) {
            help(help_state, input, depth + 1);
            sil_future_release(input);
        }
    }
    /* Also after its inputs: what follows a future may by now be a task in a queue. */
    if (sil__state_ready(future))
        (void)help_state->context->ops->help(help_state->context, future, help_state->last_resort);
}

static void help_with(struct sil__context *context, sil_future *future, bool last_resort)
{
    struct help help_state = {.context = context, .last_resort = last_resort, .looks = HELP_LOOKS};
    if (context->ops->help)
        help(&help_state, future, 0);
}

void sil__wait_help(struct sil__context *context, sil_future *future)
{
    help_with(context, future, false);
}

/*
 * Nobody can take our place, so nobody may be left to do what we wait for: do it here, if need be
 * past the deadline. False: there was nothing we could do.
 */
static bool stand_in(struct sil__context *context, struct sil__waiter *waiter,
                     sil_future *const *futures, size_t count, sil_deadline until)
{
    bool ran = false;
    for (size_t i = 0; i < count && !sil__waiter_woken(waiter); i++) {
        bool pending = sil__future_phase(futures[i]) == SIL_PENDING;
        help_with(context, futures[i], true);
        sil__state_drain(context);
        ran |= pending && sil__future_phase(futures[i]) != SIL_PENDING;
    }
    while (!sil__waiter_woken(waiter) && sil__clock_now() < until &&
           context->ops->help_any(context)) {
        sil__state_drain(context);
        ran = true;
    }
    return ran;
}

/* What a wait is for. */
struct goal {
    sil_future *const *futures;
    size_t count;
    enum sil__need need;
    struct sil__hold *hold; /* not NULL: this, instead */
};

static int watch(struct sil__context *context, struct sil__waiter *waiter, const struct goal *goal)
{
    if (goal->hold)
        return sil__deadlock_enter_hold(context, waiter, goal->hold);
    return sil__deadlock_enter(context, waiter, goal->futures, goal->count, goal->need);
}

static int block(struct sil__context *context, struct sil__waiter *waiter, const struct goal *goal,
                 sil_deadline until)
{
    const struct sil__park_ops *ops = context->ops;
    /* Callbacks we owe may be what ends the wait. */
    sil__state_drain(context);
    /* Nobody waits for a context without a task that holds nothing: no cycle goes through it. */
    bool watched = until == SIL_FOREVER && (context->frame || context->held) &&
                   (goal->count > 0 || goal->hold);
    if (watched && ops->expose)
        ops->expose(context);
    int code = watched ? watch(context, waiter, goal) : 0;
    if (code != 0)
        return code;
    for (int idle = 0; ops->block && !ops->block(context);) {
        /* What runs here now may block by itself: we do not, meanwhile. */
        ops->unblock(context);
        if (watched)
            (void)sil__deadlock_leave(context); /* a verdict: we look again below */
        idle = stand_in(context, waiter, goal->futures, goal->count, until) ? 0 : idle + 1;
        if (watched)
            code = watch(context, waiter, goal);
        /* Nothing to be done twice over: what waits must wait for others. */
        if (code != 0 || idle == 2 || sil__waiter_woken(waiter)) {
            (void)ops->block(context);
            break;
        }
    }
    if (code == 0)
        code = waiter->ops->wait(context, waiter, until);
    if (ops->unblock)
        ops->unblock(context);
    if (watched && sil__deadlock_leave(context) != 0 && (code == 0 || code == SIL_EDEADLK))
        code = SIL_EDEADLK;
    return code;
}

static void look(const void *object, struct sil__waiter *waiter, struct sil__sight *sight)
{
    (void)waiter;
    const struct goal *goal = object;
    sil__sight_futures(sight, goal->futures, goal->count, goal->need);
}

int sil__wait_block(struct sil__context *context, struct sil__waiter *waiter,
                    sil_future *const *futures, size_t count, enum sil__need need,
                    sil_deadline until)
{
    static const struct sil__purpose purpose = {.look = look};
    struct goal goal = {.futures = futures, .count = count, .need = need};
    if (count > 0) {
        waiter->purpose = &purpose;
        waiter->object = &goal;
    }
    int code = block(context, waiter, &goal, until);
    waiter->purpose = NULL;
    return code;
}

int sil__wait_hold(struct sil__context *context, struct sil__waiter *waiter, struct sil__hold *hold,
                   sil_deadline until)
{
    struct goal goal = {.hold = hold};
    return block(context, waiter, &goal, until);
}

struct await {
    struct sil__listener listener;
    struct sil__waiter waiter;
};

static void await_notify(struct sil__listener *listener, sil_future *future)
{
    (void)future;
    sil__waiter_wake(&((struct await *)listener)->waiter);
}

static int sleep_for(sil_future *future, sil_executor *attended, sil_deadline until)
{
    struct sil__context *context = sil__context();
    struct await await = {.listener.notify = await_notify};
    sil__waiter_init(&await.waiter, context);
    sil__attend_waiter(&await.waiter, attended);
    if (!sil__state_listen(future, &await.listener))
        return 0;
    int code = sil__wait_block(context, &await.waiter, &future, 1, SIL__NEED_ALL, until);
    if (code == 0)
        return 0;
    if (sil__state_unlisten(future, &await.listener))
        return code;
    /* Not in the list any more: it ended meanwhile, and by now we have been told. */
    sil__waiter_settle(&await.waiter);
    return 0;
}

/* --- spinning before a sleep --------------------------------------------------------------- */

static void note_wait(struct sil__context *context, enum sil__spin_wait wait)
{
    context->spin_credit = sil__spin_credit(context->spin_credit, wait);
}

/*
 * Look for a while, if waits were short lately: sleeping and being woken costs more than many a
 * task. Not after we had a worker woken: it may be waiting for our CPU.
 */
static bool spin_for(struct sil__context *context, const sil_future *future)
{
    if (context->woke || context->spin_credit <= 0 || !sil__spin_pays ||
        context->ops->wait != sil__park_thread_wait || context->deferred)
        return false;
    struct sil__spin spin;
    sil__spin_begin(&spin);
    do {
        if (sil__future_final(future)) {
            note_wait(context, sil__spin_outcome(&spin));
            return true;
        }
    } while (sil__spin_again(&spin));
    note_wait(context, SIL__SPIN_VAIN);
    return false;
}

/* The same for one that comes from elsewhere, with a hand in bringing it in. */
static bool spin_attending(struct sil__context *context, const sil_future *future,
                           sil_executor *executor)
{
    const sil_attend_ops *attend = executor->attend;
    bool spins = context->spin_credit > 0 && sil__spin_pays && !context->woke;
    bool came;
    struct sil__spin spin;
    sil__spin_begin(&spin);
    do {
        bool alone = attend->look(executor);
        came = sil__future_final(future);
        /* Another thread is at it: it will wake us. */
        spins = spins && alone;
    } while (!came && spins && sil__spin_again(&spin));
    attend->rest(executor);
    if (came || spins)
        note_wait(context, came ? sil__spin_outcome(&spin) : SIL__SPIN_VAIN);
    return came;
}

static int wait_for(sil_future *future, sil_deadline until, bool taken)
{
    struct sil__context *context = sil__context();
    if (context->ops->join) {
        int code = context->ops->join(context, future, until, taken);
        if (code != SIL_ENOTSUP)
            return code;
    }
    if (until == SIL_FOREVER)
        sil__wait_help(context, future);
    if (sil__future_final(future))
        return 0;
    sil_executor *attended = sil__attend_enter(context, future);
    bool came = attended                  ? spin_attending(context, future, attended)
                : until > sil__spin_now() ? spin_for(context, future)
                                          : false;
    int code = 0;
    if (!came) {
        int64_t since = sil__spin_now();
        code = sleep_for(future, attended, until);
        /* What a spin would have caught, had it not been for the sleep. */
        bool is_short = sil__spin_now() - since < SIL__SPIN_TIME;
        note_wait(context, is_short ? SIL__SPIN_SHORT : SIL__SPIN_LONG);
        context->woke = false;
    }
    sil__attend_leave(attended);
    return code;
}

static void wait_out(struct sil__context *context, sil_future *future)
{
    if (wait_for(future, SIL_FOREVER, false) == 0)
        return;
    /* Part of a cycle, and we cannot give up: another member has to. */
    context->insists = true;
    int code = wait_for(future, SIL_FOREVER, false);
    context->insists = false;
    /* None can: a finite deadline, however late, is not watched. */
    while (code != 0)
        code = wait_for(future, SIL_FOREVER - 1, false);
}

void sil__wait_out(sil_future *future)
{
    if (sil__wait_forked(future) || sil__future_final(future))
        return;
    struct sil__context *context = sil__context();
    context->shielded++;
    wait_out(context, future);
    context->shielded--;
}

/* The outcome of a final future, its error made the caller's last. */
static int outcome(sil_future *future)
{
    int code = sil_future_code(future);
    if (code != 0)
        sil__context_set_error(sil__error_retain((sil_error *)sil_future_error(future)));
    return code;
}

/* The same where nothing had to be waited for. */
static int outcome_at_once(sil_future *future, sil_deadline until)
{
    int code = outcome(future);
    if (until > SIL_NOW)
        sil__context_pace(sil__context());
    return code;
}

static int wait_failed(struct sil__context *context, const sil_future *future, int code,
                       sil_deadline until)
{
    char label[64];
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(context, "sil_await");
    if (until <= SIL_NOW)
        sil__context_set_error(
            sil__error_fixed(code)); /* polls are frequent, and expected to miss */
    else if (code == SIL_ETIMEDOUT)
        sil__fail(code, "the deadline came before %s ended",
                  sil__future_label(future, label, sizeof label));
    return code;
}

/* For a caller who holds a reference. */
static int await_held(sil_future *future, sil_deadline until, bool taken)
{
    if (sil__future_final(future))
        return outcome_at_once(future, until);
    if (sil__wait_forked(future))
        return sil__fail(SIL_EFORKED, "made before a fork: its worker is in the parent");
    struct sil__context *context = sil__context();
    until = sil__context_until(context, until);
    int code = until > SIL_NOW ? wait_for(future, until, taken) : SIL_ETIMEDOUT;
    return code == 0 ? outcome(future) : wait_failed(context, future, code, until);
}

int sil_await(sil_future *future, sil_deadline until)
{
    if (!future)
        return sil__fail(SIL_EINVAL, "sil_await: the future is NULL");
    if (sil__future_final(future))
        return outcome_at_once(future, until);
    /* What its owner releases as soon as it ends stays ours until we have looked at it. */
    sil_future_retain(future);
    int code = await_held(future, until, false);
    sil_future_release(future);
    return code;
}

int sil_take(sil_future *future, void *out, sil_deadline until)
{
    if (!future)
        return sil__fail(SIL_EINVAL, "sil_take: the future is NULL");
    int code = await_held(future, until, true);
    /* We were cancelled, not the future: but nobody else will take its value. */
    if (code == SIL_ECANCELLED && !sil__future_final(future))
        (void)sil_future_cancel(future);
    if (code == 0 && out) {
        size_t size;
        const void *value = sil_future_result(future, &size);
        size_t wanted = future->result_size < size ? future->result_size : size;
        if (wanted)
            memcpy(out, value, wanted);
    }
    sil_future_release(future);
    return code;
}
