/* SPDX-License-Identifier: MIT */
/*
 * Serving: handlers, limits, want of descriptors, and the end.
 */
#include <sillon/server.h>

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/self.h"
#include "unit/coro/scenario.h"

/* --- a server and its clients ------------------------------------------------------------------ */

static sil_server *server;
static int handlers; /* that are running */
static int most_handlers;

static int handle_echo(sil_stream *stream, void *user)
{
    (void)user;
    char buffer[64];
    size_t got;
    int code;
    handlers++;
    most_handlers = handlers > most_handlers ? handlers : most_handlers;
    while ((code = sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER)) == 0 &&
           (code = sil_write(stream, buffer, got, SIL_FOREVER)) == 0)
        ;
    handlers--;
    return code == SIL_EEND ? 0 : code;
}

static int handle_nothing(sil_stream *stream, void *user)
{
    (void)stream;
    ++*(int *)user;
    return *(int *)user % 2 ? 0 : sil_fail(EIO, "every second one");
}

static int handle_forever(sil_stream *stream, void *user)
{
    (void)stream, (void)user;
    handlers++;
    int code = sil_sleep(SIL_FOREVER);
    (void)sil_yield(); /* to clean up, say */
    handlers--;
    return code;
}

static int handle_stop(sil_stream *stream, void *user)
{
    int *code = user;
    *code = sil_server_shutdown(server, SIL_FOREVER);
    return sil_write(stream, "bye", 3, SIL_FOREVER);
}

struct serving {
    sil_handler_fn handler;
    void *user;
    sil_deadline until;
};

static int co_serve(void *arg, void *result)
{
    const struct serving *serving = arg;
    (void)result;
    return sil_server_serve(server, serving->handler, serving->user, serving->until);
}

static sil_future *go_serve(sil_handler_fn handler, void *user, sil_deadline until)
{
    struct serving serving = {handler, user, until};
    return sil_go(co_serve, &serving, sizeof serving, 0);
}

static int open_server(const sil_listen_options *options)
{
    handlers = most_handlers = 0;
    return sil_listen("127.0.0.1", "0", options, &server, SIL_FOREVER);
}

static int connect_one(sil_stream **out_stream)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%u", (unsigned)sil_server_port(server));
    return sil_connect("127.0.0.1", port, NULL, out_stream, SIL_FOREVER);
}

/* Speak so often, and leave. */
static int co_client(void *arg, void *result)
{
    int times = *(int *)arg;
    (void)result;
    sil_stream *stream;
    char buffer[8];
    EXPECT_CODE(connect_one(&stream), 0);
    for (int i = 0; i < times; i++) {
        EXPECT_CODE(sil_write(stream, "ping", 4, SIL_FOREVER), 0);
        EXPECT_CODE(sil_read_exactly(stream, buffer, 4, NULL, SIL_FOREVER), 0);
        EXPECT(memcmp(buffer, "ping", 4) == 0);
    }
    sil_stream_close(stream);
    return 0;
}

/* Let others run until it is so. */
#define UNTIL(condition) \
    while (!(condition)) \
    EXPECT_CODE(sil_sleep(sil_in(0.0001)), 0)

/* --- tests --------------------------------------------------------------------------------- */

SCENARIO(serves_many)
{
    (void)arg, (void)result;
    enum { CLIENTS = 50 };
    sil_future *clients[CLIENTS];
    EXPECT_CODE(open_server(&(sil_listen_options){.name = "echo"}), 0);
    sil_future *serve = go_serve(handle_echo, NULL, SIL_FOREVER);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = go_int(co_client, 10);
    for (int i = 0; i < CLIENTS; i++)
        EXPECT_CODE(sil_take(clients[i], NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    sil_server_stats stats;
    EXPECT_CODE(sil_server_stats_get(server, &stats), 0);
    EXPECT(stats.accepted == CLIENTS && stats.connections == 0 && stats.failed == 0);
    EXPECT(handlers == 0 && most_handlers > 0);
    sil_server_close(server);
    return 0;
}

SCENARIO(a_stream_is_closed_when_its_handler_returns)
{
    (void)arg, (void)result;
    int count = 0;
    EXPECT_CODE(open_server(NULL), 0);
    sil_future *serve = go_serve(handle_nothing, &count, SIL_FOREVER);
    for (int i = 0; i < 6; i++) {
        sil_stream *stream;
        char byte;
        size_t got;
        EXPECT_CODE(connect_one(&stream), 0);
        EXPECT_CODE(sil_read(stream, &byte, 1, &got, SIL_FOREVER), SIL_EEND);
        sil_stream_close(stream);
    }
    EXPECT(count == 6);
    sil_server_stats stats;
    EXPECT_CODE(sil_server_stats_get(server, &stats), 0);
    EXPECT(stats.failed == 3);
    sil_server_close(server);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), SIL_ECLOSED);
    return 0;
}

