/* SPDX-License-Identifier: MIT */
/*
 * Streams: reading up to something: a delimiter, the end of a line, the end of all.
 */
#include <sillon/stream.h>

#include <string.h>

#include "unit/coro/scenario.h"

struct two {
    sil_stream *near;
    sil_stream *far;
};

static bool open_two(struct two *two)
{
    return sil_socketpair(&two->near, &two->far) == 0;
}

static void close_two(struct two *two)
{
    sil_stream_close(two->near);
    sil_stream_close(two->far);
}

static int put(sil_stream *stream, const char *text)
{
    return sil_write(stream, text, strlen(text), SIL_FOREVER);
}

static bool is(const char *data, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(data, text, size) == 0;
}

/* Write it byte by byte, giving way in between. */
struct dribble {
    sil_stream *stream;
    const char *text;
    bool ends;
};

static int co_dribble(void *arg, void *result)
{
    const struct dribble *dribble = arg;
    (void)result;
    for (const char *next = dribble->text; *next; next++) {
        EXPECT_CODE(sil_write(dribble->stream, next, 1, SIL_FOREVER), 0);
        give_way(2);
    }
    return dribble->ends ? sil_stream_shutdown(dribble->stream, SIL_FOREVER) : 0;
}

static sil_future *go_dribble(sil_stream *stream, const char *text, bool ends)
{
    struct dribble dribble = {stream, text, ends};
    return sil_go(co_dribble, &dribble, sizeof dribble, 0);
}

/* --- a delimiter --------------------------------------------------------------------------- */

