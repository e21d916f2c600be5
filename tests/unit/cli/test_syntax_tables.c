/* SPDX-License-Identifier: MIT */
/*
 * The commands' own tables: no name or letter twice, groups together, each option in two lines of at
 * most 80 columns, and man pages without a long line that roff would take for a request.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/syntax.h"
#include "get/syntax.h"
#include "map/syntax.h"
#include "support/test.h"
#include "syntax/help.h"

static bool takes_value(const struct option_record *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_COUNT;
}

static void assert_record(const struct syntax *syntax, const struct option_record *option)
{
    if (option->name == NULL || option->help == NULL || option->group == NULL)
        fail_msg("%s: a record without a name, a group or help", syntax->command);
    if (takes_value(option) != (option->argument != NULL))
        fail_msg("--%s: has a value, or has none", option->name);
    if ((option->kind == OPTION_CHOICE) != (option->choices != NULL))
        fail_msg("--%s: choices", option->name);
    if (option->kind == OPTION_NUMBER && option->least >= option->most)
        fail_msg("--%s: from least to most", option->name);
    if (option->kind == OPTION_OPTIONAL && option->letter != '\0')
        fail_msg("--%s: a letter has no =value", option->name);
    if (option->letter == 'h' || strcmp(option->name, "help") == 0)
        fail_msg("--%s: is help's", option->name);
}

static void assert_distinct(const struct option_record *a, const struct option_record *b)
{
    if (strcmp(a->name, b->name) == 0 || a->offset == b->offset ||
        (a->letter != '\0' && a->letter == b->letter))
        fail_msg("--%s and --%s", a->name, b->name);
}

static void test_records_are_whole_and_distinct(void **state)
{
    (void)state;
    for (size_t s = 0; all_syntaxes[s] != NULL; s++) {
        const struct syntax *syntax = all_syntaxes[s];
        size_t groups = 0, changes = 0;
        for (size_t i = 0; i < syntax->option_count; i++) {
            const struct option_record *option = &syntax->options[i];
            assert_record(syntax, option);
            bool new_group = true;
            for (size_t k = 0; k < i; k++) {
                assert_distinct(option, &syntax->options[k]);
                new_group = new_group && strcmp(option->group, syntax->options[k].group) != 0;
            }
            groups += new_group;
            changes += i == 0 || strcmp(option->group, option[-1].group) != 0;
        }
        assert_int_equal(groups, changes);
    }
}

static char *print(void (*printer)(const struct syntax *syntax, FILE *out),
                   const struct syntax *syntax)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    printer(syntax, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The column where the help of options begins: no line of it is a third one. */
static void assert_layout(const char *text)
{
    unsigned deep = 0;
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        if (length > 80)
            fail_msg("wider than 80 columns: %.*s", (int)length, line);
        if (length > 0 && line[length - 1] == ' ')
            fail_msg("ends in a blank: %.*s", (int)length, line);
        deep = strncmp(line, "                              ", 30) == 0 ? deep + 1 : 0;
        if (deep > 1)
            fail_msg("a third line: %.*s", (int)length, line);
    }
}

static void test_help_fits(void **state)
{
    (void)state;
    for (size_t s = 0; s < 4; s++) {
        const struct syntax *syntax = s < 3 ? all_syntaxes[s] : &sillon_syntax;
        char *text = print(help_print, syntax);
        assert_layout(text);
        for (size_t i = 0; i < syntax->option_count; i++) {
            char name[64];
            (void)snprintf(name, sizeof(name), " --%s", syntax->options[i].name);
            assert_contains(text, name);
        }
        free(text);
    }
}

static void test_man_page_has_all_sections(void **state)
{
    (void)state;
    static const char *const sections[] = {".TH SILLON",      ".SH NAME",        ".SH SYNOPSIS",
                                           ".SH DESCRIPTION", ".SH EXIT STATUS", ".SH ENVIRONMENT",
                                           ".SH EXAMPLES",    ".SH SEE ALSO"};
    for (size_t s = 0; s < 4; s++) {
        char *text = print(man_print, s < 3 ? all_syntaxes[s] : &sillon_syntax);
        for (size_t i = 0; i < COUNT_OF(sections); i++)
            assert_contains(text, sections[i]);
        free(text);
    }
}

static void test_defaults_own_no_text(void **state)
{
    (void)state;
    const void *defaults[] = {&get_defaults, &map_defaults, &bench_defaults};
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < all_syntaxes[s]->option_count; i++) {
            const struct option_record *option = &all_syntaxes[s]->options[i];
            const void *place = (const char *)defaults[s] + option->offset;
            char *none = NULL; /* free()d by options_fini, so there must be none */
            if (option->kind == OPTION_TEXT || option->kind == OPTION_OPTIONAL)
                assert_memory_equal(place, &none, sizeof(none));
            if (option->kind == OPTION_NUMBER && strcmp(option->name, "tasks") != 0) {
                uint64_t number;
                memcpy(&number, place, sizeof(number));
                assert_in_range(number, option->least, option->most);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_records_are_whole_and_distinct),
        TEST(test_help_fits),
        TEST(test_man_page_has_all_sections),
        TEST(test_defaults_own_no_text),
    };
    return test_run("tables", tests);
}
