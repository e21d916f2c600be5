/* SPDX-License-Identifier: MIT */
/*
 * HTTP. Teaches that any status is an answer, and that a body cut short is a failure.
 */
#include <stdio.h>

#include <sillon/http.h>
#include <sillon/sillon.h>

/* Answers /200/6 with status 200 and a length of 6. */
static int answer(sil_stream *stream, void *user)
{
    (void)user;
    const char *head;
    size_t size;
    if (sil_read_until(stream, "\r\n\r\n", 4, 8192, &head, &size, sil_in(10)) == 0)
        sil_stream_printf(stream, sil_in(9), "HTTP/1.0 %.3s \r\nContent-Length: %.1s\r\n\r\nhello!",
                          head + 5, head + 9);
    return sil_flush(stream, sil_in(10));
}

static int serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, answer, NULL, SIL_FOREVER);
}

static void show(sil_http_client *client, unsigned port, const char *path)
{
    char url[100];
    sil_http_response *page;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    int code = sil_http_get(client, url, 1 << 20, &page, sil_in(30));
    const char *what = code == 0 ? sil_http_body(page, NULL) : sil_error_message(sil_last_error());
    printf("%s: %d %s\n", path, sil_http_status(page), what);
    sil_http_close(page);
}

static int run(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_server *server;
    if (sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER) != 0)
        return 1;
    sil_future *serving = sil_go(serve, (void *)&server, sizeof server, 0);
    sil_http_client *client = sil_http_client_create(NULL);
    const char *const paths[] = {"/200/6", "/404/6", "/200/9"};
    for (int i = 0; client && i < 3; i++)
        show(client, sil_server_port(server), paths[i]);
    sil_http_client_destroy(client);
    sil_server_shutdown(server, sil_in(5));
    sil_take(serving, NULL, SIL_FOREVER);
    sil_server_close(server);
    return 0;
}

int main(void)
{
    return sil_run(run, NULL, 0, NULL, 0);
}
