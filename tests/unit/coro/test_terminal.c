/* SPDX-License-Identifier: MIT */
/*
 * Terminals, on a pair of pseudo-terminals.
 */
#include <sillon/terminal.h>

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "support/child.h"
#include "unit/coro/scenario.h"

static int other_side;
static int tty;

static void open_pair(void)
{
    struct winsize size = {.ws_col = 80, .ws_row = 25};
    assert_int_equal(openpty(&other_side, &tty, NULL, NULL, &size), 0);
}

static void close_pair(void)
{
    assert_int_equal(close(tty), 0);
    assert_int_equal(close(other_side), 0);
}

static tcflag_t local_modes(void)
{
    struct termios mode;
    assert_int_equal(tcgetattr(tty, &mode), 0);
    return mode.c_lflag;
}

static void test_what_is_a_terminal(void **state)
{
    (void)state;
    open_pair();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(sil_terminal_is(tty));
    assert_false(sil_terminal_is(ends[0]));
    assert_false(sil_terminal_is(-1));
    assert_null(sil_terminal_open(ends[0]));
    assert_code(sil_error_code(sil_last_error()), ENOTTY);
    assert_null(sil_terminal_open(-1));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    close_pair();
}

static void test_size(void **state)
{
    (void)state;
    open_pair();
    sil_terminal *terminal = sil_terminal_open(tty);
    assert_non_null(terminal);
    unsigned columns;
    unsigned rows;
    assert_code(sil_terminal_size(terminal, &columns, &rows), 0);
    assert_int_equal(columns, 80);
    assert_int_equal(rows, 25);
    assert_code(sil_terminal_size(terminal, NULL, NULL), 0);
    assert_code(sil_terminal_size(NULL, NULL, NULL), SIL_EINVAL);
    sil_terminal_close(terminal);
    close_pair();
}

static void test_raw_mode_goes_with_close(void **state)
{
    (void)state;
    open_pair();
    tcflag_t former = local_modes();
    assert_true(former & ICANON);
    sil_terminal *terminal = sil_terminal_open(tty);
    sil_terminal *second = sil_terminal_open(tty);
    assert_true(terminal && second);
    assert_code(sil_terminal_set_raw(terminal, true), 0);
    assert_code(sil_terminal_set_raw(terminal, true), 0);
    assert_false(local_modes() & (ICANON | ECHO | ISIG));
    assert_code(sil_terminal_set_raw(terminal, false), 0);
    assert_true(local_modes() == former);
    assert_code(sil_terminal_set_raw(second, true), 0);
    assert_code(sil_terminal_set_raw(terminal, true), 0);
    sil_terminal_close(second);
    assert_true(local_modes() == former);
    assert_code(sil_terminal_set_raw(terminal, true), 0);
    sil_terminal_close(terminal);
    assert_true(local_modes() == former);
    assert_code(sil_terminal_set_raw(NULL, true), SIL_EINVAL);
    sil_terminal_close(NULL);
    close_pair();
}

static int end_while_raw(void *arg)
{
    bool orderly = *(bool *)arg;
    sil_terminal *terminal = sil_terminal_open(tty);
    CHECK(terminal && sil_terminal_set_raw(terminal, true) == 0);
    if (orderly)
        exit(0); // NOLINT(concurrency-mt-unsafe): no other thread here
    return 0;    /* by _exit */
}

static void test_raw_mode_goes_with_the_program(void **state)
{
    (void)state;
    open_pair();
    tcflag_t former = local_modes();
    bool orderly = true;
    assert_int_equal(child_run(end_while_raw, &orderly), 0);
    assert_true(local_modes() == former);
    orderly = false;
    assert_int_equal(child_run(end_while_raw, &orderly), 0);
    assert_false(local_modes() == former);
    close_pair();
}

static int just_exit(void *arg)
{
    (void)arg;
    exit(0); // NOLINT(concurrency-mt-unsafe): no other thread here
}

