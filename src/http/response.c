/* SPDX-License-Identifier: MIT */
/*
 * Responses: sending a request, and reading what comes.
 */
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

/* What a client's idle responses may keep of spills: it saves page faults. */
enum { KEPT_SPILLS = 4 * 1024 * 1024 };
/* A length that the server says is believed so far without having seen that much. */
enum { BELIEVED = 16 * 1024 * 1024, FIRST_BODY = 16 * 1024 };

/* --- recycling ----------------------------------------------------------------------------------- */

void sil__http_response_free(sil_http_response *response)
{
    if (!response)
        return;
    curl_easy_cleanup(response->curl);
    curl_slist_free_all(response->headers);
    sil_event_destroy(response->event);
    sil__http_free_texts(response);
    free(response->spill.bytes);
    free(response->body);
    free(response);
}

static sil_http_response *make_response(sil_http_client *client)
{
    sil_http_response *response = calloc(1, sizeof *response);
    if (!response)
        return NULL;
    response->client = client;
    response->event = sil_event_create("HTTP");
    response->curl = curl_easy_init();
    if (response->event && response->curl && sil__http_setup(response))
        return response;
    sil__http_response_free(response);
    return NULL;
}

static sil_http_response *take_response(sil_http_client *client)
{
    sil_http_response *response = client->idle;
    if (!response)
        return make_response(client);
    client->idle = response->next;
    client->idle_count--;
    client->kept_spills -= response->spill.capacity;
    return response;
}

static void clear_body(sil_http_response *response)
{
    sil__http_free_texts(response);
    free(response->body);
    response->body = NULL;
    response->body_size = response->body_capacity = 0;
    if (response->client->kept_spills + response->spill.capacity > KEPT_SPILLS) {
        free(response->spill.bytes);
        response->spill.bytes = NULL;
        response->spill.capacity = 0;
    }
    response->spill.begin = response->spill.end = 0;
    response->received = 0;
    response->offer = NULL;
}

static void give_response(sil_http_response *response)
{
    sil_http_client *client = response->client;
    clear_body(response);
    if (client->idle_count >= client->options.max_connections || !sil__http_undress(response)) {
        sil__http_response_free(response);
        return;
    }
    response->next = client->idle;
    client->idle = response;
    client->idle_count++;
    client->kept_spills += response->spill.capacity;
}

/* --- sending ------------------------------------------------------------------------------------- */

void sil__http_ended(sil_http_response *response, CURLcode result)
{
    response->added = false;
    response->paused = false;
    response->ended = true;
    if (result != CURLE_OK)
        sil__http_fail_by_curl(response, result);
    else if (!response->head && !response->blank)
        /* Half a head, which libcurl takes for an empty answer. */
        sil__http_fail_by_curl(response, CURLE_GOT_NOTHING);
    else
        response->head = true;
    (void)sil_event_set(response->event);
}

static bool has_head(const sil_http_response *response)
{
    return response->head;
}

static void reset(sil_http_response *response, sil_deadline until)
{
    sil_http_client *client = response->client;
    response->details[0] = response->peer[0] = response->message[0] = '\0';
    response->head = response->blank = response->ended = false;
    response->paused = response->may_pass = false;
    response->until = until;
    response->begun = sil_clock();
    response->connecting = 0;
    response->code = 0;
    response->kind = SIL_HTTP_NO_FAILURE;
    response->rate = (struct sil__http_rate){.limit = client->options.max_rate_each};
    response->tick_left = client->tick;
    response->slow_for = 0;
    response->tick_progress = 0;
}

int sil_http_send(sil_http_client *client, const sil_http_request *request,
                  sil_http_response **out_response, sil_deadline until)
{
    if (!out_response)
        return sil_fail(SIL_EINVAL, "sil_http_send: nowhere to put the response");
    *out_response = NULL;
    if (!client || !request || !request->url)
        return sil_fail(SIL_EINVAL, "sil_http_send: no client or URL");
    if (sil_loop_current() != client->loop)
        return sil_fail(SIL_ENOTASK, "sil_http_send: not a coroutine of the client's loop");
    sil_http_response *response = take_response(client);
    if (!response)
        return sil_fail(SIL_ENOMEM, "no memory for a request");
    reset(response, until);
    int code = sil__http_dress(response, request);
    if (code == 0 && curl_multi_add_handle(client->multi, response->curl) != CURLM_OK)
        code = sil_fail(SIL_ENOMEM, "no memory for a request");
    if (code != 0) {
        give_response(response);
        return code;
    }
    response->added = true;
    code = sil__http_wait(response, has_head);
    *out_response = response;
    return code;
}

void sil_http_close(sil_http_response *response)
{
    if (!response)
        return;
    if (response->added) {
        response->added = false;
        (void)curl_multi_remove_handle(response->client->multi, response->curl);
    }
    give_response(response);
}

/* --- reading ------------------------------------------------------------------------------------- */

