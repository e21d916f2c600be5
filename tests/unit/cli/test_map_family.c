/* SPDX-License-Identifier: MIT */
/*
 * A run's processes: who is found, who is ended when the run is killed, who is left alone.
 *
 * Each process of a test's has the writing end of a pipe as its descriptor 9: what it writes there says
 * how far it is, and the end of the pipe that all of them have ended.
 */
#include "map/family.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

enum { LIFELINE = 9, SLOTS = 4 };

/* --- processes of a run -------------------------------------------------------------------- */

/* In a group of its own, with the run's environment. */
static pid_t start(struct family *family, uint64_t seq, const char *script)
{
    const char *const *environment = family_environment(family, seq, 1, 1, NULL);
    const char *const words[] = {"sh", "-c", script, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)execve("/bin/sh", (char *const *)words, (char *const *)environment);
        _exit(127);
    }
    return pid;
}

struct lifeline {
    int ends[2];
};

static void lifeline_open(struct lifeline *line)
{
    assert_int_equal(pipe2(line->ends, O_CLOEXEC), 0);
    assert_int_equal(dup2(line->ends[1], LIFELINE), LIFELINE);
    (void)close(line->ends[1]);
}

/* Our own writing end is closed: only theirs are left. */
static void lifeline_release(void)
{
    (void)close(LIFELINE);
}

static char lifeline_read(const struct lifeline *line)
{
    struct pollfd ready = {.fd = line->ends[0], .events = POLLIN};
    char byte = '\0';
    if (poll(&ready, 1, TEST_PATIENCE * 1000) != 1)
        test_hung("nothing came from a process", __FILE__, __LINE__);
    return read(line->ends[0], &byte, 1) == 1 ? byte : '\0';
}

static void lifeline_expect(const struct lifeline *line, const char *letters)
{
    for (; *letters != '\0'; letters++)
        assert_int_equal(lifeline_read(line), *letters);
}

/* All have ended. */
static void lifeline_expect_end(const struct lifeline *line)
{
    assert_int_equal(lifeline_read(line), '\0');
    (void)close(line->ends[0]);
}

/* --- the run is killed --------------------------------------------------------------------- */

/* A run: its job is in the table, or it has no time to be. */
_Noreturn static void be_run(const char *script, bool is_in_table)
{
    struct family *family = family_create(SLOTS);
    pid_t leader = family ? start(family, 7, script) : -1;
    if (leader < 0)
        _exit(1);
    if (is_in_table)
        family_set(family, 1, leader);
    for (;;)
        (void)pause();
}

static void expect_all_end(const char *script, const char *ready, bool is_in_table)
{
    struct lifeline line;
    lifeline_open(&line);
    pid_t run = fork();
    if (run == 0)
        be_run(script, is_in_table);
    lifeline_release();
    lifeline_expect(&line, ready);
    assert_int_equal(kill(run, SIGKILL), 0);
    assert_int_equal(waitpid(run, NULL, 0), run);
    lifeline_expect_end(&line);
}

static void test_guardian_ends_a_group_when_the_run_is_killed(void **state)
{
    (void)state;
    expect_all_end("sleep 1000 & printf a >&9; sleep 1000", "a", true);
}

static void test_guardian_ends_what_is_not_in_the_table_yet(void **state)
{
    (void)state;
    expect_all_end("sleep 1000 & printf a >&9; sleep 1000", "a", false);
}

static void test_guardian_kills_what_ignores_the_request(void **state)
{
    (void)state;
    expect_all_end("trap '' TERM; printf a >&9; sleep 1000", "a", true);
}

static void test_guardian_ends_who_left_the_group(void **state)
{
    (void)state;
    expect_all_end("setsid sh -c 'trap \"\" TERM; printf a >&9; sleep 1000' & sleep 1000", "a",
                   true);
}

static void test_guardian_ends_orphans_of_jobs_that_have_ended(void **state)
{
    (void)state;
    expect_all_end("setsid sh -c 'printf a >&9; sleep 1000' & exit 0", "a", false);
}

static void test_guardian_ends_who_is_stopped(void **state)
{
    (void)state;
    expect_all_end("printf a >&9; kill -STOP $$; sleep 1000", "a", true);
}

