/* SPDX-License-Identifier: MIT */
/*
 * Serving: a coroutine for each connection, and the end of all of them.
 *
 * A connection is let go of when its coroutine's future is final, by a listener that lies in it: that
 * comes also for one that never began, having been cancelled before, or for want of a stack.
 */
#include <errno.h>

#include <sillon/coro.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "coro/server.h"

/* How long to wait when there is nothing to serve a connection with. */
#define PAUSE (SIL__SECOND / 20)

struct sil__connection {
    struct sil__listener listener; /* first */
    struct sil__connection *next;
    struct sil__connection *prev;
    sil_server *server;
    sil_stream *stream;
    sil_future *future;
    sil_handler_fn handler;
    void *user;
};

/* Somebody who waits for a change. */
struct sil__ear {
    struct sil__waiter waiter;
    struct sil__ear *next;
    bool told;
};

/* --- waiting for a change -------------------------------------------------------------------- */

void sil__server_tell(sil_server *server)
{
    while (server->ears) {
        struct sil__ear *ear = server->ears;
        server->ears = ear->next;
        ear->told = true;
        sil__waiter_wake(&ear->waiter);
    }
}

/* 0 there was one; else what ended the wait, as wait of park.h. */
static int wait_for_change(sil_server *server, sil_deadline until)
{
    struct sil__context *context = sil__context();
    struct sil__ear ear = {.next = server->ears};
    static const struct sil__purpose purpose = {.text = "the connections of a server"};
    sil__waiter_init(&ear.waiter, context);
    ear.waiter.purpose = &purpose;
    server->ears = &ear;
    if (context->deferred)
        sil__state_drain(context);
    int code = context->ops->wait(context, &ear.waiter, until);
    if (ear.told) {
        if (code != 0)
            sil__waiter_settle(&ear.waiter);
        return 0;
    }
    struct sil__ear **link = &server->ears;
    while (*link != &ear)
        link = &(*link)->next;
    *link = ear.next;
    return code;
}

static int fail(int code, const char *what)
{
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(sil__context(), what);
    return sil__fail(code, "%s: the deadline came first", what);
}

/* --- a connection ---------------------------------------------------------------------------- */

static void forget(struct sil__connection *connection)
{
    sil_server *server = connection->server;
    if (connection->next)
        connection->next->prev = connection->prev;
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        server->connections = connection->next;
    server->stats.connections--;
    sil_stream_close(connection->stream);
    sil__free(connection);
}

/* Its coroutine has ended: on the loop's thread. */
static void on_ended(struct sil__listener *listener, sil_future *future)
{
    struct sil__connection *connection = (struct sil__connection *)listener;
    sil_server *server = connection->server;
    int code = sil_future_code(future);
    if (code != 0 && code != SIL_ECANCELLED)
        server->stats.failed++;
    sil_future *held = connection->future;
    forget(connection);
    sil__server_tell(server);
    sil_future_release(held);
}

static int handle(void *arg, void *result)
{
    struct sil__connection *connection = *(struct sil__connection **)arg;
    (void)result;
    return connection->handler(connection->stream, connection->user);
}

/* stream: takes, whatever comes of it. */
static int begin(sil_server *server, sil_stream *stream, sil_handler_fn handler, void *user)
{
    struct sil__connection *connection = sil__alloc(sizeof *connection);
    if (!connection) {
        sil_stream_close(stream);
        return sil__fail(SIL_ENOMEM, NULL);
    }
    connection->listener = (struct sil__listener){.notify = on_ended, .deferred = true};
    connection->server = server;
    connection->stream = stream;
    connection->handler = handler;
    connection->user = user;
    connection->next = server->connections;
    if (connection->next)
        connection->next->prev = connection;
    server->connections = connection;
    server->stats.connections++;
    const char *name = server->name[0] ? server->name : NULL;
    sil_future *future = name ? sil_go_with(&(sil_go_options){.name = name}, handle, &connection,
                                            sizeof connection, 0)
                              : sil_go(handle, &connection, sizeof connection, 0);
    connection->future = future;
    if (sil__state_listen(future, &connection->listener))
        return 0;
    int code = sil_future_code(future); /* it failed at once */
    sil_future_release(future);
    forget(connection);
    return code;
}

