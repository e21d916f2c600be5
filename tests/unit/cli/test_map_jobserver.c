/* SPDX-License-Identifier: MIT */
/*
 * make's jobserver: tokens are taken, and put back.
 */
#include "map/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

/* As make would: a pipe with these tokens, and its name in MAKEFLAGS. */
static void be_make(int ends[2], const char *format, const char *tokens)
{
    char flags[128];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], tokens, strlen(tokens)), strlen(tokens));
    (void)snprintf(flags, sizeof flags, "k -j4 %s%d,%d -- A=1", format, ends[0], ends[1]);
    (void)setenv("MAKEFLAGS", flags, 1);
}

/* All tokens that are in it now, in any order. */
static void expect_tokens(int fd, const char *tokens)
{
    char got[16] = "";
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    (void)!read(fd, got, sizeof got - 1);
    assert_int_equal(strlen(got), strlen(tokens));
    for (; *tokens != '\0'; tokens++)
        assert_non_null(strchr(got, *tokens));
}

static void close_make(const int ends[2])
{
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)unsetenv("MAKEFLAGS");
}

static void test_tokens_are_taken_for_all_jobs_but_the_first(void **state)
{
    (void)state;
    int ends[2];
    struct jobserver *server;
    be_make(ends, "--jobserver-auth=", "abc");
    assert_int_equal(jobserver_open("auto", 8, &server), 0);
    assert_non_null(server);
    assert_null(jobserver_makeflags(server));
    for (size_t running = 0; running <= 3; running++)
        assert_true(jobserver_may_start(server, running) <= 0);
    assert_true(jobserver_may_start(server, 4) > 0);
    assert_false(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    jobserver_settle(server, 4);
    jobserver_settle(server, 3);
    assert_true(jobserver_may_start(server, 3) <= 0);
    jobserver_settle(server, 0);
    expect_tokens(ends[0], "abc");
    jobserver_close(server);
    close_make(ends);
}

static void test_close_puts_back_the_same_tokens(void **state)
{
    (void)state;
    int ends[2];
    struct jobserver *server;
    be_make(ends, "--jobserver-auth=3,4 --jobserver-fds=", "xy");
    assert_int_equal(jobserver_open("", 8, &server), 0);
    assert_non_null(server);
    assert_true(jobserver_may_start(server, 2) <= 0);
    jobserver_close(server);
    expect_tokens(ends[0], "xy");
    close_make(ends);
}

static void test_nothing_is_shared_when_there_is_nobody_to_share_with(void **state)
{
    (void)state;
    struct jobserver *server;
    static const char *const flags[] = {"",
                                        "-j4",
                                        "--jobserver-auth=900,901",
                                        "--jobserver-auth=-2,-2",
                                        "--jobserver-auth=fifo:/no/such/pipe",
                                        "--jobserver-auth=fifo:/dev/null",
                                        "--jobserver-auth="};
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        (void)setenv("MAKEFLAGS", flags[i], 1);
        assert_int_equal(jobserver_open("auto", 8, &server), 0);
        assert_null(server);
    }
    (void)unsetenv("MAKEFLAGS");
    assert_int_equal(jobserver_open("auto", 8, &server), 0);
    assert_null(server);
    int ends[2];
    be_make(ends, "--jobserver-auth=", "a");
    assert_int_equal(jobserver_open("off", 8, &server), 0);
    assert_null(server);
    assert_int_equal(jobserver_open(NULL, 8, &server), 0);
    assert_null(server);
    close_make(ends);
    assert_true(jobserver_may_start(NULL, 99) <= 0);
    assert_null(jobserver_makeflags(NULL));
    jobserver_settle(NULL, 1);
    jobserver_close(NULL);
}

static void test_server_gives_all_tokens_but_one_to_others(void **state)
{
    (void)state;
    struct jobserver *server;
    struct jobserver *client;
    (void)setenv("MAKEFLAGS", "k", 1);
    assert_int_equal(jobserver_open("serve", 3, &server), 0);
    assert_non_null(server);
    const char *flags = jobserver_makeflags(server);
    assert_non_null(flags);
    assert_contains(flags, "MAKEFLAGS=k -j3 --jobserver-auth=fifo:");
    (void)setenv("MAKEFLAGS", strchr(flags, '=') + 1, 1);
    char path[256];
    (void)snprintf(path, sizeof path, "%s", strstr(flags, "fifo:") + 5);
    assert_int_equal(access(path, R_OK | W_OK), 0);
    assert_int_equal(jobserver_open("auto", 8, &client), 0);
    assert_non_null(client);
    assert_true(jobserver_may_start(client, 1) <= 0);
    assert_true(jobserver_may_start(server, 1) <= 0);
    assert_true(jobserver_may_start(server, 2) > 0);
    jobserver_close(client);
    assert_true(jobserver_may_start(server, 2) <= 0);
    jobserver_close(server);
    assert_int_not_equal(access(path, F_OK), 0);
    (void)unsetenv("MAKEFLAGS");
}

static void test_server_says_why_it_cannot_be_one(void **state)
{
    (void)state;
    struct jobserver *server;
    (void)setenv("TMPDIR", "/no/such/folder", 1);
    assert_int_equal(jobserver_open("serve", 3, &server), ENOENT);
    assert_null(server);
    (void)unsetenv("TMPDIR");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_tokens_are_taken_for_all_jobs_but_the_first),
        TEST(test_close_puts_back_the_same_tokens),
        TEST(test_nothing_is_shared_when_there_is_nobody_to_share_with),
        TEST(test_server_gives_all_tokens_but_one_to_others),
        TEST(test_server_says_why_it_cannot_be_one),
    };
    return test_run("jobserver", tests);
}
