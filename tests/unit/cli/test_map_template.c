/* SPDX-License-Identifier: MIT */
/*
 * Templates: which words come out, and that no input becomes code of sh.
 */
#include "map/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map/row.h"
#include "support/random.h"
#include "support/test.h"
#include "text/quote.h"

enum { WORDS = 16, ROWS = 4, ROOM = 4096 };

/* Texts with '|' between them. Returns how many. */
static size_t part(char *text, char **out)
{
    size_t count = 0;
    if (text[0] == '\0')
        return 0;
    for (char *end;; text = end + 1) {
        end = strchr(text, '|');
        out[count++] = text;
        if (end == NULL)
            return count;
        *end = '\0';
    }
}

struct input {
    struct row *rows[ROWS];
    size_t count;
};

/* Rows with ';' between them, fields with ','. */
static struct input input_of(const char *text)
{
    struct input input = {0};
    for (const char *end;; text = end + 1) {
        end = strchrnul(text, ';');
        input.rows[input.count] = row_split(text, (size_t)(end - text), ",", 1);
        assert_non_null(input.rows[input.count++]);
        if (*end == '\0')
            return input;
    }
}

static void input_free(struct input *input)
{
    for (size_t i = 0; i < input->count; i++)
        free(input->rows[i]);
}

static struct filling filling_of(const struct input *input)
{
    return (struct filling){.rows = (const struct row *const *)input->rows,
                            .row_count = input->count,
                            .seq = 7,
                            .slot = 3};
}

/* Read a template, words with '|' between them. */
static struct template *read_template(char *words_text, const char *line, const struct row *header)
{
    char *words[WORDS];
    int status = -1;
    size_t count = part(words_text, words);
    struct template *template =
        template_parse(words, count, line, header, false, &map_syntax, &status);
    if (template == NULL)
        assert_int_equal(status, 2);
    return template;
}

/* What it is filled with, words with '|' between them. */
static void fill(const struct template *template, const struct input *input, char *out)
{
    struct filling filling = filling_of(input);
    size_t count = 0, at = 0, bytes = 0;
    char **words = template_fill(template, &filling, &count);
    assert_non_null(words);
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(out + at, ROOM - at, "%s%s", i > 0 ? "|" : "", words[i]);
        bytes += strlen(words[i]) + 1 + sizeof(char *);
    }
    assert_null(words[count]);
    assert_int_equal(template_size(template, &filling), bytes + sizeof(char *));
    free(words);
}

static void check_with(const char *words, const char *line, const char *names, const char *rows,
                       const char *expected)
{
    char copy[ROOM], got[ROOM] = "";
    (void)snprintf(copy, ROOM, "%s", words);
    struct input input = input_of(rows), header = input_of(names != NULL ? names : "");
    struct template *template = read_template(copy, line, names != NULL ? header.rows[0] : NULL);
    if (expected == NULL) {
        assert_null(template);
    } else {
        assert_non_null(template);
        fill(template, &input, got);
        assert_string_equal(got, expected);
    }
    template_destroy(template);
    input_free(&input);
    input_free(&header);
}

static void check(const char *words, const char *rows, const char *expected)
{
    check_with(words, NULL, NULL, rows, expected);
}

static void check_line(const char *line, const char *rows, const char *expected)
{
    check_with("", line, NULL, rows, expected);
}

/* --- words ---------------------------------------------------------------------------------- */

static void test_input_is_appended_when_no_placeholder(void **state)
{
    (void)state;
    check("cmd|-v", "x y", "cmd|-v|x y");
    check("cmd", "a,b", "cmd|a|b");
    check("cmd", "a;b", "cmd|a|b");
    check("cmd|{#}|{%}", "x", "cmd|7|3|x");
    check("cmd", "", "cmd|");
}

static void test_placeholder_is_part_of_input_when_path(void **state)
{
    (void)state;
    /* {} {.} {/} {//} {/.}: as GNU parallel 20221122 prints them */
    static const char *const paths[][5] = {
        {"a.b/c", "a.b/c", "c", "a.b", "c"},
        {"a/.hid", "a/", ".hid", "a", ""},
        {"a/b.tar.gz", "a/b.tar", "b.tar.gz", "a", "b.tar"},
        {"x", "x", "x", ".", "x"},
        {".", "", ".", ".", ""},
        {"..", ".", "..", ".", "."},
        {"/", "/", "", "/", ""},
        {"a/", "a/", "", ".", ""},
        {"a//b", "a//b", "b", "a", "b"},
        {"a.b.", "a.b", "a.b.", ".", "a.b"},
        {".x", "", ".x", ".", ""},
        {"/etc", "/etc", "etc", "/", "etc"},
        {"//a", "//a", "a", "/", "a"},
        {"", "", "", ".", ""},
    };
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char expected[ROOM];
        (void)snprintf(expected, ROOM, "c|%s|%s|%s|%s", paths[i][1], paths[i][2], paths[i][3],
                       paths[i][4]);
        check("c|{.}|{/}|{//}|{/.}", paths[i][0], expected);
    }
}

