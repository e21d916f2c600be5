/* SPDX-License-Identifier: MIT */
/*
 * An echo server and three clients. Teaches sil_listen and sil_server_serve (a coroutine for each
 * connection, written as if it were alone), sil_connect, reading by lines, and a graceful shutdown.
 *
 * With a port as argument it only serves, until Ctrl-C:   38_echo_server 7777
 */
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

static int echo(sil_stream *client, void *user)
{
    (void)user;
    const char *line;
    int code;
    while ((code = sil_read_line(client, 4096, &line, NULL, sil_in(60))) == 0) {
        struct iovec parts[] = {{(char *)line, strlen(line)}, {"\n", 1}};
        if ((code = sil_write_parts(client, parts, 2, sil_in(60))) != 0)
            break;
    }
    return code == SIL_EEND ? 0 : code;
}

static int serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, echo, NULL, SIL_FOREVER);
}

static int talk(sil_server *server, int number)
{
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)sil_server_port(server));
    sil_stream *stream;
    int code = sil_connect("localhost", port, NULL, &stream, sil_in(5));
    if (code != 0)
        return code;
    const char *line = "";
    code = sil_stream_printf(stream, sil_in(5), "hello from %d\n", number);
    if (code == 0)
        code = sil_flush(stream, sil_in(5));
    if (code == 0)
        code = sil_read_line(stream, 4096, &line, NULL, sil_in(5));
    if (code == 0)
        printf("%s\n", line);
    sil_stream_close(stream);
    return code;
}

static int run(void *arg, void *result)
{
    (void)result;
    const char *port = *(const char **)arg;
    sil_server *server;
    int code = sil_listen(NULL, port, NULL, &server, SIL_FOREVER);
    if (code != 0)
        return code;
    sil_future *serving = sil_go(serve, (void *)&server, sizeof server, 0);
    for (int i = 1; i <= 3 && code == 0 && port == NULL; i++)
        code = talk(server, i);
    if (port == NULL)
        sil_server_shutdown(server, sil_in(5)); /* the handlers end first */
    int served = sil_take(serving, NULL, SIL_FOREVER);
    sil_server_close(server);
    return code != 0 ? code : served;
}

int main(int argc, char **argv)
{
    const char *port = argc > 1 ? argv[1] : NULL;
    int code = sil_run_with(&(sil_loop_options){.interruptible = true}, run, (void *)&port,
                            sizeof port, NULL, 0);
    if (code != 0)
        fprintf(stderr, "%s\n", sil_error_message(sil_last_error()));
    return code != 0;
}
