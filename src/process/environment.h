/* SPDX-License-Identifier: MIT */
/*
 * An environment made of this process's and a list of changes.
 */
#ifndef SIL__PROCESS_ENVIRONMENT_H
#define SIL__PROCESS_ENVIRONMENT_H

#include <stdbool.h>

/*
 * changes: "NAME=value" adds or replaces, "NAME" removes, the later of two for one name counts;
 * ends with NULL; NULL for none. One block for sil__free, its strings borrowed from both; NULL: no
 * memory, no error set.
 */
char **sil__environment_create(const char *const *changes);

/* Are all of them well-formed: does each begin with a name? */
bool sil__environment_valid(const char *const *changes);

/* A copy of changes, in one block for sil__free; NULL: no memory. */
char **sil__environment_copy(const char *const *changes);

#endif
