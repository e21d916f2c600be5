/* SPDX-License-Identifier: MIT */
/*
 * A program of servers and streams that is cancelled, or comes to its deadline, at every point where it
 * waits: nothing is left behind, whichever it was.
 */
#include <sillon/server.h>

#include <string.h>

#include "unit/coro/scenario.h"

/* What has been made so far. */
struct things {
    sil_server *server;
    sil_future *serve;
    sil_stream *streams[6];
    size_t count;
};

static int handle_lines(sil_stream *stream, void *user)
{
    const char *line;
    (void)user;
    int code;
    while ((code = sil_read_line(stream, 100, &line, NULL, SIL_FOREVER)) == 0) {
        code = sil_stream_printf(stream, SIL_FOREVER, "<%s>\n", line);
        if (code == 0)
            code = sil_flush(stream, SIL_FOREVER);
        if (code != 0)
            break;
    }
    return code;
}

static int co_serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, handle_lines, NULL, SIL_FOREVER);
}

/* --- steps: each returns the first code that is not 0 ----------------------------------------- */

#define TRY(call)         \
    do {                  \
        int code_ = call; \
        if (code_ != 0)   \
            return code_; \
    } while (0)

static int by_tcp(struct things *things)
{
    char port[8];
    char buffer[7];
    TRY(sil_listen("localhost", "0", NULL, &things->server, SIL_FOREVER));
    things->serve = sil_go(co_serve, &things->server, sizeof things->server, 0);
    (void)snprintf(port, sizeof port, "%u", (unsigned)sil_server_port(things->server));
    for (int i = 0; i < 2; i++) {
        sil_stream *stream;
        TRY(sil_connect("localhost", port, NULL, &stream, SIL_FOREVER));
        things->streams[things->count++] = stream;
        TRY(sil_write(stream, "hello\n", 6, SIL_FOREVER));
        TRY(sil_read_exactly(stream, buffer, 7, NULL, SIL_FOREVER));
        EXPECT(memcmp(buffer, "<hello>", 7) == 0);
    }
    TRY(sil_stream_shutdown(things->streams[0], SIL_FOREVER));
    sil_stream_close(things->streams[--things->count]);
    sil_stream_close(things->streams[--things->count]);
    return sil_server_shutdown(things->server, SIL_FOREVER);
}

static int co_read_all(void *arg, void *result)
{
    sil_stream *stream = *(sil_stream **)arg;
    const char *data;
    (void)result;
    give_way(2);
    size_t size;
    return sil_read_all(stream, 1 << 20, &data, &size, SIL_FOREVER);
}

static int by_pipe(struct things *things)
{
    static const char block[200000];
    sil_stream *reader;
    sil_stream *writer;
    TRY(sil_pipe(&reader, &writer));
    things->streams[things->count++] = reader;
    things->streams[things->count++] = writer;
    sil_future *all = sil_go(co_read_all, &reader, sizeof reader, 0);
    int code = sil_write(writer, block, sizeof block, SIL_FOREVER);
    sil_stream_close(writer);
    things->count--;
    if (code != 0)
        (void)sil_future_cancel(all);
    (void)sil_deadline_scope(SIL_FOREVER);
    int read_code = sil_await_or_cancel(all, SIL_FOREVER);
    sil_future_release(all);
    return code != 0 ? code : read_code;
}

static int co_program(void *arg, void *result)
{
    sil_deadline until = *(sil_deadline *)arg;
    (void)result;
    struct things things = {0};
    sil_deadline outer = sil_deadline_scope(until);
    int code = by_tcp(&things);
    if (code == 0)
        code = by_pipe(&things);
    sil_deadline_restore(outer);
    while (things.count > 0)
        sil_stream_close(things.streams[--things.count]);
    if (things.serve) {
        /* It may not have begun yet. */
        int stopped = sil_server_shutdown(things.server, SIL_NOW);
        EXPECT(stopped == 0 || stopped == SIL_ETIMEDOUT || stopped == SIL_ECANCELLED);
        int served = sil_take(things.serve, NULL, SIL_FOREVER);
        EXPECT(served == 0 || served == SIL_ECLOSED || served == SIL_ETIMEDOUT);
    }
    sil_server_close(things.server);
    return code;
}

static sil_future *go_program(sil_deadline until)
{
    return sil_go(co_program, &until, sizeof until, 0);
}

/* --- tests --------------------------------------------------------------------------------- */

SCENARIO(cancelled_at_every_point)
{
    (void)arg, (void)result;
    int turns = 0;
    for (int finished = 0; finished < 3; turns++) {
        sil_future *future = go_program(SIL_FOREVER);
        give_way(turns);
        (void)sil_future_cancel(future);
        int code = sil_take(future, NULL, SIL_FOREVER);
        if (code != 0)
            EXPECT_CODE(code, SIL_ECANCELLED);
        finished += code == 0;
        if (turns > 20)
            turns += turns / 10; /* the look-up takes many */
    }
    return 0;
}

SCENARIO(out_of_time_at_every_point)
{
    (void)arg, (void)result;
    double seconds = 0;
    for (int finished = 0; finished < 3; seconds = seconds * 1.1 + 0.00001) {
        int code = sil_take(go_program(sil_in(seconds)), NULL, SIL_FOREVER);
        /* Its server and that one's handlers have the same deadline, and may come to it first. */
        if (code != SIL_EEND && code != ECONNRESET && code != EPIPE && code != 0)
            EXPECT_CODE(code, SIL_ETIMEDOUT);
        finished += code == 0;
    }
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_cancelled_at_every_point),
        TEST(test_out_of_time_at_every_point),
    };
    return test_run("coro.stream_cancel", tests);
}