SCENARIO(no_more_connections_than_allowed)
{
    (void)arg, (void)result;
    enum { CLIENTS = 20, ALLOWED = 3 };
    sil_future *clients[CLIENTS];
    EXPECT_CODE(open_server(&(sil_listen_options){.max_connections = ALLOWED}), 0);
    sil_future *serve = go_serve(handle_echo, NULL, SIL_FOREVER);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = go_int(co_client, 5);
    for (int i = 0; i < CLIENTS; i++)
        EXPECT_CODE(sil_take(clients[i], NULL, SIL_FOREVER), 0);
    EXPECT(most_handlers <= ALLOWED);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    sil_server_close(server);
    return 0;
}

SCENARIO(a_shutdown_waits_for_the_handlers)
{
    (void)arg, (void)result;
    sil_stream *stream;
    char buffer[8];
    EXPECT_CODE(open_server(NULL), 0);
    sil_future *serve = go_serve(handle_echo, NULL, SIL_FOREVER);
    EXPECT_CODE(connect_one(&stream), 0);
    UNTIL(handlers == 1);
    EXPECT(sil_server_connections(server) == 1);
    EXPECT_CODE(sil_server_shutdown(server, sil_in(0.001)), SIL_ETIMEDOUT); /* and cancelled them */
    EXPECT(handlers == 0 && sil_server_connections(server) == 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_exactly(stream, buffer, 1, NULL, SIL_FOREVER), SIL_EEND);
    sil_stream_close(stream);
    EXPECT_CODE(connect_one(&stream), ECONNREFUSED);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_server_serve(server, handle_echo, NULL, SIL_FOREVER), SIL_ECLOSED);
    sil_server_close(server);
    return 0;
}

static int co_leave(void *arg, void *result)
{
    sil_stream *stream = *(sil_stream **)arg;
    (void)result;
    give_way(5);
    sil_stream_close(stream);
    return 0;
}

