/* SPDX-License-Identifier: MIT */
/*
 * Clients: the options that all requests share, the engine, and the responses kept for the next requests.
 */
#include "http/http.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_CONNECTIONS = 64, SPILL = 256 * 1024 };

static CURLcode global_result;

static void begin_curl(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- options ------------------------------------------------------------------------------------- */

/* The texts of options, one after the other; NULL behind the last. */
static const char **text_of(sil_http_client_options *options, unsigned number)
{
    const char **texts[] = {&options->user_agent, &options->proxy,       &options->ca_file,
                            &options->ca_folder,  &options->certificate, &options->key,
                            &options->pin,        &options->interface};
    return number < sizeof texts / sizeof texts[0] ? texts[number] : NULL;
}

static int copy_texts(sil_http_client *client, const sil_http_client_options *given)
{
    const char **text;
    for (unsigned i = 0; (text = text_of(&client->options, i)); i++)
        *text = NULL;
    client->options.resolve = NULL;
    sil_http_client_options source = *given;
    for (unsigned i = 0; (text = text_of(&client->options, i)); i++) {
        const char *from = *text_of(&source, i);
        if (from && !(*text = strdup(from)))
            return sil_fail(SIL_ENOMEM, "no memory for an HTTP client");
    }
    for (const char *const *entry = given->resolve; entry && *entry; entry++) {
        struct curl_slist *longer = curl_slist_append(client->resolve, *entry);
        if (!longer)
            return sil_fail(SIL_ENOMEM, "no memory for an HTTP client");
        client->resolve = longer;
    }
    return 0;
}

static int check(const sil_http_client_options *options)
{
    if (options->family != 0 && options->family != 4 && options->family != 6)
        return sil_fail(SIL_EINVAL, "family is neither 4 nor 6");
    if ((unsigned)options->version > SIL_HTTP_2)
        return sil_fail(SIL_EINVAL, "no such version of HTTP");
    if (options->max_connections > INT32_MAX || options->max_per_host > INT32_MAX)
        return sil_fail(SIL_EINVAL, "too many connections");
    const char *files[] = {options->ca_file, options->ca_folder, options->certificate,
                           options->key};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i] && access(files[i], R_OK) != 0) {
            int number = errno;
            return sil_fail(number, "%s: %s", files[i], sil_strerror(number));
        }
    }
    return 0;
}

/* Seconds of an option in nanoseconds: 0 is the default, negative no limit. */
static int64_t limit_of(double seconds, double otherwise)
{
    if (seconds == 0)
        seconds = otherwise;
    return seconds < 0 || seconds > 1e9 ? INT64_MAX : (int64_t)(seconds * 1e9) + 1;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void set_limits(sil_http_client *client)
{
    sil_http_client_options *options = &client->options;
    if (options->max_connections == 0)
        options->max_connections = DEFAULT_CONNECTIONS;
    if (options->stall_rate == 0)
        options->stall_rate = 1;
    client->connect_limit = limit_of(options->connect_timeout, 10);
    client->stall_limit = limit_of(options->stall, 30);
    client->tick = INT64_MAX;
    if (client->connect_limit != INT64_MAX)
        client->tick = least(SIL__HTTP_SECOND, client->connect_limit / 2 + 1);
    if (client->stall_limit != INT64_MAX)
        client->tick = least(client->tick, least(SIL__HTTP_SECOND, client->stall_limit / 4 + 1));

    client->rate.limit = options->max_rate;
    uint64_t rate = options->max_rate_each;
    if (rate == 0 || (options->max_rate > 0 && options->max_rate < rate))
        rate = options->max_rate;
    client->spill_limit = SPILL;
    if (rate > 0 && rate / 8 < SPILL) /* not far ahead of who is to be slow */
        client->spill_limit = rate / 8 > CURL_MAX_WRITE_SIZE ? rate / 8 : CURL_MAX_WRITE_SIZE;
}

/* --- life ---------------------------------------------------------------------------------------- */

static void free_client(sil_http_client *client)
{
    const char **text;
    for (unsigned i = 0; (text = text_of(&client->options, i)); i++)
        free((void *)*text); // NOLINT(cast-qual): a copy of ours
    curl_slist_free_all(client->resolve);
    free(client);
}

sil_http_client *sil_http_client_create(const sil_http_client_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static const sil_http_client_options defaults;
    options = options ? options : &defaults;
    sil_executor *loop = sil_loop_current();
    if (!loop) {
        (void)sil_fail(SIL_ENOTASK, "an HTTP client is made in a coroutine");
        return NULL;
    }
    (void)pthread_once(&once, begin_curl);
    if (check(options) != 0)
        return NULL;
    sil_http_client *client = calloc(1, sizeof *client);
    if (!client || global_result != CURLE_OK) {
        free(client);
        (void)sil_fail(SIL_ENOMEM, "no memory for an HTTP client");
        return NULL;
    }
    client->loop = loop;
    client->options = *options;
    int code = copy_texts(client, options);
    if (code == 0) {
        set_limits(client);
        if ((code = sil__http_engine_init(client)) == 0)
            return client;
        sil__http_engine_fini(client);
        (void)sil_fail(code, "no memory for an HTTP client");
    }
    free_client(client);
    return NULL;
}

void sil_http_client_destroy(sil_http_client *client)
{
    if (!client)
        return;
    while (client->idle) {
        sil_http_response *response = client->idle;
        client->idle = response->next;
        sil__http_response_free(response);
    }
    sil__http_engine_fini(client);
    free_client(client);
}
