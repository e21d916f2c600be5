/* SPDX-License-Identifier: MIT */
/*
 * The inputs of map: which rows come, in which order, from what is typed and from what is read.
 */
#include "map/inputs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/random.h"
#include "unit/coro/scenario.h"

enum { WORDS = 32, ROOM = 2048 };

/* --- a command line, and standard input ------------------------------------------------------ */

/* What is typed: words with blanks between them. */
struct typed {
    struct map_options options;
    char text[ROOM];
    char *list[WORDS];
    struct words words;
    struct map_words split;
};

static void type(struct typed *typed, const char *text)
{
    (void)snprintf(typed->text, ROOM, "%s", text);
    typed->words = (struct words){.list = typed->list};
    char *rest = typed->text;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        typed->list[typed->words.count++] = word;
    map_words_split(&typed->words, &typed->split);
}

static int standard_input = -1;

static void feed_bytes(const char *bytes, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    (void)!write(fd, bytes, size);
    (void)lseek(fd, 0, SEEK_SET);
    standard_input = dup(STDIN_FILENO);
    (void)dup2(fd, STDIN_FILENO);
    (void)close(fd);
}

static void feed(const char *text)
{
    feed_bytes(text, strlen(text));
}

/* Standard input is a pipe. Returns its other end. */
static int feed_pipe(void)
{
    int ends[2] = {-1, -1};
    (void)!pipe2(ends, O_CLOEXEC);
    standard_input = dup(STDIN_FILENO);
    (void)dup2(ends[0], STDIN_FILENO);
    (void)close(ends[0]);
    return ends[1];
}

static void feed_no_more(void)
{
    (void)dup2(standard_input, STDIN_FILENO);
    (void)close(standard_input);
}

/* --- rows as text ---------------------------------------------------------------------------- */

/* Fields with ',' between them, ';' behind each row. */
static size_t row_text(const struct row *row, char *out, size_t room)
{
    size_t at = 0;
    for (size_t i = 0; i < row->count; i++)
        at += (size_t)snprintf(out + at, room - at, "%s%s%s", i > 0 ? "," : "",
                               row->fields[i].bytes, i + 1 < row->count ? "" : ";");
    return at;
}

static int gather(struct inputs *inputs, char *out, size_t *out_count)
{
    struct row *row = NULL;
    size_t at = 0;
    int code;
    out[0] = '\0';
    *out_count = 0;
    while ((code = inputs_next(inputs, &row)) == 0) {
        at += row_text(row, out + at, ROOM - at);
        ++*out_count;
        free(row);
    }
    return code;
}

/* The rows are these, and the last words of the error, if there is one, those. */
static int expect_rows(struct typed *typed, const char *expected, const char *error)
{
    char got[ROOM];
    size_t count;
    int status = -1;
    struct inputs *inputs = inputs_open(&typed->options, &typed->words, &typed->split, &status);
    EXPECT(inputs != NULL);
    int code = gather(inputs, got, &count);
    int again = inputs_next(inputs, NULL);
    bool same_error = (error == NULL) == (inputs_error(inputs) == NULL);
    if (error != NULL && same_error)
        same_error = strstr(inputs_error(inputs), error) != NULL;
    if (!same_error)
        (void)fprintf(stderr, "error: %s\n",
                      inputs_error(inputs) != NULL ? inputs_error(inputs) : "none");
    uint64_t total = inputs_total(inputs);
    inputs_destroy(inputs);
    if (strcmp(got, expected) != 0)
        return sil_fail(UNEXPECTED, "got %s, not %s", got, expected);
    EXPECT(same_error);
    EXPECT(again == code);
    EXPECT(error != NULL || (code == SIL_ECLOSED && total == count));
    return 0;
}

static int expect(const char *words, const char *expected)
{
    struct typed typed = {0};
    type(&typed, words);
    return expect_rows(&typed, expected, NULL);
}

static int expect_fed(struct map_options options, const char *fed, const char *expected,
                      const char *error)
{
    struct typed typed = {.options = options};
    type(&typed, "cmd");
    feed(fed);
    int code = expect_rows(&typed, expected, error);
    feed_no_more();
    return code;
}

/* --- sources --------------------------------------------------------------------------------- */

