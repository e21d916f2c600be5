/* SPDX-License-Identifier: MIT */
/*
 * Items, see item.h: read from lines.
 */
#include "get/item.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void item_destroy(struct get_item *item)
{
    if (item == NULL)
        return;
    url_fini(&item->url);
    free(item->name);
    for (size_t i = 0; i < item->headers.count; i++)
        free(item->headers.list[i]);
    free(item->headers.list);
    free(item->identity);
    free(item->refused);
    free(item->final_url);
    free(item->final_name);
    free(item->error);
    free(item);
}

const char *item_trouble_word(enum item_trouble trouble)
{
    static const char *const words[] = {
        [TROUBLE_URL] = "url",       [TROUBLE_DNS] = "dns",           [TROUBLE_CONNECT] = "connect",
        [TROUBLE_TLS] = "tls",       [TROUBLE_HTTP] = "http",         [TROUBLE_STALL] = "stall",
        [TROUBLE_SHORT] = "short",   [TROUBLE_CHECKSUM] = "checksum", [TROUBLE_WRITE] = "write",
        [TROUBLE_EXISTS] = "exists", [TROUBLE_STOPPED] = "stopped",
    };
    return trouble == TROUBLE_NONE ? NULL : words[trouble];
}

void item_fail(struct get_item *item, enum item_trouble trouble, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    free(item->error);
    item->error = strdup(text);
    item->trouble = trouble;
}

void item_refuse(struct get_item *item, const char *why)
{
    if (item->refused == NULL)
        item->refused = strdup(why);
}

static void set_url(struct get_item *item, const char *text)
{
    if (item->name_only) {
        item->url = (struct url){.path = url_quick_path(text), .shown = strdup(text)};
        if (item->url.path == NULL || item->url.shown == NULL)
            item_refuse(item, "out of memory");
        return;
    }
    const char *why = url_parse(text, &item->url);
    if (why != NULL) {
        item_refuse(item, why);
        item->url.shown = strdup(text); /* made harmless where it is printed */
    }
}

static void set_digest(struct get_item *item, const char *text)
{
    if (!digest_read(text, &item->expected))
        item_refuse(item, "what stands behind the name is no checksum such as sha256=HEX");
}

bool item_is_header(const char *text)
{
    size_t name = strcspn(text, ":; \t\r\n");
    bool ends = text[name] == ':' || (text[name] == ';' && text[name + 1] == '\0');
    return name > 0 && ends && strpbrk(text, "\r\n") == NULL;
}

static void add_header(struct get_item *item, const char *text)
{
    if (!item_is_header(text)) {
        item_refuse(item, "a header that is not \"Name: value\"");
        return;
    }
    if (item->headers.count == ITEM_MOST_HEADERS) {
        item_refuse(item, "too many headers");
        return;
    }
    char *copy = strdup(text);
    char **list = realloc(item->headers.list, (item->headers.count + 1) * sizeof(char *));
    if (list != NULL)
        item->headers.list = list;
    if (list == NULL || copy == NULL) {
        free(copy);
        item_refuse(item, "out of memory");
        return;
    }
    item->headers.list[item->headers.count++] = copy;
}

/* --- URL TAB NAME TAB sha256=HEX ----------------------------------------------------------- */

static void read_fields(struct get_item *item, char *line)
{
    char *rest = line, *field = strsep(&rest, "\t");
    set_url(item, field);
    if ((field = strsep(&rest, "\t")) != NULL && *field != '\0')
        item->name = strdup(field);
    while ((field = strsep(&rest, "\t")) != NULL)
        if (*field != '\0')
            set_digest(item, field);
}

/* --- {"url":..., "name":..., "header":[...], "sha256":...} --------------------------------- */

static void read_headers(struct get_item *item, const json_t *headers)
{
    size_t index;
    json_t *header;
    if (json_is_string(headers))
        add_header(item, json_string_value(headers));
    else if (json_is_array(headers))
        json_array_foreach(headers, index, header)
        {
            if (json_is_string(header))
                add_header(item, json_string_value(header));
        }
    else if (headers != NULL)
        item_refuse(item, "\"header\" is neither a string nor a list of them");
}

static void read_digests(struct get_item *item, const json_t *object)
{
    for (enum digest_kind kind = DIGEST_SHA256; kind <= DIGEST_BLAKE2B; kind++) {
        const json_t *value = json_object_get(object, digest_name(kind));
        char text[STORE_DIGEST_TEXT + 16];
        if (value == NULL)
            continue;
        const char *hex = json_string_value(value);
        (void)snprintf(text, sizeof(text), "%s=%s", digest_name(kind), hex != NULL ? hex : "?");
        set_digest(item, text);
    }
}

static void read_object(struct get_item *item, const char *line, size_t size)
{
    json_error_t error;
    json_t *object = json_loadb(line, size, 0, &error);
    const char *url = json_string_value(json_object_get(object, "url"));
    if (url == NULL) {
        item->url.shown = strndup(line, size < 100 ? size : 100);
        item_refuse(item, object == NULL ? "this line is no JSON" : "an object without \"url\"");
    } else {
        set_url(item, url);
        const char *name = json_string_value(json_object_get(object, "name"));
        if (name != NULL)
            item->name = strdup(name);
        read_headers(item, json_object_get(object, "header"));
        read_digests(item, object);
    }
    json_decref(object);
}

struct get_item *item_from_line(const char *line, size_t size, bool jsonl, bool name_only)
{
    struct get_item *item = calloc(1, sizeof(*item));
    char *copy = strndup(line, size);
    if (item == NULL || copy == NULL) {
        free(item);
        free(copy);
        return NULL;
    }
    item->length = STORE_UNKNOWN;
    item->name_only = name_only;
    if (strlen(copy) != size) {
        item->url.shown = strdup(copy);
        item_refuse(item, "a NUL byte is in it");
    } else if (jsonl) {
        read_object(item, copy, size);
    } else {
        read_fields(item, copy);
    }
    free(copy);
    return item;
}
