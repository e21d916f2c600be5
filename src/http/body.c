/* SPDX-License-Identifier: MIT */
/*
 * What libcurl brings: lines of heads, and pieces of bodies.
 *
 * A piece goes straight into the buffer of who waits for it, and what does not fit there into the spill.
 * Where the spill is full the transfer is paused, which keeps the piece with libcurl; readers go on with
 * it when they have emptied most of the spill.
 */
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SPILL = 32 * 1024 };

/* --- heads ------------------------------------------------------------------------------------- */

/* Another hop begins: from here on it may not go back to plain HTTP. */
static void guard_redirect(sil_http_response *response)
{
    char *scheme = NULL;
    (void)curl_easy_getinfo(response->curl, CURLINFO_SCHEME, &scheme);
    if (response->secure_only || response->allow_downgrade || !scheme ||
        (strcmp(scheme, "HTTPS") != 0 && strcmp(scheme, "https") != 0))
        return;
    response->secure_only = true;
    (void)curl_easy_setopt(response->curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
}

/* A head is complete: is it the answer's, as far as one can tell now? If not, a body or the end tell. */
static bool is_final(sil_http_response *response)
{
    long status = 0;
    (void)curl_easy_getinfo(response->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300 && status < 400 && response->redirects >= 0) {
        guard_redirect(response);
        return false;
    }
    return status >= 200 && !(status == 401 && response->authenticates) && status != 407;
}

// NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type
size_t sil__http_on_header(char *line, size_t one, size_t size, void *user)
{
    sil_http_response *response = user;
    size_t length = one * size;
    response->blank = length == 1 || (length == 2 && line[0] == '\r');
    if (response->blank && !response->head && is_final(response)) {
        response->head = true;
        (void)sil_event_set(response->event);
    }
    return length;
}

/* --- bodies ------------------------------------------------------------------------------------ */

/* Room behind what is there for so many bytes. */
static bool make_room(struct sil__http_spill *spill, size_t size)
{
    size_t used = spill->end - spill->begin;
    if (used == 0)
        spill->begin = spill->end = 0;
    if (spill->capacity - spill->end >= size)
        return true;
    if (used > 0 && spill->begin > 0)
        memmove(spill->bytes, spill->bytes + spill->begin, used);
    spill->begin = 0;
    spill->end = used;
    size_t capacity = spill->capacity ? spill->capacity : FIRST_SPILL;
    while (capacity - used < size)
        capacity *= 2;
    if (capacity == spill->capacity)
        return true;
    char *grown = realloc(spill->bytes, capacity);
    if (!grown)
        return false;
    spill->bytes = grown;
    spill->capacity = capacity;
    return true;
}

size_t sil__http_on_body(char *bytes, size_t one, size_t size, void *user)
{
    sil_http_response *response = user;
    struct sil__http_spill *spill = &response->spill;
    size_t length = one * size;
    size_t room = response->offer ? response->offer_size - response->offer_got : 0;
    size_t direct = length < room ? length : room;
    size_t used = spill->end - spill->begin;
    response->head = true;
    if (used > 0 && used + length - direct > response->client->spill_limit) {
        response->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (length > direct && !make_room(spill, length - direct))
        return CURL_WRITEFUNC_ERROR;
    if (direct > 0) {
        memcpy(response->offer + response->offer_got, bytes, direct);
        response->offer_got += direct;
    }
    if (length > direct) {
        memcpy(spill->bytes + spill->end, bytes + direct, length - direct);
        spill->end += length - direct;
    }
    (void)sil_event_set(response->event);
    return length;
}
