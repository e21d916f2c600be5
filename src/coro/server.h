/* SPDX-License-Identifier: MIT */
/*
 * Servers, from inside.
 *
 * I1: uses counts the calls inside; a server that is closed meanwhile goes when the last of them leaves.
 *     There are connections only as long as sil_server_serve is inside.
 * I2: a connection is in the list from before its coroutine is submitted until that has ended, whether it
 *     ever began or not.
 */
#ifndef SIL__CORO_SERVER_H
#define SIL__CORO_SERVER_H

#include <sillon/server.h>
#include <sys/stat.h>

#include "coro/loop.h"
#include "coro/stream.h"
#include "loop/watch.h"

struct sil__connection;
struct sil__ear;

struct sil_server {
    const struct sil__loop *loop; /* only compared */
    unsigned uses;
    bool closed;
    bool stopped;   /* it does not listen any more */
    bool shut_down; /* ... since sil_server_shutdown said so */
    bool accepting;

    int fds[SIL__WATCH_ANY];
    struct sil__watch *watches[SIL__WATCH_ANY];
    size_t count;
    size_t turn; /* which one to ask first */
    sil_address address;
    struct stat file; /* of its socket in the file system, if it has one */
    bool has_file;

    struct sil__connection *connections;
    struct sil__ear *ears;
    size_t max_connections;
    sil_server_stats stats;
    char name[64];
};

/* --- server.c ---------------------------------------------------------------------------------- */

/* A server without sockets; NULL with the last error set. */
sil_server *sil__server_create(const sil_listen_options *options);

/* As those of streams, but a cancel that is due is left to whoever waits: a shutdown begins in any case. */
int sil__server_enter(sil_server *server, const char *what);
void sil__server_leave(sil_server *server);

/* Listen no more. */
void sil__server_stop(sil_server *server);

/* Accept one, as sil_server_accept. The caller is inside, and accepting. */
int sil__server_accept(sil_server *server, sil_stream **out_stream, sil_deadline until,
                       const char *what);

/* --- server_serve.c ---------------------------------------------------------------------------- */

/* Whoever waits for connections to end, or for the server to stop, looks again. */
void sil__server_tell(sil_server *server);

void sil__server_cancel_handlers(sil_server *server);

#endif
