/* SPDX-License-Identifier: MIT */
/*
 * Fetching a URL, see fetch.h: the settings of a try, and the tries.
 *
 * Reasons are left with sil_fail by whoever knows them best and last: the sink for its own, this
 * file for the rest. Nothing may call sil_fail between that and the return of the code.
 */
#include "fetch/fetch.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/status.h>
#include <sillon/task.h>
#include <sillon/version.h>

#include "fetch/multi.h"
#include "fetch/outcome.h"

enum { RECEIVE_BUFFER = 128 * 1024, LOW_SPEED = 1 };

/* One try. */
struct transfer {
    CURL *handle;
    struct fetch_multi *multi; /* NULL: on this thread */
    const struct fetch_sink *sink;
    int sink_code;
    bool cancelled;
    char details[CURL_ERROR_SIZE];
};

static size_t on_bytes(char *bytes, size_t one, size_t count, void *user)
{
    struct transfer *transfer = user;
    transfer->sink_code = transfer->sink->write(transfer->sink->state, bytes, one * count);
    return transfer->sink_code == 0 ? one * count : CURL_WRITEFUNC_ERROR;
}

/* libcurl calls this with each piece received, and about once a second when nothing comes. */
static int on_progress(void *user, curl_off_t total, curl_off_t done, curl_off_t upload_total,
                       curl_off_t upload_done)
{
    (void)upload_total, (void)upload_done;
    struct transfer *transfer = user;
    sil_progress((uint64_t)done, (uint64_t)total);
    transfer->cancelled = sil_cancelled();
    return transfer->cancelled ? 1 : 0;
}

/* Never 0 for a limit that is there: to libcurl that would be none. */
static long rounded_up(double limit)
{
    return (long)(limit + 0.999);
}

static void set_limits(CURL *handle, const struct fetch_limits *limits)
{
    /* 0 would be libcurl's own default of five minutes. */
    double connect = limits->connect > 0 ? limits->connect : 366.0 * 86400;
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, rounded_up(connect * 1000));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, rounded_up(limits->whole * 1000));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, rounded_up(limits->stall));
}

/* As curl and OpenSSL's own programs do; libcurl by itself does not look there. */
static void set_certificates(CURL *handle)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");
    if (file != NULL && file[0] != '\0')
        curl_easy_setopt(handle, CURLOPT_CAINFO, file);
    if (folder != NULL && folder[0] != '\0')
        curl_easy_setopt(handle, CURLOPT_CAPATH, folder);
}

static CURLcode set_request(struct transfer *transfer, const char *url)
{
    CURL *handle = transfer->handle;
    char agent[32];
    (void)snprintf(agent, sizeof(agent), "sillon/%s", sil_version());
    curl_easy_reset(handle); /* keeps the connections */
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    /* A name look-up that is given up is left behind, not waited for. */
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS);
    curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, agent);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->details);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    return curl_easy_setopt(handle, CURLOPT_URL, url);
}

/* Only the calling thread, or coroutine, waits. */
static CURLcode transfer_now(struct transfer *transfer)
{
    if (transfer->multi == NULL)
        return curl_easy_perform(transfer->handle);
    CURLcode code = fetch_multi_perform(transfer->multi, transfer->handle);
    transfer->cancelled |= code == CURLE_ABORTED_BY_CALLBACK && transfer->sink_code == 0;
    return code;
}

static void perform(struct transfer *transfer, const struct fetch_limits *limits, const char *url,
                    struct fetch_outcome *out)
{
    *out = (struct fetch_outcome){.details = transfer->details};
    out->code = set_request(transfer, url);
    set_limits(transfer->handle, limits);
    set_certificates(transfer->handle);
    if (out->code == CURLE_OK)
        out->code = transfer_now(transfer);
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &out->http);
    curl_easy_getinfo(transfer->handle, CURLINFO_OS_ERRNO, &out->os_error);
}

/* Longer from try to try; not the same for all, so that they do not come back together. */
static sil_deadline next_try(uint64_t tried)
{
    double longest = 0.5 * (double)(1u << (tried < 6 ? tried : 6));
    double share = (double)(sil_clock() / 1000 % 1000) / 1000;
    return sil_in(longest * (0.5 + share / 2));
}

static int fail(const struct fetch_outcome *outcome, uint64_t tries)
{
    char reason[CURL_ERROR_SIZE + 64];
    fetch_outcome_describe(outcome, reason, sizeof(reason));
    if (tries == 1)
        return sil_fail(FETCH_FAILED, "%s", reason);
    return sil_fail(FETCH_FAILED, "%s (%llu tries)", reason, (unsigned long long)tries);
}

static int fetch_with(struct transfer *transfer, const struct fetch_limits *limits, const char *url)
{
    for (uint64_t tries = 1;; tries++) {
        int restarted = transfer->sink->restart(transfer->sink->state);
        if (restarted != 0)
            return restarted;
        struct fetch_outcome outcome;
        perform(transfer, limits, url, &outcome);
        if (transfer->cancelled)
            return SIL_ECANCELLED;
        if (transfer->sink_code != 0)
            return transfer->sink_code;
        if (fetch_outcome_good(&outcome))
            return 0;
        if (!fetch_outcome_may_pass(&outcome) || tries > limits->retries)
            return fail(&outcome, tries);
        if (sil_sleep(next_try(tries)) != 0)
            return SIL_ECANCELLED;
    }
}

int fetch(struct fetch_client *client, const char *url, const struct fetch_sink *sink)
{
    struct transfer transfer = {
        .handle = fetch_client_take(client), .multi = fetch_client_multi(client), .sink = sink};
    if (transfer.handle == NULL)
        return sil_fail(SIL_ENOMEM, "out of memory");
    int code = fetch_with(&transfer, fetch_client_limits(client), url);
    /* The handle outlives what its settings point to. */
    curl_easy_reset(transfer.handle);
    fetch_client_put(client, transfer.handle);
    return code;
}
