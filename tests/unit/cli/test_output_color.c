/* SPDX-License-Identifier: MIT */
/*
 * When colours are used, and how texts are cut to a width.
 */
#include "output/columns.h"
#include "output/screen.h"
#include "pseudo_terminal.h"

static void forget_environment(void)
{
    (void)unsetenv("NO_COLOR");
    (void)unsetenv("CLICOLOR_FORCE");
    (void)unsetenv("FORCE_COLOR");
    (void)setenv("TERM", "xterm", 1);
}

static void test_color_is_used_when_a_terminal_shows_it(void **state)
{
    (void)state;
    static struct pseudo pseudo;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(pseudo_open(&pseudo, 24, 80));
    forget_environment();
    assert_true(color_wanted(COLOR_AUTO, pseudo.fd));
    assert_false(color_wanted(COLOR_AUTO, null));
    (void)setenv("TERM", "dumb", 1);
    assert_false(color_wanted(COLOR_AUTO, pseudo.fd));
    (void)setenv("TERM", "", 1);
    assert_false(color_wanted(COLOR_AUTO, pseudo.fd));
    (void)unsetenv("TERM");
    assert_false(color_wanted(COLOR_AUTO, pseudo.fd));
    assert_true(color_wanted(COLOR_ALWAYS, null));
    forget_environment();
    assert_false(color_wanted(COLOR_NEVER, pseudo.fd));
    pseudo_close(&pseudo);
    (void)close(null);
}

static void test_color_obeys_the_environment(void **state)
{
    (void)state;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    forget_environment();
    (void)setenv("CLICOLOR_FORCE", "", 1); /* empty is as good as not there */
    assert_false(color_wanted(COLOR_AUTO, null));
    (void)setenv("CLICOLOR_FORCE", "1", 1);
    assert_true(color_wanted(COLOR_AUTO, null));
    assert_false(color_wanted(COLOR_NEVER, null));
    (void)unsetenv("CLICOLOR_FORCE");
    (void)setenv("FORCE_COLOR", "1", 1);
    assert_true(color_wanted(COLOR_AUTO, null));
    (void)setenv("NO_COLOR", "", 1);
    assert_true(color_wanted(COLOR_AUTO, null));
    (void)setenv("NO_COLOR", "1", 1);
    assert_false(color_wanted(COLOR_AUTO, null));
    assert_true(color_wanted(COLOR_ALWAYS, null));
    forget_environment();
    (void)close(null);
}

static void test_cut_leaves_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned columns;
        const char *cut;
    } cases[] = {
        {"short", 5, "short"},
        {"", 5, ""},
        {"a-very-long-name.iso", 12, "a-ver....iso"},
        {"abcdef", 5, "a...f"},
        {"abcdef", 4, "abcd"},
        {"abcdef", 1, "a"},
        {"abcdef", 0, ""},
        {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97", 8,
         "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97"},
        {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97", 7, "\xe6\xbc\xa2...\xe5\xad\x97"},
        {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97", 6, "\xe6\xbc\xa2..."},
        {"\xff\xfe\xfd\xfc\xfb\xfa", 5, "\xff...\xfa"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[64];
        assert_string_equal(screen_cut_middle(out, sizeof out, cases[i].text, cases[i].columns),
                            cases[i].cut);
        assert_true(columns_of(out) <= cases[i].columns);
    }
}

static void test_cut_fits_when_there_is_little_room(void **state)
{
    (void)state;
    char out[8];
    assert_string_equal(screen_cut_middle(out, sizeof out, "abcdefghijklmnop", 100), "ab...op");
    assert_string_equal(screen_cut_middle(out, 2, "abcdefghijklmnop", 3), "a");
    assert_string_equal(screen_cut_middle(out, 1, "abcdefghijklmnop", 100), "");
    assert_string_equal(screen_cut_middle(out, 3, "\xe6\xbc\xa2\xe5\xad\x97", 100), "");
    assert_string_equal(screen_cut_middle(out, 4, "\033[1m\033[2m", 5), "");
}

static void test_colors_have_no_width(void **state)
{
    (void)state;
    assert_int_equal(columns_of("\033[31mred\033[0m"), 3);
    assert_int_equal(columns_of("\033[2J"), 4);
    assert_int_equal(columns_of("a\tb"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_color_is_used_when_a_terminal_shows_it),
        TEST(test_color_obeys_the_environment),
        TEST(test_cut_leaves_both_ends),
        TEST(test_cut_fits_when_there_is_little_room),
        TEST(test_colors_have_no_width),
    };
    return test_run("output color", tests);
}
