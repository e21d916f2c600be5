/* SPDX-License-Identifier: MIT */
/*
 * The condition: a line, and nothing else; the mutex is its user's.
 *
 * Who waits stands in line before it unlocks, so no notification is lost in between. A notified one is
 * out of the line: its wait has succeeded, whatever else happens while it gets the mutex back. So no
 * notification reaches one that gives up.
 */
#include <sillon/sync.h>

#include <sillon/status.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "sync/line.h"
#include "sync/mutex.h"

struct sil_condition {
    struct sil__biased lock;
    struct sil__line line;
    char name[];
};

static const struct sil__purpose purpose = {.text = "condition", .look = sil__line_look};

sil_condition *sil_condition_create(const char *name)
{
    sil_condition *condition = sil__alloc(sizeof *condition + sil__name_size(name));
    if (!condition) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    sil__biased_init(&condition->lock);
    sil__name_copy(condition->name, name);
    return condition;
}

static int wait_notified(sil_condition *condition, sil_mutex *mutex, struct sil__context *context,
                         sil_deadline until)
{
    struct sil__place place;
    sil__place_init(&place, context, &purpose, condition->name, NULL);
    sil__biased_take(&condition->lock);
    sil__line_append(&condition->line, &place);
    sil__biased_drop(&condition->lock);
    sil__mutex_unlock(mutex);
    int code = sil__line_await(&condition->line, &condition->lock, &place, NULL, until);
    if (code != 0)
        sil__biased_drop(&condition->lock);
    return code;
}

int sil_condition_wait(sil_condition *condition, sil_mutex *mutex, sil_deadline until)
{
    if (!condition || !mutex)
        return sil__fail(SIL_EINVAL, "sil_condition_wait: an argument is NULL");
    struct sil__context *context = sil__context();
    if (!sil__mutex_held(mutex, context))
        return sil__fail(SIL_EINVAL, "sil_condition_wait: its caller does not hold the mutex");
    if (until <= SIL_NOW)
        return sil__line_miss(SIL_ETIMEDOUT);
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_condition_wait");
    int code = wait_notified(condition, mutex, context, sil__context_until(context, until));
    int locked = sil__mutex_lock_out(mutex, context);
    if (locked != 0)
        return locked;
    if (code == 0)
        return 0;
    return sil__line_fail(context, code, "sil_condition_wait", "condition", condition->name);
}

int sil_condition_wait_for(sil_condition *condition, sil_mutex *mutex,
                           bool (*predicate)(void *user), void *user, sil_deadline until)
{
    if (!condition || !mutex || !predicate)
        return sil__fail(SIL_EINVAL, "sil_condition_wait_for: an argument is NULL");
    if (!sil__mutex_held(mutex, sil__context()))
        return sil__fail(SIL_EINVAL, "sil_condition_wait_for: its caller does not hold the mutex");
    int code = 0;
    while (!predicate(user)) {
        if (code != 0)
            return code;
        code = sil_condition_wait(condition, mutex, until);
        /* After a timeout it is asked once more: it may have become true without a notification. */
        if (code != 0 && code != SIL_ETIMEDOUT)
            return code;
    }
    return 0;
}

int sil_condition_notify(sil_condition *condition, size_t count)
{
    if (!condition)
        return sil__fail(SIL_EINVAL, "sil_condition_notify: the condition is NULL");
    sil__biased_take(&condition->lock);
    struct sil__place *list = sil__line_take(&condition->line, count, 0);
    sil__biased_drop(&condition->lock);
    sil__places_wake(list);
    return 0;
}

void sil_condition_destroy(sil_condition *condition)
{
    if (!condition)
        return;
    SIL_ASSERT(!condition->line.first);
    sil__object_ends();
    sil__free(condition);
}
