/* SPDX-License-Identifier: MIT */
/*
 * Talking with child programs: input, output and error all at once.
 */
#include <sillon/program.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/leftovers.h"
#include "unit/coro/scenario.h"

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) ARGUMENTS("sh", "-c", (script))

enum { LARGE = 4 << 20 }; /* more than pipes and buffers hold */

static sil_program *start(const char *const *arguments)
{
    return sil_program_start(&(sil_program_options){
        .arguments = arguments, .input = SIL_PIPE, .output = SIL_PIPE, .error = SIL_PIPE});
}

static char *make_large(void)
{
    char *data = malloc(LARGE);
    for (size_t i = 0; data && i < LARGE; i++)
        data[i] = (char)(i * 31 >> 3);
    return data;
}

static int both_ways(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char *data = make_large();
    const char *output;
    const char *error;
    size_t output_size;
    size_t error_size;
    EXPECT(data != NULL);
    sil_program *program = start(SHELL("tee /dev/stderr"));
    EXPECT(program != NULL);
    EXPECT_CODE(sil_program_communicate(program, data, LARGE, 0, &output, &output_size, &error,
                                        &error_size, SIL_FOREVER),
                0);
    EXPECT(output_size == LARGE && memcmp(output, data, LARGE) == 0 && output[LARGE] == '\0');
    EXPECT(error_size == LARGE && memcmp(error, data, LARGE) == 0);
    int status = 1;
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), 0);
    EXPECT_CODE(status, 0);
    sil_program_close(program);
    free(data);
    return 0;
}

static void test_large_both_ways(void **state)
{
    (void)state;
    run_scenario(both_ways);
}

static int unwanted_input(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char *data = make_large();
    EXPECT(data != NULL);
    sil_program *program = start(SHELL("exec <&-; echo enough; exit 4"));
    EXPECT(program != NULL);
    const char *output;
    int status;
    EXPECT_CODE(
        sil_program_communicate(program, data, LARGE, 0, &output, NULL, NULL, NULL, SIL_FOREVER),
        0);
    EXPECT(strcmp(output, "enough\n") == 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), 0);
    EXPECT_CODE(status, 4);
    sil_program_close(program);
    free(data);
    return 0;
}

static void test_program_need_not_want_the_input(void **state)
{
    (void)state;
    run_scenario(unwanted_input);
}

static int too_much(void *arg, void *result)
{
    (void)arg;
    (void)result;
    static const char *const scripts[] = {"exec yes", "exec yes >&2", "exec cat /dev/zero"};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        sil_program *program = start(SHELL(scripts[i]));
        EXPECT(program != NULL);
        const char *output = "untouched";
        EXPECT_CODE(sil_program_communicate(program, NULL, 0, 100000, &output, NULL, NULL, NULL,
                                            SIL_FOREVER),
                    SIL_ETOOLONG);
        EXPECT(strcmp(output, "untouched") == 0);
        sil_program_close(program);
        EXPECT(leftovers_no_children());
    }
    sil_program *program = start(ARGUMENTS("echo", "12345"));
    EXPECT(program != NULL);
    EXPECT_CODE(sil_program_communicate(program, NULL, 0, 6, NULL, NULL, NULL, NULL, SIL_FOREVER),
                0);
    sil_program_close(program);
    return 0;
}

static void test_more_than_the_limit(void **state)
{
    (void)state;
    run_scenario(too_much);
}

static int talk_for_ever(void *arg, void *result)
{
    (void)result;
    return sil_program_communicate(*(sil_program **)arg, "x", 1, 0, NULL, NULL, NULL, NULL,
                                   SIL_FOREVER);
}

static int given_up(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = start(ARGUMENTS("sleep", "1000"));
    EXPECT(program != NULL);
    EXPECT_CODE(sil_program_communicate(program, "x", 1, 0, NULL, NULL, NULL, NULL, sil_in(0.01)),
                SIL_ETIMEDOUT);
    EXPECT_CODE(sil_program_signal(program, 0), 0);
    sil_program_close(program);

    program = start(ARGUMENTS("sleep", "1000"));
    EXPECT(program != NULL);
    sil_future *talk = sil_go(talk_for_ever, (void *)&program, sizeof program, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(talk), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(talk, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_program_signal(program, 0), 0);
    sil_program_close(program);
    EXPECT(leftovers_no_children());
    return 0;
}

static void test_deadline_and_cancel_leave_the_program(void **state)
{
    (void)state;
    run_scenario(given_up);
}

static int without_pipes(void *arg, void *result)
{
    (void)arg;
    (void)result;
    const sil_program_options options = {.arguments = SHELL("exit 5")};
    sil_program *program = sil_program_start(&options);
    EXPECT(program != NULL);
    EXPECT(!sil_program_input(program) && !sil_program_output(program) &&
           !sil_program_error(program));
    EXPECT_CODE(sil_program_end_input(program), SIL_EINVAL);
    EXPECT_CODE(sil_program_communicate(program, "x", 1, 0, NULL, NULL, NULL, NULL, SIL_FOREVER),
                SIL_EINVAL);
    const char *output;
    size_t size = 7;
    EXPECT_CODE(
        sil_program_communicate(program, NULL, 0, 0, &output, &size, NULL, NULL, SIL_FOREVER), 0);
    EXPECT(size == 0 && output[0] == '\0');
    int status;
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), 0);
    EXPECT_CODE(status, 5);
    sil_program_close(program);
    EXPECT_CODE(sil_program_communicate(NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, SIL_NOW),
                SIL_EINVAL);
    return 0;
}

static void test_program_without_pipes(void **state)
{
    (void)state;
    run_scenario(without_pipes);
}

static int killed(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_program *program = start(SHELL("echo before; kill -KILL $$"));
    EXPECT(program != NULL);
    const char *output;
    int status;
    EXPECT_CODE(
        sil_program_communicate(program, NULL, 0, 0, &output, NULL, NULL, NULL, SIL_FOREVER), 0);
    EXPECT(strcmp(output, "before\n") == 0);
    EXPECT_CODE(sil_program_wait(program, &status, SIL_NOW), 0);
    EXPECT_CODE(status, -SIGKILL);
    sil_program_close(program);
    return 0;
}

static void test_program_that_is_killed(void **state)
{
    (void)state;
    run_scenario(killed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_large_both_ways),       TEST(test_program_need_not_want_the_input),
        TEST(test_more_than_the_limit),   TEST(test_deadline_and_cancel_leave_the_program),
        TEST(test_program_without_pipes), TEST(test_program_that_is_killed),
    };
    begin_scenarios();
    return test_run("talking with programs", tests);
}
