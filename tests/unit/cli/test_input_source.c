/* SPDX-License-Identifier: MIT */
/*
 * Lines of files, pipes, terminals and words: what comes, when it ends, and that waiting can be
 * stopped.
 */
#include "input/lines.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input/source.h"
#include "unit/coro/scenario.h"

static char dash[] = "-";

/* Standard input, put aside while a test has its own. */
static int standard_input = -1;

static void read_from(int fd)
{
    standard_input = dup(STDIN_FILENO);
    (void)dup2(fd, STDIN_FILENO);
    (void)close(fd);
}

static void read_from_before(void)
{
    (void)dup2(standard_input, STDIN_FILENO);
    (void)close(standard_input);
}

/* A file in memory with this in it; its path. */
struct file {
    int fd;
    char path[32];
};

static struct file file_with(const char *bytes, size_t size)
{
    struct file file = {.fd = memfd_create("lines", MFD_CLOEXEC)};
    (void)snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
    if (write(file.fd, bytes, size) != (ssize_t)size)
        file.path[0] = '\0';
    return file;
}

/* All lines with '|' behind each, reasons in angle brackets. */
static int gather(struct lines *lines, char *out, size_t room)
{
    struct line line;
    size_t at = 0;
    int code;
    out[0] = '\0';
    while ((code = lines_next(lines, &line)) == 0)
        at += (size_t)snprintf(out + at, room - at, "%.*s%s%s%s|", 30, line.text,
                               line.reason ? "<" : "", line.reason ? line.reason : "",
                               line.reason ? ">" : "");
    return code;
}

static int expect_lines(const struct lines_plan *plan, const char *expected)
{
    char got[1024];
    struct lines *lines = lines_create(plan);
    EXPECT(lines != NULL);
    int code = gather(lines, got, sizeof(got));
    uint64_t total = lines_total(lines), count = 0;
    lines_destroy(lines);
    EXPECT_CODE(code, SIL_EEND);
    if (strcmp(got, expected) != 0)
        return sil_fail(UNEXPECTED, "got %s, not %s", got, expected);
    for (const char *at = expected; *at != '\0'; at++)
        count += *at == '|';
    EXPECT(total == count);
    return 0;
}

static int expect_file(const char *bytes, size_t size, bool null, bool skip, const char *expected)
{
    struct file file = file_with(bytes, size);
    char *paths[] = {file.path};
    int code = expect_lines(
        &(struct lines_plan){.files = paths, .file_count = 1, .null = null, .skip = skip},
        expected);
    (void)close(file.fd);
    return code;
}

SCENARIO(lines_are_kept_as_they_are_when_no_list)
{
    (void)arg, (void)result;
    EXPECT_CODE(expect_file("a\n\n b \r\n#c", 10, false, false, "a|| b \r|#c|"), 0);
    EXPECT_CODE(expect_file("", 0, false, false, ""), 0);
    EXPECT_CODE(expect_file("\n", 1, false, false, "|"), 0);
    EXPECT_CODE(expect_file("a\0b\nc\0", 6, true, false, "a|b\nc|"), 0);
    return expect_file("a\0b\nc\n", 6, false, false, "a<the line has a zero byte>|c|");
}

SCENARIO(lines_are_trimmed_when_list)
{
    (void)arg, (void)result;
    return expect_file("\xef\xbb\xbf"
                       "a\r\n\n # x\n \t b c \n#d\ne",
                       24, false, true, "a|b c|e|");
}

SCENARIO(words_come_before_files_when_both)
{
    (void)arg, (void)result;
    struct file one = file_with("c\n#d", 4), none = file_with("", 0), two = file_with("e", 1);
    char first[] = "#a", second[] = "";
    char *words[] = {first, second}, *paths[] = {one.path, none.path, two.path};
    int code = expect_lines(
        &(struct lines_plan){.words = words, .word_count = 2, .files = paths, .file_count = 3},
        "#a||c|#d|e|");
    (void)close(one.fd);
    (void)close(none.fd);
    (void)close(two.fd);
    return code;
}

SCENARIO(line_tells_where_it_stood)
{
    (void)arg, (void)result;
    struct file file = file_with("x\ny\n", 4);
    char word[] = "w", *words[] = {word}, *paths[] = {file.path};
    struct lines *lines = lines_create(
        &(struct lines_plan){.words = words, .word_count = 1, .files = paths, .file_count = 1});
    struct line line;
    EXPECT(lines != NULL);
    EXPECT_CODE(lines_next(lines, &line), 0);
    EXPECT(line.file == NULL && line.number == 0 && lines_total(lines) == 0);
    EXPECT_CODE(lines_next(lines, &line), 0);
    EXPECT(strcmp(line.file, file.path) == 0 && line.number == 1 && line.size == 1);
    EXPECT(lines_total(lines) == 3); /* the file's end was seen */
    EXPECT_CODE(lines_next(lines, &line), 0);
    EXPECT(line.number == 2);
    lines_destroy(lines);
    (void)close(file.fd);
    return 0;
}

