/* SPDX-License-Identifier: MIT */
/*
 * This program executed anew: what the new process has of us, and who is not taken over.
 *
 * A process for a function waits at its socket for what to do; meanwhile /proc tells about it. When
 * the socket is closed it ends.
 */
#include "process/takeover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/error.h>

#include "base/fault.h"
#include "support/child.h"
#include "support/test.h"

#define MAIN_RAN 42 /* our exit code when we are executed and not taken over */
#define NAME "unit-takeover"

struct child {
    pid_t pid;
    int socket; /* ours */
};

/* --- what /proc says ----------------------------------------------------------------------- */

static char *file_of(pid_t pid, const char *name, size_t *out_size)
{
    static char text[65536];
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[size] = 0;
    if (out_size)
        *out_size = size;
    return text;
}

static const char *link_of(pid_t pid, const char *name, char out[PATH_MAX])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    ssize_t length = readlink(path, out, PATH_MAX - 1);
    out[length > 0 ? length : 0] = 0;
    return out;
}

static const char *descriptor_of(pid_t pid, int number, char out[PATH_MAX])
{
    char name[32];
    (void)snprintf(name, sizeof name, "fd/%d", number);
    return link_of(pid, name, out);
}

static void assert_same_descriptor(struct child child, int theirs, int ours)
{
    char there[PATH_MAX];
    char here[PATH_MAX];
    assert_string_equal(descriptor_of(child.pid, theirs, there),
                        descriptor_of(getpid(), ours, here));
}

static unsigned descriptors_of(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    unsigned count = 0;
    while (readdir(directory))
        count++;
    (void)closedir(directory);
    return count - 2;
}

/* A line of /proc/PID/status has none of the signals that programs know: 32 and 33 are glibc's own,
 * and it leaves them ignored. */
static bool has_no_signals(pid_t pid, const char *name)
{
    const char *line = strstr(file_of(pid, "status", NULL), name);
    assert_non_null(line);
    return (strtoull(line + strlen(name), NULL, 16) & INT32_MAX) == 0;
}

static bool has_variable(pid_t pid, const char *variable)
{
    size_t size;
    const char *text = file_of(pid, "environ", &size);
    for (const char *next = text; next < text + size; next += strlen(next) + 1)
        if (strcmp(next, variable) == 0)
            return true;
    return false;
}

/* --- children ------------------------------------------------------------------------------ */

/* Ours ends in no child of ours unasked. */
static void socket_pair(int type, int out_pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, out_pair), 0);
}

static struct sil__spawn spawn_of(enum sil__child child)
{
    return (struct sil__spawn){.child = child, .name = NAME, .standard = {-1, -1, -1}};
}

static struct child start(struct sil__spawn spawn)
{
    int pair[2];
    socket_pair(SOCK_SEQPACKET, pair);
    spawn.socket = pair[1];
    struct child child = {.socket = pair[0]};
    assert_code(sil__spawn_self(&spawn, &child.pid), 0);
    (void)close(pair[1]);
    eventually(strcmp(file_of(child.pid, "comm", NULL), NAME "\n") == 0);
    return child;
}

