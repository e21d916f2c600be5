/* SPDX-License-Identifier: MIT */
/*
 * The sources of a command line: groups of supplies. Those of a group are linked (:::+): a row of
 * each makes one row, until the shortest has ended. Groups are combined with each other (inputs.c).
 *
 * I1  The first group is read once, and nothing of it is kept. The others begin anew for each row
 *     of those before them: their rows are kept.
 */
#ifndef CLI_MAP_SOURCES_H
#define CLI_MAP_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/inputs.h"
#include "map/supply.h"

struct group {
    struct supply **supplies;
    size_t count;
    struct row *now; /**< the group's own, or one of those kept */
    bool keeps;
    struct row **kept;
    size_t kept_count, kept_room;
    size_t at;     /**< of those kept: the one after now */
    bool complete; /**< all are kept */
};

struct sources {
    struct supply_format format;
    char *separator; /**< format's, with \t and the like replaced */
    struct group *groups;
    size_t count;
};

/**
 * Open all: -a and those behind the first of ::: and ::::; standard input if there are none. What
 * is wrong is said (options_refuse).
 *
 * @param options, words, split  borrows, until fini.
 * @return false: *out_status; out needs no fini.
 */
bool sources_init(struct sources *out, const struct map_options *options, const struct words *words,
                  const struct map_words *split, int *out_status);
void sources_fini(struct sources *sources);

/** Move to the next row. @return 0; SIL_EEND there is none: now is NULL; else as supply_next. */
int group_next(struct group *group);

/** Begin again: group_next moves to the first row. Of one that keeps. */
void group_rewind(struct group *group);

/** @return false: not known yet. */
bool group_total(const struct group *group, uint64_t *out);

#endif
