/* SPDX-License-Identifier: MIT */
/*
 * Child programs: waiting for them, signals to them, and how they are ended.
 */
#include <sillon/program.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/leftovers.h"
#include "unit/coro/scenario.h"

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) ARGUMENTS("sh", "-c", (script))

/* A program that goes on until it is ended, or its input ends. */
static sil_program *start_cat(void)
{
    return sil_program_start(&(sil_program_options){
        .arguments = ARGUMENTS("cat"), .input = SIL_PIPE, .output = SIL_PIPE});
}

static int deadlines(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = start_cat();
    EXPECT(program != NULL);
    int status = 1234;
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_program_wait(program, &status, sil_in(0.001)), SIL_ETIMEDOUT);
    EXPECT(status == 1234 && sil_program_pid(program) > 0);
    EXPECT_CODE(sil_program_end_input(program), 0);
    EXPECT_CODE(sil_program_end_input(program), SIL_EALREADY);
    EXPECT(sil_program_input(program) == NULL);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_FOREVER), 0);
    EXPECT_CODE(status, 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), 0);
    EXPECT_CODE(sil_program_kill(program), SIL_EALREADY);
    EXPECT_CODE(sil_program_signal(program, 0), SIL_EALREADY);
    sil_program_close(program);
    return 0;
}

static void test_wait_ends_with_the_deadline_or_the_program(void **state)
{
    (void)state;
    run_scenario(deadlines);
}

static int signals(void *arg, void *result)
{
    (void)arg;
    (void)result;
    int status;
    sil_program *program = start_cat();
    EXPECT(program != NULL);
    EXPECT_CODE(sil_program_signal(program, 0), 0);
    EXPECT_CODE(sil_program_signal(program, 1000), SIL_EINVAL);
    EXPECT_CODE(sil_program_signal(program, -1), SIL_EINVAL);
    EXPECT_CODE(sil_program_signal(program, SIGHUP), 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_FOREVER), 0);
    EXPECT_CODE(status, -SIGHUP);
    sil_program_close(program);
    program = start_cat();
    EXPECT(program != NULL);
    EXPECT_CODE(sil_program_terminate(program), 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_FOREVER), 0);
    EXPECT_CODE(status, -SIGTERM);
    sil_program_close(program);
    return 0;
}

static void test_signals_reach_it(void **state)
{
    (void)state;
    run_scenario(signals);
}

/* Its output ends when the last one who has it is gone. */
static int read_end(sil_program *program)
{
    char byte;
    size_t got;
    int code = sil_read(sil_program_output(program), &byte, 1, &got, SIL_FOREVER);
    EXPECT_CODE(code, SIL_EEND);
    return 0;
}

