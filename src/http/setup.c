/* SPDX-License-Identifier: MIT */
/*
 * What an easy handle is told: once, what all requests of a client have in common; and for each request
 * the rest. Most requests want nothing but their URL. One that wanted more has its handle reset
 * afterwards, so nothing of it (a password, say) gets into another.
 */
#include "http/http.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sillon/version.h>

/* A read of libcurl's: large enough for few system calls, and no more than a cache holds. */
#define RECEIVE_BUFFER (128L * 1024)

enum { DEFAULT_REDIRECTS = 20 };

/* --- of a client ------------------------------------------------------------------------------- */

static int on_resolve(void *state, void *reserved, void *user)
{
    (void)state, (void)reserved;
    sil_http_response *response = user;
    if (response->connecting == 0)
        response->connecting = sil_clock();
    return 0;
}

static CURLcode set_callbacks(sil_http_response *response)
{
    CURL *curl = response->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_PRIVATE, response);
    bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, response->details);
    bad |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, sil__http_on_body);
    bad |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
    bad |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, sil__http_on_header);
    bad |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, response);
    bad |= curl_easy_setopt(curl, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
    bad |= curl_easy_setopt(curl, CURLOPT_RESOLVER_START_DATA, response);
    bad |= curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, sil__http_open_socket);
    bad |= curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, response);
    bad |= curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, sil__http_close_socket);
    /* The connection lives longer than the response. */
    bad |= curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, response->client);
    return bad;
}

/* As curl and OpenSSL's own programs do; libcurl by itself does not look there. */
static const char *file_or(const char *given, const char *variable)
{
    const char *value = given ? NULL : getenv(variable); // NOLINT(concurrency-mt-unsafe)
    return given ? given : value && value[0] ? value : NULL;
}

static CURLcode set_tls(CURL *curl, const sil_http_client_options *options)
{
    const char *file = file_or(options->ca_file, "SSL_CERT_FILE");
    const char *folder = file_or(options->ca_folder, "SSL_CERT_DIR");
    CURLcode bad = CURLE_OK;
    if (file)
        bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    if (folder)
        bad |= curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
    if (options->certificate) {
        bad |= curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate);
        bad |= curl_easy_setopt(curl, CURLOPT_SSLKEY,
                                options->key ? options->key : options->certificate);
    }
    if (options->pin)
        bad |= curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, options->pin);
    if (options->insecure) {
        bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return bad;
}

static CURLcode set_network(CURL *curl, const sil_http_client *client)
{
    const sil_http_client_options *options = &client->options;
    CURLcode bad = CURLE_OK;
    if (options->proxy)
        bad |= curl_easy_setopt(curl, CURLOPT_PROXY, options->proxy);
    if (options->interface)
        bad |= curl_easy_setopt(curl, CURLOPT_INTERFACE, options->interface);
    if (client->resolve)
        bad |= curl_easy_setopt(curl, CURLOPT_RESOLVE, client->resolve);
    if (options->family)
        bad |= curl_easy_setopt(curl, CURLOPT_IPRESOLVE,
                                options->family == 4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6);
    /* 0 would be libcurl's own default of five minutes. */
    int64_t limit = client->connect_limit / 1000000;
    bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            limit < INT_MAX ? (long)limit + 1 : (long)INT_MAX);
    return bad;
}

static CURLcode set_http(CURL *curl, const sil_http_client_options *options)
{
    static const long versions[] = {
        [SIL_HTTP_AUTO] = CURL_HTTP_VERSION_2TLS,
        [SIL_HTTP_1_1] = CURL_HTTP_VERSION_1_1,
        [SIL_HTTP_2] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    };
    char agent[32];
    (void)snprintf(agent, sizeof agent, "sillon/%s", sil_version());
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, versions[options->version]);
    bad |= curl_easy_setopt(curl, CURLOPT_USERAGENT,
                            options->user_agent ? options->user_agent : agent);
    bad |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    bad |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)DEFAULT_REDIRECTS);
    bad |= curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    return bad;
}

bool sil__http_setup(sil_http_response *response)
{
    CURL *curl = response->curl;
    const sil_http_client *client = response->client;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* A name look-up that is given up is left behind, not waited for. */
    bad |= curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    bad |= set_callbacks(response);
    bad |= set_tls(curl, &client->options);
    bad |= set_network(curl, client);
    bad |= set_http(curl, &client->options);
    response->redirects = DEFAULT_REDIRECTS;
    response->secure_only = false;
    response->dirty = false;
    return bad == CURLE_OK;
}

/* --- of a request ------------------------------------------------------------------------------ */