void sil__server_cancel_handlers(sil_server *server)
{
    struct sil__connection *connection = server->connections;
    while (connection) {
        struct sil__connection *next = connection->next;
        sil_future *future = sil_future_retain(connection->future);
        (void)sil_future_cancel(future); /* the connection is gone, if it had not begun */
        sil_future_release(future);
        connection = next;
    }
}

static bool is_handler(const sil_server *server)
{
    const sil_future *task = sil__context_task(sil__context());
    const struct sil__connection *connection = server->connections;
    while (connection && connection->future != task)
        connection = connection->next;
    return connection != NULL;
}

/* --- until all have ended ---------------------------------------------------------------------- */

/* Wait for the handlers; when code is not 0, or becomes so by the deadline or a cancel, they are
 * cancelled. */
static int drain(sil_server *server, sil_deadline until, int code, const char *what)
{
    struct sil__context *context = sil__context();
    until = sil__context_until(context, until);
    while (code == 0 && server->connections) {
        code = wait_for_change(server, until);
        if (code != 0)
            code = fail(code, what);
    }
    if (!server->connections)
        return code;
    sil__server_cancel_handlers(server);
    context->shielded++;
    while (server->connections)
        (void)wait_for_change(server, SIL_FOREVER);
    context->shielded--;
    return code;
}

/* --- serving ------------------------------------------------------------------------------- */

static bool is_starved(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == SIL_ENOMEM ||
           code == SIL_EAGAIN;
}

/* Until something may have become free. */
static int pause_for_room(sil_server *server, sil_deadline until)
{
    server->stats.starved++;
    int64_t end = sil__clock_now() + PAUSE;
    int code = wait_for_change(server, end < until ? end : until);
    return code == SIL_ETIMEDOUT && end < until ? 0 : code;
}

/* 0: go on; SIL_ECLOSED the server has stopped. */
static int serve_one(sil_server *server, sil_handler_fn handler, void *user, sil_deadline until,
                     const char *what)
{
    if (server->stopped)
        return SIL_ECLOSED;
    if (server->max_connections > 0 && server->stats.connections >= server->max_connections) {
        int code = wait_for_change(server, until);
        return code == 0 ? 0 : fail(code, what);
    }
    sil_stream *stream;
    int code = sil__server_accept(server, &stream, until, what);
    if (code == 0 && server->stopped) {
        sil_stream_close(stream);
        return SIL_ECLOSED;
    }
    if (code == 0)
        code = begin(server, stream, handler, user);
    if (!is_starved(code))
        return code;
    code = pause_for_room(server, until);
    return code == 0 ? 0 : fail(code, what);
}

int sil_server_serve(sil_server *server, sil_handler_fn handler, void *user, sil_deadline until)
{
    static const char what[] = "sil_server_serve";
    if (!handler)
        return sil__fail(SIL_EINVAL, "%s: the handler is NULL", what);
    int code = sil__server_enter(server, what);
    if (code != 0)
        return code;
    if (server->accepting || server->stopped) {
        code = server->stopped
                   ? sil__fail(SIL_ECLOSED, "%s: the server was shut down", what)
                   : sil__fail(SIL_EBUSY, "%s: another coroutine accepts already", what);
        sil__server_leave(server);
        return code;
    }
    server->accepting = true;
    sil_deadline end = sil__context_until(sil__context(), until);
    while (code == 0)
        code = serve_one(server, handler, user, end, what);
    server->accepting = false;
    if (code == SIL_ECLOSED)
        code = server->shut_down ? 0 : sil__fail(SIL_ECLOSED, "%s: the server was closed", what);
    code = drain(server, until, code, what);
    sil__server_leave(server);
    return code;
}

int sil_server_shutdown(sil_server *server, sil_deadline until)
{
    static const char what[] = "sil_server_shutdown";
    int code = sil__server_enter(server, what);
    if (code != 0)
        return code;
    if (!server->stopped)
        server->shut_down = true;
    sil__server_stop(server);
    code = is_handler(server) ? sil__fail(SIL_EDEADLK, "%s: a handler waits for its own end", what)
                              : drain(server, until, 0, what);
    sil__server_leave(server);
    return code;
}
