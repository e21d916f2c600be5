/* SPDX-License-Identifier: MIT */
/*
 * Child programs and signals while memory, threads, processes or descriptors run out: whatever
 * fails, no child, descriptor or handler is left.
 */
#include "every_point.h"

#include <signal.h>
#include <string.h>

#include "support/leftovers.h"
#include "unit/coro/scenario.h"

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int allowed_or_unexpected(int code, const char *what)
{
    return is_allowed(code) ? code : sil_fail(UNEXPECTED, "%s: %s", what, sil_strerror(code));
}

static int last_code(void)
{
    return allowed_or_unexpected(sil_error_code(sil_last_error()), "the last error");
}

static int talk(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_program *program = sil_program_start(&(sil_program_options){
        .arguments = ARGUMENTS("cat"), .input = SIL_PIPE, .output = SIL_PIPE, .error = SIL_PIPE});
    if (!program)
        return last_code();
    const char *output;
    int code = sil_program_communicate(program, "ab", 2, 0, &output, NULL, NULL, NULL, SIL_FOREVER);
    bool is_right = code != 0 || strcmp(output, "ab") == 0;
    sil_program_close(program);
    EXPECT(is_right && leftovers_no_children());
    return allowed_or_unexpected(code, "communicate");
}

static int run(void *arg, void *result)
{
    (void)arg, (void)result;
    int status;
    int code = sil_program_run(&(sil_program_options){.arguments = ARGUMENTS("sh", "-c", "exit 3"),
                                                      .environment = ARGUMENTS("PATH=/bin"),
                                                      .directory = "/",
                                                      .output = SIL_NULL,
                                                      .error = SIL_MERGE},
                               &status, SIL_FOREVER);
    EXPECT((code != 0 || status == 3) && leftovers_no_children());
    return allowed_or_unexpected(code, "run");
}

/* One that must be ended: what that takes was had before. */
static int end(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_program *program = sil_program_start(
        &(sil_program_options){.arguments = ARGUMENTS("sleep", "1000"), .new_group = true});
    if (!program)
        return last_code();
    EXPECT_CODE(sil_program_wait(program, NULL, SIL_NOW), SIL_ETIMEDOUT);
    sil_program_close(program);
    EXPECT(leftovers_no_children());
    return 0;
}

static int signals(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_signals *both = sil_signals_open((const int[]){SIGUSR1, SIGUSR2}, 2);
    if (!both) {
        EXPECT(signal(SIGUSR1, SIG_DFL) == SIG_DFL);
        return last_code();
    }
    int number;
    EXPECT(raise(SIGUSR2) == 0);
    EXPECT_CODE(sil_signals_next(both, &number, SIL_FOREVER), 0);
    sil_signals_close(both);
    EXPECT(number == SIGUSR2 && signal(SIGUSR1, SIG_DFL) == SIG_DFL);
    return 0;
}

static sil_task_fn scenario;

static void in_loop(void)
{
    int code = sil_run(scenario, NULL, 0, NULL, 0);
    if (!is_allowed(code))
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_allowed(code);
    assert_true(leftovers_no_children());
}

static void survive_all(sil_task_fn fn)
{
    scenario = fn;
    for (int site = 0; site < SIL__FAULT_SITES; site++)
        fail_each_point(site, in_loop);
}

static void test_talks_survive(void **state)
{
    (void)state;
    survive_all(talk);
}

static void test_runs_survive(void **state)
{
    (void)state;
    survive_all(run);
}

static void test_ends_survive(void **state)
{
    (void)state;
    survive_all(end);
}

static void test_signals_survive(void **state)
{
    (void)state;
    survive_all(signals);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_talks_survive),
        TEST(test_runs_survive),
        TEST(test_ends_survive),
        TEST(test_signals_survive),
    };
    begin_scenarios();
    return test_run("program faults", tests);
}