static void test_guardian_ends_a_group_that_hides_its_environment(void **state)
{
    (void)state;
    expect_all_end("exec env -i PATH=\"$PATH\" sh -c 'printf a >&9; sleep 1000'", "a", true);
}

/* A run whose job is a run: the inner one's guardian must live until it has done its part. */
static void test_guardian_of_a_run_inside_a_run_does_its_part(void **state)
{
    (void)state;
    char self[256];
    char script[512];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    (void)snprintf(script, sizeof script,
                   "exec '%s' run \"setsid sh -c 'trap \\\"\\\" TERM; printf a >&9; sleep 1000' & "
                   "sleep 1000\"",
                   self);
    expect_all_end(script, "a", true);
}

/* Before it has started anything; while it starts one after the other. */
static void test_guardian_ends_all_whenever_the_run_is_killed(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(20); i++) {
        struct lifeline line;
        lifeline_open(&line);
        pid_t run = fork();
        if (run == 0) {
            struct family *family = family_create(SLOTS);
            if (!family)
                _exit(1);
            (void)!write(LIFELINE, "r", 1);
            for (unsigned slot = 1; slot <= SLOTS; slot++)
                family_set(family, slot, start(family, slot, "sleep 1000"));
            for (;;)
                (void)pause();
        }
        lifeline_release();
        lifeline_expect(&line, "r");
        for (int turn = 0; turn < i; turn++)
            test_yield();
        assert_int_equal(kill(run, SIGKILL), 0);
        assert_int_equal(waitpid(run, NULL, 0), run);
        lifeline_expect_end(&line);
    }
}

/* --- the run ends by itself ---------------------------------------------------------------- */

static void test_who_was_left_behind_lives_on_when_the_run_ends(void **state)
{
    (void)state;
    struct lifeline line;
    lifeline_open(&line);
    struct family *family = family_create(SLOTS);
    assert_non_null(family);
    pid_t leader = start(family, 1, "sh -c 'printf a >&9; read x </dev/zero; sleep 1000' & exit 0");
    family_set(family, 1, leader);
    assert_int_equal(waitpid(leader, NULL, 0), leader);
    family_set(family, 1, 0);
    lifeline_release();
    lifeline_expect(&line, "a");
    family_destroy(family);
    struct pollfd over = {.fd = line.ends[0], .events = POLLIN};
    assert_int_equal(poll(&over, 1, 0), 0);
    assert_int_equal(kill(-leader, SIGKILL), 0);
    lifeline_expect_end(&line);
    eventually(waitpid(-1, NULL, WNOHANG) == -1); /* it had become our child */
}

/* --- being found --------------------------------------------------------------------------- */

static void test_signal_all_finds_the_jobs_own_alone(void **state)
{
    (void)state;
    static const char script[] = "setsid sh -c 'printf a >&9; sleep 1000' & exit 0";
    struct lifeline lines[2];
    struct family *family = family_create(SLOTS);
    assert_non_null(family);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        lifeline_open(&lines[seq - 1]);
        pid_t leader = start(family, seq, script);
        lifeline_release();
        lifeline_expect(&lines[seq - 1], "a");
        assert_int_equal(waitpid(leader, NULL, 0), leader);
    }
    assert_true(family_signal_all(family, 1, 1, 0) >= 1);
    assert_int_equal(family_signal_all(family, 1, 3, 0), 0);
    (void)family_signal_all(family, 1, 1, SIGTERM);
    lifeline_expect_end(&lines[0]);
    struct pollfd over = {.fd = lines[1].ends[0], .events = POLLIN};
    assert_int_equal(poll(&over, 1, 0), 0);
    assert_true(family_signal_all(family, 0, 0, SIGKILL) >= 1);
    lifeline_expect_end(&lines[1]);
    eventually(family_signal_all(family, 0, 0, 0) == 0);
    family_reap(family);
    family_destroy(family);
    eventually(waitpid(-1, NULL, WNOHANG) == -1);
}