SCENARIO(rows_are_lines_when_standard_input)
{
    (void)arg, (void)result;
    struct map_options options = {0};
    EXPECT_CODE(expect_fed(options, "a\n\n b'\\ \r\nc", "a;; b'\\ \r;c;", NULL), 0);
    return expect_fed(options, "", "", NULL);
}

SCENARIO(rows_are_all_combinations_when_several_sources)
{
    (void)arg, (void)result;
    EXPECT_CODE(expect("c ::: a b", "a;b;"), 0);
    EXPECT_CODE(expect("c ::: a b ::: 1 2 3", "a,1;a,2;a,3;b,1;b,2;b,3;"), 0);
    EXPECT_CODE(
        expect("c ::: a b ::: 1 2 ::: x y", "a,1,x;a,1,y;a,2,x;a,2,y;b,1,x;b,1,y;b,2,x;b,2,y;"), 0);
    /* GNU parallel: echo ::: a b c :::+ 1 2 3 ::: X Y :::+ 11 22 */
    EXPECT_CODE(expect("c ::: a b c :::+ 1 2 3 ::: X Y :::+ 11 22",
                       "a,1,X,11;a,1,Y,22;b,2,X,11;b,2,Y,22;c,3,X,11;c,3,Y,22;"),
                0);
    EXPECT_CODE(expect("c ::: a b c :::+ 1 2", "a,1;b,2;"), 0);
    EXPECT_CODE(expect("c ::: a b :::+ 1 2 3 :::+ x", "a,1,x;"), 0);
    EXPECT_CODE(expect("c ::: a b :::", ""), 0);
    EXPECT_CODE(expect("c ::: ::: a b", ""), 0);
    return expect("c :::", "");
}

SCENARIO(files_are_sources_when_named)
{
    (void)arg, (void)result;
    feed("1\n2\n");
    EXPECT_CODE(expect("c :::: - ::: a b", "1,a;1,b;2,a;2,b;"), 0);
    (void)lseek(STDIN_FILENO, 0, SEEK_SET);
    EXPECT_CODE(expect("c ::: a b :::: -", "a,1;a,2;b,1;b,2;"), 0);
    (void)lseek(STDIN_FILENO, 0, SEEK_SET);
    EXPECT_CODE(expect("c ::: a b c ::::+ -", "a,1;b,2;"), 0);
    (void)lseek(STDIN_FILENO, 0, SEEK_SET);
    char dash[] = "-", *files[] = {dash};
    struct typed typed = {.options = {.arg_files = {files, 1}}};
    type(&typed, "c ::: a b");
    int code = expect_rows(&typed, "1,a;1,b;2,a;2,b;", NULL);
    feed_no_more();
    return code;
}

SCENARIO(total_is_known_when_finite)
{
    (void)arg, (void)result;
    static const struct {
        const char *words;
        uint64_t skip, most, total;
    } cases[] = {
        {"c ::: a b ::: 1 2 3", 0, 0, 6},
        {"c ::: a b :::+ 1 2 3", 0, 0, 2},
        {"c ::: a b c", 1, 0, 2},
        {"c ::: a b c", 1, 1, 1},
        {"c ::: a b c", 5, 1, 0},
        {"c ::: a b :::", 0, 0, 0},
        {"c :::: -", 0, 0, 0},
    };
    feed("x\ny\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct typed typed = {.options = {.skip = cases[i].skip, .most = cases[i].most}};
        type(&typed, cases[i].words);
        int status;
        struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
        EXPECT(inputs != NULL);
        EXPECT(inputs_total(inputs) == cases[i].total);
        struct row *row = NULL;
        if (i + 1 == COUNT_OF(cases)) { /* a small file: with its first line its end was seen */
            EXPECT_CODE(inputs_next(inputs, &row), 0);
            free(row);
            EXPECT(inputs_total(inputs) == 2);
        }
        inputs_destroy(inputs);
    }
    feed_no_more();
    return 0;
}

