/* SPDX-License-Identifier: MIT */
/*
 * Running programs: how they are found, what cannot be executed, how they end.
 */
#include <sillon/sillon.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

static int end_of(sil_process *process)
{
    assert_non_null(process);
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    int code = sil_process_exit_code(process);
    sil_process_destroy(process);
    return code;
}

static sil_process *run(const char *program)
{
    return sil_process_run(NULL, (const char *const[]){program, NULL});
}

static sil_process *run_script(const char *script)
{
    return sil_process_run(NULL, (const char *const[]){"/bin/sh", "-c", script, NULL});
}

static void test_programs_end(void **state)
{
    (void)state;
    assert_int_equal(end_of(run("/bin/true")), 0);
    assert_int_equal(end_of(run("/bin/false")), 1);
    assert_int_equal(end_of(run_script("exit 3")), 3);
    assert_int_equal(end_of(run_script("kill -9 $$")), -SIGKILL);
}

static void test_signals_are_as_ever(void **state)
{
    (void)state;
    sigset_t set;
    sigset_t former;
    sigfillset(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, &former);
    (void)signal(SIGUSR2, SIG_IGN);
    assert_int_equal(end_of(run_script("kill -USR1 $$; exit 1")), -SIGUSR1);
    assert_int_equal(end_of(run_script("kill -USR2 $$; exit 1")), -SIGUSR2);
    (void)signal(SIGUSR2, SIG_DFL);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
}

/* --- what cannot be executed --------------------------------------------------------------- */

/* A folder for one test, with files "plain" (not executable), "text" (executable, but no program),
 * and "here" (a script). */
static char folder[] = "/tmp/sillon-run-XXXXXX";

static const char *file_in(const char *name)
{
    static char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *content, mode_t mode)
{
    int file = open(file_in(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(fchmod(file, mode), 0);
    (void)close(file);
}

static void make_files(void)
{
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    write_file("plain", "#!/bin/sh\nexit 4\n", 0600);
    write_file("text", "exit 5\n", 0700);
    write_file("here", "#!/bin/sh\nexit 6\n", 0700);
}

static void remove_files(void)
{
    (void)unlink(file_in("plain"));
    (void)unlink(file_in("text"));
    (void)unlink(file_in("here"));
    assert_int_equal(rmdir(folder), 0);
}

static void assert_refused(const char *program, int code)
{
    assert_null(run(program));
    assert_code(sil_error_code(sil_last_error()), code);
    assert_contains(sil_error_message(sil_last_error()), program);
}

static void test_what_cannot_be_executed(void **state)
{
    (void)state;
    make_files();
    assert_refused("/nowhere/at/all", ENOENT);
    assert_refused("no-such-program-anywhere", ENOENT);
    assert_refused("", ENOENT);
    assert_refused("/", EACCES);
    assert_refused(file_in("plain"), EACCES);
    assert_refused(file_in("text"), ENOEXEC);
    assert_refused(file_in("here/more"), ENOTDIR);
    assert_null(sil_process_run(NULL, NULL));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(run(NULL));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    remove_files();
}

/* --- PATH ---------------------------------------------------------------------------------- */

static void test_programs_are_looked_up(void **state)
{
    (void)state;
    make_files();
    char *former = strdup(getenv("PATH") ? getenv("PATH") : "/bin:/usr/bin");
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "/nowhere:%s/plain:%s", folder, folder);
    (void)setenv("PATH", path, 1);
    assert_int_equal(end_of(run("here")), 6);
    assert_refused("plain", EACCES); /* found, but */
    assert_refused("text", ENOEXEC);
    assert_refused("sh", ENOENT);

    /* An empty part is the directory it starts in. */
    (void)setenv("PATH", "/nowhere:", 1);
    const sil_process_options options = {.directory = folder};
    assert_int_equal(end_of(sil_process_run(&options, (const char *const[]){"here", NULL})), 6);
    assert_int_equal(end_of(sil_process_run(&options, (const char *const[]){"./here", NULL})), 6);

    (void)unsetenv("PATH");
    assert_int_equal(end_of(run("true")), 0);
    (void)setenv("PATH", former, 1);
    free(former);
    remove_files();
}

/* --- many ---------------------------------------------------------------------------------- */

static void test_many_at_once(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    sil_process *processes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char script[32];
        (void)snprintf(script, sizeof script, "exit %d", i);
        processes[i] = run_script(script);
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(end_of(processes[i]), i);
}

static void test_large_arguments(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    char *large = malloc(SIZE);
    assert_non_null(large);
    memset(large, 'x', SIZE);
    large[SIZE - 1] = '\0';
    assert_int_equal(
        end_of(sil_process_run(
            NULL, (const char *const[]){"sh", "-c", "test ${#1} = 99999", "sh", large, NULL})),
        0);
    free(large);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_programs_end),
        TEST(test_signals_are_as_ever),
        TEST(test_what_cannot_be_executed),
        TEST(test_programs_are_looked_up),
        TEST(test_many_at_once),
        TEST(test_large_arguments),
    };
    return test_run("process run", tests);
}
