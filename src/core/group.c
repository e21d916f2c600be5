/* SPDX-License-Identifier: MIT */
/*
 * Groups, see sillon/group.h.
 *
 * Every future of a group has a listener, which is quick if the future ended well: it takes no
 * lock. The first that fails leaves a done callback, for no lock may be held when the others are
 * cancelled. Those that have ended are taken out now and then; but those that the group's user may
 * still look at stay until the end. That, and how it is waited for (group_wait.c), is in group.h.
 */
#include "core/group.h"

#include <stdio.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "base/recycle.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/wait.h"

/* What is answered where there is no group to keep an answer. Never freed. */
static sil_future no_group = {.word = SIL__ONE_REF | SIL_FINISHED, .code = SIL_EINVAL};
static sil_future forked_group = {.word = SIL__ONE_REF | SIL_FINISHED, .code = SIL_EFORKED};

/* How many a group has at least before it looks for some that can be taken out. */
enum { SWEEP_LEAST = 32 };

/* --- life ---------------------------------------------------------------------------------- */

sil_group *sil__group_create(const char *name, enum sil__group_fails fails)
{
    const char *const text = name ? "'%s'" : "without a name";
    size_t size = (size_t)snprintf(NULL, 0, text, name) + 1;
    sil_group *group = sil__alloc(sizeof *group + size);
    if (!group) {
        sil__fail(SIL_ENOMEM, "no memory for a group");
        return NULL;
    }
    (void)snprintf(group->label, size, text, name);
    atomic_init(&group->refs, 1);
    group->sweep_at = SWEEP_LEAST;
    group->fails = fails;
    group->generation = sil__fork_generation();
    struct sil__context *context = sil__context();
    if (context->ops->interrupt) {
        group->opener = group->context = context;
        group->cause.outer = context->causes;
        context->causes = &group->cause;
    }
    return group;
}

sil_group *sil_group_open(const char *name)
{
    return sil__group_create(name, SIL__GROUP_TASKS);
}

static void free_child(sil_group *group, struct sil__child *child)
{
    sil_future_release(child->future);
    if (child != &group->spare)
        sil__recycle_give(child, sizeof *child);
}

/* A list that nobody else has. */
static void free_children(sil_group *group, struct sil__child *child)
{
    while (child) {
        struct sil__child *next = child->next;
        free_child(group, child);
        child = next;
    }
}

void sil__group_drop(sil_group *group)
{
    /* Release: what we did with it comes before the free; acquire: so does the other's. */
    if (atomic_fetch_sub_explicit(&group->refs, 1, memory_order_acq_rel) != 1)
        return;
    free_children(group, group->first);
    sil_future_release(group->refusal);
    sil__free(group);
}

/* --- failing ------------------------------------------------------------------------------- */

void sil__group_cancel(sil_group *group)
{
    sil__lock_take(&group->lock);
    atomic_store_explicit(&group->closed, true, memory_order_release);
    for (struct sil__child *child = group->first; child; child = child->next) {
        if (child->cancelled || sil__future_final(child->future))
            continue;
        child->cancelled = true;
        sil__lock_drop(&group->lock);
        (void)sil_future_cancel(child->future); /* I2: it stays */
        sil__lock_take(&group->lock);
    }
    sil__lock_drop(&group->lock);
}

static void tell_opener(sil_group *group)
{
    sil__lock_take(&group->lock);
    struct sil__context *opener = group->opener;
    if (opener) {
        atomic_store_explicit(&group->cause.asks, true, memory_order_relaxed);
        opener->ops->interrupt(opener, SIL__INTERRUPT_LOOK);
    }
    sil__lock_drop(&group->lock);
}

static void first_failed(sil_group *group)
{
    sil__group_cancel(group);
    tell_opener(group);
}

static void failure_notify(struct sil__listener *listener, sil_future *future)
{
    (void)future;
    sil_group *group = (sil_group *)((char *)listener - offsetof(sil_group, failure));
    first_failed(group);
    sil__group_drop(group);
}

/* When the future's lock is dropped. */
static void defer_first_failed(sil_group *group, sil_future *future)
{
    struct sil__listener *failure = &group->failure;
    atomic_fetch_add_explicit(&group->refs, 1, memory_order_relaxed);
    *failure = (struct sil__listener){
        .next = failure,
        .prev = failure,
        .future = sil_future_retain(future),
        .notify = failure_notify,
        .deferred = true,
    };
    sil__state_join(&sil__context()->deferred, failure);
}

static bool counts_as_failure(const sil_group *group, const sil_future *future)
{
    switch (group->fails) {
    case SIL__GROUP_TASKS:
        return sil__future_phase(future) == SIL_FINISHED && future->code != 0;
    case SIL__GROUP_ANYTHING:
        return sil_future_code(future) != 0;
    default:
        return false;
    }
}

/* True for the first. */
static bool note_failure(sil_group *group, struct sil__child *child)
{
    child->has_failed = true;
    struct sil__child *failed = atomic_load_explicit(&group->failed, memory_order_relaxed);
    do {
        child->next_failed = failed;
        /* Release pairs with the acquire of whoever looks through them. */
    } while (!atomic_compare_exchange_weak_explicit(&group->failed, &failed, child,
                                                    memory_order_acq_rel, memory_order_relaxed));
    return failed == NULL;
}

/* With the future's lock held. */
static void child_notify(struct sil__listener *listener, sil_future *future)
{
    struct sil__child *child = (struct sil__child *)listener;
    sil_group *group = child->group;
    if (counts_as_failure(group, future) && note_failure(group, child))
        defer_first_failed(group, future);
    /* I1: the last touch. Pairs with the acquire of whoever frees it. */
    atomic_store_explicit(&child->told, true, memory_order_release);
}