SCENARIO(opening_is_refused_when_sources_are_wrong)
{
    (void)arg, (void)result;
    char no_separator[] = "", long_separator[] = "ab", quote[] = "\"";
    const struct {
        const char *words;
        struct map_options options;
    } cases[] = {
        {.words = "c :::+ a"},
        {.words = "c :::: - -"},
        {.words = "c :::: /nowhere"},
        {.words = "c ::::"},
        {.words = "c :::: /"},
        {.words = "c", .options = {.csv = true, .tsv = true}},
        {.words = "c", .options = {.csv = true, .null = true}},
        {.words = "c", .options = {.separator = no_separator}},
        {.words = "c", .options = {.csv = true, .separator = long_separator}},
        {.words = "c", .options = {.csv = true, .separator = quote}},
        {.words = "c ::: a", .options = {.pipe = true}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct typed typed = {.options = cases[i].options};
        type(&typed, cases[i].words);
        int status = -1;
        EXPECT(inputs_open(&typed.options, &typed.words, &typed.split, &status) == NULL);
        EXPECT(status == 2);
    }
    return 0;
}

/* --- formats --------------------------------------------------------------------------------- */

SCENARIO(columns_are_parted_when_separator)
{
    (void)arg, (void)result;
    char bars[] = "||", tab[] = "\\t";
    EXPECT_CODE(
        expect_fed((struct map_options){.separator = bars}, "a||b|c||\nd", "a,b|c,;d;", NULL), 0);
    EXPECT_CODE(expect_fed((struct map_options){.separator = tab}, "a\tb", "a,b;", NULL), 0);
    return expect_fed((struct map_options){.tsv = true}, "a\t\"b\tc \n", "a,\"b,c ;", NULL);
}

SCENARIO(lines_end_with_nul_when_null)
{
    (void)arg, (void)result;
    struct typed typed = {.options = {.null = true}};
    type(&typed, "c");
    feed_bytes("a\nb\0\0c", 6);
    int code = expect_rows(&typed, "a\nb;;c;", NULL);
    feed_no_more();
    return code;
}

SCENARIO(reading_ends_when_zero_byte_in_line)
{
    (void)arg, (void)result;
    struct typed typed = {0};
    type(&typed, "c");
    feed_bytes("a\nb\0\nc\n", 7);
    int code = expect_rows(&typed, "a;", "standard input, line 2: ");
    feed_no_more();
    return code;
}

SCENARIO(records_are_read_when_csv)
{
    (void)arg, (void)result;
    static const struct {
        const char *fed, *expected, *error;
    } cases[] = {
        {"a,b\nc,d\n", "a,b;c,d;", NULL},
        {"a,b\r\nc\r\n", "a,b;c;", NULL},
        {"\"a\",\"b\"\r\n\"c\"", "a,b;c;", NULL},
        {"\"a\"\"b\",\"\"\"\",\"\"\n", "a\"b,\",;", NULL},
        {"\"a\nb\r\nc\",d\n", "a\nb\r\nc,d;", NULL},
        {"\"a,b\",,\n,\n\n", "a,b,,;,;;", NULL},
        {"5\" x, y\n", "5\" x, y;", NULL},
        {"a\rb\n", "a\rb;", NULL},
        {"\xef\xbb\xbf\"a\",b", "a,b;", NULL},
        {"\"a\"\r", "a;", NULL},
        {"a\n\"b\nc\"\n\"d\"e\n", "a;b\nc;", "standard input, line 4: text behind"},
        {"a\nb,\"c\nd\n", "a;", "standard input, line 2: a quote without"},
        {"\"a\"\rb\n", "", "line 1: text behind"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        EXPECT_CODE(expect_fed((struct map_options){.csv = true}, cases[i].fed, cases[i].expected,
                               cases[i].error),
                    0);
    struct typed typed = {.options = {.csv = true}};
    type(&typed, "c ::: a,\"b,c\" \"x\"\"y\",z ::: 1");
    EXPECT_CODE(expect_rows(&typed, "a,b,c,1;x\"y,z,1;", NULL), 0);
    type(&typed, "c ::: \"a");
    EXPECT_CODE(expect_rows(&typed, "", "a value: a quote without"), 0);
    char semicolon[] = ";";
    return expect_fed((struct map_options){.csv = true, .separator = semicolon}, "a;\"b;c\",d\n",
                      "", "text behind a closing quote");
}

SCENARIO(names_are_first_rows_when_header)
{
    (void)arg, (void)result;
    struct typed typed = {.options = {.csv = true, .header = true}};
    type(&typed, "c :::: - ::: x 1 2");
    feed("a,\"b c\"\n3,4\n");
    char got[ROOM];
    int status;
    size_t count;
    struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
    EXPECT(inputs != NULL);
    const struct row *names = inputs_header(inputs);
    EXPECT(names != NULL);
    (void)row_text(names, got, ROOM);
    EXPECT(strcmp(got, "a,b c,x;") == 0);
    EXPECT(inputs_header(inputs) == names);
    EXPECT_CODE(gather(inputs, got, &count), SIL_ECLOSED);
    EXPECT(strcmp(got, "3,4,1;3,4,2;") == 0);
    inputs_destroy(inputs);
    feed_no_more();
    return expect("c ::: a", "a;");
}

/* --- which of them --------------------------------------------------------------------------- */

SCENARIO(rows_are_left_out_when_skip_and_max)
{
    (void)arg, (void)result;
    EXPECT_CODE(expect_fed((struct map_options){.skip = 2}, "a\nb\nc\nd\n", "c;d;", NULL), 0);
    EXPECT_CODE(expect_fed((struct map_options){.most = 2}, "a\nb\nc\nd\n", "a;b;", NULL), 0);
    EXPECT_CODE(
        expect_fed((struct map_options){.skip = 1, .most = 2}, "a\nb\nc\nd\n", "b;c;", NULL), 0);
    return expect_fed((struct map_options){.skip = 9}, "a\nb\n", "", NULL);
}

SCENARIO(all_rows_come_once_when_shuffled)
{
    (void)arg, (void)result;
    struct typed typed = {.options = {.shuffle = true, .most = 11}};
    type(&typed, "c ::: a b c ::: 1 2 3 4");
    char got[ROOM];
    int status;
    size_t count;
    struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
    EXPECT(inputs != NULL);
    EXPECT_CODE(gather(inputs, got, &count), SIL_ECLOSED);
    EXPECT(count == 11);
    for (const char *at = got; *at != '\0'; at += 4)
        EXPECT(memmem(at + 4, strlen(at + 4), at, 4) == NULL);
    inputs_destroy(inputs);
    return 0;
}

SCENARIO(row_comes_again_when_unread)
{
    (void)arg, (void)result;
    struct typed typed = {.options = {.most = 1}};
    type(&typed, "c ::: a b");
    int status;
    struct row *row = NULL;
    struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
    EXPECT(inputs != NULL);
    EXPECT_CODE(inputs_next(inputs, &row), 0);
    inputs_unread(inputs, row);
    EXPECT_CODE(inputs_next(inputs, &row), 0);
    EXPECT(strcmp(row->fields[0].bytes, "a") == 0 && row->fields[0].size == 1);
    inputs_unread(inputs, row);
    inputs_destroy(inputs);
    return 0;
}

/* --- waiting --------------------------------------------------------------------------------- */

/* arg: struct inputs *. */
static int co_next(void *arg, void *result)
{
    (void)result;
    struct row *row = NULL;
    int code = inputs_next(*(struct inputs **)arg, &row);
    free(row);
    return code;
}

SCENARIO(waiting_ends_when_stopped)
{
    (void)arg, (void)result;
    int writer = feed_pipe();
    struct typed typed = {0};
    type(&typed, "c ::: a :::: -");
    int status;
    struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
    EXPECT(inputs != NULL);
    sil_future *waiter = sil_go(co_next, (void *)&inputs, sizeof(inputs), 0);
    give_way(5);
    EXPECT(!sil_future_done(waiter));
    inputs_stop(inputs);
    (void)sil_await(waiter, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(waiter), SIL_ECANCELLED);
    sil_future_release(waiter);
    struct row *row;
    EXPECT_CODE(inputs_next(inputs, &row), SIL_ECANCELLED);
    EXPECT(inputs_error(inputs) == NULL);
    inputs_destroy(inputs);
    (void)close(writer);
    feed_no_more();
    return 0;
}

SCENARIO(rows_come_at_once_when_second_source_is_slow)
{
    (void)arg, (void)result;
    int writer = feed_pipe();
    struct typed typed = {0};
    type(&typed, "c ::: a b :::: -");
    int status;
    struct row *row = NULL;
    struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
    EXPECT(inputs != NULL);
    EXPECT(write(writer, "1\n", 2) == 2);
    EXPECT_CODE(inputs_next(inputs, &row), 0);
    EXPECT(strcmp(row->fields[1].bytes, "1") == 0);
    free(row);
    EXPECT(inputs_total(inputs) == 0);
    EXPECT(write(writer, "2\n", 2) == 2);
    (void)close(writer);
    char got[ROOM];
    size_t count;
    EXPECT_CODE(gather(inputs, got, &count), SIL_ECLOSED);
    EXPECT(strcmp(got, "a,2;b,1;b,2;") == 0);
    inputs_destroy(inputs);
    feed_no_more();
    return 0;
}

/* --- any bytes ------------------------------------------------------------------------------- */

/* What was read as rows, written as RFC 4180 says, is read as the same rows. */
static size_t write_csv(const struct row *row, char *out)
{
    char *to = out;
    for (size_t i = 0; i < row->count; i++) {
        *to++ = '"';
        for (size_t j = 0; j < row->fields[i].size; j++) {
            if (row->fields[i].bytes[j] == '"')
                *to++ = '"';
            *to++ = row->fields[i].bytes[j];
        }
        *to++ = '"';
        *to++ = i + 1 < row->count ? ',' : '\n';
    }
    return (size_t)(to - out);
}

/* Read all; write it as above. */
static int copy_csv(const char *bytes, size_t size, char *out, size_t *out_size)
{
    struct typed typed = {.options = {.csv = true}};
    type(&typed, "c");
    feed_bytes(bytes, size);
    int status, code;
    struct row *row = NULL;
    struct inputs *inputs = inputs_open(&typed.options, &typed.words, &typed.split, &status);
    EXPECT(inputs != NULL);
    *out_size = 0;
    while ((code = inputs_next(inputs, &row)) == 0) {
        *out_size += write_csv(row, out + *out_size);
        free(row);
    }
    bool explained = (code == SIL_ECLOSED) == (inputs_error(inputs) == NULL);
    inputs_destroy(inputs);
    feed_no_more();
    EXPECT(explained);
    return code;
}

SCENARIO(any_csv_is_read_or_refused)
{
    (void)arg, (void)result;
    static const char bytes[] = "\"\"\"\",,,\n\n\r\r\nab \0";
    struct random random = {5};
    unsigned good = 0;
    for (int round = 0; round < TEST_SCALE(8000); round++) {
        char text[64], once[512], twice[2048];
        size_t size = random_below(&random, sizeof(text)), once_size, twice_size;
        for (size_t i = 0; i < size; i++)
            text[i] = bytes[random_below(&random, sizeof(bytes) - (round % 8 != 0))];
        int code = copy_csv(text, size, once, &once_size);
        EXPECT(code == SIL_ECLOSED || code == SIL_EINVAL);
        EXPECT_CODE(copy_csv(once, once_size, twice, &twice_size), SIL_ECLOSED);
        EXPECT(once_size == twice_size && memcmp(once, twice, once_size) == 0);
        good += code == SIL_ECLOSED;
    }
    EXPECT(good > 10);
    return 0;
}

int main(void)
{
    begin_scenarios();
    static const struct CMUnitTest tests[] = {
        TEST(test_rows_are_lines_when_standard_input),
        TEST(test_rows_are_all_combinations_when_several_sources),
        TEST(test_files_are_sources_when_named),
        TEST(test_total_is_known_when_finite),
        TEST(test_opening_is_refused_when_sources_are_wrong),
        TEST(test_columns_are_parted_when_separator),
        TEST(test_lines_end_with_nul_when_null),
        TEST(test_reading_ends_when_zero_byte_in_line),
        TEST(test_records_are_read_when_csv),
        TEST(test_names_are_first_rows_when_header),
        TEST(test_rows_are_left_out_when_skip_and_max),
        TEST(test_all_rows_come_once_when_shuffled),
        TEST(test_row_comes_again_when_unread),
        TEST(test_waiting_ends_when_stopped),
        TEST(test_rows_come_at_once_when_second_source_is_slow),
        TEST(test_any_csv_is_read_or_refused),
    };
    return test_run("inputs of map", tests);
}
