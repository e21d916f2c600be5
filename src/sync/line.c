/* SPDX-License-Identifier: MIT */
/*
 * Lines, see line.h.
 */
#include "sync/line.h"

#include <stdint.h>
#include <string.h>

#include "core/error.h"

struct sil__place *sil__line_take(struct sil__line *line, size_t count, int code)
{
    struct sil__place *list = NULL;
    struct sil__place **end = &list;
    while (count-- > 0 && line->first) {
        struct sil__place *place = sil__line_pop(line);
        place->code = code;
        place->next = NULL;
        *end = place;
        end = &place->next;
    }
    return list;
}

void sil__places_wake(struct sil__place *list)
{
    while (list) {
        struct sil__place *place = list;
        list = place->next;
        sil__place_wake(place);
    }
}

int sil__line_give_up(struct sil__line *line, struct sil__biased *lock, struct sil__place *place,
                      int code)
{
    sil__biased_take(lock);
    if (sil__place_in_line(place)) {
        sil__line_remove(line, place);
        return code;
    }
    sil__biased_drop(lock);
    /* I1: it was let go meanwhile, and the wake is on its way. */
    sil__waiter_settle(&place->waiter);
    return 0;
}

int sil__line_fail(struct sil__context *context, int code, const char *what, const char *noun,
                   const char *name)
{
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(context, what);
    if (code == SIL_ETIMEDOUT && name[0])
        return sil__fail(code, "%s: the deadline came first, for %s '%s'", what, noun, name);
    if (code == SIL_ETIMEDOUT)
        return sil__fail(code, "%s: the deadline came first", what);
    return code;
}

int sil__line_miss(int code)
{
    sil__context_set_error(sil__error_fixed(code));
    return code;
}

void sil__line_look(const void *name, struct sil__waiter *waiter, struct sil__sight *sight)
{
    sil__sight_lock();
    if (sil__waiter_in_line(waiter) && *(const char *)name != '\0')
        sil__sight_says(sight, "%s '%.60s'", waiter->purpose->text, (const char *)name);
    sil__sight_unlock();
}

size_t sil__name_size(const char *name)
{
    return name ? strlen(name) + 1 : 1;
}

void sil__name_copy(char *to, const char *name)
{
    if (name)
        memcpy(to, name, strlen(name) + 1);
    else
        to[0] = '\0';
}