static int end(struct child child)
{
    (void)close(child.socket);
    int status = 0;
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int refused(struct sil__spawn spawn)
{
    int pair[2];
    socket_pair(SOCK_SEQPACKET, pair);
    spawn.socket = pair[1];
    pid_t pid = 0;
    int code = sil__spawn_self(&spawn, &pid);
    assert_int_equal(pid, 0);
    assert_code(sil_error_code(sil_last_error()), code);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return code;
}

static const char *last_message(void)
{
    return sil_error_message(sil_last_error());
}

/* --- the new process ----------------------------------------------------------------------- */

static void test_a_helper_runs_in_place_of_main_until_its_socket_is_closed(void **state)
{
    (void)state;
    struct child child = start(spawn_of(SIL__CHILD_HELPER));
    assert_string_equal(file_of(child.pid, "cmdline", NULL), NAME);
    char here[PATH_MAX];
    char there[PATH_MAX];
    assert_string_equal(link_of(child.pid, "exe", there), link_of(getpid(), "exe", here));
    assert_int_equal(end(child), 0);
}

static void test_only_the_standard_descriptors_and_the_socket_are_there(void **state)
{
    (void)state;
    int low = fcntl(0, F_DUPFD, 3);
    int high = fcntl(0, F_DUPFD, 200);
    struct child child = start(spawn_of(SIL__CHILD_FUNCTION));
    assert_int_equal(descriptors_of(child.pid), 4);
    for (int i = 0; i < 3; i++)
        assert_same_descriptor(child, i, i);
    char socket[PATH_MAX];
    assert_contains(descriptor_of(child.pid, 3, socket), "socket:");
    (void)end(child);
    (void)close(low);
    (void)close(high);
}

static void test_kept_descriptors_have_their_numbers(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    int list[COUNT + 2];
    for (int i = 0; i < COUNT; i++) { /* 3 as a rule, and on; descending, and then scattered */
        int pipe_ends[2];
        assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
        list[i] = fcntl(pipe_ends[0], i % 2 ? F_DUPFD : F_DUPFD_CLOEXEC, i < 6 ? 3 : 90 - 7 * i);
        (void)close(pipe_ends[0]);
        (void)close(pipe_ends[1]);
    }
    list[COUNT] = list[4];
    list[COUNT + 1] = 1;
    struct sil__spawn spawn = spawn_of(SIL__CHILD_FUNCTION);
    spawn.descriptors = list;
    spawn.descriptor_count = COUNT + 2;
    struct child child = start(spawn);
    for (int i = 0; i < COUNT; i++)
        assert_same_descriptor(child, list[i], list[i]);
    assert_int_equal(descriptors_of(child.pid), COUNT + 4);
    (void)end(child);
    for (int i = 0; i < COUNT; i++)
        (void)close(list[i]);
}

static void test_standard_descriptors_may_change_places(void **state)
{
    (void)state;
    int pipe_ends[2];
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    struct sil__spawn spawn = spawn_of(SIL__CHILD_FUNCTION);
    spawn.standard[0] = pipe_ends[0];
    spawn.standard[1] = 2;
    spawn.standard[2] = 1;
    struct child child = start(spawn);
    assert_same_descriptor(child, 0, pipe_ends[0]);
    assert_same_descriptor(child, 1, 2);
    assert_same_descriptor(child, 2, 1);
    assert_int_equal(descriptors_of(child.pid), 4);
    (void)end(child);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
}

static void test_no_input_is_dev_null(void **state)
{
    (void)state;
    struct sil__spawn spawn = spawn_of(SIL__CHILD_FUNCTION);
    spawn.no_input = true;
    struct child child = start(spawn);
    char input[PATH_MAX];
    assert_string_equal(descriptor_of(child.pid, 0, input), "/dev/null");
    (void)end(child);
}

static void test_directory_and_environment_are_those_given(void **state)
{
    (void)state;
    const char *const changes[] = {"SIL_TEST=there", "SIL_TEST_HERE", NULL};
    (void)setenv("SIL_TEST_HERE", "1", 1);
    struct sil__spawn spawn = spawn_of(SIL__CHILD_FUNCTION);
    spawn.environment = changes;
    spawn.directory = "/proc";
    struct child child = start(spawn);
    char directory[PATH_MAX];
    assert_string_equal(link_of(child.pid, "cwd", directory), "/proc");
    assert_true(has_variable(child.pid, "SIL_TEST=there"));
    assert_false(has_variable(child.pid, "SIL_TEST_HERE=1"));
    (void)end(child);
    (void)unsetenv("SIL_TEST_HERE");
}

static void test_signals_are_as_a_program_expects_them(void **state)
{
    (void)state;
    sigset_t blocked;
    sigset_t former;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &former), 0);
    (void)signal(SIGUSR2, SIG_IGN);
    struct child child = start(spawn_of(SIL__CHILD_FUNCTION));
    (void)signal(SIGUSR2, SIG_DFL);
    assert_int_equal(sigprocmask(SIG_SETMASK, &former, NULL), 0);
    assert_true(has_no_signals(child.pid, "SigBlk:"));
    assert_true(has_no_signals(child.pid, "SigIgn:"));
    (void)end(child);
}

/* --- refusals ------------------------------------------------------------------------------ */

static void test_a_directory_that_cannot_be_entered_is_named(void **state)
{
    (void)state;
    struct sil__spawn spawn = spawn_of(SIL__CHILD_HELPER);
    spawn.directory = "/nowhere/at/all";
    assert_code(refused(spawn), ENOENT);
    assert_contains(last_message(), "\"/nowhere/at/all\"");
    spawn.directory = "/dev/null";
    assert_code(refused(spawn), ENOTDIR);
}

static void test_a_descriptor_that_is_not_open_is_named(void **state)
{
    (void)state;
    const int closed[] = {0, 700};
    struct sil__spawn spawn = spawn_of(SIL__CHILD_HELPER);
    spawn.descriptors = closed;
    spawn.descriptor_count = 2;
    assert_code(refused(spawn), SIL_EINVAL);
    assert_contains(last_message(), "700");
    spawn.descriptor_count = 0;
    spawn.standard[1] = 701;
    assert_code(refused(spawn), SIL_EINVAL);
    assert_contains(last_message(), "701");
}