static void test_signal_reaches_all_groups(void **state)
{
    (void)state;
    struct family *family = family_create(SLOTS);
    assert_non_null(family);
    assert_int_equal(family_signal(family, 0), 0);
    pid_t leaders[2];
    for (unsigned i = 0; i < 2; i++) {
        leaders[i] = start(family, i + 1, "exec sleep 1000");
        (void)setpgid(leaders[i], leaders[i]);
        family_set(family, i + 1, leaders[i]);
    }
    assert_int_equal(family_signal(family, 0), 2);
    assert_int_equal(family_signal(family, SIGTERM), 2);
    for (unsigned i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(leaders[i], &status, 0), leaders[i]);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        family_set(family, i + 1, 0);
    }
    family_set(family, SLOTS + 1, 1); /* beyond the table: no matter */
    assert_int_equal(family_signal(family, 0), 0);
    family_destroy(family);
    family_destroy(NULL);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static void test_reap_takes_orphans_and_no_leaders(void **state)
{
    (void)state;
    struct family *family = family_create(SLOTS);
    assert_non_null(family);
    pid_t orphan = start(family, 1, "exit 0");
    eventually(has_ended(orphan));
    family_reap(family);
    assert_true(is_gone(orphan));
    pid_t leader = start(family, 2, "exit 3");
    family_set(family, 1, leader);
    eventually(has_ended(leader));
    family_reap(family);
    int status;
    assert_int_equal(waitpid(leader, &status, 0), leader);
    assert_int_equal(WEXITSTATUS(status), 3);
    family_set(family, 1, 0);
    family_destroy(family);
}

/* --- the environment ----------------------------------------------------------------------- */

static unsigned count(const char *const *environment, const char *entry)
{
    unsigned found = 0;
    for (; *environment != NULL; environment++)
        found += strncmp(*environment, entry, strlen(entry)) == 0;
    return found;
}

static void test_environment_is_ours_with_the_jobs_own(void **state)
{
    (void)state;
    (void)setenv("SILLON_SEQ", "99", 1);
    (void)setenv("SILLON_RUN", "outer", 1);
    (void)setenv("SILLON_SEQUEL", "kept", 1);
    (void)setenv("MAKEFLAGS", "old", 1);
    struct family *family = family_create(SLOTS);
    assert_non_null(family);
    const char *const more[] = {"MAKEFLAGS=new", "EXTRA=", NULL};
    const char *const *environment = family_environment(family, 12, 3, 2, more);
    assert_non_null(environment);
    assert_int_equal(count(environment, "SILLON_SEQ="), 1);
    assert_int_equal(count(environment, "SILLON_SEQ=12"), 1);
    assert_int_equal(count(environment, "SILLON_SLOT=3"), 1);
    assert_int_equal(count(environment, "SILLON_TRY=2"), 1);
    assert_int_equal(count(environment, "SILLON_RUN="), 1);
    assert_int_equal(count(environment, family_word(family)), 1);
    assert_int_equal(count(environment, "SILLON_SEQUEL=kept"), 1);
    assert_int_equal(count(environment, "MAKEFLAGS="), 1);
    assert_int_equal(count(environment, "MAKEFLAGS=new"), 1);
    assert_int_equal(count(environment, "EXTRA="), 1);
    assert_int_equal(count(environment, "PATH="), 1);
    environment = family_environment(family, 13, 3, 1, NULL);
    assert_int_equal(count(environment, "MAKEFLAGS=old"), 1);
    family_destroy(family);
    (void)unsetenv("SILLON_SEQ");
    (void)unsetenv("SILLON_RUN");
    (void)unsetenv("SILLON_SEQUEL");
    (void)unsetenv("MAKEFLAGS");
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_guardian_ends_a_group_when_the_run_is_killed),
        TEST(test_guardian_ends_what_is_not_in_the_table_yet),
        TEST(test_guardian_kills_what_ignores_the_request),
        TEST(test_guardian_ends_who_left_the_group),
        TEST(test_guardian_ends_orphans_of_jobs_that_have_ended),
        TEST(test_guardian_ends_who_is_stopped),
        TEST(test_guardian_ends_a_group_that_hides_its_environment),
        TEST(test_guardian_of_a_run_inside_a_run_does_its_part),
        TEST(test_guardian_ends_all_whenever_the_run_is_killed),
        TEST(test_who_was_left_behind_lives_on_when_the_run_ends),
        TEST(test_signal_all_finds_the_jobs_own_alone),
        TEST(test_signal_reaches_all_groups),
        TEST(test_reap_takes_orphans_and_no_leaders),
        TEST(test_environment_is_ours_with_the_jobs_own),
    };
    if (argc == 3 && strcmp(argv[1], "run") == 0)
        be_run(argv[2], true);
    return test_run("families of processes", tests);
}