static int whole_group(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = sil_program_start(
        &(sil_program_options){.arguments = SHELL("sleep 1000 & echo begun; wait"),
                               .output = SIL_PIPE,
                               .new_group = true});
    EXPECT(program != NULL);
    const char *line;
    EXPECT_CODE(sil_read_line(sil_program_output(program), 100, &line, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_program_kill(program), 0);
    int code = read_end(program);
    sil_program_close(program);
    return code;
}

static void test_signals_reach_all_of_its_group(void **state)
{
    (void)state;
    leftovers_adopt(true);
    run_scenario(whole_group);
    eventually(leftovers_collect());
    leftovers_adopt(false);
}

static int stubborn(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = sil_program_start(
        &(sil_program_options){.arguments = SHELL("trap '' TERM; echo begun; while :; do :; done"),
                               .output = SIL_PIPE,
                               .grace = 0.01});
    EXPECT(program != NULL);
    const char *line;
    EXPECT_CODE(sil_read_line(sil_program_output(program), 100, &line, NULL, SIL_FOREVER), 0);
    sil_program_close(program);
    EXPECT(leftovers_no_children());
    return 0;
}

static void test_close_kills_what_does_not_end_in_time(void **state)
{
    (void)state;
    run_scenario(stubborn);
}

/* result: one that says something when it is asked to end; error: where to. */
static int start_graceful(void *arg, void *result)
{
    sil_program *program = sil_program_start(&(sil_program_options){
        .arguments =
            SHELL("trap 'echo last words >&2; exit' TERM; echo begun; while :; do :; done"),
        .output = SIL_PIPE,
        .error = *(int *)arg,
        .grace = TEST_PATIENCE});
    EXPECT(program != NULL);
    const char *line;
    EXPECT_CODE(sil_read_line(sil_program_output(program), 100, &line, NULL, SIL_FOREVER), 0);
    *(sil_program **)result = program;
    return 0;
}

static int close_graceful(sil_program *program, const int ends[2])
{
    (void)close(ends[1]);
    sil_program_close(program);
    EXPECT(leftovers_no_children());
    char words[32] = "";
    EXPECT(read(ends[0], words, sizeof words - 1) > 0 && strstr(words, "last words"));
    (void)close(ends[0]);
    return 0;
}

static int graceful(void *arg, void *result)
{
    (void)arg;
    (void)result;
    int ends[2];
    sil_program *program;
    EXPECT(pipe(ends) == 0);
    int code = start_graceful(&ends[1], (void *)&program);
    return code == 0 ? close_graceful(program, ends) : code;
}

static void test_close_gives_time_to_end(void **state)
{
    (void)state;
    run_scenario(graceful);
}

static void test_close_gives_time_when_the_loop_has_ended(void **state)
{
    (void)state;
    int ends[2];
    sil_program *program;
    assert_int_equal(pipe(ends), 0);
    assert_code(sil_run(start_graceful, &ends[1], sizeof ends[1], (void *)&program, sizeof program),
                0);
    assert_code(close_graceful(program, ends), 0);
}

static int run_for_ever(void *arg, void *result)
{
    (void)result;
    sil_deadline until = *(sil_deadline *)arg;
    return sil_program_run(&(sil_program_options){.arguments = ARGUMENTS("sleep", "1000")}, NULL,
                           until);
}

static int ended_runs(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_deadline until = sil_in(0.01);
    EXPECT_CODE(run_for_ever(&until, NULL), SIL_ETIMEDOUT);
    EXPECT(leftovers_no_children());
    EXPECT_CODE(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);

    until = SIL_FOREVER;
    sil_future *run = sil_go(run_for_ever, &until, sizeof until, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(!leftovers_no_children());
    EXPECT_CODE(sil_future_cancel(run), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(run, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(leftovers_no_children());

    sil_deadline outer = sil_deadline_scope(sil_in(0.01));
    EXPECT_CODE(run_for_ever(&until, NULL), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT(leftovers_no_children());
    return 0;
}

static void test_run_ends_the_program_at_deadline_and_cancel(void **state)
{
    (void)state;
    run_scenario(ended_runs);
}

static int wait_for_it(void *arg, void *result)
{
    (void)result;
    return sil_program_wait(*(sil_program **)arg, NULL, SIL_FOREVER);
}

static int several_waiters(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = start_cat();
    EXPECT(program != NULL);
    sil_future *waiters[3];
    for (int i = 0; i < 3; i++)
        waiters[i] = sil_go(wait_for_it, (void *)&program, sizeof program, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(waiters[1]), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(waiters[1], NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_program_end_input(program), 0);
    EXPECT_CODE(sil_program_wait(program, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(waiters[0], NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(waiters[2], NULL, SIL_FOREVER), 0);
    sil_program_close(program);
    return 0;
}

static void test_several_may_wait(void **state)
{
    (void)state;
    run_scenario(several_waiters);
}

static int early_end_of_output(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = sil_program_start(&(sil_program_options){
        .arguments = SHELL("exec >&-; read x; exit $x"), .input = SIL_PIPE, .output = SIL_PIPE});
    EXPECT(program != NULL);
    int code = read_end(program);
    if (code != 0)
        return code;
    int status;
    EXPECT_CODE(sil_write(sil_program_input(program), "3\n", 2, SIL_FOREVER), 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_FOREVER), 0);
    EXPECT_CODE(status, 3);
    sil_program_close(program);
    return 0;
}

static void test_output_may_end_before_the_program(void **state)
{
    (void)state;
    run_scenario(early_end_of_output);
}

enum { MANY = 200 };

static int speak(sil_program *program, int number)
{
    const char *line;
    EXPECT(program != NULL);
    EXPECT_CODE(sil_stream_printf(sil_program_input(program), SIL_FOREVER, "%d\n", number), 0);
    EXPECT_CODE(sil_flush(sil_program_input(program), SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_line(sil_program_output(program), 100, &line, NULL, SIL_FOREVER), 0);
    EXPECT(atoi(line) == number); // NOLINT(cert-err34-c)
    EXPECT_CODE(sil_program_end_input(program), 0);
    return 0;
}

static int many(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *programs[MANY];
    int status;
    for (int i = 0; i < MANY; i++)
        programs[i] = start_cat();
    for (int i = 0; i < MANY; i++) {
        int code = speak(programs[i], i);
        if (code != 0)
            return code;
    }
    for (int i = 0; i < MANY; i++) {
        EXPECT_CODE(sil_program_wait(programs[i], &status, SIL_FOREVER), 0);
        EXPECT_CODE(status, 0);
        sil_program_close(programs[i]);
    }
    return 0;
}

static void test_many_at_once(void **state)
{
    (void)state;
    run_scenario(many);
    assert_true(leftovers_no_children());
}

static int run_status(void *arg, void *result)
{
    (void)arg;
    int *status = result;
    return sil_program_run(&(sil_program_options){.arguments = ARGUMENTS("true")}, status,
                           SIL_FOREVER);
}

static void test_host_that_ignores_its_children_is_told(void **state)
{
    (void)state;
    int status = 0;
    void (*former)(int) = signal(SIGCHLD, SIG_IGN);
    assert_code(sil_run(run_status, NULL, 0, &status, sizeof status), 0);
    (void)signal(SIGCHLD, former);
    assert_code(status, SIL_EALREADY);
}

static void on_child(int number)
{
    (void)number;
}

static void test_host_keeps_its_own_children_and_handler(void **state)
{
    (void)state;
    struct sigaction own = {.sa_handler = on_child};
    struct sigaction former;
    struct sigaction present;
    assert_int_equal(sigaction(SIGCHLD, &own, &former), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(9);
    int status = 1;
    assert_code(sil_run(run_status, NULL, 0, &status, sizeof status), 0);
    assert_code(status, 0);
    assert_int_equal(sigaction(SIGCHLD, NULL, &present), 0);
    assert_ptr_equal(present.sa_handler, on_child);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 9);
    assert_int_equal(sigaction(SIGCHLD, &former, NULL), 0);
}

static int take_from_elsewhere(void *arg, void *result)
{
    (void)result;
    sil_program *program = *(sil_program **)arg;
    EXPECT_CODE(sil_program_wait(program, NULL, SIL_NOW), SIL_ENOTASK);
    EXPECT_CODE(sil_program_kill(program), SIL_ENOTASK);
    EXPECT_CODE(sil_program_end_input(program), SIL_ENOTASK);
    EXPECT(sil_program_pid(program) > 0);
    return 0;
}

static int belongs(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = start_cat();
    EXPECT(program != NULL);
    sil_executor *other = sil_loop_thread(NULL);
    EXPECT(other != NULL);
    int code = sil_take(sil_submit(other, take_from_elsewhere, (void *)&program, sizeof program, 0),
                        NULL, SIL_FOREVER);
    sil_executor_close(other);
    sil_program_close(program);
    return code;
}

static void test_only_its_own_loop_may_use_it(void **state)
{
    (void)state;
    run_scenario(belongs);
    assert_null(sil_program_start(&(sil_program_options){.arguments = ARGUMENTS("true")}));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOTASK);
    assert_code(sil_program_wait(NULL, NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_program_kill(NULL), SIL_EINVAL);
    assert_code(sil_program_end_input(NULL), SIL_EINVAL);
    assert_int_equal(sil_program_pid(NULL), 0);
    sil_program_close(NULL);
}

/* Some CPU time, and some memory: more than this process has is not asked of any machine. */
static int usages(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = start_cat();
    EXPECT(program != NULL);
    sil_program_usage usage = {.user_seconds = -1};
    EXPECT_CODE(sil_program_usage_get(program, &usage), SIL_EAGAIN);
    EXPECT(usage.user_seconds == -1); // NOLINT(clang-diagnostic-float-equal): untouched
    sil_program_close(program);
    program = sil_program_start(&(sil_program_options){
        .arguments = SHELL("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3")});
    EXPECT(program != NULL);
    EXPECT_CODE(sil_program_wait(program, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_program_usage_get(program, &usage), 0);
    EXPECT(usage.user_seconds >= 0 && usage.system_seconds >= 0);
    EXPECT(usage.user_seconds + usage.system_seconds > 0);
    EXPECT(usage.peak_memory >= 64 << 10);
    EXPECT_CODE(sil_program_usage_get(program, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_program_usage_get(NULL, &usage), SIL_EINVAL);
    sil_program_close(program);
    return 0;
}

static void test_usage_is_told_when_it_has_ended(void **state)
{
    (void)state;
    run_scenario(usages);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_wait_ends_with_the_deadline_or_the_program),
        TEST(test_signals_reach_it),
        TEST(test_signals_reach_all_of_its_group),
        TEST(test_close_kills_what_does_not_end_in_time),
        TEST(test_close_gives_time_to_end),
        TEST(test_close_gives_time_when_the_loop_has_ended),
        TEST(test_run_ends_the_program_at_deadline_and_cancel),
        TEST(test_several_may_wait),
        TEST(test_output_may_end_before_the_program),
        TEST(test_many_at_once),
        TEST(test_host_that_ignores_its_children_is_told),
        TEST(test_host_keeps_its_own_children_and_handler),
        TEST(test_only_its_own_loop_may_use_it),
        TEST(test_usage_is_told_when_it_has_ended),
    };
    begin_scenarios();
    return test_run("ends of programs", tests);
}
