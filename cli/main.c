/* SPDX-License-Identifier: MIT */
/*
 * The command `sillon`: finds the command named by the first word, and runs it or becomes it.
 *
 * I1  Starting is cheap: up to a command's own code nothing is done but comparing words.
 */
#include <stdio.h>
#include <string.h>

#include <sillon/version.h>

#include "command.h"
#include "program.h"
#include "syntax/help.h"
#include "syntax/nearest.h"
#include "syntax/program_start.h"

static const struct syntax *find_command(const char *name)
{
    for (size_t i = 0; all_syntaxes[i] != NULL; i++) {
        if (strcmp(all_syntaxes[i]->command, name) == 0)
            return all_syntaxes[i];
    }
    return NULL;
}

static int unknown(const char *word)
{
    if (word[0] == '-')
        return options_refuse(&sillon_syntax, word, "no such option");
    struct nearest nearest = nearest_begin(word, strlen(word));
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        nearest_offer(&nearest, all_syntaxes[i]->command);
    if (nearest.found == NULL)
        return options_refuse(&sillon_syntax, word, "no such command");
    return options_refuse(&sillon_syntax, word, "no such command; did you mean %s?", nearest.found);
}

/* Either of them, of the command named or of sillon. */
static int describe(const char *name, void (*print)(const struct syntax *syntax, FILE *out))
{
    const struct syntax *syntax = name == NULL ? &sillon_syntax : find_command(name);
    if (syntax == NULL)
        return unknown(name);
    print(syntax, stdout);
    return STATUS_DONE;
}

static int complete(const char *shell)
{
    if (shell != NULL && strcmp(shell, "bash") == 0)
        completion_print_bash(stdout);
    else if (shell != NULL && strcmp(shell, "zsh") == 0)
        completion_print_zsh(stdout);
    else
        return options_refuse(&sillon_syntax, shell != NULL ? shell : "--completion",
                              "completions are for bash or zsh");
    return STATUS_DONE;
}

/* "sillon help get" is "sillon get --help". @param words  behind help; ends with NULL. */
static int help(char **words)
{
    if (words[0] != NULL && strcmp(words[0], "--man") == 0)
        return describe(words[1], man_print);
    if (words[0] != NULL && strcmp(words[0], "--completion") == 0)
        return complete(words[1]);
    return describe(words[0], help_print);
}

/* What libcurl can do is known to sillon-get alone, which is not run for this. */
static int version(void)
{
    (void)printf("sillon %s\n+map", sil_version());
    for (size_t i = 0; all_syntaxes[i] != NULL; i++) {
        const char *command = all_syntaxes[i]->command;
        if (all_syntaxes[i] != &map_syntax)
            (void)printf(" %c%s", program_exists(command) ? '+' : '-', command);
    }
    (void)putchar('\n');
    return STATUS_DONE;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        help_print(&sillon_syntax, stderr);
        return STATUS_BAD_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, map_syntax.command) == 0)
        return map_run(argc - 1, argv + 1);
    if (find_command(word) != NULL)
        return program_execute(word, argv + 1);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return help(argv + 2);
    return strcmp(word, "--version") == 0 ? version() : unknown(word);
}

int main(int argc, char **argv)
{
    program_start();
    return program_end("sillon", dispatch(argc, argv));
}