SCENARIO(lines_are_whole_when_file_is_large)
{
    (void)arg, (void)result;
    enum { COUNT = 50000 };
    char *text = malloc((size_t)COUNT * 8);
    EXPECT(text != NULL);
    size_t size = 0;
    for (int i = 0; i < COUNT; i++)
        size += (size_t)sprintf(text + size, "%d\n", i);
    struct file file = file_with(text, size);
    free(text);
    char *paths[] = {file.path};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    struct line line;
    for (int i = 0; i < COUNT; i++) {
        EXPECT_CODE(lines_next(lines, &line), 0);
        EXPECT(strtol(line.text, NULL, 10) == i && line.number == (uint64_t)i + 1);
    }
    EXPECT_CODE(lines_next(lines, &line), SIL_EEND);
    EXPECT(lines_total(lines) == COUNT);
    lines_destroy(lines);
    (void)close(file.fd);
    return 0;
}

SCENARIO(line_is_cut_when_too_long)
{
    (void)arg, (void)result;
    char path[] = "/dev/zero", *paths[] = {path};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    struct line line;
    EXPECT_CODE(lines_next(lines, &line), 0);
    EXPECT(line.reason != NULL && line.size == LINE_LONGEST);
    lines_destroy(lines);
    return 0;
}

SCENARIO(line_comes_when_one_too_long_is_before_it)
{
    (void)arg, (void)result;
    size_t size = 3 * (size_t)LINE_LONGEST;
    char *text = malloc(size);
    EXPECT(text != NULL);
    memset(text, 'x', size);
    text[size - 5] = text[size - 1] = '\n';
    struct file file = file_with(text, size);
    free(text);
    char *paths[] = {file.path};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    struct line line;
    EXPECT(lines != NULL);
    EXPECT_CODE(lines_next(lines, &line), 0);
    EXPECT(line.reason != NULL);
    EXPECT_CODE(lines_next(lines, &line), 0);
    EXPECT(line.reason == NULL && strcmp(line.text, "xxx") == 0 && line.number == 2);
    EXPECT_CODE(lines_next(lines, &line), SIL_EEND);
    lines_destroy(lines);
    (void)close(file.fd);
    return 0;
}

/* --- what keeps one waiting ------------------------------------------------------------------ */

/* arg: struct lines *. The code of reading on; others see it in the result. */
static int co_gather(void *arg, void *result)
{
    char *out = result;
    return gather(*(struct lines **)arg, out, 64);
}

SCENARIO(loop_goes_on_when_pipe_has_nothing)
{
    (void)arg, (void)result;
    int ends[2];
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    read_from(ends[0]);
    char *paths[] = {dash};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    sil_future *reader = sil_go(co_gather, (void *)&lines, sizeof(lines), 64);
    give_way(5);
    EXPECT(write(ends[1], "a\nb", 3) == 3);
    give_way(5);
    EXPECT(!sil_future_done(reader));
    EXPECT(write(ends[1], "c\nd", 3) == 3);
    (void)close(ends[1]);
    (void)sil_await(reader, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(reader), SIL_EEND);
    EXPECT(lines_total(lines) == 3);
    EXPECT((fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK) == 0);
    sil_future_release(reader);
    lines_destroy(lines);
    read_from_before();
    return 0;
}

/* A reader of this file is stopped while it waits. */
static int stop_while_waiting(char *path)
{
    char *paths[] = {path};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    sil_future *reader = sil_go(co_gather, (void *)&lines, sizeof(lines), 64);
    give_way(5);
    EXPECT(!sil_future_done(reader));
    lines_stop(lines);
    (void)sil_await(reader, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(reader), SIL_ECANCELLED);
    struct line line;
    EXPECT_CODE(lines_next(lines, &line), SIL_ECANCELLED);
    sil_future_release(reader);
    lines_destroy(lines);
    return 0;
}

/* A reader of this file is cancelled while it waits. */
static int cancel_while_waiting(char *path)
{
    char *paths[] = {path};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    sil_future *reader = sil_go(co_gather, (void *)&lines, sizeof(lines), 64);
    give_way(5);
    (void)sil_future_cancel(reader);
    (void)sil_await(reader, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(reader), SIL_ECANCELLED);
    sil_future_release(reader);
    lines_destroy(lines);
    return 0;
}

SCENARIO(waiting_ends_when_pipe_is_stopped)
{
    (void)arg, (void)result;
    int ends[2];
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    read_from(ends[0]);
    int code = stop_while_waiting(dash);
    if (code == 0)
        code = cancel_while_waiting(dash);
    (void)close(ends[1]);
    read_from_before();
    return code;
}

/* A named pipe in a folder of its own. */
struct named_pipe {
    char folder[32], path[48];
};

static bool named_pipe_make(struct named_pipe *made)
{
    (void)snprintf(made->folder, sizeof(made->folder), "/tmp/sillon-lines-XXXXXX");
    if (mkdtemp(made->folder) == NULL)
        return false;
    (void)snprintf(made->path, sizeof(made->path), "%s/pipe", made->folder);
    return mkfifo(made->path, 0600) == 0;
}

