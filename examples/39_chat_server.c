/* SPDX-License-Identifier: MIT */
/*
 * A chat server (argument: a port). Coroutines of one loop share plain data; each client has a queue.
 */
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

enum { MOST = 64, LINE = 256 };
static sil_queue *clients[MOST]; /* what each is to hear */

static int hear(void *arg, void *result)
{
    (void)result;
    char line[LINE];
    while (sil_queue_get(((void **)arg)[1], line, SIL_FOREVER) == 0)
        sil_write(((void **)arg)[0], line, strlen(line), sil_in(10));
    return 0;
}

static int chat(sil_stream *stream, void *user)
{
    (void)user;
    int me = 0;
    while (clients[me] != NULL)
        me++;
    clients[me] = sil_queue_create(&(sil_queue_options){.item_size = LINE, .max_items = 100});
    sil_future *hearing = sil_go(hear, (void *[]){stream, clients[me]}, 2 * sizeof(void *), 0);
    const char *line;
    while (sil_read_line(stream, LINE - 16, &line, NULL, SIL_FOREVER) == 0) {
        char text[LINE] = "";
        snprintf(text, sizeof text, "%d says: %s\n", me, line);
        for (int i = 0; i < MOST; i++) /* whose queue is full misses that */
            if (i != me && clients[i] != NULL)
                sil_queue_put(clients[i], text, SIL_NOW);
    }
    sil_queue_close(clients[me]);
    sil_take(hearing, NULL, SIL_FOREVER);
    sil_queue_destroy(clients[me]);
    clients[me] = NULL;
    return 0;
}

static int run(void *arg, void *result)
{
    (void)result;
    sil_server *server;
    sil_listen_options most = {.max_connections = MOST};
    if (sil_listen(NULL, *(const char **)arg, &most, &server, SIL_FOREVER) != 0)
        return 1;
    int code = sil_server_serve(server, chat, NULL, SIL_FOREVER);
    sil_server_close(server);
    return code;
}

int main(int argc, char **argv)
{
    return argc > 1 ? sil_run(run, (void *)&argv[1], sizeof argv[1], NULL, 0) : 0;
}
