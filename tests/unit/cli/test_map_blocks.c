/* SPDX-License-Identifier: MIT */
/*
 * Blocks of the input for --pipe: all bytes, in order, cut at the ends of lines.
 */
#include "map/blocks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "map/inputs.h"
#include "support/random.h"
#include "unit/coro/scenario.h"

enum { ROOM = 512 };

struct file {
    int fd;
    char path[32];
};

static struct file file_with(const char *bytes, size_t size)
{
    struct file file = {.fd = memfd_create("blocks", MFD_CLOEXEC)};
    (void)snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
    if (write(file.fd, bytes, size) != (ssize_t)size)
        file.path[0] = '\0';
    return file;
}

/* The block's bytes, with '|' behind. */
static size_t take_block(int fd, char *out, size_t room)
{
    ssize_t size = read(fd, out, room - 2);
    (void)close(fd);
    size_t at = size > 0 ? (size_t)size : 0;
    out[at++] = '|';
    out[at] = '\0';
    return at;
}

static int expect_blocks(uint64_t size, bool header, const char *bytes, const char *expected)
{
    struct file file = file_with(bytes, strlen(bytes));
    struct blocks *blocks = blocks_open(
        &(struct blocks_plan){.file = file.path, .size = size, .end = '\n', .header = header});
    EXPECT(blocks != NULL);
    char got[ROOM] = "";
    size_t at = 0;
    int code, fd = -1;
    while ((code = blocks_next(blocks, &fd)) == 0)
        at += take_block(fd, got + at, ROOM - at);
    blocks_close(blocks);
    (void)close(file.fd);
    EXPECT_CODE(code, SIL_EEND);
    if (strcmp(got, expected) != 0)
        return sil_fail(UNEXPECTED, "got %s, not %s", got, expected);
    return 0;
}

SCENARIO(block_ends_with_line)
{
    (void)arg, (void)result;
    EXPECT_CODE(expect_blocks(4, false, "a\nb\nc\nd\n", "a\nb\n|c\nd\n|"), 0);
    EXPECT_CODE(expect_blocks(4, false, "a\nbb\nc", "a\n|bb\nc|"), 0);
    EXPECT_CODE(expect_blocks(4, false, "abc\n", "abc\n|"), 0);
    EXPECT_CODE(expect_blocks(4, false, "", ""), 0);
    return expect_blocks(1 << 20, false, "a\nb", "a\nb|");
}

SCENARIO(block_is_larger_when_line_is)
{
    (void)arg, (void)result;
    EXPECT_CODE(expect_blocks(4, false, "abcdefg\nh\n\n\n", "abcdefg\n|h\n\n\n|"), 0);
    EXPECT_CODE(expect_blocks(4, false, "abcd\n", "abcd\n|"), 0);
    return expect_blocks(4, false, "abcdef", "abcdef|");
}

SCENARIO(block_begins_with_header)
{
    (void)arg, (void)result;
    EXPECT_CODE(expect_blocks(4, true, "name\na\nb\nc", "name\na\nb\n|name\nc|"), 0);
    EXPECT_CODE(expect_blocks(4, true, "name", ""), 0);
    return expect_blocks(4, true, "", "");
}

SCENARIO(blocks_hold_all_when_large)
{
    (void)arg, (void)result;
    enum { SIZE = 1 << 20, BLOCK = 100000 };
    char *text = malloc(SIZE), *got = malloc(SIZE);
    EXPECT(text != NULL && got != NULL);
    struct random random = {3};
    for (size_t i = 0; i < SIZE; i++)
        text[i] = random_below(&random, 100) == 0 ? '\n' : 'x';
    struct file file = file_with(text, SIZE);
    struct blocks *blocks =
        blocks_open(&(struct blocks_plan){.file = file.path, .size = BLOCK, .end = '\n'});
    EXPECT(blocks != NULL);
    size_t at = 0;
    int code, fd = -1;
    while ((code = blocks_next(blocks, &fd)) == 0) {
        ssize_t size = read(fd, got + at, SIZE - at);
        EXPECT(size > 0 && size <= BLOCK);
        at += (size_t)size;
        EXPECT(at == SIZE || got[at - 1] == '\n');
        (void)close(fd);
    }
    EXPECT_CODE(code, SIL_EEND);
    EXPECT(at == SIZE && memcmp(text, got, SIZE) == 0);
    blocks_close(blocks);
    (void)close(file.fd);
    free(text);
    free(got);
    return 0;
}

/* arg: struct blocks *. */
static int co_next(void *arg, void *result)
{
    (void)result;
    int fd = -1;
    int code = blocks_next(*(struct blocks **)arg, &fd);
    if (code == 0)
        (void)close(fd);
    return code;
}

SCENARIO(waiting_ends_when_stopped)
{
    (void)arg, (void)result;
    int ends[2];
    char path[32];
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    struct blocks *blocks =
        blocks_open(&(struct blocks_plan){.file = path, .size = 4, .end = '\n'});
    EXPECT(blocks != NULL);
    EXPECT(write(ends[1], "a\n", 2) == 2); /* not yet a block */
    sil_future *waiter = sil_go(co_next, (void *)&blocks, sizeof(blocks), 0);
    give_way(5);
    EXPECT(!sil_future_done(waiter));
    blocks_stop(blocks);
    (void)sil_await(waiter, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(waiter), SIL_ECANCELLED);
    sil_future_release(waiter);
    blocks_close(blocks);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

SCENARIO(blocks_are_left_out_when_skip_and_max)
{
    (void)arg, (void)result;
    struct file file = file_with("a\nb\nc\nd\n", 8);
    char word[] = "c", *list[] = {word}, *files[] = {file.path};
    struct words words = {.list = list, .count = 1};
    struct map_words split;
    struct map_options options = {
        .pipe = true, .block = 2, .skip = 1, .most = 2, .arg_files = {.list = files, .count = 1}};
    map_words_split(&words, &split);
    char got[ROOM] = "";
    size_t at = 0;
    int code, fd = -1, status;
    struct inputs *inputs = inputs_open(&options, &words, &split, &status);
    EXPECT(inputs != NULL);
    EXPECT(inputs_header(inputs) == NULL && inputs_total(inputs) == 0);
    while ((code = inputs_next_block(inputs, &fd)) == 0)
        at += take_block(fd, got + at, ROOM - at);
    EXPECT_CODE(code, SIL_ECLOSED);
    EXPECT(inputs_total(inputs) == 2);
    EXPECT(strcmp(got, "b\n|c\n|") == 0);
    inputs_destroy(inputs);
    (void)close(file.fd);
    return 0;
}

int main(void)
{
    begin_scenarios();
    static const struct CMUnitTest tests[] = {
        TEST(test_block_ends_with_line),      TEST(test_block_is_larger_when_line_is),
        TEST(test_block_begins_with_header),  TEST(test_blocks_hold_all_when_large),
        TEST(test_waiting_ends_when_stopped), TEST(test_blocks_are_left_out_when_skip_and_max),
    };
    return test_run("blocks of the input", tests);
}
