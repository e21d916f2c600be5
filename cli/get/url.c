/* SPDX-License-Identifier: MIT */
/*
 * URLs, see url.h.
 */
#include "get/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/harmless.h"

static const char no_memory[] = "out of memory";

/* NULL: out of memory. */
static char *part_of(CURLU *parsed, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(parsed, part, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = strdup(text);
    curl_free(text);
    return copy;
}

static const char *check_scheme(CURLU *parsed)
{
    char *scheme = part_of(parsed, CURLUPART_SCHEME, 0);
    if (scheme == NULL)
        return no_memory;
    bool known = strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
    free(scheme);
    return known ? NULL : "only http:// and https:// can be fetched";
}

static char *origin_of(CURLU *parsed, const char *host)
{
    char *origin = NULL;
    char *scheme = part_of(parsed, CURLUPART_SCHEME, 0);
    char *port = part_of(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    size_t size = scheme != NULL && port != NULL && host != NULL
                      ? strlen(scheme) + strlen(host) + strlen(port) + sizeof("://:")
                      : 0;
    if (size > 0 && (origin = malloc(size)) != NULL)
        (void)snprintf(origin, size, "%s://%s:%s", scheme, host, port);
    free(scheme);
    free(port);
    return origin;
}

/* For people: without the password. Changes parsed, so it comes last. */
static char *shown_of(CURLU *parsed, const char *text)
{
    char *hidden = NULL;
    char *password = strchr(text, '@') != NULL ? part_of(parsed, CURLUPART_PASSWORD, 0) : NULL;
    if (password != NULL) {
        free(password);
        (void)curl_url_set(parsed, CURLUPART_PASSWORD, "***", 0);
        hidden = part_of(parsed, CURLUPART_URL, 0);
        if (hidden == NULL)
            return NULL;
        text = hidden;
    }
    size_t size = 4 * strlen(text) + 8;
    char *shown = malloc(size);
    if (shown != NULL)
        (void)harmless(shown, size, text);
    free(hidden);
    return shown;
}

static bool is_whole(const struct url *url)
{
    return url->text != NULL && url->host != NULL && url->path != NULL && url->origin != NULL &&
           url->shown != NULL;
}

static const char *take_apart(CURLU *parsed, struct url *out)
{
    (void)curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
    out->text = part_of(parsed, CURLUPART_URL, 0);
    out->host = part_of(parsed, CURLUPART_HOST, 0);
    out->path = part_of(parsed, CURLUPART_PATH, 0);
    out->origin = origin_of(parsed, out->host);
    out->shown = out->text != NULL ? shown_of(parsed, out->text) : NULL;
    return is_whole(out) ? NULL : no_memory;
}

/* Letters that stand for themselves, so that nothing must be encoded or decoded. */
static bool is_plain(char c, bool in_host)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-')
        return true;
    if (in_host)
        return c == ':';
    return (c >= 'A' && c <= 'Z') || c == '/' || c == '_' || c == '~' || c == '%' || c == '=' ||
           c == '&' || c == '?' || c == '+' || c == ',';
}

/* Not one of the odd ways to write an address: 127.1, 0x7f000001, 017700000001. */
static bool is_usual_host(const char *host, size_t size)
{
    char copy[INET_ADDRSTRLEN];
    struct in_addr address;
    const char *label = host + size;
    while (label > host && label[-1] != '.')
        label--;
    if (*label < '0' || *label > '9')
        return true;
    if (size >= sizeof(copy))
        return false;
    memcpy(copy, host, size);
    copy[size] = '\0';
    return inet_pton(AF_INET, copy, &address) == 1;
}

/*
 * Most URLs are as plain as http://host:port/path, and are what libcurl would make of them already;
 * its parser takes as long as a fifth of the whole transfer. false: it is not that plain.
 */
static bool parse_plain(const char *word, struct url *out)
{
    bool secure = strncmp(word, "https://", 8) == 0;
    if (!secure && strncmp(word, "http://", 7) != 0)
        return false;
    const char *host = word + (secure ? 8 : 7), *end = host;
    while (is_plain(*end, true) && *end != ':')
        end++;
    const char *port = end;
    for (end += *port == ':'; *end >= '0' && *end <= '9'; end++)
        ;
    size_t digits = *port == ':' ? (size_t)(end - port - 1) : 0;
    if (port == host || *end != '/' || digits > 5 ||
        (*port == ':' && (digits == 0 || port[1] == '0' || strtoul(port + 1, NULL, 10) > 65535)) ||
        !is_usual_host(host, (size_t)(port - host)))
        return false;
    const char *path = end;
    while (is_plain(*end, false))
        end++;
    if (*end != '\0' || strstr(path, "/.") != NULL)
        return false;
    out->text = strdup(word);
    out->shown = strdup(word);
    out->host = strndup(host, (size_t)(port - host));
    out->path = strndup(path, strcspn(path, "?"));
    if (asprintf(&out->origin, "%.*s%s", (int)(path - word), word,
                 digits > 0 ? ""
                 : secure   ? ":443"
                            : ":80") < 0)
        out->origin = NULL;
    return true;
}

const char *url_parse(const char *word, struct url *out)
{
    *out = (struct url){0};
    if (parse_plain(word, out)) {
        if (is_whole(out))
            return NULL;
        url_fini(out);
        return no_memory;
    }
    if (strstr(word, "://") == NULL)
        return "not a URL: http:// or https:// must stand in front";
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return no_memory;
    /* Spaces and letters beyond ASCII are encoded, as a browser would. Unknown schemes are let through
     * here, for check_scheme says it better. */
    CURLUcode code =
        curl_url_set(parsed, CURLUPART_URL, word, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
    const char *reason = code == CURLUE_OK ? check_scheme(parsed) : curl_url_strerror(code);
    if (reason == NULL)
        reason = take_apart(parsed, out);
    curl_url_cleanup(parsed);
    if (reason != NULL)
        url_fini(out);
    return reason;
}

char *url_quick_path(const char *word)
{
    const char *host = strstr(word, "://");
    const char *path = host != NULL ? strpbrk(host + 3, "/?#") : NULL;
    return path == NULL || *path != '/' ? strdup("/") : strndup(path, strcspn(path, "?#"));
}

void url_fini(struct url *url)
{
    free(url->text);
    free(url->origin);
    free(url->host);
    free(url->path);
    free(url->shown);
    *url = (struct url){0};
}
