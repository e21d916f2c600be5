/* SPDX-License-Identifier: MIT */
/*
 * Reading a command line by records: every kind of option, where options end, and what is said of
 * those that are wrong.
 */
#include "syntax/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.h"
#include "support/test.h"

struct values {
    bool flag;
    unsigned count;
    uint64_t number, size;
    double seconds, rate;
    struct jobs jobs;
    struct halt halt;
    char *text, *optional;
    struct texts list;
    int choice;
};

#define AT(field) .offset = offsetof(struct values, field), .group = "All", .help = "help"

static const char *const choices[] = {"red", "green", "blue", NULL};

static const struct option_record records[] = {
    {AT(flag), .kind = OPTION_FLAG, .name = "flag", .letter = 'f'},
    {AT(count), .kind = OPTION_COUNT, .name = "count", .letter = 'c'},
    {AT(number), .kind = OPTION_NUMBER, .name = "number", .letter = 'n', .least = 2, .most = 9},
    {AT(size), .kind = OPTION_SIZE, .name = "size", .least = 1024, .most = 1 << 20},
    {AT(seconds), .kind = OPTION_SECONDS, .name = "seconds"},
    {AT(rate), .kind = OPTION_RATE, .name = "rate"},
    {AT(jobs), .kind = OPTION_JOBS, .name = "jobs", .letter = 'j'},
    {AT(halt), .kind = OPTION_HALT, .name = "halt"},
    {AT(text), .kind = OPTION_TEXT, .name = "text", .letter = 't', .argument = "TEXT"},
    {AT(optional), .kind = OPTION_OPTIONAL, .name = "optional"},
    {AT(list), .kind = OPTION_LIST, .name = "list", .letter = 'l'},
    {AT(choice), .kind = OPTION_CHOICE, .name = "choice", .choices = choices},
};

static struct syntax syntax = {
    .command = "try",
    .usage = "[OPTION]...\n",
    .summary = "Try.",
    .examples = "",
    .notes = "",
    .statuses = "",
    .environment = "",
    .options = records,
    .option_count = COUNT_OF(records),
};

/* --- a command line, and what came of it --------------------------------------------------- */

static struct values values;
static struct words words;
static char said[4096]; /* on standard error and output */

/* Have a descriptor write into a file in memory; returns what it was. */
static int redirect(int fd, int to)
{
    (void)fflush(NULL);
    int before = dup(fd);
    assert_true(before >= 0 && dup2(to, fd) == fd);
    return before;
}

static int parse_words(int argc, char **argv)
{
    int file = memfd_create("said", 0);
    assert_true(file >= 0);
    int out = redirect(STDOUT_FILENO, file), err = redirect(STDERR_FILENO, file);
    int status = options_parse(&syntax, argc, argv, &values, &words);
    (void)fflush(NULL);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    ssize_t size = pread(file, said, sizeof(said) - 1, 0);
    said[size > 0 ? size : 0] = '\0';
    (void)close(file);
    (void)close(out);
    (void)close(err);
    return status;
}

/* The words of a line, parted by spaces; 'E' alone stands for an empty one. */
static int parse(const char *line)
{
    char copy[256] = "", empty[] = "";
    char *argv[32] = {(char[]){"try"}};
    int argc = 1;
    assert_true(strlen(line) < sizeof(copy));
    memcpy(copy, line, strlen(line));
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "E") == 0 ? empty : word;
    return parse_words(argc, argv);
}

static void forget(void)
{
    options_fini(&syntax, &values, &words);
    values = (struct values){0};
}

/* The line is good, and these are its words. */
static void good(const char *line, const char *expected)
{
    if (parse(line) != OPTIONS_OK)
        fail_msg("%s: %s", line, said);
    char list[256] = "";
    for (size_t i = 0; i < words.count; i++) {
        (void)strncat(list, i > 0 ? " " : "", 2);
        (void)strncat(list, words.list[i], 100);
    }
    assert_string_equal(list, expected);
    assert_string_equal(said, "");
}

static void bad(const char *line, const char *message)
{
    int status = parse(line);
    if (status != STATUS_BAD_USAGE)
        fail_msg("%s: status %d", line, status);
    assert_contains(said, message);
    assert_contains(said, "\nTry 'sillon try --help'.\n");
    forget();
}

/* --- tests --------------------------------------------------------------------------------- */