/* --- adding -------------------------------------------------------------------------------- */

struct sil__child *sil__group_child(void)
{
    return sil__recycle_take(sizeof(struct sil__child));
}

struct sil__child *sil__group_enter(sil_group *group)
{
    struct sil__child *child = NULL;
    if (!group)
        sil__fail(SIL_EINVAL, "the group is NULL");
    else if (group->generation != sil__fork_generation())
        sil__fail(SIL_EFORKED, "the group was opened before a fork");
    else if (sil__group_closed(group))
        sil__fail(SIL_ECLOSED, "the group %s %s", group->label,
                  sil__group_has_failed(group) ? "has failed" : "has ended, or was cancelled");
    else if (!(child = sil__group_child()))
        sil__fail(SIL_ENOMEM, "no memory for one more in the group %s", group->label);
    return child;
}

static void append_locked(sil_group *group, struct sil__child *child)
{
    if (group->last)
        group->last->next = child;
    else
        group->first = child;
    group->last = child;
    if (!group->first_open)
        group->first_open = child;
    group->count++;
}

static bool can_go(struct sil__child *child)
{
    return child->loose && atomic_load_explicit(&child->told, memory_order_acquire) &&
           !child->has_failed;
}

/* Take out those that have ended well, and are nobody's business any more; to be freed without the
 * lock. Called when there are twice as many as were left last time: so it costs each a little. */
static struct sil__child *sweep_locked(sil_group *group)
{
    struct sil__child *swept = NULL;
    struct sil__child **link = &group->first;
    group->last = NULL;
    while (*link) {
        struct sil__child *child = *link;
        if (!can_go(child)) {
            group->last = child;
            link = &child->next;
            continue;
        }
        *link = child->next;
        if (group->first_open == child)
            group->first_open = child->next;
        child->next = swept;
        swept = child;
        group->count--;
    }
    group->sweep_at = 2 * group->count + SWEEP_LEAST;
    return swept;
}

sil_future *sil__group_join(sil_group *group, struct sil__child *child, sil_future *future,
                            bool loose)
{
    *child = (struct sil__child){
        .listener.notify = child_notify,
        .group = group,
        .future = future,
        .loose = loose,
    };
    bool first = false;
    if (!sil__state_listen(future, &child->listener)) {
        first = counts_as_failure(group, future) && note_failure(group, child);
        atomic_store_explicit(&child->told, true, memory_order_relaxed);
    }
    struct sil__child *swept = NULL;
    sil__lock_take(&group->lock);
    bool late = sil__group_closed(group);
    if (!late && group->count >= group->sweep_at)
        swept = sweep_locked(group);
    append_locked(group, child);
    child->cancelled = late;
    /* Added by one of those left, whose group it is until it ends. */
    if (group->left)
        sil__group_leave(child);
    sil__lock_drop(&group->lock);

    free_children(group, swept);
    if (late)
        (void)sil_future_cancel(future);
    if (first)
        first_failed(group);
    return future;
}

/* One refusal serves for all. */
static sil_future *keep_refusal(sil_group *group, sil_future *future)
{
    sil__lock_take(&group->lock);
    sil_future *kept = group->refusal;
    if (!kept)
        group->refusal = kept = sil_future_retain(future);
    sil__lock_drop(&group->lock);
    sil_future_release(future);
    return kept;
}

sil_future *sil__group_refused(sil_group *group)
{
    if (!group)
        return &no_group;
    if (group->generation != sil__fork_generation())
        return &forked_group;
    bool fails = sil_error_code(sil__context()->last_error) == SIL_ENOMEM;
    sil_future *future = sil__future_failed_last();
    /* Whoever does not look at the future hears of it in sil_group_wait. */
    if (fails && !atomic_exchange_explicit(&group->spare_used, true, memory_order_relaxed))
        (void)sil__group_join(group, &group->spare, sil_future_retain(future), false);
    return keep_refusal(group, future);
}

sil_future *sil_group_submit(sil_group *group, sil_executor *executor,
                             const sil_submit_options *options, sil_task_fn fn, const void *arg,
                             size_t arg_size, size_t result_size)
{
    struct sil__child *child = sil__group_enter(group);
    if (!child)
        return sil__group_refused(group);
    sil_future *future = sil_submit_with(executor, options, fn, arg, arg_size, result_size);
    return sil__group_join(group, child, future, false);
}

/* The last error says why the future (takes) was not added; its code. */
static int refuse(sil_future *future)
{
    sil_error *error = sil__error_retain(sil__context()->last_error);
    (void)sil_future_cancel(future);
    sil_future_release(future);
    sil__context_set_error(error);
    return sil_error_code(error);
}

int sil_group_add(sil_group *group, sil_future *future)
{
    if (!future)
        return sil__fail(SIL_EINVAL, "sil_group_add: the future is NULL");
    if (sil__wait_forked(future)) {
        sil__fail(SIL_EFORKED, "made before a fork: it will not end here");
        return refuse(future);
    }
    struct sil__child *child = sil__group_enter(group);
    if (!child)
        return refuse(future);
    (void)sil__group_join(group, child, future, true);
    return 0;
}

int sil_group_cancel(sil_group *group)
{
    if (!group)
        return sil__fail(SIL_EINVAL, "sil_group_cancel: the group is NULL");
    if (group->generation != sil__fork_generation())
        return sil__fail(SIL_EFORKED, "sil_group_cancel: the group was opened before a fork");
    sil__group_cancel(group);
    return 0;
}
