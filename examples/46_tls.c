/* SPDX-License-Identifier: MIT */
/*
 * TLS: sil_tls_connect_to, sil_tls_connect and sil_tls_accept give streams like any other.
 */
#include <sillon/sillon.h>
#include <sillon/tls.h>
#include <stdio.h>

/* A certificate for "localhost", signed by itself, and its key. */
static const char identity[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBATCBtKADAgECAgEBMAUGAytlcDAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEy\n"
    "MDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDAqMAUGAytlcAMhAOGSVM4P8pNGtWC6QSuYgf0TfRmn\n"
    "Eyg/3pEICsb8AfrJoykwJzAPBgNVHRMBAf8EBTADAQH/MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAFBgMrZXADQQDz\n"
    "gTRb7wG0OnVja/3uyja2raX0So6gekaJ0uoIif8TLvttNQHIavLzFW9HP/Ae/HmivT7QYXNY2YKxkucGk2wM\n"
    "-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEICyRnRA10zUzMf9KN6lEUFdeuIuqtcJmw0y5Mnfd5t4i\n-----END PRIVATE KEY-----\n";
static sil_tls_config *client, *server;

static int answer(void *plain, void *result)
{
    sil_stream *stream = NULL;
    const char *line;
    int code = sil_tls_accept(*(sil_stream **)plain, server, &stream, sil_in(10));
    if (code == 0 && (code = sil_read_line(stream, 1000, &line, NULL, sil_in(10))) == 0 &&
        (code = sil_stream_printf(stream, sil_in(10), "You ask: %s\n", line)) == 0)
        code = sil_stream_shutdown(stream, sil_in(10));
    sil_stream_close(stream), sil_stream_close(*(sil_stream **)plain);
    return (void)result, code;
}

static int ask(void *arg, void *result)
{
    const char *host = *(char **)arg, *line; /* no host: a server of our own */
    sil_stream *plain = NULL, *far, *stream = NULL;
    int code = host ? sil_tls_connect_to(host, "443", client, NULL, &stream, sil_in(10))
                    : sil_socketpair(&plain, &far);
    if (code == 0 && !host) {
        sil_future_release(sil_go(answer, &far, sizeof far, 0));
        code = sil_tls_connect(plain, client, host = "localhost", &stream, sil_in(10));
    }
    if (code == 0 &&
        (code = sil_stream_printf(stream, sil_in(10), "GET / HTTP/1.0\nHost: %s\n\n", host)) == 0)
        code = sil_flush(stream, sil_in(10));
    while (code == 0 && (code = sil_read_line(stream, 1 << 20, &line, NULL, sil_in(10))) == 0)
        printf("%s: %s\n", sil_tls_version(stream), line);
    sil_stream_close(stream), sil_stream_close(plain);
    return (void)result, code == SIL_EEND ? 0 : code;
}

int main(int argc, char **argv)
{
    client = sil_tls_client_config(&(sil_tls_options){.ca_pem = argc > 1 ? NULL : identity});
    server = sil_tls_server_config(&(sil_tls_options){.certificate_pem = identity});
    int code = sil_run(ask, &argv[1], sizeof argv[1], NULL, 0);
    if (code != 0)
        fprintf(stderr, "%s\n", sil_error_message(sil_last_error()));
    sil_tls_config_destroy(client), sil_tls_config_destroy(server);
    return code != 0;
}