static void test_parse_reads_every_kind(void **state)
{
    (void)state;
    good("-f -c --count --number 5 --size=2K --seconds 500ms --rate 90/m -j50% --halt "
         "soon,fail=10% --text hello --optional=x -l a --list b --choice green word",
         "word");
    assert_true(values.flag && values.count == 2 && values.number == 5 && values.size == 2048);
    assert_true(values.seconds > 0.49 && values.seconds < 0.51);
    assert_true(values.rate > 1.49 && values.rate < 1.51);
    assert_true(values.jobs.kind == JOBS_PERCENT && values.jobs.number > 49);
    assert_true(values.halt.when == HALT_SOON && values.halt.what == HALT_FAIL);
    assert_true(values.halt.percent && values.halt.number > 9);
    assert_string_equal(values.text, "hello");
    assert_string_equal(values.optional, "x");
    assert_int_equal(values.list.count, 2);
    assert_string_equal(values.list.list[0], "a");
    assert_string_equal(values.list.list[1], "b");
    assert_int_equal(values.choice, 1);
    forget();
}

static void test_parse_keeps_defaults_when_nothing_is_given(void **state)
{
    (void)state;
    values.number = 8;
    values.choice = 2;
    good("", "");
    assert_true(values.number == 8 && values.choice == 2 && values.text == NULL);
    forget();
}

static void test_letters_cluster(void **state)
{
    (void)state;
    good("-fccn4 -tx", "");
    assert_true(values.flag && values.count == 2 && values.number == 4);
    assert_string_equal(values.text, "x");
    forget();
}

static void test_the_last_text_counts(void **state)
{
    (void)state;
    good("-t one --text=two --optional=a --optional", "");
    assert_string_equal(values.text, "two");
    assert_string_equal(values.optional, "");
    forget();
}

static void test_values_may_look_like_options(void **state)
{
    (void)state;
    good("--text --flag -l -f -t= --list=--x=y", "");
    assert_string_equal(values.text, "");
    assert_false(values.flag);
    assert_string_equal(values.list.list[0], "-f");
    assert_string_equal(values.list.list[1], "--x=y");
    forget();
}

static void test_optional_value_is_never_the_next_word(void **state)
{
    (void)state;
    good("--optional word", "word");
    assert_string_equal(values.optional, "");
    forget();
    good("--optional= -f", "");
    assert_string_equal(values.optional, "");
    assert_true(values.flag);
    forget();
    good("--optional", "");
    assert_string_equal(values.optional, "");
    forget();
    good("--text --optional=a=b --optional=c=d", "");
    assert_string_equal(values.optional, "c=d");
    assert_string_equal(values.text, "--optional=a=b");
    forget();
}

static void test_words_stand_anywhere(void **state)
{
    (void)state;
    good("one -f - two -- -c --", "one - two -c --");
    assert_true(values.flag && values.count == 0);
    forget();
    good("E -f", "");
    assert_int_equal(words.count, 1);
    forget();
}

static void test_words_end_the_options_when_it_stops_there(void **state)
{
    (void)state;
    syntax.stops_at_word = true;
    good("-f --text x command -c --frob -- ::: a", "command -c --frob -- ::: a");
    assert_true(values.flag && values.count == 0);
    forget();
    good("-f -- -c --count", "-c --count");
    assert_int_equal(values.count, 0);
    forget();
    good("--optional command --flag", "command --flag");
    assert_string_equal(values.optional, "");
    assert_false(values.flag);
    forget();
    good("- -f", "- -f");
    forget();
    syntax.stops_at_word = false;
}

static void test_wrong_values_are_told(void **state)
{
    (void)state;
    bad("--number 1", "sillon try: --number: '1' is not a whole number from 2 to 9\n");
    bad("-n 10", "--number: '10' is not a whole number");
    bad("--number=E", "'E' is not a whole number");
    bad("--number E", "'' is not a whole number");
    bad("--size 1P", "--size: '1P' is not a size such as");
    bad("--size 1023", "--size: '1023' is not a size of at least 1.0 KiB");
    bad("--size 2M", "--size: '2M' is not a size of at most 1.0 MiB");
    bad("--seconds 1y", "--seconds: '1y' is not a time such as");
    bad("--rate fast", "--rate: 'fast' is not a rate such as");
    bad("-j -1", "--jobs: '-1' is not a number such as 8, 50%");
    bad("--choice pink", "--choice: 'pink' is not one of: red green blue");
}

static void test_halt_is_when_and_what_and_how_many(void **state)
{
    (void)state;
    good("--halt now,success=3", "");
    assert_true(values.halt.when == HALT_NOW && values.halt.what == HALT_SUCCESS);
    assert_true(!values.halt.percent && values.halt.number > 2 && values.halt.number < 4);
    forget();
    good("--halt soon,done=1.5%", "");
    assert_true(values.halt.what == HALT_DONE && values.halt.percent);
    forget();
    good("--halt now,fail", "");
    assert_true(values.halt.what == HALT_FAIL && !values.halt.percent && values.halt.number > 0);
    forget();
    good("--halt never", "");
    assert_true(values.halt.when == HALT_NEVER);
    forget();
    static const char *const wrong[] = {"now",          "soon",          "now,",
                                        "fail=1",       "now,fail=",     "now,fail=0",
                                        "now,fail=0%",  "now,fail=101%", "now,fail=-1",
                                        "later,fail=1", "now,failed=1",  "now,fail=1.5",
                                        "now,fail=1,",  "now,fail1",     "never,fail=1"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "--halt %s", wrong[i]);
        bad(line, "--halt: '");
    }
}

