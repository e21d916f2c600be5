/* SPDX-License-Identifier: MIT */
/*
 * Groups in dumps: whoever waits for one waits for all that are left of it, though it looks at one after
 * the other.
 */
#include "core/dump.h"
#include "core/group.h"

static void look(const void *object, struct sil__waiter *waiter, struct sil__sight *sight)
{
    (void)waiter;
    sil_group *group = (sil_group *)object;
    sil_future *open[SIL__SIGHT_MOST];
    size_t count = 0;
    size_t more = 0;
    sil__sight_says(sight, "group %.60s", group->label);
    sil__lock_take(&group->lock);
    for (const struct sil__child *child = group->first; child; child = child->next) {
        if (sil__future_final(child->future))
            continue;
        if (count < SIL__SIGHT_MOST)
            open[count++] = child->future;
        else
            more++;
    }
    sil__sight_futures(sight, open, count, SIL__NEED_ALL);
    sil__sight_more(sight, more);
    sil__lock_drop(&group->lock);
}

void sil__group_say(sil_group *group, struct sil__said *said)
{
    static const struct sil__purpose purpose = {.text = "group", .look = look};
    sil__context_say(sil__context(), said, &purpose, group);
}