SCENARIO(reads_until_a_delimiter)
{
    (void)arg, (void)result;
    struct two two;
    const char *data;
    size_t size;
    EXPECT(open_two(&two));
    EXPECT_CODE(put(two.far, "one--two---three"), 0);
    EXPECT_CODE(sil_read_until(two.near, "--", 2, 100, &data, &size, SIL_FOREVER), 0);
    EXPECT(is(data, size, "one--"));
    EXPECT_CODE(sil_read_until(two.near, "--", 2, 100, &data, &size, SIL_FOREVER), 0);
    EXPECT(is(data, size, "two--"));
    EXPECT_CODE(sil_read_until(two.near, "--", 2, 100, &data, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(put(two.far, "-"), 0);
    EXPECT_CODE(sil_read_until(two.near, "--", 2, 100, &data, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(put(two.far, "-rest"), 0);
    EXPECT_CODE(sil_read_until(two.near, "--", 2, 100, &data, &size, SIL_NOW), 0);
    EXPECT(is(data, size, "-three--"));
    char buffer[2];
    EXPECT_CODE(sil_read(two.near, buffer, sizeof buffer, &size, SIL_NOW), 0);
    EXPECT(is(buffer, size, "re"));
    EXPECT_CODE(sil_stream_shutdown(two.far, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_until(two.near, "--", 2, 100, &data, &size, SIL_FOREVER), SIL_EEND);
    EXPECT_CODE(sil_read(two.near, buffer, sizeof buffer, &size, SIL_NOW), 0);
    EXPECT(is(buffer, size, "st"));
    EXPECT_CODE(sil_read(two.near, buffer, sizeof buffer, &size, SIL_NOW), SIL_EEND);
    close_two(&two);
    return 0;
}

SCENARIO(a_delimiter_that_comes_in_pieces)
{
    (void)arg, (void)result;
    struct two two;
    const char *data;
    size_t size;
    EXPECT(open_two(&two));
    sil_future *future = go_dribble(two.far, "a\r\r\n\r\r\n\r\nb", false);
    EXPECT_CODE(sil_read_until(two.near, "\r\n\r\n", 4, 100, &data, &size, SIL_FOREVER), 0);
    EXPECT(is(data, size, "a\r\r\n\r\r\n\r\n"));
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    close_two(&two);
    return 0;
}

SCENARIO(beyond_the_limit_nothing_is_taken)
{
    (void)arg, (void)result;
    struct two two;
    const char *data;
    size_t size;
    EXPECT(open_two(&two));
    EXPECT_CODE(put(two.far, "0123456789;"), 0);
    EXPECT_CODE(sil_read_until(two.near, ";", 1, 10, &data, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_until(two.near, ";", 1, 0, &data, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_until(two.near, "x", 1, 11, &data, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_until(two.near, "x", 1, 12, &data, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_read_until(two.near, ";", 1, 11, &data, &size, SIL_FOREVER), 0);
    EXPECT(is(data, size, "0123456789;"));
    close_two(&two);
    return 0;
}

/* Larger than any first buffer, and more behind it. */
SCENARIO(a_long_way_to_the_delimiter)
{
    (void)arg, (void)result;
    enum { LONG = 100000 };
    static char text[LONG + 1];
    struct two two;
    const char *data;
    size_t size;
    EXPECT(open_two(&two));
    memset(text, 'x', LONG);
    text[LONG / 2] = ';';
    text[LONG - 1] = ';';
    struct dribble whole = {two.far, text, true};
    for (int round = 0; round < 2; round++) {
        EXPECT_CODE(sil_write(whole.stream, text, LONG, SIL_FOREVER), 0);
        EXPECT_CODE(sil_read_until(two.near, ";", 1, LONG, &data, &size, SIL_FOREVER), 0);
        EXPECT(size == LONG / 2 + 1 && memcmp(data, text, size) == 0);
        EXPECT_CODE(sil_read_until(two.near, ";", 1, LONG, &data, &size, SIL_FOREVER), 0);
        EXPECT(size == LONG / 2 - 1 && memcmp(data, text + LONG / 2 + 1, size) == 0);
    }
    close_two(&two);
    return 0;
}

/* --- lines --------------------------------------------------------------------------------- */

SCENARIO(reads_lines)
{
    (void)arg, (void)result;
    static const char *const expected[] = {"one", "", "two\r and", "", "last"};
    struct two two;
    const char *line;
    size_t size;
    EXPECT(open_two(&two));
    sil_future *future = go_dribble(two.far, "one\n\ntwo\r and\r\n\r\nlast", true);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        EXPECT_CODE(sil_read_line(two.near, 20, &line, &size, SIL_FOREVER), 0);
        EXPECT(is(line, size, expected[i]) && line[size] == '\0');
    }
    EXPECT_CODE(sil_read_line(two.near, 20, &line, NULL, SIL_FOREVER), SIL_EEND);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    close_two(&two);
    return 0;
}

/* The '\0' behind a last line that fills the buffer to its end. */
SCENARIO(a_last_line_of_every_size)
{
    (void)arg, (void)result;
    static char text[8300];
    memset(text, 'y', sizeof text);
    const size_t sizes[] = {1, 2, 4094, 4095, 4096, 4097, 8191, 8192, 8193};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct two two;
        const char *line;
        size_t size;
        EXPECT(open_two(&two));
        EXPECT_CODE(sil_write(two.far, text, sizes[i], SIL_FOREVER), 0);
        sil_stream_close(two.far);
        EXPECT_CODE(sil_read_line(two.near, sizeof text, &line, &size, SIL_FOREVER), 0);
        EXPECT(size == sizes[i] && line[size] == '\0' && memcmp(line, text, size) == 0);
        EXPECT_CODE(sil_read_line(two.near, sizeof text, &line, &size, SIL_FOREVER), SIL_EEND);
        sil_stream_close(two.near);
    }
    return 0;
}

SCENARIO(a_line_beyond_the_limit)
{
    (void)arg, (void)result;
    struct two two;
    const char *line;
    size_t size;
    EXPECT(open_two(&two));
    EXPECT_CODE(put(two.far, "12345\nabc"), 0);
    EXPECT_CODE(sil_read_line(two.near, 5, &line, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_line(two.near, 6, &line, &size, SIL_FOREVER), 0);
    EXPECT(is(line, size, "12345"));
    sil_stream_close(two.far);
    EXPECT_CODE(sil_read_line(two.near, 2, &line, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_line(two.near, 4, &line, &size, SIL_FOREVER), 0);
    EXPECT(is(line, size, "abc"));
    sil_stream_close(two.near);
    return 0;
}

/* Whether it is the last one is seen only behind it. */
SCENARIO(a_line_as_long_as_the_limit)
{
    (void)arg, (void)result;
    struct two two;
    const char *line;
    size_t size;
    EXPECT(open_two(&two));
    EXPECT_CODE(put(two.far, "abc"), 0);
    EXPECT_CODE(sil_read_line(two.near, 3, &line, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(put(two.far, "d\nxyz"), 0);
    EXPECT_CODE(sil_read_line(two.near, 3, &line, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_line(two.near, 4, &line, &size, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_read_line(two.near, 5, &line, &size, SIL_FOREVER), 0);
    EXPECT(is(line, size, "abcd"));
    sil_stream_close(two.far);
    EXPECT_CODE(sil_read_line(two.near, 3, &line, &size, SIL_FOREVER), 0);
    EXPECT(is(line, size, "xyz") && line[size] == '\0');
    EXPECT_CODE(sil_read_line(two.near, 3, &line, &size, SIL_FOREVER), SIL_EEND);
    EXPECT_CODE(sil_read_line(two.near, 0, &line, &size, SIL_FOREVER), SIL_EEND);
    sil_stream_close(two.near);
    return 0;
}

/* --- all ----------------------------------------------------------------------------------- */

SCENARIO(reads_all)
{
    (void)arg, (void)result;
    struct two two;
    const char *data;
    size_t size;
    EXPECT(open_two(&two));
    EXPECT_CODE(put(two.far, "first\nand all"), 0);
    EXPECT_CODE(sil_read_line(two.near, 100, &data, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_all(two.near, 7, &data, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_read_all(two.near, 6, &data, &size, SIL_FOREVER), SIL_ETOOLONG);
    sil_future *future = go_dribble(two.far, " that follows", true);
    EXPECT_CODE(sil_read_all(two.near, 20, &data, &size, SIL_FOREVER), 0);
    EXPECT(is(data, size, "and all that follows") && data[size] == '\0');
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_all(two.near, 20, &data, &size, SIL_FOREVER), 0);
    EXPECT(size == 0 && data[0] == '\0');
    close_two(&two);
    EXPECT(open_two(&two));
    sil_stream_close(two.far);
    EXPECT_CODE(sil_read_all(two.near, 0, &data, &size, SIL_FOREVER), 0);
    EXPECT(size == 0 && data[0] == '\0');
    sil_stream_close(two.near);
    return 0;
}

/* --- given up, and gone on with -------------------------------------------------------------- */

static int co_read_line(void *arg, void *result)
{
    sil_stream *stream = *(sil_stream **)arg;
    const char *line;
    size_t size;
    int code = sil_read_line(stream, 100, &line, &size, SIL_FOREVER);
    if (code == 0)
        *(size_t *)result = size;
    return code;
}

SCENARIO(a_cancelled_line_is_still_there)
{
    (void)arg, (void)result;
    struct two two;
    const char *line;
    size_t size;
    EXPECT(open_two(&two));
    for (int i = 0; i < 5; i++) {
        EXPECT_CODE(put(two.far, "ab"), 0);
        sil_future *future = sil_go(co_read_line, &two.near, sizeof two.near, sizeof(size_t));
        give_way(3);
        EXPECT_CODE(sil_read_line(two.near, 100, &line, &size, SIL_FOREVER), SIL_EBUSY);
        (void)sil_future_cancel(future);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    EXPECT_CODE(put(two.far, "\n"), 0);
    EXPECT_CODE(sil_read_line(two.near, 100, &line, &size, SIL_FOREVER), 0);
    EXPECT(is(line, size, "ababababab"));
    sil_future *future = sil_go(co_read_line, &two.near, sizeof two.near, sizeof(size_t));
    give_way(3);
    close_two(&two);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECLOSED);
    return 0;
}

SCENARIO(bad_arguments)
{
    (void)arg, (void)result;
    struct two two;
    const char *data;
    size_t size;
    EXPECT(open_two(&two));
    EXPECT_CODE(sil_read_until(two.near, "", 0, 9, &data, &size, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_until(two.near, NULL, 1, 9, &data, &size, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_until(two.near, "x", 1, 9, NULL, &size, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_until(NULL, "x", 1, 9, &data, &size, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_line(two.near, 9, NULL, &size, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_all(two.near, 9, &data, NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_all(NULL, 9, &data, &size, SIL_NOW), SIL_EINVAL);
    close_two(&two);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_reads_until_a_delimiter),
        TEST(test_a_delimiter_that_comes_in_pieces),
        TEST(test_beyond_the_limit_nothing_is_taken),
        TEST(test_a_long_way_to_the_delimiter),
        TEST(test_reads_lines),
        TEST(test_a_last_line_of_every_size),
        TEST(test_a_line_beyond_the_limit),
        TEST(test_a_line_as_long_as_the_limit),
        TEST(test_reads_all),
        TEST(test_a_cancelled_line_is_still_there),
        TEST(test_bad_arguments),
    };
    return test_run("coro.stream_lines", tests);
}
