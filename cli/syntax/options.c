/* SPDX-License-Identifier: MIT */
/*
 * Options, see options.h: popt splits the words, the records say what they mean.
 *
 * An option whose value may be left out takes it from "--name=value" alone; popt would take the next
 * word for it. So popt is told that there is none, and what it then calls an error is the value.
 */
#include "syntax/options.h"

#include <popt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/version.h>

#include "command.h"
#include "syntax/help.h"
#include "syntax/nearest.h"
#include "syntax/values.h"
#include "text/harmless.h"

/* What popt returns for an option; from FIRST_FOUND on it is its place in the records. */
enum { HELP_FOUND = 1, VERSION_FOUND = 2, FIRST_FOUND = 3 };

const char *syntax_name(const struct syntax *syntax, char out[32])
{
    (void)snprintf(out, 32, "sillon%s%s", syntax->command[0] != '\0' ? " " : "", syntax->command);
    return out;
}

int options_refuse(const struct syntax *syntax, const char *word, const char *format, ...)
{
    char name[32], reason[512], message[1024], shown[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    (void)syntax_name(syntax, name);
    (void)snprintf(message, sizeof(message), "%s: %.300s: %s", name, word[0] != '\0' ? word : "''",
                   reason);
    (void)fprintf(stderr, "%s\nTry '%s --help'.\n", harmless(shown, sizeof(shown), message), name);
    return STATUS_BAD_USAGE;
}

static int no_memory(const struct syntax *syntax)
{
    char name[32];
    (void)fprintf(stderr, "%s: out of memory\n", syntax_name(syntax, name));
    return STATUS_LOCAL_FAILURE;
}

static const struct option_record *find_name(const struct syntax *syntax, const char *name,
                                             size_t length)
{
    for (size_t i = 0; i < syntax->option_count; i++) {
        const char *candidate = syntax->options[i].name;
        if (strlen(candidate) == length && strncmp(candidate, name, length) == 0)
            return &syntax->options[i];
    }
    return NULL;
}

/* @param text  takes; NULL for a flag. */
static int store(const struct syntax *syntax, const struct option_record *option, char *text,
                 void *values)
{
    char word[64], typed[160], expected[VALUE_EXPECTED];
    (void)snprintf(word, sizeof(word), "--%s", option->name);
    (void)snprintf(typed, sizeof(typed), "%s", text != NULL ? text : "");
    switch (value_store(option, text, values, expected)) {
    case VALUE_STORED:
        return OPTIONS_OK;
    case VALUE_WRONG:
        return options_refuse(syntax, word, "'%s' is not %s", typed, expected);
    case VALUE_NO_MEMORY:
        break;
    }
    return no_memory(syntax);
}

static int store_copy(const struct syntax *syntax, const struct option_record *option,
                      const char *text, void *values)
{
    char *copy = strdup(text);
    return copy == NULL ? no_memory(syntax) : store(syntax, option, copy, values);
}

static bool takes_value(const struct option_record *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_COUNT;
}

/* Of a cluster of letters, the first that is none of ours. */
static int refuse_letters(const struct syntax *syntax, const char *word)
{
    for (size_t i = 1; word[i] != '\0'; i++) {
        const struct option_record *option = NULL;
        for (size_t k = 0; k < syntax->option_count && option == NULL; k++) {
            if (syntax->options[k].letter == word[i])
                option = &syntax->options[k];
        }
        if (option == NULL && word[i] != 'h') {
            /* The rest of it, too, if it is not ASCII: half a character would be no word. */
            char letter[] = {'-', word[i], '\0'};
            return options_refuse(syntax, word[i] > 0 ? letter : word, "no such option");
        }
    }
    return options_refuse(syntax, word, "no such option");
}

static int refuse_name(const struct syntax *syntax, const char *word)
{
    char name[160];
    size_t length = strcspn(word + 2, "=");
    (void)snprintf(name, sizeof(name), "--%.*s", length < 140 ? (int)length : 140, word + 2);
    struct nearest nearest = nearest_begin(word + 2, length);
    for (size_t i = 0; i < syntax->option_count; i++)
        nearest_offer(&nearest, syntax->options[i].name);
    nearest_offer(&nearest, "help");
    if (nearest.found == NULL)
        return options_refuse(syntax, name, "no such option");
    return options_refuse(syntax, name, "no such option; did you mean --%s?", nearest.found);
}

/* What popt calls an error. */
static int handle_error(const struct syntax *syntax, poptContext context, int error, void *values)
{
    const char *word = poptBadOption(context, 0);
    if (error == POPT_ERROR_BADOPT)
        return strncmp(word, "--", 2) == 0 ? refuse_name(syntax, word)
                                           : refuse_letters(syntax, word);
    if (error == POPT_ERROR_UNWANTEDARG) {
        size_t length = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
        const struct option_record *option = find_name(syntax, word + 2, length);
        if (option != NULL && option->kind == OPTION_OPTIONAL)
            return store_copy(syntax, option, word + 2 + length + 1, values);
        return options_refuse(syntax, word, "it takes no value");
    }
    if (error == POPT_ERROR_NOARG)
        return options_refuse(syntax, word, "a value is missing after it");
    if (error == POPT_ERROR_MALLOC)
        return no_memory(syntax);
    return options_refuse(syntax, word, "%s", poptStrerror(error));
}

static struct poptOption *make_popt_table(const struct syntax *syntax)
{
    /* Three more: --help, --version, and the zeros that end the table. */
    struct poptOption *table = calloc(syntax->option_count + 3, sizeof(*table));
    if (table == NULL)
        return NULL;
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct option_record *option = &syntax->options[i];
        bool text = takes_value(option) && option->kind != OPTION_OPTIONAL;
        table[i] = (struct poptOption){
            .longName = option->name,
            .shortName = option->letter,
            .argInfo = text ? POPT_ARG_STRING : POPT_ARG_NONE,
            .val = FIRST_FOUND + (int)i,
        };
    }
    table[syntax->option_count] = (struct poptOption){
        .longName = "help", .shortName = 'h', .argInfo = POPT_ARG_NONE, .val = HELP_FOUND};
    table[syntax->option_count + 1] =
        (struct poptOption){.longName = "version", .argInfo = POPT_ARG_NONE, .val = VERSION_FOUND};
    return table;
}