static void test_wrong_options_are_named(void **state)
{
    (void)state;
    bad("--frob", "sillon try: --frob: no such option\n");
    bad("--frob=3", "sillon try: --frob: no such option\n");
    bad("--numbr 3", "--numbr: no such option; did you mean --number?\n");
    bad("--numbr=3", "--numbr: no such option; did you mean --number?\n");
    bad("-x", "sillon try: -x: no such option\n");
    bad("-fxc", "sillon try: -x: no such option\n");
    bad("-f\303\251", "-f\303\251: no such option\n");
    bad("--flag=yes", "--flag=yes: it takes no value\n");
    bad("--text", "--text: a value is missing after it\n");
    bad("-fn", "a value is missing after it\n");
    bad("--\033[31m", "--\\x1b[31m: no such option\n");
    bad("--text=ok --number=\033[31m", "'\\x1b[31m' is not a whole number");
    bad("-f --frob --number 1", "--frob: no such option"); /* the first that is wrong */
}

static void test_long_words_are_cut(void **state)
{
    (void)state;
    static char word[100000];
    memset(word, 'a', sizeof(word) - 1);
    memcpy(word, "--", 2);
    char *argv[] = {(char[]){"try"}, word, NULL};
    assert_int_equal(parse_words(2, argv), STATUS_BAD_USAGE);
    assert_contains(said, "no such option");
    forget();
    memcpy(word, "--number=", 9);
    assert_int_equal(parse_words(2, argv), STATUS_BAD_USAGE);
    assert_contains(said, "is not a whole number");
    forget();
}

static void test_help_ends_it(void **state)
{
    (void)state;
    assert_int_equal(parse("-f --help --frob"), STATUS_DONE);
    assert_contains(said, "Usage: sillon try [OPTION]...\n");
    assert_contains(said, "  -t, --text TEXT");
    forget();
    assert_int_equal(parse("-fh"), STATUS_DONE);
    forget();
    assert_int_equal(parse("--version"), STATUS_DONE);
    assert_contains(said, "sillon ");
    forget();
}

static void test_environment_is_checked_when_it_counts(void **state)
{
    (void)state;
    (void)setenv("SILLON_JOBS", "many", 1);
    bad("", "sillon try: SILLON_JOBS: 'many' is not a number such as 8");
    good("-j 3", "");
    forget();
    (void)setenv("SILLON_JOBS", "50%", 1);
    good("", "");
    assert_int_equal(values.jobs.kind, JOBS_DEFAULT);
    forget();
    (void)unsetenv("SILLON_JOBS");
}

static void test_refuse_formats_its_reason(void **state)
{
    (void)state;
    int file = memfd_create("said", 0);
    int err = redirect(STDERR_FILENO, file);
    int status = options_refuse(&syntax, "", "%d of %s\n", 3, "a\tb");
    (void)fflush(NULL);
    (void)dup2(err, STDERR_FILENO);
    ssize_t size = pread(file, said, sizeof(said) - 1, 0);
    said[size > 0 ? size : 0] = '\0';
    (void)close(err);
    (void)close(file);
    assert_int_equal(status, STATUS_BAD_USAGE);
    assert_string_equal(said, "sillon try: '': 3 of a\\x09b\\x0a\nTry 'sillon try --help'.\n");
}

int main(void)
{
    (void)unsetenv("SILLON_JOBS");
    const struct CMUnitTest tests[] = {
        TEST(test_parse_reads_every_kind),
        TEST(test_parse_keeps_defaults_when_nothing_is_given),
        TEST(test_letters_cluster),
        TEST(test_the_last_text_counts),
        TEST(test_values_may_look_like_options),
        TEST(test_optional_value_is_never_the_next_word),
        TEST(test_words_stand_anywhere),
        TEST(test_words_end_the_options_when_it_stops_there),
        TEST(test_wrong_values_are_told),
        TEST(test_halt_is_when_and_what_and_how_many),
        TEST(test_wrong_options_are_named),
        TEST(test_long_words_are_cut),
        TEST(test_help_ends_it),
        TEST(test_environment_is_checked_when_it_counts),
        TEST(test_refuse_formats_its_reason),
    };
    return test_run("options", tests);
}