#ifdef SIL_FAULTS
static void test_want_of_processes_and_memory_is_reported(void **state)
{
    (void)state;
    sil__fault_arm(SIL__FAULT_PROCESS, 1, false);
    assert_code(refused(spawn_of(SIL__CHILD_HELPER)), SIL_EAGAIN);
    sil__fault_reset();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        sil__fault_arm(SIL__FAULT_ALLOC, nth, false);
        assert_code(refused(spawn_of(SIL__CHILD_HELPER)), SIL_ENOMEM);
        sil__fault_reset();
    }
}
#endif

/* --- who is taken over --------------------------------------------------------------------- */

/* Execute a program with this argument and this descriptor 3; its exit code. */
static int execute(const char *program, const char *argument, int descriptor, char **environment)
{
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    if (descriptor >= 0)
        (void)posix_spawn_file_actions_adddup2(&actions, descriptor, 3);
    char *arguments[] = {(char[]){NAME}, (char *)argument, NULL};
    pid_t pid = 0;
    int error = posix_spawn(&pid, program, &actions, NULL, arguments, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (error || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static int execute_self(const char *argument, int descriptor)
{
    return execute("/proc/self/exe", argument, descriptor, environ);
}

static void test_our_argument_alone_takes_nothing_over(void **state)
{
    (void)state;
    assert_int_equal(execute_self("--sillon-child=helper:3", -1), MAIN_RAN);
    assert_int_equal(execute_self("--sillon-child=helper:3", 0), MAIN_RAN);
    int pair[2];
    socket_pair(SOCK_STREAM, pair);
    assert_int_equal(execute_self("--sillon-child=helper:3", pair[1]), MAIN_RAN);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void test_another_argument_takes_nothing_over(void **state)
{
    (void)state;
    static const char *const others[] = {
        "--sillon-child",          "--sillon-child=",        "--sillon-child=helper",
        "--sillon-child=helper:",  "--sillon-child=other:3", "--sillon-child=helper:3x",
        "--sillon-child=helper:0", "sillon-child=helper:3",  "--sillon-child=helper:-3",
    };
    int pair[2];
    socket_pair(SOCK_SEQPACKET, pair);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(execute_self(others[i], pair[1]), MAIN_RAN);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static int execute_in_child(void *descriptor)
{
    return execute_self("--sillon-child=helper:3", *(int *)descriptor);
}

/* The socket is our own: it is not from the parent of our child's child. */
static void test_a_socket_of_another_than_the_parent_takes_over_only_when_hung_up(void **state)
{
    (void)state;
    int pair[2];
    socket_pair(SOCK_SEQPACKET, pair);
    assert_int_equal(child_run(execute_in_child, &pair[1]), MAIN_RAN);
    (void)close(pair[0]);
    assert_int_equal(child_run(execute_in_child, &pair[1]), 0);
    (void)close(pair[1]);
}

#ifdef SHARED_LIBRARY
static void test_the_preloaded_library_takes_over_any_program(void **state)
{
    (void)state;
    int pair[2];
    socket_pair(SOCK_SEQPACKET, pair);
    (void)close(pair[0]);
    char *environment[] = {(char[]){"LD_PRELOAD=" SHARED_LIBRARY}, NULL};
    assert_int_equal(execute("/bin/false", "--no-child", pair[1], environment), 1);
    assert_int_equal(
        execute("/bin/false", "--sillon-child=helper:3:preloaded", pair[1], environment), 0);
    (void)close(pair[1]);
}
#endif

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return MAIN_RAN;
    const struct CMUnitTest tests[] = {
        TEST(test_a_helper_runs_in_place_of_main_until_its_socket_is_closed),
        TEST(test_only_the_standard_descriptors_and_the_socket_are_there),
        TEST(test_kept_descriptors_have_their_numbers),
        TEST(test_standard_descriptors_may_change_places),
        TEST(test_no_input_is_dev_null),
        TEST(test_directory_and_environment_are_those_given),
        TEST(test_signals_are_as_a_program_expects_them),
        TEST(test_a_directory_that_cannot_be_entered_is_named),
        TEST(test_a_descriptor_that_is_not_open_is_named),
#ifdef SIL_FAULTS
        TEST(test_want_of_processes_and_memory_is_reported),
#endif
        TEST(test_our_argument_alone_takes_nothing_over),
        TEST(test_another_argument_takes_nothing_over),
        TEST(test_a_socket_of_another_than_the_parent_takes_over_only_when_hung_up),
#ifdef SHARED_LIBRARY
        TEST(test_the_preloaded_library_takes_over_any_program),
#endif
    };
    return test_run("takeover", tests);
}
