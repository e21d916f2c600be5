/* SPDX-License-Identifier: MIT */
/*
 * A URL checked, see url.h, by libcurl's own parser, so that no two opinions differ.
 */
#include "fetch/url.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char no_memory[] = "out of memory";

static const char *check_scheme(CURLU *parsed)
{
    char *scheme = NULL;
    if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return no_memory;
    bool known = strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
    curl_free(scheme);
    return known ? NULL : "only http:// and https:// can be fetched";
}

static const char *copy_last_part(CURLU *parsed, char **out)
{
    char *path = NULL;
    if (curl_url_get(parsed, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        return no_memory;
    const char *slash = strrchr(path, '/');
    *out = strdup(slash != NULL ? slash + 1 : path);
    curl_free(path);
    return *out != NULL ? NULL : no_memory;
}

static const char *copy_text(CURLU *parsed, char **out)
{
    char *text = NULL;
    if (curl_url_get(parsed, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return no_memory;
    *out = strdup(text);
    curl_free(text);
    return *out != NULL ? NULL : no_memory;
}

const char *url_parse(const char *word, struct url *out)
{
    *out = (struct url){0};
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return no_memory;

    const char *reason = NULL;
    if (strstr(word, "://") == NULL) {
        reason = "not a URL: http:// or https:// must stand in front";
    } else {
        /* Spaces and letters beyond ASCII are encoded, as a browser would. Unknown schemes are let
         * through here, for check_scheme says it better. */
        CURLUcode code =
            curl_url_set(parsed, CURLUPART_URL, word, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
        reason = code == CURLUE_OK ? check_scheme(parsed) : curl_url_strerror(code);
    }
    if (reason == NULL)
        reason = copy_text(parsed, &out->text);
    if (reason == NULL)
        reason = copy_last_part(parsed, &out->last_part);
    curl_url_cleanup(parsed);
    if (reason != NULL)
        url_fini(out);
    return reason;
}

void url_fini(struct url *url)
{
    free(url->text);
    free(url->last_part);
    *url = (struct url){0};
}