static void test_columns_are_numbered_when_several(void **state)
{
    (void)state;
    check("c|{2}-{1}", "a,b", "c|b-a");
    check("c|{2.}{2/}{2//}{2/.}", "a,d/b.c", "c|d/bb.cdb");
    check("c|{5}|x{5}", "a,b", "c||x");
    check("c|{}", "a,b", "c|a|b");
    check("c|-o{}", "a,b", "c|-oa b");
    check("c|{/}", "x/a,x/b", "c|a|b");
}

static void test_words_are_repeated_when_several_rows(void **state)
{
    (void)state;
    check("c|-o {}|e", "a;b;c", "c|-o a|-o b|-o c|e");
    check("c|{}x{.}", "a.b;c.d", "c|a.bxa|c.dxc");
    check("c|{1} {2}|{3}", "a;b", "c|a b|");
    check("c|{2}|{}", "a,b;c,d", "c|b|a|b|c|d");
    check("c|{4}", "a,b;c,d", "c|d");
    check_with("c|-{n}-|{#}", NULL, "m,n", "a,b;c,d", "c|-b-|-d-|7");
}

static void test_names_are_columns_when_header(void **state)
{
    (void)state;
    check_with("c|{n}|{n/}|{two words}|{1}", NULL, "n,two words", "a/b,c", "c|a/b|b|c|a/b");
    check_with("c|{a.}|{a./}", NULL, "a,a.", "x/y.z,t/u", "c|t/u|u");
    check_with("c|{m}", NULL, "m,n", "x", "c|x");
    check_with("c|{n}", NULL, "m,n", "x", "c|");
    check_with("c|{print $1}|{{other}}|{n}", NULL, "n", "x", "c|{print $1}|{other}|x");
    check_with("c|{other}", NULL, "n", "x", NULL);
    check_with("c|{other/}", NULL, "n", "x", NULL);
}

static void test_braces_are_text_when_no_placeholder(void **state)
{
    (void)state;
    check("awk|{print $1}|{}", "f", "awk|{print $1}|f");
    check("awk|{if(x){print {}}}", "f", "awk|{if(x){print f}}");
    check("c|{{.Name}} {}", "f", "c|{{.Name}} f");
    check("c|{\"a\":{\"b\":\"{}\"}}", "f", "c|{\"a\":{\"b\":\"f\"}}");
    check("c|{{}}|{{{}}}|{{{{}}}}|{{{{{}}}}}", "f", "c|{}|{f}|{{}}|{{f}}");
    check("c|{{{}|{}}|{{{}}|x", "f", "c|{{f|f}|{{}|x");
    check("c|{|}|{{|}}|{-1}|{0}|{a}|{1a}|{}", "f", "c|{|}|{{|}}|{-1}|{0}|{a}|{1a}|f");
    check("c|${}", "f", "c|$f");
}

static void test_nothing_is_put_in_when_pipe(void **state)
{
    (void)state;
    char *words[] = {(char[]){"c"}, (char[]){"{} {#} {%}"}};
    int status = 0;
    struct template *template = template_parse(words, 2, NULL, NULL, true, &map_syntax, &status);
    struct filling filling = {.seq = 12345678901, .slot = 0};
    size_t count;
    char **filled = template_fill(template, &filling, &count);
    assert_int_equal(count, 2);
    assert_string_equal(filled[1], "{} 12345678901 0");
    assert_true(template_uses_slot(template));
    free(filled);
    template_destroy(template);
}

static void test_text_has_all_rows_when_tag(void **state)
{
    (void)state;
    int status = 0;
    struct template *template = template_parse_text("{#}: {/} {2}", NULL, &map_syntax, &status);
    struct input input = input_of("a/b,c;d,e");
    struct filling filling = filling_of(&input);
    char *text = template_fill_text(template, &filling);
    assert_string_equal(text, "7: b c d e c");
    free(text);
    template_destroy(template);
    input_free(&input);
}

static void test_row_size_adds_up_when_packing(void **state)
{
    (void)state;
    static const char *const lines[] = {NULL, "cat {} -{} \"x{}\"", "cat {} -{} | wc",
                                        "echo {} -{}"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char words[] = "c|{}|-{}|{1}";
        struct template *template =
            read_template(lines[i] != NULL ? words + sizeof(words) - 1 : words, lines[i], NULL);
        struct input input = input_of("a b,c;d;ee,'f");
        struct filling filling = filling_of(&input);
        filling.row_count = 1;
        size_t total = template_size(template, &filling);
        for (filling.row_count = 2; filling.row_count <= input.count; filling.row_count++)
            total += template_row_size(template, &filling);
        filling.row_count = input.count;
        size_t size = template_size(template, &filling);
        if (i == 3)
            assert_true(total >= size); /* echo: on the safe side */
        else
            assert_int_equal(total, size);
        template_destroy(template);
        input_free(&input);
    }
}

