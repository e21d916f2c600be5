/* SPDX-License-Identifier: MIT */
/*
 * What sh reads back: words that were quoted, in all of the ways there are.
 */
#include "text/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/random.h"
#include "support/test.h"

enum { ROOM = 4096 };

/* What sh prints for a line. Terminated. */
static void shell_prints(const char *line, char *out, size_t room)
{
    FILE *shell = popen(line, "r"); // NOLINT(cert-env33-c): that is the point
    assert_non_null(shell);
    size_t size = fread(out, 1, room - 1, shell);
    out[size] = '\0';
    assert_int_equal(pclose(shell), 0);
}

static char *end_with(char *out, const char *text)
{
    memcpy(out, text, strlen(text) + 1);
    return out + strlen(text);
}

/* The word, behind a command and in front of more words, is one word for sh in each way. */
static void check(const char *word, size_t size)
{
    char line[ROOM], printed[ROOM], expected[ROOM];
    char *at = end_with(line, "printf '<%s>' ");
    char *from = at;
    at = quote_word(at, word, size);
    assert_int_equal(at - from, quote_size(word, size));
    at = end_with(at, " ");
    from = at;
    at = quote_word_always(at, word, size);
    assert_int_equal(at - from, quote_always_size(word, size));
    at = end_with(at, " \"");
    from = at;
    at = quote_in_double(at, word, size);
    assert_int_equal(at - from, quote_in_double_size(word, size));
    at = end_with(at, "\" '");
    from = at;
    at = quote_in_single(at, word, size);
    assert_int_equal(at - from, quote_in_single_size(word, size));
    at = end_with(at, "' x'");
    at = quote_in_single(at, word, size);
    (void)end_with(at, "'");
    shell_prints(line, printed, ROOM);
    (void)snprintf(expected, ROOM, "<%.*s><%.*s><%.*s><%.*s><x%.*s>", (int)size, word, (int)size,
                   word, (int)size, word, (int)size, word, (int)size, word);
    assert_string_equal(printed, expected);
}

static void test_quote_is_read_back_when_any_byte(void **state)
{
    (void)state;
    char all[256];
    for (int c = 1; c < 256; c++) {
        char word[] = {'a', (char)c, 'b', '\0'};
        all[c - 1] = (char)c;
        /* Plain ones do not need sh to show that they are. */
        if (!quote_is_plain(word, 3) || c == '=')
            check(word, 3);
    }
    check(all, 255);
    check("", 0);
}

static void test_quote_is_read_back_when_special(void **state)
{
    (void)state;
    static const char *const words[] = {"it's", "''",   "a  b\\c", "$HOME",      "`id`", "$(id)",
                                        "~",    "*",    "-n",      "--x=y",      "\n",   "a\n",
                                        "#",    "a=b",  "!",       "{a,b}",      "\\",   "\\\\'",
                                        "\"",   "a\"b", "$'x'",    "<(echo hi)", "[a]",  "2>&1"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        check(words[i], strlen(words[i]));
}

static void test_quote_is_read_back_when_random(void **state)
{
    (void)state;
    static const char bytes[] = "'\"\\$`(){}[]*?~!#;&|<> \n\tab=-%";
    struct random random = {7};
    for (int round = 0; round < TEST_SCALE(200); round++) {
        char word[40];
        size_t size = random_below(&random, sizeof(word));
        for (size_t i = 0; i < size; i++)
            word[i] = bytes[random_below(&random, sizeof(bytes) - 1)];
        check(word, size);
    }
}

/* The first word of a command, too. */
static void test_quote_word_is_no_syntax_when_first(void **state)
{
    (void)state;
    static const char *const words[] = {"if",  "while", "{",        "!",    "a=b",  "A_1=", "case",
                                        "for", "in",    "function", "A+=b", "done", "[["};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        char line[ROOM], printed[ROOM];
        char *at = quote_word(line, words[i], strlen(words[i]));
        (void)end_with(at, " 2>/dev/null; printf %s $?");
        shell_prints(line, printed, ROOM);
        assert_string_equal(printed, "127"); /* there is no such command */
    }
}

static void test_plain_is_left_alone_when_harmless(void **state)
{
    (void)state;
    static const char *const plain[] = {"a",   "a/b.c", "--x=y", "-o",   "1:2,3",
                                        "a@b", "50%",   "a+b",   "iffy", "./a=b"};
    static const char *const others[] = {"",   "a b", "if",       "a=b", "=a",
                                         "~a", "a*",  "\xc3\xa4", "A+=b"};
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        assert_true(quote_is_plain(plain[i], strlen(plain[i])));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(quote_is_plain(others[i], strlen(others[i])));
}

static void test_line_is_words_when_read_by_sh(void **state)
{
    (void)state;
    char *words[] = {(char[]){"printf"}, (char[]){"<%s>"}, (char[]){"a b"},
                     (char[]){""},       (char[]){"it's"}, NULL};
    char *line = quote_line(words);
    assert_string_equal(line, "printf '<%s>' 'a b' '' 'it'\\''s'");
    char printed[ROOM];
    shell_prints(line, printed, ROOM);
    assert_string_equal(printed, "<a b><><it's>");
    free(line);
    line = quote_line(words + 5);
    assert_string_equal(line, "");
    free(line);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_quote_is_read_back_when_any_byte),  TEST(test_quote_is_read_back_when_special),
        TEST(test_quote_is_read_back_when_random),    TEST(test_quote_word_is_no_syntax_when_first),
        TEST(test_plain_is_left_alone_when_harmless), TEST(test_line_is_words_when_read_by_sh),
    };
    return test_run("quoting for sh", tests);
}
