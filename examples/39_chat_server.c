/* SPDX-License-Identifier: MIT */
/*
 * A chat server: what one says, all others hear. Teaches that coroutines of one loop share plain data
 * without locks, since nothing else runs between two waits; and a queue for each client, so that a slow
 * one does not hold up the others. With a port as argument it serves until Ctrl-C.
 */
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

enum { MOST = 64, LINE = 256 };

static sil_queue *clients[MOST]; /* what each is to hear */

static void say(const char *text, const sil_queue *but)
{
    char line[LINE] = "";
    strncat(line, text, LINE - 1);
    for (int i = 0; i < MOST; i++)
        if (clients[i] != NULL && clients[i] != but)
            sil_queue_put(clients[i], line, SIL_NOW); /* full: it misses that */
}

struct ear {
    sil_stream *stream;
    sil_queue *queue;
};

static int hear(void *arg, void *result)
{
    (void)result;
    struct ear *ear = arg;
    char line[LINE];
    int code;
    while ((code = sil_queue_get(ear->queue, line, SIL_FOREVER)) == 0)
        if ((code = sil_write(ear->stream, line, strlen(line), sil_in(10))) != 0)
            break;
    return code == SIL_EEND ? 0 : code;
}

static int chat(sil_stream *stream, void *user)
{
    (void)user;
    int place = 0;
    while (place < MOST && clients[place] != NULL)
        place++;
    if (place == MOST)
        return SIL_EFULL;
    struct ear ear = {stream,
                      sil_queue_create(&(sil_queue_options){.item_size = LINE, .max_items = 100})};
    clients[place] = ear.queue;
    sil_future *hearing = sil_go(hear, &ear, sizeof ear, 0);
    const char *line;
    while (sil_read_line(stream, LINE - 16, &line, NULL, SIL_FOREVER) == 0) {
        char text[LINE];
        snprintf(text, sizeof text, "%d says: %s\n", place, line);
        say(text, ear.queue);
    }
    clients[place] = NULL;
    sil_queue_close(ear.queue);
    sil_take(hearing, NULL, SIL_FOREVER);
    sil_queue_destroy(ear.queue);
    return 0;
}

static int serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, chat, NULL, SIL_FOREVER);
}

/* Three clients; the first speaks when all are there. */
static int try_it(sil_server *server)
{
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)sil_server_port(server));
    sil_stream *streams[3];
    for (int i = 0; i < 3; i++)
        if (sil_connect("localhost", port, NULL, &streams[i], sil_in(5)) != 0)
            return 1;
    while (clients[2] == NULL)
        sil_yield();
    sil_write(streams[0], "good morning\n", 13, sil_in(5));
    for (int i = 1; i < 3; i++) {
        const char *line = "";
        sil_read_line(streams[i], LINE, &line, NULL, sil_in(5));
        printf("%s\n", line);
    }
    for (int i = 0; i < 3; i++)
        sil_stream_close(streams[i]);
    return sil_server_shutdown(server, sil_in(5));
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
    if (port == NULL)
        code = try_it(server);
    int served = sil_take(serving, NULL, SIL_FOREVER);
    sil_server_close(server);
    return code != 0 ? code : served;
}

int main(int argc, char **argv)
{
    const char *port = argc > 1 ? argv[1] : NULL;
    return sil_run_with(&(sil_loop_options){.interruptible = true}, run, (void *)&port, sizeof port,
                        NULL, 0) != 0;
}
