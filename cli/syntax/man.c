/* SPDX-License-Identifier: MIT */
/*
 * The man page of a command, in roff with the macros of man(7), see help.h.
 *
 * The texts are plain; what roff would take for its own is escaped here, options in them are set in
 * bold, and the marks of options.h (two spaces, a tab) become examples and lists.
 */
#include "syntax/help.h"

#include <ctype.h>
#include <string.h>

#include <sillon/version.h>

/* mandoc and man want a date; one that a build has would make no two builds alike. */
#define PAGE_DATE "2026-11-22"

static void put_plain(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char *escaped = text[i] == '\\'   ? "\\e"
                              : text[i] == '-'  ? "\\-"
                              : text[i] == '~'  ? "\\(ti"
                              : text[i] == '^'  ? "\\(ha"
                              : text[i] == '`'  ? "\\(ga"
                              : text[i] == '\'' ? "\\(aq"
                                                : NULL;
        if (escaped != NULL)
            (void)fputs(escaped, out);
        else
            (void)fputc(text[i], out);
    }
}

static void put_text(FILE *out, const char *text)
{
    put_plain(out, text, strlen(text));
}

/* "--name" at this place, behind no part of a word: how long it is. */
static size_t option_length(const char *line, size_t at, size_t length)
{
    if (at > 0 && (isalnum((unsigned char)line[at - 1]) || strchr("-/", line[at - 1]) != NULL))
        return 0;
    size_t end = at + 2;
    if (end >= length || strncmp(line + at, "--", 2) != 0 || !islower((unsigned char)line[end]))
        return 0;
    while (end < length && (islower((unsigned char)line[end]) || line[end] == '-'))
        end++;
    return end - at;
}

/* A line of running text, with its options in bold. */
static void put_line(FILE *out, const char *line, size_t length)
{
    if (length > 0 && (line[0] == '.' || line[0] == '\''))
        (void)fputs("\\&", out);
    for (size_t i = 0; i < length;) {
        size_t option = option_length(line, i, length);
        if (option > 0) {
            (void)fputs("\\fB", out);
            put_plain(out, line + i, option);
            (void)fputs("\\fR", out);
        } else {
            put_plain(out, line + i, 1);
        }
        i += option > 0 ? option : 1;
    }
    (void)fputc('\n', out);
}

/* What the last line was. */
enum block { BLOCK_NONE, BLOCK_BREAK, BLOCK_TEXT, BLOCK_EXAMPLE, BLOCK_ROW };

/* roff's line for a change from one to the other. */
static const char *change(enum block from, enum block to, bool broken)
{
    if (to == BLOCK_EXAMPLE)
        return from == BLOCK_EXAMPLE ? "" : from == BLOCK_NONE ? ".EX\n" : ".PP\n.EX\n";
    if (from == BLOCK_EXAMPLE)
        return to == BLOCK_TEXT ? ".EE\n.PP\n" : ".EE\n";
    return to == BLOCK_TEXT && (broken || from == BLOCK_ROW) && from != BLOCK_NONE ? ".PP\n" : "";
}

/* Text with the marks of options.h. */
static void put_paragraphs(FILE *out, const char *text)
{
    enum block block = BLOCK_NONE;
    bool broken = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *tab = memchr(text, '\t', length);
        enum block next = length == 0                   ? BLOCK_BREAK
                          : strncmp(text, "  ", 2) == 0 ? BLOCK_EXAMPLE
                          : tab != NULL                 ? BLOCK_ROW
                                                        : BLOCK_TEXT;
        if (next == BLOCK_BREAK) {
            broken = true;
        } else {
            (void)fputs(change(block, next, broken), out);
            block = next;
            broken = false;
        }
        if (next == BLOCK_ROW) {
            (void)fputs(".TP\n.B ", out);
            put_line(out, text, (size_t)(tab - text));
            put_line(out, tab + 1, length - (size_t)(tab - text) - 1);
        } else if (next != BLOCK_BREAK) {
            put_line(out, text, length);
        }
        text += length + (text[length] == '\n');
    }
    if (block == BLOCK_EXAMPLE)
        (void)fputs(".EE\n", out);
}

static void put_section(FILE *out, const char *heading, const char *text)
{
    if (text == NULL)
        return;
    (void)fprintf(out, ".SH %s\n", heading);
    put_paragraphs(out, text);
}

