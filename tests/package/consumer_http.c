/* SPDX-License-Identifier: MIT */
/*
 * A program that needs HTTP, at least to learn that nobody answers; prints 144 if that went well.
 */
#include <errno.h>
#include <stdio.h>

#include <sillon/http.h>
#include <sillon/sillon.h>

static int ask(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page = NULL;
    int code = sil_http_get(client, "http://127.0.0.1:1/", 0, &page, sil_in(10));
    sil_http_close(page);
    sil_http_client_destroy(client);
    return code;
}

int main(void)
{
    int code = sil_run(ask, NULL, 0, NULL, 0);
    if (code == ECONNREFUSED)
        printf("144\n");
    else
        printf("%s\n", sil_error_message(sil_last_error()));
    return code != ECONNREFUSED;
}
