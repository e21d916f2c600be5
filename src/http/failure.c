/* SPDX-License-Identifier: MIT */
/*
 * How an exchange failed: libcurl's codes and texts, in ours and in words for people.
 */
#include "http/http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sil__http_fail(sil_http_response *response, int code, sil_http_failure_kind kind,
                    bool may_pass, const char *format, ...)
{
    if (response->code == 0) {
        response->code = code;
        response->kind = kind;
        response->may_pass = may_pass;
        va_list args;
        va_start(args, format);
        (void)vsnprintf(response->message, sizeof response->message, format, args);
        va_end(args);
    }
    if (response->added) {
        response->added = false;
        (void)curl_multi_remove_handle(response->client->multi, response->curl);
    }
    response->ended = true;
}

int sil__http_say(const sil_http_response *response)
{
    return sil_fail(response->code, "%s", response->message);
}

/* --- what libcurl says --------------------------------------------------------------------------- */

struct place {
    char text[280];
};

/* Where it went: host and port of the last URL, or of the proxy if libcurl names that. */
static struct place place_of(const sil_http_response *response)
{
    struct place place = {""};
    char host[256], port[8];
    if (sscanf(response->details, "Failed to connect to %255s port %7[0-9]", host, port) == 2) {
        (void)snprintf(place.text, sizeof place.text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
                       port);
        return place;
    }
    CURLU *url = curl_url();
    char *name = NULL, *number = NULL;
    if (url && curl_url_set(url, CURLUPART_URL, sil_http_url(response), CURLU_GUESS_SCHEME) == 0 &&
        curl_url_get(url, CURLUPART_HOST, &name, 0) == 0 &&
        curl_url_get(url, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) == 0)
        (void)snprintf(place.text, sizeof place.text, "%s:%s", name, number);
    curl_free(name);
    curl_free(number);
    curl_url_cleanup(url);
    return place;
}

static const char *details_of(const sil_http_response *response, CURLcode result)
{
    return response->details[0] ? response->details : curl_easy_strerror(result);
}

static void fail_connect(sil_http_response *response, CURLcode result)
{
    long number = 0;
    struct place place = place_of(response);
    (void)curl_easy_getinfo(response->curl, CURLINFO_OS_ERRNO, &number);
    if (number == EMFILE || number == ENFILE || number == ENOMEM || number == ENOBUFS)
        sil__http_fail(response, (int)number, SIL_HTTP_FAILED_LOCAL, false,
                       "cannot connect to %s: %s", place.text, sil_strerror((int)number));
    else if (number != 0)
        sil__http_fail(response, (int)number, SIL_HTTP_FAILED_CONNECT, true,
                       "cannot connect to %s: %s", place.text, sil_strerror((int)number));
    else
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_CONNECT, true,
                       "cannot connect to %s: %s", place.text, details_of(response, result));
}

/* libcurl's own limits: of what leads to a connection. */
static void fail_timeout(sil_http_response *response)
{
    curl_off_t named = 0;
    struct place place = place_of(response);
    double seconds = (double)response->client->connect_limit / 1e9;
    (void)curl_easy_getinfo(response->curl, CURLINFO_NAMELOOKUP_TIME_T, &named);
    if (named == 0)
        sil__http_fail(response, SIL_ETIMEDOUT, SIL_HTTP_FAILED_NAME, true,
                       "cannot look up %s: no answer for %.3g s", place.text, seconds);
    else
        sil__http_fail(response, SIL_ETIMEDOUT, SIL_HTTP_FAILED_CONNECT, true,
                       "cannot connect to %s: no answer for %.3g s", place.text, seconds);
}

static void fail_short(sil_http_response *response, CURLcode result)
{
    curl_off_t length = -1, got = 0;
    (void)curl_easy_getinfo(response->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    (void)curl_easy_getinfo(response->curl, CURLINFO_SIZE_DOWNLOAD_T, &got);
    if (strstr(response->details, "in chunked-encoding") ||
        strstr(response->details, "Too large response headers"))
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_PROTOCOL, false, "%s",
                       response->details);
    else if (!response->head)
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_SHORT, true,
                       "%s closed the connection without an answer", place_of(response).text);
    else if (length > got)
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_SHORT, true,
                       "cut short: %lld of %lld bytes came", (long long)got, (long long)length);
    else
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_SHORT, true, "cut short: %s",
                       details_of(response, result));
}

static void fail_redirect_or_url(sil_http_response *response, CURLcode result)
{
    long status = 0;
    char *target = NULL;
    (void)curl_easy_getinfo(response->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(response->curl, CURLINFO_REDIRECT_URL, &target);
    if (strstr(response->details, "HTTP/0.9") || /* what libcurl takes any other answer for */
        strstr(response->details, "Unsupported HTTP"))
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_PROTOCOL, false,
                       "what came from %s is not HTTP", place_of(response).text);
    else if (result == CURLE_TOO_MANY_REDIRECTS)
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, false,
                       "more than %ld redirects", response->redirects);
    else if (status >= 300 && status < 400 && result == CURLE_UNSUPPORTED_PROTOCOL)
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, false,
                       response->secure_only ? "redirected from https to what is not: %s"
                                             : "redirected to what is not HTTP: %s",
                       target ? target : sil_http_url(response));
    else if (status >= 300 && status < 400)
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, false,
                       "redirected to nowhere: %s", details_of(response, result));
    else
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_URL, false, "not a URL of HTTP: %s",
                       sil_http_url(response));
}

static void fail_tls(sil_http_response *response, CURLcode result)
{
    sil__http_fail(response, SIL_ETLS, SIL_HTTP_FAILED_TLS, result == CURLE_SSL_CONNECT_ERROR,
                   "no secure connection to %s: %s", place_of(response).text,
                   details_of(response, result));
}

/* A stream of HTTP/2 that was reset after its head is a body cut short. */
static void fail_http2(sil_http_response *response, CURLcode result)
{
    if (response->head)
        fail_short(response, result);
    else
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_PROTOCOL, true, "%s",
                       details_of(response, result));
}

void sil__http_fail_by_curl(sil_http_response *response, CURLcode result)
{
    switch ((int)result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
        fail_redirect_or_url(response, result);
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        /* May pass: it is also what a name server that is restarting gives. */
        sil__http_fail(response, SIL_ENOHOST, SIL_HTTP_FAILED_NAME, true, "cannot look up: %s",
                       details_of(response, result));
        break;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        fail_connect(response, result);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        fail_timeout(response);
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ENGINE_INITFAILED:
        fail_tls(response, result);
        break;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        fail_short(response, result);
        break;
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        fail_http2(response, result);
        break;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_WRITE_ERROR: /* ours, for want of memory */
        sil__http_fail(response, SIL_ENOMEM, SIL_HTTP_FAILED_LOCAL, false, "out of memory");
        break;
    case CURLE_FAILED_INIT:
    case CURLE_READ_ERROR:
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_LOCAL, false, "%s",
                       details_of(response, result));
        break;
    default:
        sil__http_fail(response, SIL_EHTTP, SIL_HTTP_FAILED_PROTOCOL, false, "%s",
                       details_of(response, result));
        break;
    }
}