static void test_forked_child_leaves_it_alone(void **state)
{
    (void)state;
    open_pair();
    sil_terminal *terminal = sil_terminal_open(tty);
    assert_non_null(terminal);
    assert_code(sil_terminal_set_raw(terminal, true), 0);
    assert_int_equal(child_run(just_exit, NULL), 0);
    assert_false(local_modes() & ICANON);
    sil_terminal_close(terminal);
    close_pair();
}

static int resize(unsigned columns, unsigned rows)
{
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    EXPECT(ioctl(other_side, TIOCSWINSZ, &size) == 0);
    return raise(SIGWINCH); /* it is not our controlling terminal */
}

static int wait_for_size(void *arg, void *result)
{
    (void)result;
    unsigned columns;
    unsigned rows;
    EXPECT_CODE(sil_terminal_resized(*(sil_terminal **)arg, &columns, &rows, SIL_FOREVER), 0);
    EXPECT(columns == 100 && rows == 50);
    return 0;
}

static int resizes(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_terminal *terminal = sil_terminal_open(tty);
    EXPECT(terminal != NULL);
    unsigned columns = 1;
    unsigned rows = 1;
    EXPECT_CODE(sil_terminal_resized(terminal, &columns, &rows, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT(columns == 1 && rows == 1);
    sil_future *waiter = sil_go(wait_for_size, (void *)&terminal, sizeof terminal, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(raise(SIGWINCH) == 0); /* for nothing */
    EXPECT_CODE(resize(100, 50), 0);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), 0);
    /* Changed while nobody waited. */
    EXPECT_CODE(resize(60, 50), 0);
    EXPECT_CODE(sil_terminal_resized(terminal, &columns, NULL, SIL_FOREVER), 0);
    EXPECT(columns == 60);
    EXPECT_CODE(sil_terminal_resized(terminal, &columns, NULL, sil_in(0.001)), SIL_ETIMEDOUT);
    sil_terminal_close(terminal);
    return 0;
}

static void test_resized_waits_for_another_size(void **state)
{
    (void)state;
    open_pair();
    run_scenario(resizes);
    sil_terminal *terminal = sil_terminal_open(tty);
    assert_code(sil_terminal_resized(terminal, NULL, NULL, SIL_NOW), SIL_ENOTASK);
    assert_code(sil_terminal_resized(NULL, NULL, NULL, SIL_NOW), SIL_EINVAL);
    sil_terminal_close(terminal);
    close_pair();
}

static int keys(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_stream *stream;
    sil_terminal *terminal = sil_terminal_open(tty);
    EXPECT(terminal != NULL);
    EXPECT_CODE(sil_terminal_set_raw(terminal, true), 0);
    EXPECT_CODE(sil_stream_open(dup(tty), &stream), 0);
    EXPECT(write(other_side, "\003", 1) == 1);
    char key = 0;
    size_t got;
    EXPECT_CODE(sil_read(stream, &key, 1, &got, SIL_FOREVER), 0);
    EXPECT(got == 1 && key == 3);
    EXPECT_CODE(sil_write(stream, "x\n", 2, SIL_FOREVER), 0);
    char echo[4] = "";
    EXPECT(read(other_side, echo, sizeof echo) == 2 && strcmp(echo, "x\n") == 0);
    sil_stream_close(stream);
    sil_terminal_close(terminal);
    return 0;
}

static void test_keys_are_read_one_by_one(void **state)
{
    (void)state;
    open_pair();
    run_scenario(keys);
    close_pair();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_what_is_a_terminal),           TEST(test_size),
        TEST(test_raw_mode_goes_with_close),     TEST(test_raw_mode_goes_with_the_program),
        TEST(test_forked_child_leaves_it_alone), TEST(test_resized_waits_for_another_size),
        TEST(test_keys_are_read_one_by_one),
    };
    begin_scenarios();
    return test_run("terminals", tests);
}
