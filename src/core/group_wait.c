/* SPDX-License-Identifier: MIT */
/*
 * Waiting for groups, and their end.
 *
 * Whoever waits, waits for one future after the other: so it helps, is seen by the deadlock graph,
 * and brings in what comes from processes, as in any wait for a future. A wait that is given up
 * cancels what is left, and waits for that, whatever happens; but not for what itself waits for the
 * waiter, and cannot be made to give that up. Such a child is left behind when the group is closed.
 */
#include "core/group.h"

#include <sillon/status.h>
#include <sillon/wait.h>

#include "base/clock.h"
#include "base/fork.h"
#include "core/error.h"
#include "core/wait.h"

/* From now on a failure is nothing to interrupt the opener for. */
static void leave_context(sil_group *group)
{
    struct sil__context *context = group->context;
    if (!context)
        return;
    sil__lock_take(&group->lock);
    group->opener = NULL;
    sil__lock_drop(&group->lock);
    struct sil__cause **link = &context->causes;
    while (*link && *link != &group->cause)
        link = &(*link)->outer;
    if (*link)
        *link = group->cause.outer;
    group->context = NULL;
}

/* I1: its listener has let go. */
static void settle(struct sil__child *child)
{
    if (!atomic_load_explicit(&child->told, memory_order_acquire))
        (void)sil__state_unlisten(child->future, &child->listener);
}

/*
 * One that has not ended; returns owned. NULL: all have, and nothing can be added any more. The
 * last if possible: most end in the order in which they began, and then there is only one to wait
 * for. Is it the only one?
 */
static sil_future *take_open(sil_group *group, bool *out_alone)
{
    sil__lock_take(&group->lock);
    struct sil__child *child = group->last;
    if (child && sil__future_final(child->future)) {
        child = group->first_open;
        while (child && sil__future_final(child->future)) {
            settle(child);
            child = child->next;
        }
        group->first_open = child;
    }
    *out_alone = child && child == group->first;
    sil_future *future = child ? sil_future_retain(child->future) : NULL;
    if (!future)
        atomic_store_explicit(&group->closed, true, memory_order_release);
    sil__lock_drop(&group->lock);
    return future;
}

int sil__group_await(sil_future *future, sil_deadline until)
{
    struct sil__context *context = sil__context();
    int code = SIL_ENOTSUP;
    sil_deadline end = sil__context_until(context, until);
    if (sil__future_final(future))
        return 0;
    /* A coroutine would be begun by this: not when it is too late. */
    if (context->ops->join && (end == SIL_FOREVER || end > sil__clock_now()))
        code = context->ops->join(context, future, end, false);
    if (code == SIL_ENOTSUP)
        return sil_wait(&future, 1, SIL_ALL_COMPLETED, until, NULL);
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(context, "the wait for a task");
    return code == SIL_ETIMEDOUT ? sil__fail(code, NULL) : code;
}

int sil__group_wait_out(sil_future *future, bool insists)
{
    if (sil__wait_forked(future))
        return 0;
    struct sil__context *context = sil__context();
    const sil_deadline deadline = context->deadline;
    const bool insisted = context->insists;
    context->deadline = 0;
    context->shielded++;
    context->insists = insists;
    int code = sil__group_await(future, SIL_FOREVER);
    context->insists = insisted;
    context->shielded--;
    context->deadline = deadline;
    return code;
}

/* The group has been cancelled: wait for all, come what may. 0; SIL_EDEADLK, with an error set: some
 * may not have ended. */
static int wait_out(sil_group *group, bool insists)
{
    sil_error *error = NULL;
    group->outlived = false;
    sil__lock_take(&group->lock);
    for (struct sil__child *child = group->first_open; child; child = child->next) {
        sil__lock_drop(&group->lock); /* I2: it stays */
        if (sil__group_wait_out(child->future, insists) != 0) {
            group->outlived = true;
            sil__error_release(error);
            error = sil__error_retain(sil__context()->last_error);
        }
        sil__lock_take(&group->lock);
        if (sil__future_final(child->future))
            settle(child);
    }
    sil__lock_drop(&group->lock);
    if (group->outlived)
        sil__context_set_error(error);
    return group->outlived ? SIL_EDEADLK : 0;
}

static struct sil__child *turned(struct sil__child *failed)
{
    struct sil__child *first = NULL;
    while (failed) {
        struct sil__child *next = failed->next_failed;
        failed->next_failed = first;
        first = failed;
        failed = next;
    }
    return first;
}

