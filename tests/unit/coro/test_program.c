/* SPDX-License-Identifier: MIT */
/*
 * Child programs: how they start, what they find, how they end.
 */
#include <sillon/program.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/leftovers.h"
#include "unit/coro/scenario.h"

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) ARGUMENTS("sh", "-c", (script))

/* Run it; its output must be as expected, and its status 0. */
static int expect_output(sil_program_options options, const char *expected)
{
    options.output = SIL_PIPE;
    sil_program *program = sil_program_start(&options);
    EXPECT(program != NULL);
    const char *output;
    size_t size;
    int status;
    EXPECT_CODE(
        sil_program_communicate(program, NULL, 0, 0, &output, &size, NULL, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), 0);
    if (status != 0 || strcmp(output, expected) != 0)
        return sil_fail(UNEXPECTED, "status %d, output '%s', not '%s'", status, output, expected);
    EXPECT(size == strlen(expected));
    sil_program_close(program);
    return 0;
}

static int statuses(void *arg, void *result)
{
    (void)arg;
    (void)result;
    int status;
    EXPECT_CODE(
        sil_program_run(&(sil_program_options){.arguments = SHELL("exit 7")}, &status, SIL_FOREVER),
        0);
    EXPECT_CODE(status, 7);
    EXPECT_CODE(sil_program_run(&(sil_program_options){.arguments = SHELL("kill -KILL $$")},
                                &status, SIL_FOREVER),
                0);
    EXPECT_CODE(status, -SIGKILL);
    EXPECT_CODE(
        sil_program_run(&(sil_program_options){.arguments = ARGUMENTS("true")}, NULL, SIL_FOREVER),
        0);
    EXPECT(leftovers_no_children());
    return 0;
}

static void test_status_tells_exit_code_and_signal(void **state)
{
    (void)state;
    run_scenario(statuses);
}

static int refuse(const sil_program_options *options, int code, const char *part)
{
    EXPECT(sil_program_start(options) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), code);
    EXPECT(strstr(sil_error_message(sil_last_error()), part) != NULL);
    return 0;
}

static int refusals(void *arg, void *result)
{
    (void)arg;
    (void)result;
    const char *const *missing = ARGUMENTS("no-such-program-anywhere", "x");
    int code = refuse(&(sil_program_options){.arguments = missing, .input = SIL_PIPE}, ENOENT,
                      "no-such-program-anywhere");
    if (code == 0)
        code = refuse(&(sil_program_options){.arguments = ARGUMENTS("/etc/passwd")}, EACCES,
                      "/etc/passwd");
    if (code == 0)
        code =
            refuse(&(sil_program_options){.arguments = ARGUMENTS("true"), .directory = "/no/dir"},
                   ENOENT, "/no/dir");
    if (code == 0)
        code = refuse(&(sil_program_options){.arguments = ARGUMENTS("true"), .output = 19999},
                      SIL_EINVAL, "true");
    if (code == 0)
        code = refuse(&(sil_program_options){.arguments = ARGUMENTS("true"), .output = SIL_MERGE},
                      SIL_EINVAL, "descriptor");
    if (code == 0)
        code = refuse(&(sil_program_options){.arguments = NULL}, SIL_EINVAL, "no program");
    if (code == 0)
        code = refuse(&(sil_program_options){.arguments = ARGUMENTS("")}, SIL_EINVAL, "no program");
    if (code == 0)
        code = refuse(NULL, SIL_EINVAL, "no program");
    EXPECT_CODE(sil_program_run(&(sil_program_options){.arguments = missing}, NULL, SIL_FOREVER),
                ENOENT);
    EXPECT_CODE(
        sil_program_run(&(sil_program_options){.arguments = ARGUMENTS("true"), .output = SIL_PIPE},
                        NULL, SIL_FOREVER),
        SIL_EINVAL);
    EXPECT(leftovers_no_children());
    return code;
}

static void test_start_says_what_cannot_be_started(void **state)
{
    (void)state;
    run_scenario(refusals);
}

/* Two signals are the C library's own, which it leaves ignored (posix_spawn). */
static int clean_signals(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return expect_output(
        (sil_program_options){.arguments = ARGUMENTS("sed", "-En",
                                                     "s/^Sig(Blk|Ign):\\s*0*(180000000)?$/\\1/p",
                                                     "/proc/self/status")},
        "Blk\nIgn\n");
}

static void test_program_has_no_signal_blocked_or_ignored(void **state)
{
    (void)state;
    void (*former)(int) = signal(SIGUSR2, SIG_IGN);
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &some, NULL), 0);
    run_scenario(clean_signals);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &some, NULL), 0);
    (void)signal(SIGUSR2, former);
}