static void test_size_is_too_large_when_word_is(void **state)
{
    (void)state;
    char words[] = "c|{}";
    struct template *template = read_template(words, NULL, NULL);
    char *text = malloc(128 << 10);
    assert_non_null(text);
    memset(text, 'x', 128 << 10);
    struct row *row = row_split(text, (128 << 10) - 1, NULL, 0);
    const struct row *rows[] = {row};
    struct filling filling = {.rows = rows, .row_count = 1};
    assert_int_not_equal(template_size(template, &filling), SIZE_MAX);
    free(row);
    row = row_split(text, 128 << 10, NULL, 0);
    rows[0] = row;
    assert_int_equal(template_size(template, &filling), SIZE_MAX);
    free(row);
    free(text);
    template_destroy(template);
}

/* --- lines for sh --------------------------------------------------------------------------- */

static void test_line_is_run_directly_when_simple(void **state)
{
    (void)state;
    check_line("gzip -dc {}", "it's", "gzip|-dc|it's");
    check_line("gzip -dc", "a b", "gzip|-dc|a b");
    check_line(" gzip  'a b'\"c d\" '' -o{}'.x'\n", "f g", "gzip|a bc d||-of g.x");
    check_line("true {/.} {#}", "a/b.c", "true|b|7");
    check_line("awk '{print $1}' {}", "f", "awk|{print $1}|f");
    check_line("c {} -{}", "a,b;d", "c|a|b|d|-a b|-d");
    check_line("c \"{}\"", "a,b", "c|a b");
    check_line("echo {}", "a", "echo|a");
}

static void test_line_goes_to_sh_when_not_simple(void **state)
{
    (void)state;
    check_line("gzip -dc {} | wc -l", "it's", "/bin/sh|-c|gzip -dc 'it'\\''s' | wc -l");
    check_line("cd {}", "d", "/bin/sh|-c|cd d");
    check_line("exit {}", "3", "/bin/sh|-c|exit 3");
    check_line("A=b c {}", "d", "/bin/sh|-c|A=b c d");
    check_line("{} x", "exit", "/bin/sh|-c|exit x");
    check_line("c *.x {}", "d", "/bin/sh|-c|c *.x d");
    check_line("c ~ {}", "d", "/bin/sh|-c|c ~ d");
    check_line("c \"$HOME\" {}", "d", "/bin/sh|-c|c \"$HOME\" d");
    check_line("c \\; {}", "d", "/bin/sh|-c|c \\; d");
    check_line("echo {}", "a\\b", "/bin/sh|-c|echo 'a\\b'");
    check_line("echo {/}", "a/-n", "/bin/sh|-c|echo -n");
    check_line("echo -n {}", "a", "/bin/sh|-c|echo -n a");
    check_line("c $x", "a b", "/bin/sh|-c|c $x 'a b'");
    check_line("c {} -{} >x", "a,b;d", "/bin/sh|-c|c a b d -a' 'b -d >x");
    check_line("c {}>x", "2", "/bin/sh|-c|c '2'>x");
    check_line("i{} ; x", "f", "/bin/sh|-c|i'f' ; x");
    check_line("c ${x} ${#} ${1} {}", "d", "/bin/sh|-c|c ${x} ${#} ${1} d");
    check_with("a|{}|b", "c \"$2\"", NULL, "d", "/bin/sh|-c|c \"$2\"|sh|a|d|b");
    check_with("a", "c \"$2\"", NULL, "d", "/bin/sh|-c|c \"$2\"|sh|a|d");
}

static void test_line_is_refused_when_input_could_be_code(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "echo `cat {}`",
        "echo ${x:-{}}",
        "echo $((1+{}))",
        "cat <<E\n{}\nE",
        "c # {}",
        "echo \\{}",
        "echo $'{}'",
        "c;",
        "c &",
        "c |",
        "",
        "c # x",
        "c 'x",
        "echo $[{}]",
        "((x {}))",
        "x \"$(case a in a) echo {};; esac)\"",
        "x \\",
        "c <<E\nE",
        "x $'\\'' {}",
        "\"${x:-'a}{}'\"",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        check_line(lines[i], "d", NULL);
}

