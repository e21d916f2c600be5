/* SPDX-License-Identifier: MIT */
/*
 * An echo server on one loop, and clients on another that come and go: messages of all sizes, some
 * connections reset, some given up in the middle, handlers cancelled. What comes back is what was sent.
 */
#include <sillon/sillon.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/gate.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { CLIENTS = 20, VISITS = TEST_SCALE(200), LARGEST = 60000 };

static _Atomic uint16_t port;
static struct gate listening;

/* --- the server ---------------------------------------------------------------------------- */

static int handle_echo(sil_stream *stream, void *user)
{
    (void)user;
    char *buffer = malloc(LARGEST);
    size_t size = 1 + (size_t)sil_stream_fd(stream) * 997 % LARGEST;
    size_t got;
    int code = buffer ? 0 : SIL_ENOMEM;
    while (code == 0 && (code = sil_read(stream, buffer, size, &got, SIL_FOREVER)) == 0)
        code = sil_write(stream, buffer, got, SIL_FOREVER);
    free(buffer);
    return code == SIL_EEND ? 0 : code;
}

static int co_serve(void *arg, void *result)
{
    sil_server **server = *(sil_server ***)arg;
    (void)result;
    int code = sil_listen("127.0.0.1", "0", &(sil_listen_options){.max_connections = CLIENTS - 3},
                          server, SIL_FOREVER);
    if (code != 0)
        return code;
    atomic_store(&port, sil_server_port(*server));
    gate_open(&listening);
    return sil_server_serve(*server, handle_echo, NULL, SIL_FOREVER);
}

static int co_shutdown(void *arg, void *result)
{
    sil_server *server = *(sil_server **)arg;
    (void)result;
    int code = sil_server_shutdown(server, sil_in(0.01));
    sil_server_close(server);
    return code;
}

/* --- clients ------------------------------------------------------------------------------- */

struct exchange {
    sil_stream *stream;
    const char *message;
    size_t size;
};

static int co_send(void *arg, void *result)
{
    const struct exchange *exchange = arg;
    (void)result;
    return sil_write(exchange->stream, exchange->message, exchange->size, SIL_FOREVER);
}

/* 0; or what ended it early; EBADMSG: something else came back. */
static int exchange_once(sil_stream *stream, struct random *random, sil_deadline until)
{
    struct exchange exchange = {.stream = stream, .size = 1 + random_below(random, LARGEST)};
    char *message = malloc(2 * exchange.size);
    if (!message)
        return SIL_ENOMEM;
    uint64_t seed = random_next(random);
    for (size_t i = 0; i < exchange.size; i++)
        message[i] = (char)((seed + i) * 31 >> 3);
    exchange.message = message;
    sil_future *send = sil_go(co_send, &exchange, sizeof exchange, 0);
    char *back = message + exchange.size;
    int code = sil_read_exactly(stream, back, exchange.size, NULL, until);
    if (code == 0 && memcmp(message, back, exchange.size) != 0)
        code = EBADMSG;
    if (code != 0)
        (void)sil_future_cancel(send);
    int sent = sil_await_or_cancel(send, SIL_FOREVER);
    sil_future_release(send);
    free(message);
    return code != 0 ? code : sent;
}

static int visit(struct random *random)
{
    sil_stream *stream;
    char service[8];
    (void)snprintf(service, sizeof service, "%u", (unsigned)atomic_load(&port));
    int code = sil_connect("127.0.0.1", service, NULL, &stream, SIL_FOREVER);
    if (code != 0)
        return code;
    bool hasty = random_below(random, 4) == 0;
    for (size_t times = random_below(random, 6); code == 0 && times > 0; times--)
        code = exchange_once(stream, random, hasty ? sil_in(0.0005) : SIL_FOREVER);
    if (random_below(random, 4) == 0) {
        struct linger reset = {.l_onoff = 1};
        (void)setsockopt(sil_stream_fd(stream), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    sil_stream_close(stream);
    return hasty && code == SIL_ETIMEDOUT ? 0 : code;
}

static int co_client(void *arg, void *result)
{
    struct random random = {*(uint64_t *)arg};
    (void)result;
    int code = 0;
    for (int i = 0; code == 0 && i < VISITS; i++)
        code = visit(&random);
    return code;
}

static void test_echo(void **state)
{
    (void)state;
    sil_future *clients[CLIENTS];
    sil_server *server = NULL;
    sil_server **the_server = &server;
    gate_init(&listening);
    sil_executor *far = sil_loop_thread(&(sil_loop_options){.name = "server"});
    sil_executor *near = sil_loop_thread(&(sil_loop_options){.name = "clients"});
    assert_true(far && near);
    sil_future *serve = sil_submit(far, co_serve, &the_server, sizeof the_server, 0);
    gate_wait(&listening);
    for (uint64_t i = 0; i < CLIENTS; i++)
        clients[i] = sil_submit(near, co_client, &i, sizeof i, 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_code(sil_take(clients[i], NULL, SIL_FOREVER), 0);
    int code =
        sil_take(sil_submit(far, co_shutdown, the_server, sizeof server, 0), NULL, SIL_FOREVER);
    assert_true(code == 0 || code == SIL_ETIMEDOUT);
    assert_code(sil_take(serve, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(near), 0);
    assert_code(sil_executor_close(far), 0);
    gate_fini(&listening);
}

int main(void)
{
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv keeps two descriptors from now on */
    const struct CMUnitTest tests[] = {
        TEST(test_echo),
    };
    return test_run("stress.echo", tests);
}
