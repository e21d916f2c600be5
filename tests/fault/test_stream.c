/* SPDX-License-Identifier: MIT */
/*
 * Streams and servers while memory, descriptors or threads run out: clear codes, nothing left behind,
 * and a server goes on.
 */
#include <sillon/server.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "every_point.h"

/* Codes of the failure itself, and what the other side of a connection sees of one. */
static bool is_expected(int code)
{
    switch (code) {
    case 0:
    case SIL_ENOMEM:
    case SIL_EAGAIN:
    case EMFILE:
    case SIL_ETIMEDOUT:
    case SIL_EEND:
    case ECONNRESET:
    case EPIPE:
        return true;
    default:
        return false;
    }
}

/* In a coroutine; no asserts there. */
#define EXPECT(condition)                                                       \
    do {                                                                        \
        if (!(condition))                                                       \
            return sil_fail(40000, "line %d: not true: " #condition, __LINE__); \
    } while (0)

#define EXPECT_EXPECTED(code)                                                          \
    do {                                                                               \
        int code_ = (code);                                                            \
        if (!is_expected(code_))                                                       \
            return sil_fail(40000, "line %d: code %s", __LINE__, sil_strerror(code_)); \
    } while (0)

/* Whoever waits for somebody who has failed gives up. */
static sil_deadline soon(void)
{
    return sil_in(0.02);
}

static void run(sil_task_fn fn)
{
    int code = sil_run(fn, NULL, 0, NULL, 0);
    if (code == SIL_ECANCELLED)
        return; /* no memory to be told of its end: it was not begun */
    if (!is_allowed(code))
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_allowed(code);
}

/* --- one stream and another ---------------------------------------------------------------- */

static int talk(sil_stream *near, sil_stream *far)
{
    const char *line;
    size_t size;
    EXPECT_EXPECTED(sil_write_buffered(near, "line\n", 5, soon()));
    EXPECT_EXPECTED(sil_flush(near, soon()));
    EXPECT_EXPECTED(sil_stream_printf(near, soon(), "%0600d\n", 7));
    EXPECT_EXPECTED(sil_write(near, "more\n", 5, soon()));
    for (int i = 0; i < 3; i++)
        EXPECT_EXPECTED(sil_read_line(far, 1000, &line, &size, soon()));
    EXPECT_EXPECTED(sil_stream_shutdown(near, soon()));
    EXPECT_EXPECTED(sil_read_all(far, 1000, &line, &size, soon()));
    return 0;
}

static int co_pairs(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    for (int pipe = 0; pipe < 2; pipe++) {
        int code = pipe ? sil_pipe(&b, &a) : sil_socketpair(&a, &b);
        EXPECT_EXPECTED(code);
        if (code != 0)
            continue;
        code = talk(a, b);
        sil_stream_close(a);
        sil_stream_close(b);
        if (code != 0)
            return code;
    }
    return 0;
}

static void pairs(void)
{
    run(co_pairs);
}

static int co_open(void *arg, void *result)
{
    (void)arg, (void)result;
    for (int socket = 0; socket < 2; socket++) {
        int fds[2];
        sil_stream *stream;
        EXPECT((socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds)) == 0);
        int code = sil_stream_open(fds[0], &stream);
        EXPECT_EXPECTED(code);
        if (code == 0) {
            char byte;
            size_t got;
            EXPECT(write(fds[1], "x", 1) == 1);
            EXPECT_EXPECTED(sil_read(stream, &byte, 1, &got, soon()));
            sil_stream_close(stream);
        } else {
            EXPECT(fcntl(fds[0], F_GETFL) != -1 && close(fds[0]) == 0); /* still ours */
        }
        (void)close(fds[1]);
        code = sil_stream_standard(socket, &stream);
        EXPECT_EXPECTED(code);
        if (code == 0)
            sil_stream_close(stream);
    }
    return 0;
}

static void open_streams(void)
{
    run(co_open);
}

/* --- server and client --------------------------------------------------------------------- */

static int handle_echo(sil_stream *stream, void *user)
{
    char buffer[16];
    size_t got;
    (void)user;
    int code = sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER);
    return code == 0 ? sil_write(stream, buffer, got, SIL_FOREVER) : code;
}

static int co_serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, handle_echo, NULL, SIL_FOREVER);
}

static int visit(const sil_server *server)
{
    char port[8];
    char buffer[4];
    sil_stream *stream;
    (void)snprintf(port, sizeof port, "%u", (unsigned)sil_server_port(server));
    int code = sil_connect("localhost", port, NULL, &stream, soon());
    EXPECT_EXPECTED(code);
    if (code != 0)
        return 0;
    EXPECT_EXPECTED(sil_write(stream, "ping", 4, soon()));
    EXPECT_EXPECTED(sil_read_exactly(stream, buffer, 4, NULL, soon()));
    sil_stream_close(stream);
    return 0;
}

static int co_server(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_server *server;
    int code = sil_listen(NULL, "0", NULL, &server, soon());
    EXPECT_EXPECTED(code);
    if (code != 0)
        return 0;
    sil_future *serve = sil_go(co_serve, &server, sizeof server, 0);
    code = visit(server);
    if (code == 0)
        code = visit(server);
    EXPECT_EXPECTED(sil_server_shutdown(server, soon()));
    int served = sil_take(serve, NULL, SIL_FOREVER);
    EXPECT(served == SIL_ECLOSED || is_expected(served)); /* ECLOSED: it came too late */
    sil_server_close(server);
    return code;
}

static void server_and_client(void)
{
    run(co_server);
}

static int co_unix(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_server *server;
    sil_stream *near;
    sil_stream *far;
    int code = sil_listen_unix("@sillon-test-fault", NULL, &server);
    EXPECT_EXPECTED(code);
    if (code != 0)
        return 0;
    code = sil_connect_unix("@sillon-test-fault", &near, soon());
    EXPECT_EXPECTED(code);
    if (code == 0) {
        code = sil_server_accept(server, &far, soon());
        EXPECT_EXPECTED(code);
        if (code == 0)
            sil_stream_close(far);
        sil_stream_close(near);
    }
    sil_server_close(server);
    return 0;
}

static void unix_server(void)
{
    run(co_unix);
}

/* --- the tests ----------------------------------------------------------------------------- */

static void survive_all(void (*scenario)(void))
{
    survive(scenario);
    fail_each_point(SIL__FAULT_SYSTEM, scenario);
}

static void test_pairs(void **state)
{
    (void)state;
    survive_all(pairs);
}

static void test_open(void **state)
{
    (void)state;
    survive_all(open_streams);
}

static void test_server_and_client(void **state)
{
    (void)state;
    survive_all(server_and_client);
}

static void test_unix_server(void **state)
{
    (void)state;
    survive_all(unix_server);
}

int main(void)
{
    pairs(); /* libuv keeps two descriptors from the first loop on */
    const struct CMUnitTest tests[] = {
        TEST(test_pairs),
        TEST(test_open),
        TEST(test_server_and_client),
        TEST(test_unix_server),
    };
    return test_run("fault.stream", tests);
}
