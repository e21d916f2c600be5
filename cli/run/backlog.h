/* SPDX-License-Identifier: MIT */
/*
 * The backlog: items that do not run now. Those that were read and are ready, each in the line of its
 * group; and those that wait to be tried again, by when they may.
 *
 * I1  A line is first in, first out; the lines take turns.
 * I2  An item that was tried before comes before all new ones.
 */
#ifndef CLI_RUN_BACKLOG_H
#define CLI_RUN_BACKLOG_H

#include "run/runner.h"

/** All zero is an empty one. */
struct backlog {
    size_t ready;                      /**< items in lines */
    struct runner_group own;           /**< the line of items without a group */
    struct runner_group *first, *last; /**< groups whose lines are not empty */
    struct runner_item **waiting;      /**< a binary heap by due */
    size_t waiting_count, waiting_room;
};

void backlog_fini(struct backlog *backlog);

void backlog_add_ready(struct backlog *backlog, struct runner_item *item);

/** @return false: out of memory; the item is the caller's. */
bool backlog_add_waiting(struct backlog *backlog, struct runner_item *item);

/** Is there one that may run? If not, *out_again receives when there may be: SIL_FOREVER if that is not
 *  a question of time. */
bool backlog_has(struct backlog *backlog, int64_t now, int64_t *out_again);

/** Take it: backlog_has said so at the same moment. */
struct runner_item *backlog_take(struct backlog *backlog, int64_t now, bool *out_waited);

/** Take any; NULL: there are none. */
struct runner_item *backlog_drop(struct backlog *backlog);

bool backlog_is_empty(const struct backlog *backlog);

#endif