/* What sh prints for the line with these inputs. */
static void shell_prints(const char *line, const struct row *row, const char *expected)
{
    char none[] = "";
    struct template *template = read_template(none, line, NULL);
    assert_non_null(template);
    struct filling filling = {.rows = &row, .row_count = 1, .seq = 1, .slot = 1};
    char **words = template_fill(template, &filling, NULL);
    assert_non_null(words);
    char *quoted = quote_line(words);
    char printed[ROOM];
    FILE *shell = popen(quoted, "r"); // NOLINT(cert-env33-c): that is the point
    assert_non_null(shell);
    size_t size = fread(printed, 1, ROOM - 1, shell);
    printed[size] = '\0';
    assert_int_equal(pclose(shell), 0);
    assert_string_equal(printed, expected);
    free(quoted);
    free(words);
    template_destroy(template);
}

static void test_input_is_one_word_when_in_any_quotes(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "printf %s {}",
        "printf %s {} | cat",
        "printf %s \"{}\" | cat",
        "printf %s '{}' | cat",
        "printf %s \"$(printf %s {}x)\" | sed '$s/x$//'",
        "printf %s \"$(printf %s \"{}\"x)\" | sed '$s/x$//'",
        "x={}; printf %s \"$x\"",
        "(printf %s {})",
        "if true; then printf %s {}; fi # it's",
        "# it's\nprintf %s {} | cat",
        "printf %s \\\n  {} | cat",
        "y=\"${x:-a}\"; printf %s {}",
        "y=`echo \"'\"`; printf %s {}",
        "y=$((1 + 2)); printf %s {}",
    };
    static const char bytes[] = "'\"\\$`(){}[]*?~!#;&|<> \tab=-%";
    struct random random = {11};
    for (int round = 0; round < TEST_SCALE(120); round++) {
        char value[24];
        size_t size = random_below(&random, sizeof(value));
        for (size_t i = 0; i < size; i++)
            value[i] = bytes[random_below(&random, sizeof(bytes) - 1)];
        struct row *row = row_split(value, size, NULL, 0);
        assert_non_null(row);
        shell_prints(lines[(size_t)round % COUNT_OF(lines)], row, row->fields[0].bytes);
        free(row);
    }
}

/* --- any bytes ------------------------------------------------------------------------------ */

static void parse_any(const char *text, const struct row *header, bool line,
                      const struct filling *filling)
{
    char *words[] = {(char *)text};
    int status = 0;
    struct template *template =
        template_parse(words, !line, line ? text : NULL, header, false, &map_syntax, &status);
    if (template == NULL)
        return;
    size_t count = 0, bytes = 0;
    char **filled = template_fill(template, filling, &count);
    assert_non_null(filled);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(filled[i]) + 1 + sizeof(char *);
    assert_int_equal(bytes + sizeof(char *), template_size(template, filling));
    free(filled);
    template_destroy(template);
}

static void test_any_template_is_filled(void **state)
{
    (void)state;
    static const char bytes[] = "{}{}{}{}/.#%12ab'\"\\$`();&| \n<x";
    struct random random = {23};
    struct input input = input_of("a/b.c,d;e'f,;g"), header = input_of("a,b");
    struct filling filling = filling_of(&input);
    int errors = dup(STDERR_FILENO); /* thousands of refusals */
    assert_non_null(freopen("/dev/null", "w", stderr));
    for (int round = 0; round < TEST_SCALE(40000); round++) {
        char text[48];
        size_t size = random_below(&random, sizeof(text));
        for (size_t i = 0; i < size; i++)
            text[i] = bytes[random_below(&random, sizeof(bytes) - 1)];
        text[size] = '\0';
        parse_any(text, round % 3 == 0 ? header.rows[0] : NULL, round % 2 == 0, &filling);
    }
    (void)fflush(stderr);
    assert_int_equal(dup2(errors, STDERR_FILENO), STDERR_FILENO);
    (void)close(errors);
    input_free(&input);
    input_free(&header);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_input_is_appended_when_no_placeholder),
        TEST(test_placeholder_is_part_of_input_when_path),
        TEST(test_columns_are_numbered_when_several),
        TEST(test_words_are_repeated_when_several_rows),
        TEST(test_names_are_columns_when_header),
        TEST(test_braces_are_text_when_no_placeholder),
        TEST(test_nothing_is_put_in_when_pipe),
        TEST(test_text_has_all_rows_when_tag),
        TEST(test_row_size_adds_up_when_packing),
        TEST(test_size_is_too_large_when_word_is),
        TEST(test_line_is_run_directly_when_simple),
        TEST(test_line_goes_to_sh_when_not_simple),
        TEST(test_line_is_refused_when_input_could_be_code),
        TEST(test_input_is_one_word_when_in_any_quotes),
        TEST(test_any_template_is_filled),
    };
    return test_run("templates of map", tests);
}
