/* SPDX-License-Identifier: MIT */
/*
 * The commands that are programs of their own: sillon-get, sillon-bench.
 *
 * They are looked for beside the running sillon (a build tree), then in PROGRAMS_FROM_BIN, a path
 * from its folder (installed): a tree that is moved stays whole. PATH is not asked: what stands there
 * could be another version's.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <stdbool.h>

/** Is a command's program there, and can it be executed? */
bool program_exists(const char *command);

/**
 * Become the command's program.
 *
 * @param argv  borrows: its words, argv[0] the command's name.
 * @return only if that failed, which has then been said: STATUS_NOT_FOUND, STATUS_CANNOT_EXECUTE.
 */
int program_execute(const char *command, char **argv);

#endif
