/* SPDX-License-Identifier: MIT */
/*
 * Servers as a user of sillon would write them: a coroutine for each connection, which reads and
 * writes as if it were alone.
 *
 *     bench_sillon_server echo|http      prints its port, serves until killed
 */
#include <stdio.h>
#include <string.h>

#include <sillon/loop.h>
#include <sillon/server.h>

#include "peers/http_reply.h"

enum { BUFFER = 16384 };

static int echo(sil_stream *stream, void *user)
{
    char buffer[BUFFER];
    size_t got;
    (void)user;
    while (sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER) == 0 &&
           sil_write(stream, buffer, got, SIL_FOREVER) == 0)
        continue;
    return 0;
}

static int http(sil_stream *stream, void *user)
{
    char buffer[BUFFER];
    size_t got;
    int code = 0;
    (void)user;
    while (code == 0 && sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER) == 0)
        if (http_request_ends(buffer, got))
            code = sil_write(stream, http_reply, http_reply_size, SIL_FOREVER);
    return code;
}

static int serve(void *arg, void *result)
{
    sil_handler_fn handler = *(sil_handler_fn *)arg;
    sil_server *server;
    (void)result;
    int code = sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER);
    if (code != 0)
        return code;
    printf("%d\n", sil_server_port(server));
    fflush(stdout);
    code = sil_server_serve(server, handler, NULL, SIL_FOREVER);
    sil_server_close(server);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "echo") != 0 && strcmp(argv[1], "http") != 0)) {
        fprintf(stderr, "usage: %s echo|http\n", argv[0]);
        return 2;
    }
    sil_handler_fn handler = strcmp(argv[1], "echo") == 0 ? echo : http;
    int code = sil_run(serve, &handler, sizeof handler, NULL, 0);
    fprintf(stderr, "sillon: %s\n", sil_strerror(code));
    return code != 0;
}
