/* SPDX-License-Identifier: MIT */
/*
 * The semaphore: a number, and a line of those who wait for it to be more than 0.
 *
 * I1: while somebody is in line, the value is 0: what is released goes to those who wait.
 */
#include <sillon/sync.h>

#include <sillon/status.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "sync/line.h"

struct sil_semaphore {
    struct sil__biased lock;
    struct sil__line line;
    atomic_size_t value; /* written under lock */
    size_t limit;        /* SIZE_MAX: none */
    char name[];
};

static const struct sil__purpose purpose = {.text = "semaphore", .look = sil__line_look};

sil_semaphore *sil_semaphore_create(const char *name, size_t value, size_t limit)
{
    if (limit != 0 && value > limit) {
        sil__fail(SIL_EINVAL, "sil_semaphore_create: the value %zu is above the limit %zu", value,
                  limit);
        return NULL;
    }
    sil_semaphore *semaphore = sil__alloc(sizeof *semaphore + sil__name_size(name));
    if (!semaphore) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    sil__biased_init(&semaphore->lock);
    sil__name_copy(semaphore->name, name);
    atomic_init(&semaphore->value, value);
    semaphore->limit = limit ? limit : SIZE_MAX;
    return semaphore;
}

static size_t value_of(const sil_semaphore *semaphore)
{
    return atomic_load_explicit(&semaphore->value, memory_order_relaxed);
}

static void set_value(sil_semaphore *semaphore, size_t value)
{
    atomic_store_explicit(&semaphore->value, value, memory_order_relaxed);
}

int sil_semaphore_acquire(sil_semaphore *semaphore, sil_deadline until)
{
    if (!semaphore)
        return sil__fail(SIL_EINVAL, "sil_semaphore_acquire: the semaphore is NULL");
    struct sil__context *context = sil__context();
    if (sil__line_cancelled(context, until))
        return sil__context_deliver_cancel(context, "sil_semaphore_acquire");
    sil__biased_take(&semaphore->lock);
    size_t value = value_of(semaphore);
    if (value > 0) {
        set_value(semaphore, value - 1);
        sil__biased_drop(&semaphore->lock);
        sil__line_pace(context, until);
        return 0;
    }
    if (until <= SIL_NOW) {
        sil__biased_drop(&semaphore->lock);
        return sil__line_miss(SIL_ETIMEDOUT);
    }
    struct sil__place place;
    sil__place_init(&place, context, &purpose, semaphore->name, NULL);
    int code = sil__line_wait(&semaphore->line, &semaphore->lock, &place, NULL,
                              sil__context_until(context, until));
    if (code == 0)
        return 0;
    sil__biased_drop(&semaphore->lock);
    return sil__line_fail(context, code, "sil_semaphore_acquire", "semaphore", semaphore->name);
}

int sil_semaphore_release(sil_semaphore *semaphore, size_t count)
{
    if (!semaphore)
        return sil__fail(SIL_EINVAL, "sil_semaphore_release: the semaphore is NULL");
    sil__biased_take(&semaphore->lock);
    size_t value = value_of(semaphore);
    if (count > semaphore->limit - value) {
        sil__biased_drop(&semaphore->lock);
        return sil__fail(SIL_EINVAL,
                         "sil_semaphore_release: semaphore '%s' would be above its limit",
                         semaphore->name);
    }
    struct sil__place *list = NULL;
    struct sil__place **end = &list;
    for (; count > 0 && semaphore->line.first; count--) {
        *end = sil__line_pop(&semaphore->line);
        end = &(*end)->next;
    }
    *end = NULL;
    set_value(semaphore, value + count);
    sil__biased_drop(&semaphore->lock);
    sil__places_wake(list);
    return 0;
}

size_t sil_semaphore_value(const sil_semaphore *semaphore)
{
    return semaphore ? value_of(semaphore) : 0;
}

void sil_semaphore_destroy(sil_semaphore *semaphore)
{
    if (!semaphore)
        return;
    SIL_ASSERT(!semaphore->line.first);
    sil__object_ends();
    sil__free(semaphore);
}
