/* SPDX-License-Identifier: MIT */
/*
 * Options, see options.h: popt splits the words, the records say what they mean.
 */
#include "options.h"

#include <popt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "text/harmless.h"
#include "text/units.h"

enum { HELP_COLUMN = 30 };

/* What popt returns for an option: its place in the records, counted from 2. */
enum { HELP_FOUND = 1, FIRST_FOUND = 2 };

static void print_option(char letter, const char *name, const char *argument, const char *help)
{
    char left[64];
    const char letter_part[] = {' ',
                                ' ',
                                letter != '\0' ? '-' : ' ',
                                letter != '\0' ? letter : ' ',
                                letter != '\0' ? ',' : ' ',
                                ' ',
                                '\0'};
    int length = snprintf(left, sizeof(left), "%s--%s%s%s", letter_part, name,
                          argument != NULL ? " " : "", argument != NULL ? argument : "");
    (void)printf("%s%*s%s\n", left, length + 2 < HELP_COLUMN ? HELP_COLUMN - length : 2, "", help);
}

/* A form of use a line, each opened with the command's name. */
static void print_usage(const struct syntax *syntax)
{
    const char *opening = "Usage:", *line = syntax->usage;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        (void)printf("%-6s sillon %s %.*s\n", opening, syntax->command, (int)length, line);
        opening = "";
        line += length + (line[length] == '\n');
    }
}

static void print_help(const struct syntax *syntax)
{
    print_usage(syntax);
    (void)printf("%s\n\n%s", syntax->summary, syntax->examples);
    const char *group = "";
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct option_record *option = &syntax->options[i];
        if (strcmp(option->group, group) != 0)
            (void)printf("\n%s:\n", option->group);
        group = option->group;
        print_option(option->letter, option->name, option->argument, option->help);
    }
    (void)puts("\nHelp:");
    print_option('h', "help", NULL, "show this and do nothing");
    (void)printf("\n%s", syntax->notes);
}

int options_refuse(const struct syntax *syntax, const char *word, const char *reason)
{
    char shown[256];
    (void)harmless(shown, sizeof(shown), word);
    (void)fprintf(stderr, "sillon %s: %s: %s\nTry 'sillon %s --help'.\n", syntax->command,
                  shown[0] != '\0' ? shown : "''", reason, syntax->command);
    return STATUS_BAD_USAGE;
}

static int refuse_value(const struct syntax *syntax, const struct option_record *option,
                        const char *value, const char *expected)
{
    char shown[128], word[192];
    (void)snprintf(word, sizeof(word), "--%s", option->name);
    char reason[sizeof(shown) + 128];
    (void)snprintf(reason, sizeof(reason), "'%s' is not %s", harmless(shown, sizeof(shown), value),
                   expected);
    return options_refuse(syntax, word, reason);
}

static int store_choice(const struct syntax *syntax, const struct option_record *option,
                        const char *value, void *place)
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            memcpy(place, &i, sizeof(i));
            return OPTIONS_OK;
        }
    }
    char expected[128] = "one of:";
    for (int i = 0; option->choices[i] != NULL; i++) {
        size_t used = strlen(expected);
        (void)snprintf(expected + used, sizeof(expected) - used, " %s", option->choices[i]);
    }
    return refuse_value(syntax, option, value, expected);
}

static int store_number(const struct syntax *syntax, const struct option_record *option,
                        const char *value, void *place)
{
    uint64_t number;
    if (unit_read_number(value, option->least, option->most, &number)) {
        memcpy(place, &number, sizeof(number));
        return OPTIONS_OK;
    }
    char expected[96];
    (void)snprintf(expected, sizeof(expected), "a whole number from %llu to %llu",
                   (unsigned long long)option->least, (unsigned long long)option->most);
    return refuse_value(syntax, option, value, expected);
}

