/* SPDX-License-Identifier: MIT */
/*
 * How a try ended, see outcome.h.
 */
#include "fetch/outcome.h"

#include <stdio.h>

#include <sillon/status.h>

struct http_status {
    long status;
    bool may_pass;
    const char *phrase;
};

/* HTTP/2 sends no words with a status, so they come from here for every version. */
static const struct http_status http_statuses[] = {
    {400, false, "Bad Request"},
    {401, false, "Unauthorized"},
    {402, false, "Payment Required"},
    {403, false, "Forbidden"},
    {404, false, "Not Found"},
    {405, false, "Method Not Allowed"},
    {406, false, "Not Acceptable"},
    {407, false, "Proxy Authentication Required"},
    {408, true, "Request Timeout"},
    {410, false, "Gone"},
    {414, false, "URI Too Long"},
    {425, true, "Too Early"},
    {429, true, "Too Many Requests"},
    {431, false, "Request Header Fields Too Large"},
    {451, false, "Unavailable For Legal Reasons"},
    {500, true, "Internal Server Error"},
    {501, false, "Not Implemented"},
    {502, true, "Bad Gateway"},
    {503, true, "Service Unavailable"},
    {504, true, "Gateway Timeout"},
    {507, false, "Insufficient Storage"},
};

static const struct http_status *find_status(long status)
{
    for (size_t i = 0; i < sizeof(http_statuses) / sizeof(http_statuses[0]); i++) {
        if (http_statuses[i].status == status)
            return &http_statuses[i];
    }
    return NULL;
}

/* libcurl calls redirects that lead nowhere a success; for us there is no file. */
static bool failed_by_status(const struct fetch_outcome *outcome)
{
    return outcome->code == CURLE_HTTP_RETURNED_ERROR ||
           (outcome->code == CURLE_OK && outcome->http / 100 != 2);
}

bool fetch_outcome_good(const struct fetch_outcome *outcome)
{
    return outcome->code == CURLE_OK && !failed_by_status(outcome);
}

bool fetch_outcome_may_pass(const struct fetch_outcome *outcome)
{
    if (failed_by_status(outcome)) {
        const struct http_status *status = find_status(outcome->http);
        return status != NULL && status->may_pass;
    }
    switch (outcome->code) {
    case CURLE_COULDNT_RESOLVE_HOST: /* also what a name server that is restarting gives */
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

void fetch_outcome_describe(const struct fetch_outcome *outcome, char *out, size_t size)
{
    const char *details =
        outcome->details[0] != '\0' ? outcome->details : curl_easy_strerror(outcome->code);
    if (failed_by_status(outcome)) {
        const struct http_status *status = find_status(outcome->http);
        (void)snprintf(out, size, "HTTP %ld%s%s", outcome->http, status != NULL ? " " : "",
                       status != NULL ? status->phrase : "");
    } else if (outcome->code == CURLE_COULDNT_CONNECT && outcome->os_error != 0) {
        (void)snprintf(out, size, "cannot connect: %s", sil_strerror((int)outcome->os_error));
    } else if (outcome->code == CURLE_PARTIAL_FILE) {
        (void)snprintf(out, size, "cut short: %s", details);
    } else {
        (void)snprintf(out, size, "%s", details);
    }
}
