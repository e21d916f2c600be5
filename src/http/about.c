/* SPDX-License-Identifier: MIT */
/*
 * What can be asked about a response. Most of it libcurl remembers until the handle's next request.
 */
#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sil__http_text {
    struct sil__http_text *next;
    char text[];
};

void sil__http_free_texts(sil_http_response *response)
{
    while (response->texts) {
        struct sil__http_text *text = response->texts;
        response->texts = text->next;
        free(text);
    }
}

static long number_of(const sil_http_response *response, CURLINFO what)
{
    long number = 0;
    (void)curl_easy_getinfo(response->curl, what, &number);
    return number;
}

/* --- the answer ---------------------------------------------------------------------------------- */

int sil_http_status(const sil_http_response *response)
{
    return (int)number_of(response, CURLINFO_RESPONSE_CODE);
}

const char *sil_http_protocol(const sil_http_response *response)
{
    switch (number_of(response, CURLINFO_HTTP_VERSION)) {
    case CURL_HTTP_VERSION_1_0:
        return "1.0";
    case CURL_HTTP_VERSION_1_1:
        return "1.1";
    case CURL_HTTP_VERSION_2_0:
        return "2";
    default:
        return "";
    }
}

/* The values of all headers of this name, in one text that lives as long as the response. */
static const char *join(const sil_http_response *response, const char *name, size_t count)
{
    size_t size = 1;
    struct curl_header *header;
    for (size_t i = 0; i < count; i++) {
        if (curl_easy_header(response->curl, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK)
            size += strlen(header->value) + 2;
    }
    struct sil__http_text *text = malloc(sizeof *text + size);
    if (!text)
        return NULL;
    char *end = text->text;
    for (size_t i = 0; i < count; i++) {
        if (curl_easy_header(response->curl, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK)
            end = stpcpy(stpcpy(end, i > 0 ? ", " : ""), header->value);
    }
    *end = '\0';
    sil_http_response *owner = (sil_http_response *)response; // NOLINT(cast-qual): a cache
    text->next = owner->texts;
    owner->texts = text;
    return text->text;
}

const char *sil_http_header(const sil_http_response *response, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(response->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->amount > 1 ? join(response, name, header->amount) : header->value;
}

uint64_t sil_http_length(const sil_http_response *response)
{
    curl_off_t length = -1;
    (void)curl_easy_getinfo(response->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 ? UINT64_MAX : (uint64_t)length;
}

uint64_t sil_http_received(const sil_http_response *response)
{
    return response->received;
}

const char *sil_http_body(const sil_http_response *response, size_t *out_size)
{
    if (out_size)
        *out_size = response->body_size;
    return response->body ? response->body : "";
}

const char *sil_http_url(const sil_http_response *response)
{
    char *url = NULL;
    (void)curl_easy_getinfo(response->curl, CURLINFO_EFFECTIVE_URL, &url);
    return url ? url : "";
}

const char *sil_http_peer(const sil_http_response *response)
{
    char *address = NULL;
    (void)curl_easy_getinfo(response->curl, CURLINFO_PRIMARY_IP, &address);
    if (!address || !address[0] || response->peer[0])
        return response->peer;
    sil_http_response *owner = (sil_http_response *)response; // NOLINT(cast-qual): a cache
    (void)snprintf(owner->peer, sizeof owner->peer, strchr(address, ':') ? "[%s]:%ld" : "%s:%ld",
                   address, number_of(response, CURLINFO_PRIMARY_PORT));
    return response->peer;
}

bool sil_http_reused(const sil_http_response *response)
{
    return response->head && number_of(response, CURLINFO_NUM_CONNECTS) == 0;
}

double sil_http_retry_after(const sil_http_response *response)
{
    const char *value = sil_http_header(response, "Retry-After");
    if (!value)
        return -1;
    if (value[0] && value[strspn(value, "0123456789")] == '\0')
        return strtod(value, NULL);
    time_t date = curl_getdate(value, NULL);
    if (date == -1)
        return -1;
    double left = difftime(date, time(NULL));
    return left > 0 ? left : 0;
}

/* --- how it went ----------------------------------------------------------------------------------- */

sil_http_failure_kind sil_http_failure(const sil_http_response *response)
{
    return response->kind;
}

bool sil_http_may_pass(const sil_http_response *response)
{
    if (response->code != 0)
        return response->may_pass;
    switch (sil_http_status(response)) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return false;
    }
}

/* libcurl's 0 is "not got to"; but what took no time at all was got to if a later one was. */
static double time_of(const sil_http_response *response, CURLINFO what)
{
    curl_off_t microseconds = 0;
    (void)curl_easy_getinfo(response->curl, what, &microseconds);
    return microseconds > 0 ? (double)microseconds / 1e6 : -1;
}

void sil_http_times_get(const sil_http_response *response, sil_http_times *out)
{
    *out = (sil_http_times){
        .begun = (double)response->begun / 1e9,
        .queued = -1,
        .name = time_of(response, CURLINFO_NAMELOOKUP_TIME_T),
        .connected = time_of(response, CURLINFO_CONNECT_TIME_T),
        .tls = time_of(response, CURLINFO_APPCONNECT_TIME_T),
        .sent = time_of(response, CURLINFO_PRETRANSFER_TIME_T),
        .first = time_of(response, CURLINFO_STARTTRANSFER_TIME_T),
        .ended = response->ended ? time_of(response, CURLINFO_TOTAL_TIME_T) : -1,
    };
    if (response->connecting != 0)
        out->queued = (double)(response->connecting - response->begun) / 1e9;
    else if (out->name >= 0)
        out->queued = out->name;
}