/* Wait as the caller wishes: 0, or why that was given up. */
static int wait_open(sil_group *group, sil_deadline until)
{
    int code = 0;
    sil_future *future;
    bool alone;
    while (code == 0 && (future = take_open(group, &alone))) {
        /* Those that were added before it begin before it. */
        code = alone || sil__future_phase(future) != SIL_PENDING
                   ? sil__group_await(future, until)
                   : sil_wait(&future, 1, SIL_ALL_COMPLETED, until, NULL);
        sil_future_release(future);
        /* Its callback comes, too, but maybe after others. */
        if (code == 0 && sil__group_has_failed(group) && !sil__group_closed(group))
            sil__group_cancel(group);
    }
    return code;
}

/* The wait was given up, with code and an error: what the caller is told, with that error set. */
static int give_up(sil_group *group, int code)
{
    sil_error *error = NULL;
    bool insists = code != SIL_EDEADLK;
    if (code != SIL_ECANCELLED && sil__group_has_failed(group))
        code = 0;
    else
        error = sil__error_retain(sil__context()->last_error);
    sil__group_cancel(group);
    if (wait_out(group, insists) != 0) {
        sil__error_release(error);
        return SIL_EDEADLK;
    }
    if (code != 0)
        sil__context_set_error(error);
    return code;
}

int sil__group_wait(sil_group *group, sil_deadline until)
{
    leave_context(group);
    struct sil__said said;
    sil__group_say(group, &said);
    int code = wait_open(group, until);
    if (code != 0)
        code = give_up(group, code);
    else
        group->outlived = false;
    sil__context_unsay(sil__context(), &said);
    if (!group->ended)
        group->errors = turned(atomic_load_explicit(&group->failed, memory_order_acquire));
    group->ended = true;
    return code;
}

sil_future *sil__group_first_failed(const sil_group *group)
{
    return group->errors ? group->errors->future : NULL;
}

int sil__group_raise(const sil_future *failed)
{
    if (!failed)
        return 0;
    sil__context_set_error(sil__error_retain((sil_error *)sil_future_error(failed)));
    return sil_future_code(failed);
}

/* Called by whoever must not: the opener is another coroutine. */
static bool is_foreign(const sil_group *group)
{
    return group->context && group->context != sil__context();
}

int sil_group_wait(sil_group *group, sil_deadline until)
{
    if (!group || is_foreign(group))
        return sil__fail(SIL_EINVAL, "sil_group_wait: the group is NULL, or another's");
    if (group->generation != sil__fork_generation())
        return sil__fail(SIL_EFORKED, "sil_group_wait: the group was opened before a fork");
    int code = sil__group_wait(group, until);
    if (code == SIL_ETIMEDOUT)
        return sil__fail(code, "the deadline came before all of the group %s had ended",
                         group->label);
    return code != 0 ? code : sil__group_raise(sil__group_first_failed(group));
}

const sil_error *sil_group_error(const sil_group *group, size_t index)
{
    const struct sil__child *child = group ? group->errors : NULL;
    while (child && index-- > 0)
        child = child->next_failed;
    return child ? sil_future_error(child->future) : NULL;
}

/* Without lock: the group, and so the child, may go. */
static void left_notify(struct sil__listener *listener, sil_future *future)
{
    (void)future;
    sil__group_drop(((struct sil__child *)listener)->group);
}

void sil__group_leave(struct sil__child *child)
{
    sil_group *group = child->group;
    if (!sil__state_unlisten(child->future, &child->listener))
        return; /* it has ended */
    child->listener = (struct sil__listener){.notify = left_notify, .deferred = true};
    atomic_fetch_add_explicit(&group->refs, 1, memory_order_relaxed);
    if (!sil__state_listen(child->future, &child->listener))
        sil__group_drop(group);
}

/* Those that have not ended wait for us. */
static void leave_all(sil_group *group)
{
    sil__lock_take(&group->lock);
    group->left = true;
    for (struct sil__child *child = group->first; child; child = child->next)
        sil__group_leave(child);
    sil__lock_drop(&group->lock);
}

void sil_group_close(sil_group *group)
{
    /* In the child of a fork its tasks are the parent's, and so is its lock. */
    if (!group || group->generation != sil__fork_generation())
        return;
    if (is_foreign(group)) {
        (void)sil__fail(SIL_EINVAL, "sil_group_close: the group is another coroutine's");
        return;
    }
    if (!group->ended) {
        leave_context(group);
        sil__group_cancel(group);
        (void)wait_out(group, true);
    }
    if (group->outlived)
        leave_all(group);
    sil__group_drop(group);
}