static bool is_https(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

static CURLcode set_redirects(sil_http_response *response, const sil_http_request *request)
{
    CURL *curl = response->curl;
    long most = request->max_redirects == 0  ? DEFAULT_REDIRECTS
                : request->max_redirects < 0 ? -1
                                             : request->max_redirects;
    CURLcode bad = CURLE_OK;
    if (most != response->redirects) {
        bad |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, most < 0 ? 0L : 1L);
        bad |= curl_easy_setopt(curl, CURLOPT_MAXREDIRS, most < 0 ? 0L : most);
        response->redirects = most;
    }
    response->allow_downgrade = request->allow_downgrade;
    bool secure_only = !request->allow_downgrade && is_https(request->url);
    if (secure_only != response->secure_only) {
        bad |= curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                                secure_only ? "https" : "http,https");
        response->secure_only = secure_only;
    }
    return bad;
}

static int set_headers(sil_http_response *response, const char *const *headers)
{
    for (const char *const *header = headers; header && *header; header++) {
        if (strpbrk(*header, "\r\n"))
            return sil_fail(SIL_EINVAL, "a header with a line break");
        struct curl_slist *longer = curl_slist_append(response->headers, *header);
        if (!longer)
            return sil_fail(SIL_ENOMEM, "no memory for headers");
        response->headers = longer;
    }
    return 0;
}

static CURLcode set_range(sil_http_response *response, const sil_http_request *request)
{
    char range[48];
    if (request->range_to > 0)
        (void)snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)request->range_from,
                       (unsigned long long)request->range_to);
    else
        (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)request->range_from);
    return curl_easy_setopt(response->curl, CURLOPT_RANGE, range);
}

static CURLcode set_identity(sil_http_response *response, const sil_http_request *request)
{
    CURL *curl = response->curl;
    CURLcode bad = CURLE_OK;
    if (request->user) {
        bad |= curl_easy_setopt(curl, CURLOPT_USERPWD, request->user);
        bad |= curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC | CURLAUTH_DIGEST);
        response->authenticates = true;
    }
    if (request->bearer) {
        bad |= curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->bearer);
        bad |= curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    }
    if (request->netrc)
        bad |= curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    return bad;
}

static CURLcode set_method(CURL *curl, const sil_http_request *request)
{
    CURLcode bad = CURLE_OK;
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
    bool posts = strcmp(method, "POST") == 0;
    if (request->body || posts) {
        const void *body = request->body ? request->body : "";
        bad |= curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        bad |= curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                (curl_off_t)(request->body ? request->body_size : 0));
    }
    if (strcmp(method, "HEAD") == 0 && !request->body)
        bad |= curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (!posts && (request->body || strcmp(method, "GET") != 0))
        bad |= curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    return bad;
}

/* More than a URL and redirects. */
static bool is_plain(const sil_http_request *request)
{
    return !request->method && !request->headers && !request->body && request->range_from == 0 &&
           request->range_to == 0 && !request->if_range && !request->user && !request->bearer &&
           !request->netrc && !request->compressed;
}

static int set_more(sil_http_response *response, const sil_http_request *request)
{
    CURL *curl = response->curl;
    response->dirty = true;
    int code = set_headers(response, request->headers);
    if (code != 0)
        return code;
    if (request->if_range) {
        char line[1024];
        int length = snprintf(line, sizeof line, "If-Range: %s", request->if_range);
        if (length < 0 || (size_t)length >= sizeof line)
            return sil_fail(SIL_EINVAL, "if_range: too long");
        if ((code = set_headers(response, (const char *[]){line, NULL})) != 0)
            return code;
    }
    CURLcode bad = set_method(curl, request);
    bad |= set_identity(response, request);
    if (request->range_from > 0 || request->range_to > 0)
        bad |= set_range(response, request);
    if (request->compressed)
        bad |= curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    if (response->headers)
        bad |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, response->headers);
    return bad == CURLE_OK ? 0 : sil_fail(SIL_ENOMEM, "no memory for a request");
}

int sil__http_dress(sil_http_response *response, const sil_http_request *request)
{
    CURL *curl = response->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_URL, request->url);
    bad |= set_redirects(response, request);
    sil_http_version version = response->client->options.version;
    if (version == SIL_HTTP_2 || (version == SIL_HTTP_AUTO && is_https(request->url))) {
        /* Wait and see whether the connection being made can be shared. Not for plain HTTP, which
         * would wait in vain: so it is a setting of the request's. */
        bad |= curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
    } else {
        bad |= curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 0L);
    }
    if (bad != CURLE_OK)
        return sil_fail(SIL_ENOMEM, "no memory for a request");
    return is_plain(request) ? 0 : set_more(response, request);
}

bool sil__http_undress(sil_http_response *response)
{
    response->allow_downgrade = response->authenticates = false;
    if (!response->dirty)
        return true;
    curl_easy_reset(response->curl);
    curl_slist_free_all(response->headers);
    response->headers = NULL;
    return sil__http_setup(response);
}
