/* SPDX-License-Identifier: MIT */
/*
 * Tasks that do to the process they run in whatever a task may do, or should not.
 */
#ifndef TESTS_SUPPORT_HOSTILE_H
#define TESTS_SUPPORT_HOSTILE_H

#include <sillon/sillon.h>

#include <stdbool.h>
#include <stddef.h>

/** In place of a code: it may end well, break, or time out. */
enum { HOSTILE_ANY = 1 };

struct hostile {
    const char *name;
    sil_task_fn fn;
    sil_task_fn before; /**< to be run first; NULL: none */
    int ends;           /**< its code; with SIL_ETIMEDOUT it ends by that alone */
    bool takes_others;  /**< workers that have nothing to do with it end, too */
};

extern const struct hostile hostiles[];
extern const size_t hostile_count;

#endif
