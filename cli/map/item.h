/* SPDX-License-Identifier: MIT */
/*
 * An item of map: what a job is made from, and what became of it.
 */
#ifndef CLI_MAP_ITEM_H
#define CLI_MAP_ITEM_H

#include <jansson.h>

#include "map/capture.h"
#include "map/inputs.h"
#include "map/job.h"
#include "map/template.h"
#include "run/runner.h"

struct map_item {
    struct runner_item head;
    uint64_t seq;      /**< from 1 */
    struct row **rows; /**< owned */
    size_t row_count;
    int block;    /**< --pipe: its standard input, owned; -1 */
    char **words; /**< owned: the command */
    char *
        line; /**< owned: the command as a line for sh, which is the item's identity; it does not tell
                       the slot ({%} is 0 in it) */
    char *tag; /**< owned; NULL: none */
    bool skip; /**< an earlier run has done it */
    bool running;
    struct job job;
    struct job_end end;
    int64_t delivered; /**< sil_clock() when its output was written */
    uint64_t sizes[2]; /**< bytes of output and error */
    json_t *full;      /**< owned: its output, for --json on standard output */
};

/** Where items come from. */
struct item_maker {
    const struct map_options *options;
    struct inputs *inputs;
    struct template *command;
    struct template *tag; /**< NULL: none */
    uint64_t made;
    size_t most_bytes; /**< -X: of words */
    int error;         /**< why there are no more: 0, or SIL_ECANCELLED, SIL_ENOMEM ... */
};

/** How many bytes the words of a command may have here (-X). */
size_t item_most_bytes(void);

/** The next item. Waits, in a coroutine. NULL: there are no more; maker->error says why. */
struct map_item *item_make(struct item_maker *maker);

/** Fill in the command anew, for its slot. false: out of memory. */
bool item_fill(struct map_item *item, const struct template *command);

/** @param item  takes; NULL allowed. */
void item_destroy(struct map_item *item);

#endif