static void put_option(FILE *out, const struct option_record *option)
{
    (void)fputs(".TP\n", out);
    if (option->letter != '\0')
        (void)fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    (void)fputs("\\fB\\-\\-", out);
    put_text(out, option->name);
    (void)fputs("\\fR", out);
    if (option->argument != NULL) {
        bool optional = option->kind == OPTION_OPTIONAL;
        (void)fputs(optional ? "[=\\fI" : " \\fI", out);
        put_text(out, option->argument);
        (void)fputs(optional ? "\\fR]" : "\\fR", out);
    }
    /* Help begins small and has no stop: it is a phrase. Here it is a sentence. */
    (void)fputc('\n', out);
    const char *help = option->help;
    size_t length = strlen(help);
    char first = option->choices == NULL ? (char)toupper((unsigned char)help[0]) : help[0];
    char sentence[256];
    (void)snprintf(sentence, sizeof(sentence), "%c%s%s", first, help + 1,
                   help[length - 1] == '.' ? "" : ".");
    put_paragraphs(out, sentence);
    if (option->more != NULL)
        put_paragraphs(out, option->more);
}

static void put_options(FILE *out, const struct syntax *syntax)
{
    if (syntax->option_count == 0)
        return;
    (void)fputs(".SH OPTIONS\n", out);
    (void)fputs("Long options take their value as the next word or behind =. Short ones can stand "
                "together.\n\\fB\\-\\-\\fR ends the options.\n",
                out);
    const char *group = "";
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct option_record *option = &syntax->options[i];
        if (strcmp(option->group, group) != 0)
            (void)fprintf(out, ".SS %s\n", option->group);
        group = option->group;
        put_option(out, option);
    }
    (void)fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow the options and do nothing.\n"
                ".TP\n\\fB\\-\\-version\\fR\nShow the version and do nothing.\n",
                out);
}

static void put_synopsis(FILE *out, const struct syntax *syntax)
{
    char name[32];
    (void)fputs(".SH SYNOPSIS\n", out);
    for (const char *line = syntax->usage; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        (void)fprintf(out, "%s.B %s\n", line == syntax->usage ? "" : ".br\n",
                      syntax_name(syntax, name));
        put_line(out, line, length);
        line += length + (line[length] == '\n');
    }
}

static void put_description(FILE *out, const struct syntax *syntax)
{
    put_section(out, "DESCRIPTION", syntax->summary);
    if (syntax->command[0] == '\0') {
        for (size_t i = 0; all_syntaxes[i] != NULL; i++) {
            (void)fprintf(out, ".TP\n.BR sillon\\-%s (1)\n", all_syntaxes[i]->command);
            put_paragraphs(out, all_syntaxes[i]->summary);
        }
    }
    if (syntax->description != NULL) {
        (void)fputs(".PP\n", out);
        put_paragraphs(out, syntax->description);
    }
    if (syntax->command[0] != '\0') {
        (void)fputs(".PP\n", out);
        put_paragraphs(out, syntax->notes);
    }
}

/* What the page is called: "get" is sillon-get(1). */
static void put_name(FILE *out, const struct syntax *syntax)
{
    const char *dash = syntax->command[0] != '\0' ? "-" : "";
    (void)fprintf(out, ".\\\" Made by sillon help --man %s\n.TH SILLON%s", syntax->command, dash);
    for (const char *letter = syntax->command; *letter != '\0'; letter++)
        (void)fputc(toupper((unsigned char)*letter), out);
    (void)fprintf(out,
                  " 1 " PAGE_DATE " \"sillon %s\" \"User Commands\"\n"
                  ".SH NAME\nsillon%s%s \\- ",
                  sil_version(), dash[0] != '\0' ? "\\-" : "", syntax->command);
    /* The sentence as a phrase. */
    size_t length = strlen(syntax->summary);
    (void)fputc(tolower((unsigned char)syntax->summary[0]), out);
    put_plain(out, syntax->summary + 1, length - 2);
    (void)fputc('\n', out);
}

void man_print(const struct syntax *syntax, FILE *out)
{
    put_name(out, syntax);
    put_synopsis(out, syntax);
    put_description(out, syntax);
    put_options(out, syntax);
    put_section(out, "EXIT STATUS", syntax->statuses);
    put_section(out, "ENVIRONMENT", syntax->environment);
    for (size_t i = 0; syntax->sections != NULL && syntax->sections[i] != NULL; i += 2)
        put_section(out, syntax->sections[i], syntax->sections[i + 1]);
    put_section(out, "EXAMPLES", syntax->examples);
    (void)fputs(".SH SEE ALSO\n", out);
    if (syntax->command[0] != '\0')
        (void)fputs(".BR sillon (1),\n", out);
    const char *separator = "";
    for (size_t i = 0; all_syntaxes[i] != NULL; i++) {
        if (all_syntaxes[i] == syntax)
            continue;
        (void)fprintf(out, "%s.BR sillon\\-%s (1)", separator, all_syntaxes[i]->command);
        separator = ",\n";
    }
    (void)fputc('\n', out);
}