static int surroundings(void *arg, void *result)
{
    (void)arg;
    (void)result;
    int code = expect_output((sil_program_options){.arguments = ARGUMENTS("env"),
                                                   .environment = ARGUMENTS("A=1", "B=two")},
                             "A=1\nB=two\n");
    if (code == 0)
        code = expect_output((sil_program_options){.arguments = ARGUMENTS("pwd"), .directory = "/"},
                             "/\n");
    if (code == 0)
        code = expect_output((sil_program_options){.arguments = ARGUMENTS("other", "-c", "echo $0"),
                                                   .program = "sh"},
                             "other\n");
    return code;
}

static void test_program_finds_environment_directory_and_name(void **state)
{
    (void)state;
    run_scenario(surroundings);
}

static int closed_descriptors(void *arg, void *result)
{
    (void)arg;
    (void)result;
    int fd = open("/dev/null", O_RDONLY); // NOLINT(android-cloexec-open): that is the point
    EXPECT(fd > 2);
    char script[64];
    (void)snprintf(script, sizeof script, "test ! -e /proc/self/fd/%d", fd);
    int status;
    EXPECT_CODE(
        sil_program_run(&(sil_program_options){.arguments = SHELL(script)}, &status, SIL_FOREVER),
        0);
    (void)close(fd);
    EXPECT_CODE(status, 0);
    return 0;
}

static void test_program_has_none_of_our_other_descriptors(void **state)
{
    (void)state;
    run_scenario(closed_descriptors);
}

static int expect_content(int fd, const char *expected)
{
    char content[64];
    ssize_t size = pread(fd, content, sizeof content - 1, 0);
    EXPECT(size >= 0);
    content[size] = '\0';
    EXPECT(strcmp(content, expected) == 0);
    return 0;
}

static int redirections(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char path[] = "/tmp/program-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC | O_APPEND);
    EXPECT(fd > 2);
    (void)unlink(path);
    int status;
    sil_program_options options = {
        .arguments = SHELL("echo out; echo err >&2"), .output = fd, .error = SIL_MERGE};
    EXPECT_CODE(sil_program_run(&options, &status, SIL_FOREVER), 0);
    EXPECT_CODE(status, 0);
    int code = expect_content(fd, "out\nerr\n");
    options = (sil_program_options){.arguments = SHELL("cat; echo x; echo y >&2"),
                                    .input = SIL_NULL,
                                    .output = SIL_NULL,
                                    .error = fd};
    EXPECT_CODE(sil_program_run(&options, &status, SIL_FOREVER), 0);
    if (code == 0)
        code = expect_content(fd, "out\nerr\ny\n");
    (void)close(fd);
    return code;
}

static void test_descriptors_lead_where_they_are_told_to(void **state)
{
    (void)state;
    run_scenario(redirections);
}

/* Our 1 and 2 are exchanged on the way. */
static int exchanged(void *arg, void *result)
{
    (void)arg;
    (void)result;
    int kept = fcntl(2, F_DUPFD_CLOEXEC, 3);
    int ends[2];
    EXPECT(kept >= 0 && pipe2(ends, O_CLOEXEC) == 0);
    (void)dup2(ends[1], 2);
    sil_program_options options = {
        .arguments = SHELL("echo to1; echo to2 >&2"), .output = 2, .error = SIL_NULL};
    int code = sil_program_run(&options, NULL, SIL_FOREVER);
    (void)dup2(kept, 2);
    (void)close(kept);
    (void)close(ends[1]);
    char text[16] = "";
    EXPECT(read(ends[0], text, sizeof text - 1) == 4);
    (void)close(ends[0]);
    EXPECT(strcmp(text, "to1\n") == 0);
    return code;
}

static void test_a_low_descriptor_may_become_another(void **state)
{
    (void)state;
    run_scenario(exchanged);
}

/* Fields 5 and 6 of /proc/self/stat: group and session; field 4 is the parent. */
static int groups(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char own[64];
    (void)snprintf(own, sizeof own, "%d %d\n", (int)getpid(), (int)getsid(0));
    const char *const *script =
        SHELL("read -r pid name state parent group session rest </proc/self/stat;"
              "[ $pid = $group ] && group=mine; [ $pid = $session ] && session=mine;"
              "[ $session = mine ] || session=old; echo $group $session");
    int code =
        expect_output((sil_program_options){.arguments = script, .new_group = true}, "mine old\n");
    if (code == 0)
        code = expect_output((sil_program_options){.arguments = script, .new_session = true},
                             "mine mine\n");
    return code;
}

static void test_new_group_and_new_session(void **state)
{
    (void)state;
    run_scenario(groups);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_status_tells_exit_code_and_signal),
        TEST(test_start_says_what_cannot_be_started),
        TEST(test_program_has_no_signal_blocked_or_ignored),
        TEST(test_program_finds_environment_directory_and_name),
        TEST(test_program_has_none_of_our_other_descriptors),
        TEST(test_descriptors_lead_where_they_are_told_to),
        TEST(test_a_low_descriptor_may_become_another),
        TEST(test_new_group_and_new_session),
    };
    begin_scenarios();
    return test_run("programs", tests);
}
