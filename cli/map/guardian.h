/* SPDX-License-Identifier: MIT */
/*
 * The guardian: a process that sleeps until its pipe ends, and then ends what the run has left.
 */
#ifndef CLI_MAP_GUARDIAN_H
#define CLI_MAP_GUARDIAN_H

#include <stddef.h>
#include <sys/types.h>

struct guardian_plan {
    const char *word;
    _Atomic pid_t *leaders; /**< shared with who forked it */
    size_t count;
    int pipe; /**< its end; a byte says that all is well */
};

/** What a process that was just forked becomes; it has all signals blocked. No memory is allocated. */
_Noreturn void guardian_main(const struct guardian_plan *plan);

#endif