/* @param value  takes; NULL for a flag. */
static int store(const struct syntax *syntax, const struct option_record *option, char *value,
                 void *values)
{
    void *place = (char *)values + option->offset;
    int status = OPTIONS_OK;
    double seconds;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)place = true;
        break;
    case OPTION_NUMBER:
        status = store_number(syntax, option, value, place);
        break;
    case OPTION_SECONDS:
        if (unit_read_seconds(value, &seconds))
            memcpy(place, &seconds, sizeof(seconds));
        else
            status = refuse_value(syntax, option, value, "a time such as 30, 1.5s, 500ms or 2m");
        break;
    case OPTION_CHOICE:
        status = store_choice(syntax, option, value, place);
        break;
    case OPTION_TEXT:
        free(*(char **)place); /* given twice: the last one counts */
        *(char **)place = value;
        return OPTIONS_OK;
    }
    free(value);
    return status;
}

static struct poptOption *make_popt_table(const struct syntax *syntax)
{
    /* Two more: --help, and the zeros that end the table. */
    struct poptOption *table = calloc(syntax->option_count + 2, sizeof(*table));
    if (table == NULL)
        return NULL;
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct option_record *option = &syntax->options[i];
        table[i] = (struct poptOption){
            .longName = option->name,
            .shortName = option->letter,
            .argInfo = option->kind == OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING,
            .val = FIRST_FOUND + (int)i,
        };
    }
    table[syntax->option_count] = (struct poptOption){
        .longName = "help", .shortName = 'h', .argInfo = POPT_ARG_NONE, .val = HELP_FOUND};
    return table;
}

static int copy_words(poptContext context, struct words *out)
{
    const char **rest = poptGetArgs(context);
    size_t count = 0;
    while (rest != NULL && rest[count] != NULL)
        count++;
    out->list = calloc(count + 1, sizeof(*out->list));
    if (out->list == NULL)
        return STATUS_SOME_FAILED;
    for (; out->count < count; out->count++) {
        out->list[out->count] = strdup(rest[out->count]);
        if (out->list[out->count] == NULL)
            return STATUS_SOME_FAILED;
    }
    return OPTIONS_OK;
}

static int read_options(const struct syntax *syntax, poptContext context, void *values,
                        struct words *out_words)
{
    int found;
    while ((found = poptGetNextOpt(context)) > 0) {
        if (found == HELP_FOUND) {
            print_help(syntax);
            return STATUS_DONE;
        }
        const struct option_record *option = &syntax->options[found - FIRST_FOUND];
        int status = store(syntax, option, poptGetOptArg(context), values);
        if (status != OPTIONS_OK)
            return status;
    }
    if (found < -1) {
        const char *reason = found == POPT_ERROR_BADOPT  ? "no such option"
                             : found == POPT_ERROR_NOARG ? "a value is missing after it"
                                                         : poptStrerror(found);
        return options_refuse(syntax, poptBadOption(context, 0), reason);
    }
    return copy_words(context, out_words);
}

int options_parse(const struct syntax *syntax, int argc, char **argv, void *values,
                  struct words *out_words)
{
    int status = STATUS_SOME_FAILED;
    *out_words = (struct words){0};
    struct poptOption *table = make_popt_table(syntax);
    const char **words = (void *)argv; /* popt only reads them */
    poptContext context = table == NULL ? NULL : poptGetContext("sillon", argc, words, table, 0);
    if (context != NULL)
        status = read_options(syntax, context, values, out_words);
    if (status == STATUS_SOME_FAILED)
        (void)fprintf(stderr, "sillon %s: out of memory\n", syntax->command);
    poptFreeContext(context);
    free(table);
    return status;
}

void options_fini(const struct syntax *syntax, void *values, struct words *words)
{
    for (size_t i = 0; i < syntax->option_count; i++) {
        if (syntax->options[i].kind == OPTION_TEXT)
            free(*(char **)(void *)((char *)values + syntax->options[i].offset));
    }
    for (size_t i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
}