static size_t spilled(const sil_http_response *response)
{
    return response->spill.end - response->spill.begin;
}

static void go_on(sil_http_response *response)
{
    if (!response->paused || response->ended)
        return;
    response->paused =
        false; /* the pieces that libcurl kept come at once, and may pause it again */
    CURLcode result = curl_easy_pause(response->curl, CURLPAUSE_CONT);
    if (result != CURLE_OK)
        sil__http_fail_by_curl(response, result);
}

static size_t take_spilled(sil_http_response *response, void *buffer, size_t size)
{
    struct sil__http_spill *spill = &response->spill;
    size_t used = spilled(response);
    size_t got = size < used ? size : used;
    memcpy(buffer, spill->bytes + spill->begin, got);
    spill->begin += got;
    if (used - got <= response->client->spill_limit / 4)
        go_on(response);
    return got;
}

static bool has_spilled(const sil_http_response *response)
{
    return spilled(response) > 0 || response->ended;
}

static bool has_got(const sil_http_response *response)
{
    return response->offer_got > 0 || response->ended;
}

/* Nothing is spilled: let it be put into the buffer. How much was. */
static size_t read_direct(sil_http_response *response, void *buffer, size_t size)
{
    response->offer = buffer;
    response->offer_size = size;
    response->offer_got = 0;
    go_on(response);
    (void)sil__http_wait(response, has_got);
    response->offer = NULL;
    return response->offer_got;
}

static int read_some(sil_http_response *response, void *buffer, size_t size, size_t *out_got)
{
    size_t piece = sil__http_rate_piece(response);
    if (spilled(response) == 0 && !response->ended && piece == SIZE_MAX) {
        *out_got = read_direct(response, buffer, size);
        if (*out_got > 0)
            return 0;
    }
    if (spilled(response) == 0 && !response->ended) {
        go_on(response);
        (void)sil__http_wait(response, has_spilled);
    }
    if (spilled(response) == 0) /* what came before a failure is delivered first */
        return response->code == 0 ? 0 : sil__http_say(response);
    size = size < piece ? size : piece;
    size = size < spilled(response) ? size : spilled(response);
    if (piece != SIZE_MAX) {
        int code = sil__http_wait_rate(response, size);
        if (code != 0)
            return code;
    }
    *out_got = take_spilled(response, buffer, size);
    return 0;
}

int sil_http_read(sil_http_response *response, void *buffer, size_t size, size_t *out_got)
{
    if (!response || !buffer || size == 0 || !out_got)
        return sil_fail(SIL_EINVAL, "sil_http_read: no response, buffer or size");
    if (sil_loop_current() != response->client->loop)
        return sil_fail(SIL_ENOTASK, "sil_http_read: not a coroutine of the client's loop");
    size_t got = 0;
    int code = read_some(response, buffer, size, &got);
    if (code != 0)
        return code;
    response->received += got;
    *out_got = got;
    return 0;
}

static bool grow_body(sil_http_response *response, size_t capacity)
{
    if (capacity <= response->body_capacity)
        return true;
    char *grown = realloc(response->body, capacity);
    if (!grown)
        return false;
    response->body = grown;
    response->body_capacity = capacity;
    return true;
}

/* Room for more, and for the '\0'. */
static bool make_body_room(sil_http_response *response)
{
    if (response->body_capacity - response->body_size > 1)
        return true;
    uint64_t length = sil_http_length(response);
    size_t capacity = response->body_capacity * 2;
    if (response->body_capacity == 0)
        capacity = length < BELIEVED ? (size_t)length + 2 : FIRST_BODY;
    return grow_body(response, capacity);
}

int sil_http_read_all(sil_http_response *response, size_t limit)
{
    if (!response)
        return sil_fail(SIL_EINVAL, "sil_http_read_all: no response");
    size_t most = limit > 0 ? limit : SIZE_MAX - 2;
    for (;;) {
        if (!make_body_room(response))
            return sil_fail(SIL_ENOMEM, "no memory for a body of %zu bytes", response->body_size);
        size_t room = response->body_capacity - response->body_size - 1;
        if (room > most - response->body_size) /* one more than allowed would tell */
            room = most - response->body_size + 1;
        size_t got = 0;
        int code = sil_http_read(response, response->body + response->body_size, room, &got);
        if (code == 0 && got > most - response->body_size)
            code = sil_fail(SIL_ETOOLONG, "the body is longer than %zu bytes", limit);
        else
            response->body_size += got;
        response->body[response->body_size] = '\0';
        if (code != 0 || got == 0)
            return code;
    }
}

int sil_http_get(sil_http_client *client, const char *url, size_t limit,
                 sil_http_response **out_response, sil_deadline until)
{
    int code = sil_http_send(client, &(sil_http_request){.url = url}, out_response, until);
    return code != 0 ? code : sil_http_read_all(*out_response, limit);
}
