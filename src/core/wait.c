/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many futures.
 *
 * One listener a future, one counter for them all: a future that ends counts down, and only the
 * one that decides the wait wakes the waiter. So a wait costs each future constant work, however
 * many there are and however often others end.
 *
 * I1: the frame of the wait lives until no listener is in a list and none is being told: all
 *     have been told (ALL_COMPLETED), or each has been taken out under its future's lock.
 */
#include <sillon/wait.h>

#include <stdatomic.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/attend.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/wait.h"

/* Listeners for so many futures lie on the stack. */
#define SMALL 16

struct wait {
    struct sil__waiter waiter;
    sil_wait_for what;
    _Atomic size_t open;  /* not final yet */
    _Atomic bool decided; /* the waiter has been woken, or need not sleep */
};

struct entry {
    struct sil__listener listener;
    struct wait *wait;
};

/* One more is final. True for the one that decides the wait. */
static bool decides(struct wait *wait, const sil_future *future)
{
    bool failed = sil_future_state(future) == SIL_FINISHED && sil_future_code(future) != 0;
    bool enough =
        wait->what == SIL_FIRST_COMPLETED || (wait->what == SIL_FIRST_EXCEPTION && failed);
    if (!enough && atomic_fetch_sub_explicit(&wait->open, 1, memory_order_acq_rel) != 1)
        return false;
    return wait->what == SIL_ALL_COMPLETED ||
           !atomic_exchange_explicit(&wait->decided, true, memory_order_acq_rel);
}

static void wait_notify(struct sil__listener *listener, sil_future *future)
{
    struct wait *wait = ((struct entry *)listener)->wait;
    if (decides(wait, future))
        sil__waiter_wake(&wait->waiter);
}

/* Has somebody woken the waiter? Asked when no listener is told any more. */
static bool was_decided(struct wait *wait)
{
    return wait->what == SIL_ALL_COMPLETED
               ? atomic_load_explicit(&wait->open, memory_order_acquire) == 0
               : atomic_load_explicit(&wait->decided, memory_order_acquire);
}

/* Listen to all; true if the wait was decided on the way. */
static bool listen_all(struct wait *wait, struct entry *entries, sil_future *const *futures,
                       size_t count, size_t *out_listening)
{
    for (size_t i = 0; i < count; i++) {
        *out_listening = i + 1;
        entries[i] = (struct entry){.listener.notify = wait_notify, .wait = wait};
        if (!sil__state_listen(futures[i], &entries[i].listener) && decides(wait, futures[i]))
            return true;
    }
    return false;
}

static enum sil__need need_of(sil_wait_for what)
{
    switch (what) {
    case SIL_FIRST_COMPLETED:
        return SIL__NEED_ONE;
    case SIL_FIRST_EXCEPTION:
        return SIL__NEED_FAILURE;
    default:
        return SIL__NEED_ALL;
    }
}

/* Only if they are all of one executor, and on their way: what else we waited for might keep the
 * executor from being closed. */
static sil_executor *enter_one(struct sil__context *context, sil_future *const *futures,
                               size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (futures[i]->executor != futures[0]->executor)
            return NULL;
    sil_executor *executor = NULL;
    for (size_t i = 0; i < count && !executor; i++)
        executor = sil__attend_enter(context, futures[i]);
    return executor;
}

static int wait_in(struct entry *entries, sil_future *const *futures, size_t count,
                   sil_wait_for what, sil_deadline until)
{
    struct sil__context *context = sil__context();
    struct wait wait = {.what = what, .open = count};
    sil__waiter_init(&wait.waiter, context);
    sil_executor *attended = until > SIL_NOW ? enter_one(context, futures, count) : NULL;
    sil__attend_waiter(&wait.waiter, attended);
    size_t listening = 0;
    bool blocked = false;
    int code = 0;
    if (!listen_all(&wait, entries, futures, count, &listening)) {
        code = until > SIL_NOW
                   ? sil__wait_block(context, &wait.waiter, futures, count, need_of(what), until)
                   : SIL_ETIMEDOUT;
        blocked = true;
        if (code == 0 && what == SIL_ALL_COMPLETED)
            listening = 0; /* I1 */
    }
    for (size_t i = 0; i < listening; i++)
        (void)sil__state_unlisten(futures[i], &entries[i].listener);
    /* The deadline came, and so did the end. */
    if (code != 0 && blocked && was_decided(&wait)) {
        sil__waiter_settle(&wait.waiter);
        code = 0;
    }
    sil__attend_leave(attended);
    return code;
}

static size_t count_final(sil_future *const *futures, size_t count)
{
    size_t final = 0;
    for (size_t i = 0; i < count; i++)
        final += sil__future_final(futures[i]);
    return final;
}

static int check(sil_future *const *futures, size_t count, sil_wait_for what)
{
    if ((!futures && count > 0) || count > SIL__SIZE_LIMIT / sizeof(sil_future *) ||
        what < SIL_ALL_COMPLETED || what > SIL_FIRST_EXCEPTION)
        return sil__fail(SIL_EINVAL, "sil_wait: no futures, too many, or an unknown condition");
    for (size_t i = 0; i < count; i++) {
        if (!futures[i])
            return sil__fail(SIL_EINVAL, "sil_wait: future %zu is NULL", i);
        if (sil__wait_forked(futures[i]))
            return sil__fail(SIL_EFORKED, "sil_wait: future %zu was made before a fork", i);
    }
    return 0;
}

static int wait_held(sil_future *const *futures, size_t count, sil_wait_for what,
                     sil_deadline until)
{
    struct sil__context *context = sil__context();
    if (until > SIL_NOW)
        sil__context_pace(context); /* there may be nothing to wait for */
    until = sil__context_until(context, until);
    if (until == SIL_FOREVER && what == SIL_ALL_COMPLETED)
        for (size_t i = 0; i < count; i++)
            sil__wait_help(context, futures[i]);

    struct entry few[SMALL];
    struct entry *entries = few;
    if (count > SMALL) {
        entries = sil__alloc_array(count, sizeof *entries);
        if (!entries)
            return sil__fail(SIL_ENOMEM, "sil_wait: no memory to wait for %zu futures", count);
    }
    int code = count > 0 ? wait_in(entries, futures, count, what, until) : 0;
    if (entries != few)
        sil__free(entries);
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(context, "sil_wait");
    if (code == SIL_ETIMEDOUT && until <= SIL_NOW)
        sil__context_set_error(sil__error_fixed(code)); /* as sil_await */
    else if (code == SIL_ETIMEDOUT)
        sil__fail(code, "the deadline came before the futures ended");
    return code;
}

int sil_wait(sil_future *const *futures, size_t count, sil_wait_for what, sil_deadline until,
             size_t *out_done)
{
    int code = check(futures, count, what);
    if (code != 0)
        return code;
    /* What its owner releases as soon as it ends stays ours until we are done with it. */
    for (size_t i = 0; i < count; i++)
        (void)sil_future_retain(futures[i]);
    code = wait_held(futures, count, what, until);
    if (out_done)
        *out_done = count_final(futures, count);
    for (size_t i = 0; i < count; i++)
        sil_future_release(futures[i]);
    return code;
}
