/* SPDX-License-Identifier: MIT */
/*
 * --help, see help.h.
 *
 * Layout: usage, one sentence, examples, options by group, notes, exit status, environment. Lines
 * are broken between words, so that 80 columns suffice; what a record says fits in two lines.
 */
#include "syntax/help.h"

#include <string.h>

enum { WIDTH = 80, OPTION_COLUMN = 30, STATUS_COLUMN = 8, COMMAND_COLUMN = 12 };

/* How long the first word is; "(default: 10s)" is one. */
static size_t word_length(const char *text, size_t length)
{
    const char *end = memchr(text, ' ', length);
    if (text[0] == '(' && memchr(text, ')', length) != NULL) {
        const char *close = memchr(text, ')', length);
        end = memchr(close, ' ', length - (size_t)(close - text));
    }
    return end != NULL ? (size_t)(end - text) : length;
}

/* Words, broken at WIDTH. The first line begins in column `at`, the others in column `indent`. */
static void print_wrapped(FILE *out, size_t at, size_t indent, const char *text, size_t length)
{
    const char *end = text + length;
    for (bool first = true; text < end; first = false) {
        size_t word = word_length(text, (size_t)(end - text));
        if (!first && at + 1 + word > WIDTH) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            (void)fputc(' ', out);
            at++;
        }
        (void)fprintf(out, "%.*s", (int)word, text);
        at += word;
        text += word + (text + word < end);
    }
    (void)fputc('\n', out);
}

static void print_option(FILE *out, const struct option_record *option)
{
    char left[80];
    const char letter[] = {'-', option->letter, ',', '\0'};
    const char *argument = option->argument != NULL ? option->argument : "";
    const char *opening = option->kind == OPTION_OPTIONAL ? "[=" : argument[0] != '\0' ? " " : "";
    size_t length = (size_t)snprintf(left, sizeof(left), "  %-3s --%s%s%s%s",
                                     option->letter != '\0' ? letter : "", option->name, opening,
                                     argument, option->kind == OPTION_OPTIONAL ? "]" : "");
    if (length + 2 <= OPTION_COLUMN)
        (void)fprintf(out, "%-*s", OPTION_COLUMN, left);
    else
        (void)fprintf(out, "%s\n%*s", left, OPTION_COLUMN, "");
    print_wrapped(out, OPTION_COLUMN, OPTION_COLUMN, option->help, strlen(option->help));
}

static void print_options(FILE *out, const struct syntax *syntax)
{
    static const struct option_record help = {
        .name = "help", .letter = 'h', .help = "show this and do nothing", .kind = OPTION_FLAG};
    const char *group = "";
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct option_record *option = &syntax->options[i];
        if (strcmp(option->group, group) != 0)
            (void)fprintf(out, "\n%s:\n", option->group);
        group = option->group;
        print_option(out, option);
    }
    if (syntax->option_count > 0)
        print_option(out, &help);
}

static void print_commands(FILE *out)
{
    (void)fputs("\nCommands:\n", out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++) {
        (void)fprintf(out, "  %-*s", COMMAND_COLUMN - 2, all_syntaxes[i]->command);
        print_wrapped(out, COMMAND_COLUMN, COMMAND_COLUMN, all_syntaxes[i]->summary,
                      strlen(all_syntaxes[i]->summary));
    }
}

/* A form of use a line, each opened with the command's name. */
static void print_usage(FILE *out, const struct syntax *syntax)
{
    char name[32];
    const char *opening = "Usage:", *line = syntax->usage;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        (void)fprintf(out, "%-6s %s %.*s\n", opening, syntax_name(syntax, name), (int)length, line);
        opening = "";
        line += length + (line[length] == '\n');
    }
}

/* Rows of a term, a tab, and a text. */
static void print_statuses(FILE *out, const char *rows)
{
    (void)fputs("\nExit status:\n", out);
    while (*rows != '\0') {
        size_t term = strcspn(rows, "\t"), length = strcspn(rows, "\n");
        (void)fprintf(out, "  %-*.*s", STATUS_COLUMN - 2, (int)term, rows);
        print_wrapped(out, STATUS_COLUMN, STATUS_COLUMN, rows + term + 1, length - term - 1);
        rows += length + 1;
    }
}

/* Of the environment the names; the man page says what they are for. */
static void print_environment(FILE *out, const char *rows)
{
    char names[512] = "Environment:";
    size_t used = strlen(names);
    for (bool first = true; *rows != '\0'; first = false) {
        size_t term = strcspn(rows, "\t");
        if (used + 2 + term > sizeof(names))
            break;
        if (!first)
            names[used++] = ',';
        names[used++] = ' ';
        memcpy(names + used, rows, term);
        used += term;
        rows += strcspn(rows, "\n") + 1;
    }
    (void)fputc('\n', out);
    print_wrapped(out, 0, 2, names, used);
}

void help_print(const struct syntax *syntax, FILE *out)
{
    print_usage(out, syntax);
    (void)fprintf(out, "%s\n\n%s", syntax->summary, syntax->examples);
    if (syntax->command[0] == '\0')
        print_commands(out);
    print_options(out, syntax);
    (void)fprintf(out, "\n%s", syntax->notes);
    print_statuses(out, syntax->statuses);
    print_environment(out, syntax->environment);
    if (syntax->command[0] != '\0')
        (void)fprintf(out, "\nMore: man sillon-%s\n", syntax->command);
}
