/* SPDX-License-Identifier: MIT */
/*
 * What is made from the records besides the parsing: --help, the man page, the completions.
 *
 * All of it goes to a stdio stream, whose errors are found when it is flushed (program_end).
 */
#ifndef CLI_SYNTAX_HELP_H
#define CLI_SYNTAX_HELP_H

#include <stdio.h>

#include "syntax/options.h"

/** --help: at most 80 columns, options of at most two lines. */
void help_print(const struct syntax *syntax, FILE *out);

/** The man page, in roff (man(7)). */
void man_print(const struct syntax *syntax, FILE *out);

/** For the shell's startup or its folder of completions: all commands at once. */
void completion_print_bash(FILE *out);
void completion_print_zsh(FILE *out);

/** "sillon get", "sillon". @return out */
const char *syntax_name(const struct syntax *syntax, char out[32]);

#endif
