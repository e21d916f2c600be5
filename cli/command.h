/* SPDX-License-Identifier: MIT */
/*
 * The commands: what the dispatcher (main.c) knows of each, and how each ends.
 *
 * `sillon` itself is small, so that it starts at once: it has map in it. get and bench, which need
 * libcurl and all that comes with it, are programs of their own, sillon-get and sillon-bench, that
 * it executes (program.c). All three read options by the same records (syntax/options.h).
 *
 * To add a command: a folder of its own with a syntax.c, a line in main.c's list, and either a run
 * function or a main of its own.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "syntax/options.h"

/** How a program of ours ends. Scripts depend on these. */
enum status {
    STATUS_DONE = 0,             /**< all done, or skipped on purpose */
    STATUS_SOME_FAILED = 1,      /**< the rest was done */
    STATUS_BAD_USAGE = 2,        /**< nothing was started */
    STATUS_STOPPED = 3,          /**< early, by --halt or --deadline */
    STATUS_WRONG_CHECKSUM = 4,   /**< get: a file came that is not the one that was meant */
    STATUS_LOCAL_FAILURE = 5,    /**< this machine: disk full, no process, no memory */
    STATUS_CANNOT_EXECUTE = 126, /**< map: the command is there and cannot be run */
    STATUS_NOT_FOUND = 127,      /**< map: it is not there */
};

/** Which of two says more: 126 and 127, then 2, 5, 4, 3, 1, 0. */
enum status status_worse(enum status a, enum status b);

/** map's place in `sillon`. argv[0] is the command's name. Returns how the program ends. */
int map_run(int argc, char **argv);

/** What main of sillon-get and of sillon-bench call. */
int get_run(int argc, char **argv);
int bench_run(int argc, char **argv);

#endif
