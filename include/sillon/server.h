/* SPDX-License-Identifier: MIT */
/*
 * Servers: sockets that others connect to, and a coroutine for each connection.
 *
 *     static int echo(sil_stream *stream, void *user)
 *     {
 *         char buffer[4096];
 *         size_t got;
 *         while (sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER) == 0 &&
 *                sil_write(stream, buffer, got, SIL_FOREVER) == 0)
 *             ;
 *         return 0;
 *     }
 *     ...
 *     sil_server *server;
 *     int code = sil_listen(NULL, "7777", NULL, &server, SIL_FOREVER);
 *     if (code == 0)
 *         code = sil_server_serve(server, echo, NULL, SIL_FOREVER);
 *     sil_server_close(server);
 *
 * A server belongs to the loop of the coroutine that made it.
 */
#ifndef SILLON_SERVER_H
#define SILLON_SERVER_H

#include <sillon/stream.h>
#include <stdint.h>

typedef struct sil_server sil_server;

/** All zero is the default. */
typedef struct sil_listen_options {
    const char *name;       /**< of the handlers' coroutines, for messages and dumps; copied */
    int family;             /**< AF_INET or AF_INET6: only this one; 0: both */
    int backlog;            /**< connections the system holds until they are accepted; 0: as many as
                                 it likes to */
    size_t max_connections; /**< at a time, for sil_server_serve: others wait in the backlog. 0: no
                                 limit */
    bool reuse_port;        /**< other servers may listen on the same port, of other loops say: the
                                 system spreads the connections */
} sil_listen_options;

/** Counts since the server was made, but for connections. */
typedef struct sil_server_stats {
    uint64_t accepted;    /**< connections */
    uint64_t connections; /**< that have a handler now */
    uint64_t failed;      /**< whose handler returned something other than 0 */
    uint64_t starved;     /**< how often there was no descriptor or memory for one, and it paused */
    uint64_t reserved[4];
} sil_server_stats;

/**
 * Serves one connection, in a coroutine of its own. The stream is closed when it returns.
 *
 * @param stream  borrows.
 * @param user    as given to sil_server_serve.
 * @return 0; anything else is counted, and otherwise ignored.
 */
typedef int (*sil_handler_fn)(sil_stream *stream, void *user);

SIL_BEGIN_DECLS

/**
 * Listen for TCP connections, on all addresses that a host has.
 *
 * @param host        borrows: a name or an address of this machine; NULL: all addresses, IPv4 and IPv6.
 * @param service     borrows: a port number, or the name of one; "0" or NULL: a free port, the same for
 *                    all addresses (sil_server_port tells which).
 * @param options     borrows; NULL for the defaults.
 * @param out_server  returns owned: sil_server_close.
 * @return 0; EADDRINUSE; EADDRNOTAVAIL; EACCES; EMFILE and other errno values; SIL_ENOHOST;
 *         SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ENOMEM; SIL_EAGAIN; SIL_ENOTASK; SIL_EINVAL.
 * @threads coroutine
 * @blocks  while the host is looked up; only the coroutine waits
 */
SIL_API int sil_listen(const char *host, const char *service, const sil_listen_options *options,
                       sil_server **out_server, sil_deadline until);

/**
 * Listen on a socket in the file system; "@name" is one in Linux's abstract name space. The socket of a
 * server that is gone is replaced. Its file goes when the server is shut down or closed. Who may connect
 * is decided by the rights of the directory, and the umask.
 *
 * @param path        borrows.
 * @param options     borrows; NULL for the defaults.
 * @param out_server  returns owned: sil_server_close.
 * @return 0; EADDRINUSE a server listens there, or it is another kind of file; ENOENT, EACCES and other
 *         errno values; SIL_ETOOLONG more than 107 bytes; SIL_ENOMEM; SIL_ENOTASK; SIL_EINVAL.
 * @threads coroutine
 */
SIL_API int sil_listen_unix(const char *path, const sil_listen_options *options,
                            sil_server **out_server);

/**
 * Accept one connection: for those who do not want sil_server_serve.
 *
 * @param out_stream  returns owned: sil_stream_close.
 * @return 0; SIL_ECLOSED the server was shut down or closed; SIL_EBUSY another accepts; EMFILE, ENFILE
 *         and so on: nothing was accepted, the connection still waits; SIL_ENOMEM; SIL_ETIMEDOUT;
 *         SIL_ECANCELLED; SIL_ENOTASK; SIL_EINVAL.
 * @threads home
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_server_accept(sil_server *server, sil_stream **out_stream, sil_deadline until);

/**
 * Accept connections and run a handler for each, until the server is shut down. When this returns all
 * handlers have ended. Where there is no descriptor or memory for a connection, it pauses until one
 * closes, 50 ms at most, and goes on.
 *
 * @param user   handed to handler; keep it valid until this returns.
 * @param until  the deadline, or a cancel, ends it: the handlers are cancelled, and waited for.
 * @return 0 it was shut down; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ECLOSED it was shut down before, or
 *         closed; SIL_EBUSY another coroutine serves or accepts; an errno value: it cannot accept;
 *         SIL_ENOTASK; SIL_EINVAL.
 * @threads home
 * @blocks  until the server is shut down; only the coroutine waits
 */
SIL_API int sil_server_serve(sil_server *server, sil_handler_fn handler, void *user,
                             sil_deadline until);

/**
 * Stop accepting, which refuses new connections, and wait for the handlers; cancel those that go on at
 * the deadline, or when the caller is cancelled, and wait for them.
 *
 * @param until  SIL_NOW: cancel them at once.
 * @return 0 all have ended by themselves; SIL_ETIMEDOUT some were cancelled; SIL_ECANCELLED; SIL_EDEADLK
 *         called by a handler: no more are accepted, but it cannot wait for its own end; SIL_ENOTASK;
 *         SIL_EINVAL.
 * @threads home
 * @blocks  until all handlers have ended; only the coroutine waits
 */
SIL_API int sil_server_shutdown(sil_server *server, sil_deadline until);

/**
 * Where it listens, or did until it was shut down; of several addresses the first.
 *
 * @param out  receives it.
 * @return 0; SIL_EINVAL.
 * @threads home
 */
SIL_API int sil_server_address(const sil_server *server, sil_address *out);

/**
 * The port it listens on; 0 if it has none.
 *
 * @threads home
 */
SIL_API uint16_t sil_server_port(const sil_server *server);

/**
 * How many handlers there are now; 0 for NULL.
 *
 * @threads home
 */
SIL_API size_t sil_server_connections(const sil_server *server);

/**
 * What it has done so far.
 *
 * @param out  receives it.
 * @return 0; SIL_EINVAL.
 * @threads home
 */
SIL_API int sil_server_stats_get(const sil_server *server, sil_server_stats *out);

/**
 * Stop listening, and let go. A coroutine that still serves or accepts gets SIL_ECLOSED; its handlers
 * are cancelled, and it waits for them.
 *
 * @param server  takes; NULL allowed.
 * @threads home; also when its loop has ended, on the thread it had
 */
SIL_API void sil_server_close(sil_server *server);

SIL_END_DECLS

#endif
