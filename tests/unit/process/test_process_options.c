/* SPDX-License-Identifier: MIT */
/*
 * What a process gets: descriptors, directory, environment; the same for functions and programs.
 */
#include <sillon/sillon.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/child.h"
#include "support/self.h"
#include "support/test.h"

static int end_of(sil_process *process)
{
    if (process == NULL)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_non_null(process);
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    int code = sil_process_exit_code(process);
    sil_process_destroy(process);
    return code;
}

static int shell(const sil_process_options *options, const char *script)
{
    const char *const arguments[] = {"sh", "-c", script, NULL};
    return end_of(sil_process_run(options, arguments));
}

/* All that comes out of a pipe until its last writer is gone. */
static const char *read_all(int pipe_end)
{
    static char text[PATH_MAX];
    size_t length = 0;
    ssize_t got;
    while ((got = read(pipe_end, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    (void)close(pipe_end);
    return text;
}

/* --- descriptors --------------------------------------------------------------------------- */

struct fds {
    int kept;
    int closed;
};

static int check_fds(void *arg, void *result)
{
    (void)result;
    const struct fds *fds = arg;
    CHECK(fcntl(fds->kept, F_GETFD) == 0); /* also open in what it executes */
    CHECK(fcntl(fds->closed, F_GETFD) < 0);
    CHECK(write(fds->kept, "x", 1) == 1);
    return 0;
}

/* The pipe's ends close on exec, and are moved to certain numbers. */
static struct fds open_at(int kept, int closed)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct fds fds = {fcntl(ends[1], F_DUPFD_CLOEXEC, kept), fcntl(ends[0], F_DUPFD, closed)};
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_true(fds.kept >= 0 && fds.closed >= 0);
    return fds;
}

static void test_descriptors_are_kept(void **state)
{
    (void)state;
    static const struct fds numbers[] = {{3, 10}, {100, 3}, {7, 9}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct fds fds = open_at(numbers[i].kept, numbers[i].closed);
        const sil_process_options options = {.descriptors = &fds.kept, .descriptor_count = 1};
        assert_int_equal(end_of(sil_process_start(&options, check_fds, &fds, sizeof fds)), 0);
        char script[100];
        (void)snprintf(
            script, sizeof script,
            "test -e /proc/$$/fd/%d && test ! -e /proc/$$/fd/%d && printf y >/proc/$$/fd/%d",
            fds.kept, fds.closed, fds.kept);
        assert_int_equal(shell(&options, script), 0);
        (void)close(fds.kept);
        assert_string_equal(read_all(fds.closed), "xy");
    }
}

static int count_fds(void *arg, void *result)
{
    (void)arg;
    (void)result;
    unsigned heaps = 1; /* the one that was sent along */
    CHECK(self_descriptors() <= 3 + heaps);
    return 0;
}

static void test_other_descriptors_are_closed(void **state)
{
    (void)state;
    int more[5];
    for (size_t i = 0; i < COUNT_OF(more); i++)
        more[i] = dup(STDIN_FILENO);
    assert_int_equal(end_of(sil_process_start(NULL, count_fds, NULL, 0)), 0);
    /* Its own 0, 1, 2 and the folder that ls reads. */
    assert_int_equal(shell(NULL, "test $(ls /proc/self/fd | wc -l) -le 4"), 0);
    for (size_t i = 0; i < COUNT_OF(more); i++)
        (void)close(more[i]);
}

static int copy_line(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char line[32];
    CHECK(fgets(line, sizeof line, stdin) != NULL);
    CHECK(printf("out %s", line) > 0);
    CHECK(fprintf(stderr, "err %s", line) > 0);
    return 0;
}

/* Both ways of starting, with a line on 0, and what comes from 1 and 2. */
static void check_standard(bool function)
{
    int in[2];
    int out[2];
    int err[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    assert_int_equal(write(in[1], "line\n", 5), 5);
    (void)close(in[1]);
    const sil_process_options options = {
        .standard_input = in[0], .standard_output = out[1], .standard_error = err[1]};
    if (function)
        assert_int_equal(end_of(sil_process_start(&options, copy_line, NULL, 0)), 0);
    else
        assert_int_equal(shell(&options, "read x; echo out $x; echo err $x >&2"), 0);
    (void)close(in[0]);
    (void)close(out[1]);
    (void)close(err[1]);
    assert_string_equal(read_all(out[0]), "out line\n");
    assert_string_equal(read_all(err[0]), "err line\n");
}

static void test_standard_descriptors(void **state)
{
    (void)state;
    check_standard(true);
    check_standard(false);
}

static int write_both(void *arg, void *result)
{
    (void)arg;
    (void)result;
    CHECK(write(STDOUT_FILENO, "to 1\n", 5) == 5);
    CHECK(write(STDERR_FILENO, "to 2\n", 5) == 5);
    return 0;
}

/* 1 becomes 2 and 2 becomes 1. In a fork, whose own 1 and 2 are pipes. */
static int swap(void *arg)
{
    const sil_process_options options = {.standard_output = 2, .standard_error = 1};
    const char *const arguments[] = {"sh", "-c", "echo to 1; echo to 2 >&2", NULL};
    sil_process *process = *(bool *)arg ? sil_process_start(&options, write_both, NULL, 0)
                                        : sil_process_run(&options, arguments);
    CHECK(process != NULL);
    CHECK(sil_process_join(process, SIL_FOREVER) == 0);
    CHECK(sil_process_exit_code(process) == 0);
    sil_process_destroy(process);
    return 0;
}

static void test_standard_descriptors_can_be_swapped(void **state)
{
    (void)state;
    for (int function = 0; function <= 1; function++) {
        int out[2];
        int err[2];
        assert_int_equal(pipe(out), 0);
        assert_int_equal(pipe(err), 0);
        int former[] = {dup(1), dup(2)};
        (void)fflush(NULL);
        (void)dup2(out[1], 1);
        (void)dup2(err[1], 2);
        bool is_function = function;
        int code = child_run(swap, &is_function);
        (void)dup2(former[0], 1);
        (void)dup2(former[1], 2);
        (void)close(former[0]);
        (void)close(former[1]);
        (void)close(out[1]);
        (void)close(err[1]);
        assert_string_equal(read_all(out[0]), "to 2\n");
        assert_string_equal(read_all(err[0]), "to 1\n");
        assert_int_equal(code, 0);
    }
}

/* --- directory ----------------------------------------------------------------------------- */

static int check_directory(void *arg, void *result)
{
    (void)result;
    char path[PATH_MAX];
    CHECK(getcwd(path, sizeof path) != NULL);
    CHECK(strcmp(path, arg) == 0);
    return 0;
}

static void test_directory(void **state)
{
    (void)state;
    sil_process_options options = {.directory = "/proc"};
    assert_int_equal(end_of(sil_process_start(&options, check_directory, "/proc", 6)), 0);
    assert_int_equal(shell(&options, "test \"$(pwd -P)\" = /proc"), 0);
    static const struct {
        const char *directory;
        int code;
    } bad[] = {{"/nowhere/at/all", ENOENT}, {"/proc/self/status", ENOTDIR}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        options.directory = bad[i].directory;
        assert_null(sil_process_start(&options, check_directory, "", 1));
        assert_code(sil_error_code(sil_last_error()), bad[i].code);
        assert_contains(sil_error_message(sil_last_error()), "directory");
        assert_null(sil_process_run(&options, (const char *const[]){"true", NULL}));
        assert_code(sil_error_code(sil_last_error()), bad[i].code);
        assert_contains(sil_error_message(sil_last_error()), "directory");
    }
}

/* --- environment --------------------------------------------------------------------------- */

static int check_environment(void *arg, void *result)
{
    (void)arg;
    (void)result;
    const char *kept = getenv("SILLON_KEPT");
    const char *changed = getenv("SILLON_CHANGED");
    const char *added = getenv("SILLON_ADDED");
    CHECK(kept != NULL && strcmp(kept, "1") == 0);
    CHECK(changed != NULL && strcmp(changed, "after") == 0);
    CHECK(added != NULL && strcmp(added, "a=b") == 0);
    CHECK(getenv("SILLON_REMOVED") == NULL);
    return 0;
}

static void test_environment(void **state)
{
    (void)state;
    (void)setenv("SILLON_KEPT", "1", 1);
    (void)setenv("SILLON_CHANGED", "before", 1);
    (void)setenv("SILLON_REMOVED", "1", 1);
    const sil_process_options options = {
        .environment = (const char *const[]){"SILLON_CHANGED=after", "SILLON_REMOVED",
                                             "SILLON_ADDED=a=b", NULL}};
    assert_int_equal(end_of(sil_process_start(&options, check_environment, NULL, 0)), 0);
    assert_int_equal(shell(&options, "test $SILLON_KEPT = 1 && test $SILLON_CHANGED = after && "
                                     "test $SILLON_ADDED = a=b && test -z \"$SILLON_REMOVED\""),
                     0);
    (void)unsetenv("SILLON_KEPT");
    (void)unsetenv("SILLON_CHANGED");
    (void)unsetenv("SILLON_REMOVED");
}

/* --- what is refused ----------------------------------------------------------------------- */

static void test_bad_options(void **state)
{
    (void)state;
    const int not_open = 999;
    const int negative = -1;
    const sil_process_options bad[] = {
        {.reserved = {0, 0, 0, 1}},
        {.descriptor_count = 1},
        {.descriptors = &not_open, .descriptor_count = 1},
        {.descriptors = &negative, .descriptor_count = 1},
        {.standard_input = 999},
        {.standard_output = -1},
        {.standard_error = 999},
        {.environment = (const char *const[]){"=1", NULL}},
        {.environment = (const char *const[]){"", NULL}},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(sil_process_start(&bad[i], count_fds, NULL, 0));
        assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
        assert_null(sil_process_run(&bad[i], (const char *const[]){"true", NULL}));
        assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_descriptors_are_kept),
        TEST(test_other_descriptors_are_closed),
        TEST(test_standard_descriptors),
        TEST(test_standard_descriptors_can_be_swapped),
        TEST(test_directory),
        TEST(test_environment),
        TEST(test_bad_options),
    };
    return test_run("process options", tests);
}
