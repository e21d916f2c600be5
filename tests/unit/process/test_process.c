/* SPDX-License-Identifier: MIT */
/*
 * Functions in processes of their own: arguments, exit codes, what they see of us, what fails.
 */
#include <sillon/sillon.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support/child.h"
#include "support/test.h"

/* --- functions ----------------------------------------------------------------------------- */

static int return_it(void *arg, void *result)
{
    return result == NULL ? *(int *)arg : 99;
}

static int exit_with_it(void *arg, void *result)
{
    (void)result;
    exit(*(int *)arg);
}

static int die(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)raise(SIGKILL);
    return 0;
}

static sil_process *start_int(sil_task_fn fn, int arg)
{
    sil_process *process = sil_process_start(NULL, fn, &arg, sizeof arg);
    if (process == NULL)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_non_null(process);
    return process;
}

/* How it ended; destroys it. */
static int end_of(sil_process *process)
{
    assert_non_null(process);
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    int code = sil_process_exit_code(process);
    sil_process_destroy(process);
    return code;
}

/* --- exit codes ---------------------------------------------------------------------------- */

static void test_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(end_of(start_int(return_it, 0)), 0);
    assert_int_equal(end_of(start_int(return_it, 1)), 1);
    assert_int_equal(end_of(start_int(return_it, 255)), 255);
    assert_int_equal(end_of(start_int(return_it, 256)), 255);
    assert_int_equal(end_of(start_int(return_it, -1)), 255);
    assert_int_equal(end_of(start_int(return_it, SIL_EINVAL)), 255);
    assert_int_equal(end_of(start_int(exit_with_it, 7)), 7);
    assert_int_equal(end_of(start_int(die, 0)), -SIGKILL);
}

/* --- arguments ----------------------------------------------------------------------------- */

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 7 + i / 251);
}

/* Its first bytes are its size. Writes to it, as it may. */
static int check_pattern(void *arg, void *result)
{
    (void)result;
    size_t size;
    unsigned char *bytes = arg;
    memcpy(&size, bytes, sizeof size);
    CHECK((uintptr_t)arg % _Alignof(max_align_t) == 0);
    for (size_t i = sizeof size; i < size; i++)
        CHECK(bytes[i] == pattern(i));
    memset(bytes, 0, size);
    return 0;
}

static int check_none(void *arg, void *result)
{
    CHECK(arg == NULL);
    CHECK(result == NULL);
    return 0;
}

static void test_arguments_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {10, 4096, 1000 * 1000 * 10};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        unsigned char *bytes = malloc(sizes[i]);
        assert_non_null(bytes);
        memcpy(bytes, &sizes[i], sizeof sizes[i]);
        for (size_t j = sizeof(size_t); j < sizes[i]; j++)
            bytes[j] = pattern(j);
        assert_int_equal(end_of(sil_process_start(NULL, check_pattern, bytes, sizes[i])), 0);
        free(bytes);
    }
    assert_int_equal(end_of(sil_process_start(NULL, check_none, NULL, 0)), 0);
    assert_int_equal(end_of(sil_process_start(NULL, check_none, "", 0)), 0);
}

static int square_shared(void *arg, void *result)
{
    (void)result;
    int *number = *(int **)arg;
    *number *= *number;
    return 0;
}

static void test_pointers_to_shared_memory(void **state)
{
    (void)state;
    int *number = sil_shared_alloc(sizeof *number);
    assert_non_null(number);
    *number = 12;
    assert_int_equal(end_of(sil_process_start(NULL, square_shared, (void *)&number, sizeof number)),
                     0);
    assert_int_equal(*number, 144);
    sil_shared_free(number);
}

/* --- what it sees -------------------------------------------------------------------------- */

static int global = 1;

static int check_global(void *arg, void *result)
{
    (void)arg;
    (void)result;
    CHECK(global == 1);
    return 0;
}

static void test_globals_are_as_the_program_starts(void **state)
{
    (void)state;
    global = 2;
    assert_int_equal(end_of(sil_process_start(NULL, check_global, NULL, 0)), 0);
    global = 1;
}

static int check_signals(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sigset_t blocked;
    struct sigaction action;
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    CHECK(sigismember(&blocked, SIGUSR1) == 0);
    CHECK(sigismember(&blocked, SIGTERM) == 0);
    CHECK(sigaction(SIGUSR2, NULL, &action) == 0);
    CHECK(action.sa_handler == SIG_DFL);
    return 0;
}

static void test_signals_are_as_ever(void **state)
{
    (void)state;
    sigset_t set;
    sigset_t former;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &set, &former);
    (void)signal(SIGUSR2, SIG_IGN);
    assert_int_equal(end_of(sil_process_start(NULL, check_signals, NULL, 0)), 0);
    (void)signal(SIGUSR2, SIG_DFL);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
}

static int check_name(void *arg, void *result)
{
    (void)result;
    char name[16] = "";
    (void)prctl(PR_GET_NAME, name);
    CHECK(strcmp(name, arg) == 0);
    return 0;
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(end_of(sil_process_start(NULL, check_name, "sillon", 7)), 0);
    const sil_process_options options = {.name = "counter"};
    assert_int_equal(end_of(sil_process_start(&options, check_name, "counter", 8)), 0);
}

/* --- misuse -------------------------------------------------------------------------------- */

static void test_bad_arguments(void **state)
{
    (void)state;
    assert_null(sil_process_start(NULL, NULL, NULL, 0));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_process_start(NULL, return_it, NULL, 4));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_process_start(NULL, return_it, "", SIZE_MAX));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    sil_task_fn no_code;
    const int *data = &global;
    memcpy(&no_code, &data, sizeof no_code);
    assert_null(sil_process_start(NULL, no_code, NULL, 0));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_process_join(NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_process_exit_code(NULL), SIL_EINVAL);
    assert_code(sil_process_signal(NULL, SIGTERM), SIL_EINVAL);
    assert_int_equal(sil_process_pid(NULL), 0);
    assert_int_equal(sil_process_descriptor(NULL), -1);
    sil_process_destroy(NULL);
}

/* Does what the test of a program that never gets to the function asks for. */
__attribute__((constructor)) static void break_down(void)
{
    const char *how = getenv("TEST_BREAK_DOWN");
    if (how == NULL)
        return;
    if (strcmp(how, "exit") == 0)
        _exit(9);
    if (strcmp(how, "die") == 0)
        (void)raise(SIGKILL);
    for (int i = 3; i < 100; i++)
        (void)close(i);
    (void)pause();
}

static void test_programs_that_do_not_come_to_it(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        const char *message;
    } ways[] = {{"TEST_BREAK_DOWN=exit", "exited with 9"},
                {"TEST_BREAK_DOWN=die", "killed by signal 9"},
                {"TEST_BREAK_DOWN=close", "did not take the function"}};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        const sil_process_options options = {.environment =
                                                 (const char *const[]){ways[i].how, NULL}};
        assert_null(sil_process_start(&options, check_none, NULL, 0));
        assert_code(sil_error_code(sil_last_error()), SIL_ENOTSUP);
        assert_contains(sil_error_message(sil_last_error()), ways[i].message);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_exit_codes),
        TEST(test_arguments_of_any_size),
        TEST(test_pointers_to_shared_memory),
        TEST(test_globals_are_as_the_program_starts),
        TEST(test_signals_are_as_ever),
        TEST(test_names),
        TEST(test_bad_arguments),
        TEST(test_programs_that_do_not_come_to_it),
    };
    return test_run("process", tests);
}
