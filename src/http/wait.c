/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a response, and what ends that: the deadline, a cancel, a server that stalls, a name or a
 * connection that takes too long.
 *
 * A wait that lasts looks around at each tick of waiting: so time in which nobody waits counts for
 * nothing, and an answer that comes soon pays for none of this. libcurl bounds connecting by itself, but
 * counts from when the request was added, queue included; so it is given more as long as that lasts.
 */
#include "http/http.h"

#include <limits.h>

/* What has gone through so far, in both directions. */
static uint64_t progress_of(const sil_http_response *response)
{
    curl_off_t down = 0, up = 0;
    long heads = 0;
    (void)curl_easy_getinfo(response->curl, CURLINFO_SIZE_DOWNLOAD_T, &down);
    (void)curl_easy_getinfo(response->curl, CURLINFO_SIZE_UPLOAD_T, &up);
    (void)curl_easy_getinfo(response->curl, CURLINFO_HEADER_SIZE, &heads);
    return (uint64_t)down + (uint64_t)up + (uint64_t)heads;
}

/* Whoever waits for a connection in use by others has not begun to connect. */
static void extend_connecting(sil_http_response *response, int64_t now)
{
    const sil_http_client *client = response->client;
    if (client->connect_limit == INT64_MAX)
        return;
    int64_t limit = (now - response->begun + client->tick + client->connect_limit) / 1000000 + 1;
    (void)curl_easy_setopt(response->curl, CURLOPT_CONNECTTIMEOUT_MS,
                           limit < INT_MAX ? (long)limit : (long)INT_MAX);
    response->dirty = true;
}

static void fail_stalled(sil_http_response *response)
{
    double seconds = (double)response->slow_for / 1e9;
    uint64_t rate = response->client->options.stall_rate;
    if (rate > 1)
        sil__http_fail(response, SIL_ETIMEDOUT, SIL_HTTP_FAILED_STALL, true,
                       "stalled: fewer than %llu bytes a second for %.3g s",
                       (unsigned long long)rate, seconds);
    else
        sil__http_fail(response, SIL_ETIMEDOUT, SIL_HTTP_FAILED_STALL, true,
                       "stalled: no byte for %.3g s", seconds);
}

static void look_at_connecting(sil_http_response *response, int64_t now)
{
    const sil_http_client *client = response->client;
    if (response->connecting == 0)
        extend_connecting(response, now);
    else if (client->connect_limit != INT64_MAX &&
             now - response->connecting > client->connect_limit + client->tick)
        sil__http_fail_by_curl(response, CURLE_OPERATION_TIMEDOUT);
}

static void look_around(sil_http_response *response, int64_t now)
{
    const sil_http_client *client = response->client;
    int64_t waited = client->tick - response->tick_left;
    response->tick_left = client->tick;
    curl_off_t sent = 0;
    (void)curl_easy_getinfo(response->curl, CURLINFO_PRETRANSFER_TIME_T, &sent);
    if (sent == 0) {
        look_at_connecting(response, now);
        return;
    }
    long redirects = 0;
    (void)curl_easy_getinfo(response->curl, CURLINFO_REDIRECT_COUNT, &redirects);
    if (redirects > 0 && !response->head)
        extend_connecting(response, now); /* another server's connections may be in use, too */
    uint64_t progress = progress_of(response);
    uint64_t bytes = progress - (progress >= response->tick_progress ? response->tick_progress : 0);
    response->tick_progress = progress;
    double least = (double)client->options.stall_rate * (double)waited / 1e9;
    /* At one a second, any byte in a tick will do, however short the tick. */
    bool slow = bytes == 0 || (client->options.stall_rate > 1 && (double)bytes < least);
    response->slow_for = slow ? response->slow_for + waited : 0;
    if (client->stall_limit != INT64_MAX && response->slow_for >= client->stall_limit)
        fail_stalled(response);
}

static void fail_wait(sil_http_response *response, int code)
{
    if (code == SIL_ETIMEDOUT) {
        sil__http_fail(response, code, SIL_HTTP_FAILED_STALL, true, "out of time");
        return;
    }
    sil__http_fail(response, code, SIL_HTTP_FAILED_LOCAL, false, "%s", sil_strerror(code));
}

/* One wait, for an event or the next tick. */
static void wait_once(sil_http_response *response)
{
    int64_t begun = sil_clock();
    bool ticks = response->client->tick != INT64_MAX;
    sil_deadline tick_at = ticks ? begun + response->tick_left : SIL_FOREVER;
    bool tick_first = tick_at < response->until;
    (void)sil_event_clear(response->event);
    int code = sil_event_wait(response->event, tick_first ? tick_at : response->until);
    int64_t now = ticks || code != 0 ? sil_clock() : 0;
    if (ticks)
        response->tick_left -= now - begun;
    bool out_of_time = now >= response->until || now >= sil_deadline_current();
    if (code != 0 && (code != SIL_ETIMEDOUT || !tick_first || out_of_time))
        fail_wait(response, code);
    else if (ticks && response->tick_left <= 0 && !response->ended)
        look_around(response, now);
}

int sil__http_wait(sil_http_response *response, bool (*ready)(const sil_http_response *response))
{
    while (!ready(response) && !response->ended)
        wait_once(response);
    return ready(response) ? 0 : sil__http_say(response);
}

/* --- limits of speed ----------------------------------------------------------------------------- */

static size_t piece_of(const struct sil__http_rate *rate)
{
    if (rate->limit == 0)
        return SIZE_MAX;
    uint64_t piece = rate->limit / 16;
    return piece < 512 ? 512 : piece < SIZE_MAX ? (size_t)piece : SIZE_MAX;
}

size_t sil__http_rate_piece(const sil_http_response *response)
{
    size_t each = piece_of(&response->rate), all = piece_of(&response->client->rate);
    return each < all ? each : all;
}

/* When these bytes may pass. Those who ask later pass later. */
static int64_t reserve(struct sil__http_rate *rate, size_t size, int64_t now)
{
    if (rate->limit == 0)
        return now;
    int64_t at = rate->free_at > now ? rate->free_at : now;
    rate->free_at = at + (int64_t)((double)size * 1e9 / (double)rate->limit);
    return at;
}

int sil__http_wait_rate(sil_http_response *response, size_t size)
{
    int64_t now = sil_clock();
    int64_t all = reserve(&response->client->rate, size, now);
    int64_t each = reserve(&response->rate, size, now);
    int64_t at = all > each ? all : each;
    if (at <= now)
        return 0;
    int code = sil_sleep(at < response->until ? at : response->until);
    if (code == 0 && at > response->until)
        code = SIL_ETIMEDOUT;
    if (code == 0)
        return 0;
    fail_wait(response, code);
    return sil__http_say(response);
}
