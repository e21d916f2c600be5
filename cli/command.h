/* SPDX-License-Identifier: MIT */
/*
 * What main.c knows of a command: its name, one line about it, and how to run it.
 *
 * To add a command: a folder of its own, a `struct command` in it, and a line in main.c's list.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/** How the program ends. Scripts depend on these. */
enum status {
    STATUS_DONE = 0,        /**< all done */
    STATUS_SOME_FAILED = 1, /**< the rest was done */
    STATUS_BAD_USAGE = 2,   /**< nothing was started */
};

struct command {
    const char *name;
    const char *summary;
    /** argv[0] is the command's name. Returns how the program ends. */
    int (*run)(int argc, char **argv);
};

extern const struct command get_command;
extern const struct command bench_command;

#endif
