/* SPDX-License-Identifier: MIT */
/*
 * The event: a flag, and a line of those who wait for it.
 *
 * A wait takes the lock even if the flag is set: whoever returns from it knows that the set is over,
 * and may destroy the event.
 */
#include <sillon/sync.h>

#include <sillon/status.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "sync/line.h"

struct sil_event {
    struct sil__biased lock;
    struct sil__line line;
    atomic_bool is_set; /* written under lock */
    char name[];
};

static const struct sil__purpose purpose = {.text = "event", .look = sil__line_look};

sil_event *sil_event_create(const char *name)
{
    sil_event *event = sil__alloc(sizeof *event + sil__name_size(name));
    if (!event) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    sil__biased_init(&event->lock);
    sil__name_copy(event->name, name);
    return event;
}

int sil_event_set(sil_event *event)
{
    if (!event)
        return sil__fail(SIL_EINVAL, "sil_event_set: the event is NULL");
    sil__biased_take(&event->lock);
    /* Release pairs with the acquire load in is_set. */
    atomic_store_explicit(&event->is_set, true, memory_order_release);
    struct sil__place *list = sil__line_take(&event->line, SIZE_MAX, 0);
    sil__biased_drop(&event->lock);
    sil__places_wake(list);
    return 0;
}

int sil_event_clear(sil_event *event)
{
    if (!event)
        return sil__fail(SIL_EINVAL, "sil_event_clear: the event is NULL");
    sil__biased_take(&event->lock);
    atomic_store_explicit(&event->is_set, false, memory_order_relaxed);
    sil__biased_drop(&event->lock);
    return 0;
}

bool sil_event_is_set(const sil_event *event)
{
    return event && atomic_load_explicit(&event->is_set, memory_order_acquire);
}

int sil_event_wait(sil_event *event, sil_deadline until)
{
    if (!event)
        return sil__fail(SIL_EINVAL, "sil_event_wait: the event is NULL");
    struct sil__context *context = sil__context();
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_event_wait");
    sil__biased_take(&event->lock);
    bool is_set = atomic_load_explicit(&event->is_set, memory_order_relaxed);
    if (is_set || until <= SIL_NOW) {
        sil__biased_drop(&event->lock);
        if (!is_set)
            return sil__line_miss(SIL_ETIMEDOUT);
        sil__line_pace(context, until);
        return 0;
    }
    struct sil__place place;
    sil__place_init(&place, context, &purpose, event->name, NULL);
    int code = sil__line_wait(&event->line, &event->lock, &place, NULL,
                              sil__context_until(context, until));
    if (code == 0)
        return 0;
    sil__biased_drop(&event->lock);
    return sil__line_fail(context, code, "sil_event_wait", "event", event->name);
}

void sil_event_destroy(sil_event *event)
{
    if (!event)
        return;
    SIL_ASSERT(!event->line.first);
    sil__object_ends();
    sil__free(event);
}
