/* SPDX-License-Identifier: MIT */
/*
 * What posix_spawn is to do in the new process before the program: descriptors and directory.
 */
#ifndef SIL__PROCESS_SPAWN_ACTIONS_H
#define SIL__PROCESS_SPAWN_ACTIONS_H

#include <spawn.h>

#include "process/takeover.h"

/* Which number the socket gets. */
int sil__spawn_socket(const struct sil__spawn *spawn);

/* To actions, which are initialized. 0, or an errno value. */
int sil__spawn_actions(posix_spawn_file_actions_t *actions, const struct sil__spawn *spawn);

#endif
