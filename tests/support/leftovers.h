/* SPDX-License-Identifier: MIT */
/*
 * What processes leave behind: children nobody has waited for, mappings of shared memory, files.
 */
#ifndef TESTS_SUPPORT_LEFTOVERS_H
#define TESTS_SUPPORT_LEFTOVERS_H

#include <stdbool.h>

/** Has this process no children, not even ended ones? */
bool leftovers_no_children(void);

/** From now on descendants whose parents are gone come to this process, whoever began them. */
void leftovers_adopt(bool adopt);

/** Collect all children that have ended. True: there are no others. */
bool leftovers_collect(void);

/** Lines of /proc/self/maps that hold this text. */
unsigned leftovers_mappings(const char *text);

/** Files in /dev/shm and /tmp whose names hold "sillon". */
unsigned leftovers_files(void);

#endif
