/* SPDX-License-Identifier: MIT */
/*
 * The backlog, see backlog.h.
 */
#include "run/backlog.h"

#include <stdlib.h>

void backlog_fini(struct backlog *backlog)
{
    free(backlog->waiting);
    *backlog = (struct backlog){0};
}

bool backlog_is_empty(const struct backlog *backlog)
{
    return backlog->ready == 0 && backlog->waiting_count == 0;
}

/* --- lines --------------------------------------------------------------------------------- */

static void append_group(struct backlog *backlog, struct runner_group *group)
{
    group->next_ready = NULL;
    if (backlog->first == NULL || backlog->last == NULL)
        backlog->first = group;
    else
        backlog->last->next_ready = group;
    backlog->last = group;
}

static void remove_group(struct backlog *backlog, struct runner_group *before,
                         struct runner_group *group)
{
    if (before == NULL)
        backlog->first = group->next_ready;
    else
        before->next_ready = group->next_ready;
    if (backlog->last == group)
        backlog->last = before;
}

void backlog_add_ready(struct backlog *backlog, struct runner_item *item)
{
    struct runner_group *group = item->group != NULL ? item->group : &backlog->own;
    item->next = NULL;
    if (group->first == NULL) {
        group->last = &group->first;
        append_group(backlog, group);
    }
    *group->last = item;
    group->last = &item->next;
    backlog->ready++;
}

/* When one of the group may be started, as far as its pace says. */
static int64_t opens_at(const struct runner_group *group)
{
    return group->not_before > group->next_start ? group->not_before : group->next_start;
}

static bool is_full(const struct backlog *backlog, const struct runner_group *group)
{
    return group != &backlog->own && group->running >= group->limit;
}

/* The first group that may, and the one before it in the list. */
static struct runner_group *find_group(struct backlog *backlog, int64_t now, int64_t *out_again,
                                       struct runner_group **out_before)
{
    *out_before = NULL;
    for (struct runner_group *group = backlog->first; group != NULL; group = group->next_ready) {
        int64_t opens = opens_at(group);
        if (!is_full(backlog, group)) {
            if (opens <= now)
                return group;
            if (opens < *out_again)
                *out_again = opens;
        }
        *out_before = group;
    }
    return NULL;
}

static struct runner_item *take_from(struct backlog *backlog, struct runner_group *before,
                                     struct runner_group *group)
{
    struct runner_item *item = group->first;
    group->first = item->next;
    backlog->ready--;
    remove_group(backlog, before, group);
    if (group->first != NULL)
        append_group(backlog, group);
    return item;
}

/* --- those that wait ----------------------------------------------------------------------- */

static void swap(struct runner_item **a, struct runner_item **b)
{
    struct runner_item *item = *a;
    *a = *b;
    *b = item;
}

bool backlog_add_waiting(struct backlog *backlog, struct runner_item *item)
{
    if (backlog->waiting_count == backlog->waiting_room) {
        size_t room = backlog->waiting_room * 2 + 16;
        struct runner_item **heap = realloc(backlog->waiting, room * sizeof(struct runner_item *));
        if (heap == NULL)
            return false;
        backlog->waiting = heap;
        backlog->waiting_room = room;
    }
    struct runner_item **heap = backlog->waiting;
    size_t at = backlog->waiting_count++;
    heap[at] = item;
    for (; at > 0 && heap[at]->due < heap[(at - 1) / 2]->due; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
    return true;
}

static struct runner_item *remove_waiting(struct backlog *backlog, size_t at)
{
    struct runner_item **heap = backlog->waiting;
    struct runner_item *item = heap[at];
    size_t count = --backlog->waiting_count;
    heap[at] = heap[count];
    for (; at > 0 && at < count && heap[at]->due < heap[(at - 1) / 2]->due; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
    for (;;) {
        size_t least = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2 && i < count; i++)
            if (heap[i]->due < heap[least]->due)
                least = i;
        if (least == at)
            return item;
        swap(&heap[at], &heap[least]);
        at = least;
    }
}

/* One that is due, and whose group lets it; heap order is no order of groups, so all are looked at, but
 * seldom: only when the first is due. */
static bool find_waiting(const struct backlog *backlog, int64_t now, int64_t *out_again,
                         size_t *out_at)
{
    if (backlog->waiting_count == 0)
        return false;
    if (backlog->waiting[0]->due > now) {
        if (backlog->waiting[0]->due < *out_again)
            *out_again = backlog->waiting[0]->due;
        return false;
    }
    for (size_t at = 0; at < backlog->waiting_count; at++) {
        const struct runner_item *item = backlog->waiting[at];
        const struct runner_group *group = item->group;
        int64_t opens = group != NULL && opens_at(group) > item->due ? opens_at(group) : item->due;
        if (group != NULL && is_full(backlog, group))
            continue;
        if (opens <= now) {
            *out_at = at;
            return true;
        }
        if (opens < *out_again)
            *out_again = opens;
    }
    return false;
}

/* --- both ---------------------------------------------------------------------------------- */

bool backlog_has(struct backlog *backlog, int64_t now, int64_t *out_again)
{
    size_t at;
    struct runner_group *before;
    return find_waiting(backlog, now, out_again, &at) ||
           find_group(backlog, now, out_again, &before) != NULL;
}

struct runner_item *backlog_take(struct backlog *backlog, int64_t now, bool *out_waited)
{
    size_t at;
    int64_t again = SIL_FOREVER;
    *out_waited = find_waiting(backlog, now, &again, &at);
    if (*out_waited)
        return remove_waiting(backlog, at);
    struct runner_group *before, *group = find_group(backlog, now, &again, &before);
    return take_from(backlog, before, group);
}

struct runner_item *backlog_drop(struct backlog *backlog)
{
    if (backlog->waiting_count > 0)
        return remove_waiting(backlog, 0);
    return backlog->first != NULL ? take_from(backlog, NULL, backlog->first) : NULL;
}