static void named_pipe_remove(const struct named_pipe *made)
{
    (void)unlink(made->path);
    (void)rmdir(made->folder);
}

SCENARIO(waiting_ends_when_named_pipe_is_stopped)
{
    (void)arg, (void)result;
    struct named_pipe named;
    EXPECT(named_pipe_make(&named));
    int code = stop_while_waiting(named.path);
    if (code == 0)
        code = cancel_while_waiting(named.path);
    named_pipe_remove(&named);
    return code;
}

SCENARIO(named_pipe_is_waited_for_when_nobody_writes)
{
    (void)arg, (void)result;
    struct named_pipe named;
    EXPECT(named_pipe_make(&named));
    char *paths[] = {named.path};
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    sil_future *reader = sil_go(co_gather, (void *)&lines, sizeof(lines), 64);
    give_way(5);
    int writer = open(named.path, O_WRONLY | O_CLOEXEC);
    EXPECT(writer >= 0);
    EXPECT(write(writer, "a\nb\n", 4) == 4);
    (void)close(writer);
    (void)sil_await(reader, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(reader), SIL_EEND);
    EXPECT(lines_total(lines) == 2);
    sil_future_release(reader);
    lines_destroy(lines);
    named_pipe_remove(&named);
    return 0;
}

SCENARIO(lines_come_when_terminal)
{
    (void)arg, (void)result;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT(slave >= 0);
    read_from(slave);
    EXPECT(write(master, "a\nb\n\x04", 5) == 5);
    char *paths[] = {dash};
    int code = expect_lines(&(struct lines_plan){.files = paths, .file_count = 1}, "a|b|");
    EXPECT((fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK) == 0);
    read_from_before();
    (void)close(master);
    return code;
}

/* --- what is no input ------------------------------------------------------------------------ */

SCENARIO(nothing_comes_when_null_device)
{
    (void)arg, (void)result;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT(fd >= 0);
    read_from(fd);
    char *paths[] = {dash};
    int code = expect_lines(&(struct lines_plan){.files = paths, .file_count = 1}, "");
    read_from_before();
    return code;
}

SCENARIO(opening_fails_when_no_such_input)
{
    (void)arg, (void)result;
    static const struct {
        const char *path;
        int code;
    } cases[] = {{"/", EISDIR}, {"/nowhere/at/all", ENOENT}, {"", ENOENT}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        EXPECT(source_open(cases[i].path) == NULL);
        EXPECT_CODE(sil_error_code(sil_last_error()), cases[i].code);
    }
    read_from(open("/", O_RDONLY | O_CLOEXEC));
    struct source *folder = source_open("-");
    int folder_code = sil_error_code(sil_last_error());
    (void)close(STDIN_FILENO);
    struct source *closed = source_open("-");
    int closed_code = sil_error_code(sil_last_error());
    read_from_before();
    EXPECT(folder == NULL && closed == NULL);
    EXPECT_CODE(folder_code, EISDIR);
    EXPECT_CODE(closed_code, EBADF);
    char good[] = "/dev/null", bad[] = "/nowhere", *paths[] = {good, bad};
    EXPECT(lines_create(&(struct lines_plan){.files = paths, .file_count = 2}) == NULL);
    EXPECT(strstr(sil_error_message(sil_last_error()), "/nowhere: ") != NULL);
    return 0;
}

SCENARIO(reading_fails_when_file_cannot_be_read)
{
    (void)arg, (void)result;
    char path[] = "/proc/self/mem", *paths[] = {path}; /* its first page is not there */
    struct lines *lines = lines_create(&(struct lines_plan){.files = paths, .file_count = 1});
    EXPECT(lines != NULL);
    struct line line;
    EXPECT_CODE(lines_next(lines, &line), EIO);
    EXPECT(strstr(sil_error_message(sil_last_error()), "/proc/self/mem: ") != NULL);
    lines_destroy(lines);
    return 0;
}

int main(void)
{
    begin_scenarios();
    static const struct CMUnitTest tests[] = {
        TEST(test_lines_are_kept_as_they_are_when_no_list),
        TEST(test_lines_are_trimmed_when_list),
        TEST(test_words_come_before_files_when_both),
        TEST(test_line_tells_where_it_stood),
        TEST(test_lines_are_whole_when_file_is_large),
        TEST(test_line_is_cut_when_too_long),
        TEST(test_line_comes_when_one_too_long_is_before_it),
        TEST(test_loop_goes_on_when_pipe_has_nothing),
        TEST(test_waiting_ends_when_pipe_is_stopped),
        TEST(test_waiting_ends_when_named_pipe_is_stopped),
        TEST(test_named_pipe_is_waited_for_when_nobody_writes),
        TEST(test_lines_come_when_terminal),
        TEST(test_nothing_comes_when_null_device),
        TEST(test_opening_fails_when_no_such_input),
        TEST(test_reading_fails_when_file_cannot_be_read),
    };
    return test_run("lines of inputs", tests);
}
