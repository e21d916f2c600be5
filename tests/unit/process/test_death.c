/* SPDX-License-Identifier: MIT */
/*
 * How a process ended, in words; and the kernel's count of those it killed, read from folders that
 * look like those of real machines.
 */
#include "process/death.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support/child.h"
#include "support/test.h"

/* Wait statuses, as the kernel makes them. */
#define EXITED(code) ((code) << 8)
#define KILLED(number) (number)
#define DUMPED 0x80

static char root[64];

static void write_file(const char *path, const char *text)
{
    char whole[512];
    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/sillon-test-death-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command); // NOLINT(cert-env33-c): a test's own folder
}

static void assert_describes(int status, int oom, const char *expected)
{
    char text[128];
    sil__death_describe(status, oom, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_describe_exit(void **state)
{
    (void)state;
    assert_describes(EXITED(0), 0, "exited with status 0");
    assert_describes(EXITED(3), 0, "exited with status 3");
    assert_describes(EXITED(255), 1, "exited with status 255");
}

static void test_describe_signals(void **state)
{
    (void)state;
    assert_describes(KILLED(SIGTERM), 0, "was killed by SIGTERM");
    assert_describes(KILLED(SIGSEGV) | DUMPED, 0, "was killed by SIGSEGV (core dumped)");
    assert_describes(KILLED(SIGXCPU), 0, "was killed by SIGXCPU, its processor time was used up");
    assert_describes(KILLED(SIGXCPU) | DUMPED, 0,
                     "was killed by SIGXCPU, its processor time was used up (core dumped)");
    assert_describes(KILLED(34), 0, "was killed by signal 34");
}

static void test_describe_says_out_of_memory_of_sigkill_only(void **state)
{
    (void)state;
    assert_describes(KILLED(SIGKILL), 0, "was killed by SIGKILL");
    assert_describes(KILLED(SIGKILL), 1, "was killed by SIGKILL, out of memory");
    assert_describes(KILLED(SIGSEGV), 1, "was killed by SIGSEGV");
}

static void test_describe_a_process_that_has_not_ended(void **state)
{
    (void)state;
    assert_describes(0x137f, 0, "ended with wait status 0x137f");
}

static void test_describe_ends_with_0_when_cut(void **state)
{
    (void)state;
    char text[8] = "#######";
    sil__death_describe(KILLED(SIGKILL), 1, text, sizeof text);
    assert_string_equal(text, "was kil");
    sil__death_describe(EXITED(3), 0, text, 1);
    assert_string_equal(text, "");
}

static int do_raise(void *arg)
{
    (void)raise(*(int *)arg);
    return 0;
}

static void test_describe_agrees_with_the_kernel(void **state)
{
    (void)state;
    int number = SIGUSR2;
    assert_int_equal(child_run(do_raise, &number), -SIGUSR2);
    assert_describes(KILLED(SIGUSR2), 0, "was killed by SIGUSR2");
}

static void test_signal_names(void **state)
{
    (void)state;
    char buffer[32];
    assert_string_equal(sil__death_signal_name(SIGHUP, buffer, sizeof buffer), "SIGHUP");
    assert_string_equal(sil__death_signal_name(SIGSYS, buffer, sizeof buffer), "SIGSYS");
    for (int i = 1; i <= SIGSYS; i++)
        assert_memory_equal(sil__death_signal_name(i, buffer, sizeof buffer), "SIG", 3);
    static const int unnamed[] = {-1, 0, SIGSYS + 1, 64, 1000};
    for (size_t i = 0; i < COUNT_OF(unnamed); i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "signal %d", unnamed[i]);
        assert_string_equal(sil__death_signal_name(unnamed[i], buffer, sizeof buffer), expected);
    }
}

static void test_nothing_to_read_is_none_killed(void **state)
{
    (void)state;
    assert_int_equal(sil__death_oom_kills(root), 0);
    write_file("/proc/self/cgroup", "garbage\n\n1:\n");
    assert_int_equal(sil__death_oom_kills(root), 0);
    write_file("/proc/self/cgroup", "0::/job\n");
    assert_int_equal(sil__death_oom_kills(root), 0);
    write_file("/sys/fs/cgroup/job/memory.events", "low 0\nhigh 1\nmax 2\noom 3\n");
    assert_int_equal(sil__death_oom_kills(root), 0);
}

static void test_v2_kills_of_the_own_cgroup(void **state)
{
    (void)state;
    write_file("/proc/self/cgroup", "0::/app.slice/job\n");
    write_file("/sys/fs/cgroup/memory.events", "oom_kill 99\n");
    write_file("/sys/fs/cgroup/app.slice/job/memory.events",
               "low 0\nhigh 0\nmax 7\noom 5\noom_kill 3\noom_group_kill 8\n");
    assert_int_equal(sil__death_oom_kills(root), 3);
}

static void test_v2_in_a_container_that_sees_only_its_part(void **state)
{
    (void)state;
    write_file("/sys/fs/cgroup/memory.events", "oom 5\noom_kill 4\n");
    static const char *const paths[] = {"0::/\n", "0::/docker/123\n", "0::/../elsewhere\n"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        write_file("/proc/self/cgroup", paths[i]);
        assert_int_equal(sil__death_oom_kills(root), 4);
    }
}

static void test_v1_kills_of_the_memory_controller(void **state)
{
    (void)state;
    write_file("/proc/self/cgroup", "5:cpuset:/x\n4:memory:/job\n0::/\n");
    write_file("/sys/fs/cgroup/memory/job/memory.oom_control",
               "oom_kill_disable 0\nunder_oom 0\noom_kill 12\n");
    assert_int_equal(sil__death_oom_kills(root), 12);
}

int main(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(test_describe_exit),
        TEST(test_describe_signals),
        TEST(test_describe_says_out_of_memory_of_sigkill_only),
        TEST(test_describe_a_process_that_has_not_ended),
        TEST(test_describe_ends_with_0_when_cut),
        TEST(test_describe_agrees_with_the_kernel),
        TEST(test_signal_names),
        IN_ROOT(test_nothing_to_read_is_none_killed),
        IN_ROOT(test_v2_kills_of_the_own_cgroup),
        IN_ROOT(test_v2_in_a_container_that_sees_only_its_part),
        IN_ROOT(test_v1_kills_of_the_memory_controller),
    };
    return test_run("death", tests);
}
