/* SPDX-License-Identifier: MIT */
/*
 * An echo server and a client. Teaches sil_listen, sil_server_serve (a coroutine for each connection,
 * written as if it were alone), sil_connect, reading by lines, and a graceful shutdown.
 */
#include <stdio.h>

#include <sillon/sillon.h>

static int echo(sil_stream *client, void *user)
{
    (void)user;
    const char *line;
    int code;
    while ((code = sil_read_line(client, 4096, &line, NULL, sil_in(60))) == 0)
        sil_stream_printf(client, sil_in(60), "%s\n", line), sil_flush(client, sil_in(60));
    return code == SIL_EEND ? 0 : code;
}

static int serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, echo, NULL, SIL_FOREVER);
}

static int talk(const char *port)
{
    sil_stream *stream;
    if (sil_connect("localhost", port, NULL, &stream, sil_in(5)) != 0)
        return 1;
    int code = sil_write(stream, "hello\nworld\n", 12, sil_in(5));
    const char *line;
    for (int i = 0; i < 2 && code == 0; i++)
        if ((code = sil_read_line(stream, 4096, &line, NULL, sil_in(5))) == 0)
            printf("%s\n", line);
    sil_stream_close(stream);
    return code;
}

static int run(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_server *server; /* on a free port of all addresses */
    if (sil_listen(NULL, "0", NULL, &server, SIL_FOREVER) != 0)
        return 1;
    sil_future *serving = sil_go(serve, (void *)&server, sizeof server, 0);
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)sil_server_port(server));
    int code = talk(port);
    sil_server_shutdown(server, sil_in(5)); /* the handlers end first */
    sil_take(serving, NULL, SIL_FOREVER);
    sil_server_close(server);
    return code;
}

int main(void)
{
    return sil_run(run, NULL, 0, NULL, 0);
}