SCENARIO(a_shutdown_ends_when_the_last_one_leaves)
{
    (void)arg, (void)result;
    sil_stream *streams[2];
    sil_future *leave[2];
    EXPECT_CODE(open_server(NULL), 0);
    sil_future *serve = go_serve(handle_echo, NULL, SIL_FOREVER);
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(connect_one(&streams[i]), 0);
    UNTIL(handlers == 2);
    for (int i = 0; i < 2; i++)
        leave[i] = sil_go(co_leave, &streams[i], sizeof streams[i], 0);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT(handlers == 0);
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(sil_take(leave[i], NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    sil_server_close(server);
    return 0;
}

static int co_shutdown(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_server_shutdown(server, SIL_FOREVER);
}

SCENARIO(a_cancelled_shutdown_cancels_the_handlers)
{
    (void)arg, (void)result;
    sil_stream *stream;
    EXPECT_CODE(open_server(NULL), 0);
    sil_future *serve = go_serve(handle_forever, NULL, SIL_FOREVER);
    EXPECT_CODE(connect_one(&stream), 0);
    UNTIL(handlers == 1);
    sil_future *shutdown = sil_go(co_shutdown, NULL, 0, 0);
    give_way(3);
    EXPECT(handlers == 1);
    (void)sil_future_cancel(shutdown);
    EXPECT_CODE(sil_take(shutdown, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(handlers == 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    sil_stream_close(stream);
    sil_server_close(server);
    return 0;
}

SCENARIO(a_handler_shuts_it_down)
{
    (void)arg, (void)result;
    int code = 0;
    sil_stream *stream;
    char buffer[4];
    EXPECT_CODE(open_server(NULL), 0);
    sil_future *serve = go_serve(handle_stop, &code, SIL_FOREVER);
    EXPECT_CODE(connect_one(&stream), 0);
    EXPECT_CODE(sil_read_exactly(stream, buffer, 3, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(code, SIL_EDEADLK);
    sil_stream_close(stream);
    sil_server_close(server);
    return 0;
}

SCENARIO(serving_ends_by_deadline_cancel_and_close)
{
    (void)arg, (void)result;
    for (int how = 0; how < 4; how++) {
        sil_stream *streams[3];
        EXPECT_CODE(open_server(NULL), 0);
        sil_deadline until = how == 0 ? sil_in(0.01) : SIL_FOREVER;
        sil_future *serve = go_serve(handle_forever, NULL, until);
        for (int i = 0; i < 3; i++)
            EXPECT_CODE(connect_one(&streams[i]), 0); /* it listens until it is closed */
        if (how != 3)                                 /* 3: the handlers have not begun */
            UNTIL(handlers == 3 || sil_future_done(serve));
        if (how > 0)
            EXPECT_CODE(sil_server_serve(server, handle_forever, NULL, SIL_FOREVER), SIL_EBUSY);
        if (how == 1)
            (void)sil_future_cancel(serve);
        else if (how >= 2)
            sil_server_close(server);
        int code = sil_take(serve, NULL, SIL_FOREVER);
        EXPECT_CODE(code, how == 0 ? SIL_ETIMEDOUT : how == 1 ? SIL_ECANCELLED : SIL_ECLOSED);
        EXPECT(handlers == 0);
        for (int i = 0; i < 3; i++)
            sil_stream_close(streams[i]);
        if (how < 2)
            sil_server_close(server);
    }
    return 0;
}

/* The loop's end cancels everybody, in any order. */
static int leave_it_running(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_stream *stream;
    EXPECT_CODE(open_server(NULL), 0);
    sil_future_release(go_serve(handle_forever, NULL, SIL_FOREVER));
    for (int i = 0; i < 3; i++) {
        EXPECT_CODE(connect_one(&stream), 0);
        sil_stream_close(stream);
    }
    UNTIL(handlers > 0);
    return 0;
}

static void test_the_loop_ends_before_it(void **state)
{
    (void)state;
    run_scenario(leave_it_running);
    assert_int_equal(handlers, 0);
    sil_server_close(server);
}

/* --- want of descriptors ------------------------------------------------------------------- */

SCENARIO(goes_on_without_descriptors)
{
    (void)arg, (void)result;
    enum { CLIENTS = 32, ROOM = 10 };
    sil_stream *streams[CLIENTS];
    struct rlimit before;
    sil_server_stats stats;
    char buffer[4];
    int open = 0;
    EXPECT_CODE(open_server(NULL), 0);
    sil_future *serve = go_serve(handle_echo, NULL, SIL_FOREVER);
    EXPECT_CODE(connect_one(&streams[open++]), 0);
    UNTIL(handlers == 1);
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit few = before;
    few.rlim_cur = (rlim_t)sil_stream_fd(streams[0]) + ROOM;
    EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    /* Until there is none left for either side. */
    int code;
    while (open < CLIENTS && (code = connect_one(&streams[open])) == 0)
        open++;
    EXPECT_CODE(code, EMFILE);
    do {
        EXPECT_CODE(sil_sleep(sil_in(0.001)), 0);
        EXPECT_CODE(sil_server_stats_get(server, &stats), 0);
    } while (stats.starved == 0);
    /* When one leaves another gets its turn. */
    for (int i = 0; i < open; i++) {
        EXPECT_CODE(sil_write(streams[i], "ping", 4, SIL_FOREVER), 0);
        EXPECT_CODE(sil_read_exactly(streams[i], buffer, 4, NULL, SIL_FOREVER), 0);
        sil_stream_close(streams[i]);
    }
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serve, NULL, SIL_FOREVER), 0);
    sil_server_close(server);
    return 0;
}

SCENARIO(bad_arguments)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_server(NULL), 0);
    EXPECT_CODE(sil_server_serve(server, NULL, NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_server_serve(NULL, handle_echo, NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_server_serve(server, handle_echo, NULL, SIL_NOW), SIL_ETIMEDOUT);
    sil_server_close(server);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_serves_many),
        TEST(test_a_stream_is_closed_when_its_handler_returns),
        TEST(test_no_more_connections_than_allowed),
        TEST(test_a_shutdown_waits_for_the_handlers),
        TEST(test_a_shutdown_ends_when_the_last_one_leaves),
        TEST(test_a_cancelled_shutdown_cancels_the_handlers),
        TEST(test_a_handler_shuts_it_down),
        TEST(test_serving_ends_by_deadline_cancel_and_close),
        TEST(test_the_loop_ends_before_it),
        TEST(test_goes_on_without_descriptors),
        TEST(test_bad_arguments),
    };
    return test_run("coro.server_serve", tests);
}