static int copy_words(const struct syntax *syntax, poptContext context, struct words *out)
{
    const char **rest = poptGetArgs(context);
    size_t count = 0;
    while (rest != NULL && rest[count] != NULL)
        count++;
    out->list = calloc(count + 1, sizeof(*out->list));
    if (out->list == NULL)
        return no_memory(syntax);
    for (; out->count < count; out->count++) {
        out->list[out->count] = strdup(rest[out->count]);
        if (out->list[out->count] == NULL)
            return no_memory(syntax);
    }
    return OPTIONS_OK;
}

static int read_option(const struct syntax *syntax, poptContext context, int found, void *values)
{
    if (found < -1)
        return handle_error(syntax, context, found, values);
    if (found == HELP_FOUND) {
        help_print(syntax, stdout);
        return STATUS_DONE;
    }
    if (found == VERSION_FOUND) {
        (void)printf("sillon %s\n", sil_version());
        return STATUS_DONE;
    }
    const struct option_record *option = &syntax->options[found - FIRST_FOUND];
    if (option->kind == OPTION_OPTIONAL)
        return store_copy(syntax, option, "", values);
    return store(syntax, option, poptGetOptArg(context), values);
}

/* SILLON_JOBS counts where -j was not given. */
static int check_environment(const struct syntax *syntax, const void *values)
{
    const char *environment = getenv("SILLON_JOBS");
    for (size_t i = 0; environment != NULL && i < syntax->option_count; i++) {
        const struct option_record *option = &syntax->options[i];
        const struct jobs *jobs = (const void *)((const char *)values + option->offset);
        struct jobs ignored;
        if (option->kind == OPTION_JOBS && jobs->kind == JOBS_DEFAULT &&
            !value_read_jobs(environment, &ignored))
            return options_refuse(syntax, "SILLON_JOBS", "'%s' is not %s", environment,
                                  VALUE_JOBS_EXPECTED);
    }
    return OPTIONS_OK;
}

int options_parse(const struct syntax *syntax, int argc, char **argv, void *values,
                  struct words *out_words)
{
    int status = OPTIONS_OK;
    *out_words = (struct words){0};
    struct poptOption *table = make_popt_table(syntax);
    const char **words = (void *)argv; /* popt only reads them */
    unsigned flags = syntax->stops_at_word ? POPT_CONTEXT_POSIXMEHARDER : 0;
    poptContext context =
        table == NULL ? NULL : poptGetContext("sillon", argc, words, table, flags);
    if (context == NULL)
        status = no_memory(syntax);
    for (int found; status == OPTIONS_OK && (found = poptGetNextOpt(context)) != -1;)
        status = read_option(syntax, context, found, values);
    if (status == OPTIONS_OK)
        status = copy_words(syntax, context, out_words);
    if (status == OPTIONS_OK)
        status = check_environment(syntax, values);
    poptFreeContext(context);
    free(table);
    return status;
}

void options_fini(const struct syntax *syntax, void *values, struct words *words)
{
    for (size_t i = 0; i < syntax->option_count; i++)
        value_free(&syntax->options[i], values);
    for (size_t i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
    *words = (struct words){0};
}
