/* SPDX-License-Identifier: MIT */
/*
 * Names out of URLs and out of lists, see names.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "get/names.h"
#include "text/harmless.h"
#include "text/utf8.h"

/* File systems take 255 bytes; the rest is for ".1234" and for what a part file adds. */
enum { LONGEST_PART = 200 };

static const char no_name[] = "index.html";

/* --- of URLs --------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding. out has room for size bytes and an end; a NUL byte becomes 1, which is
 * not allowed either. */
static void decode(char *out, const char *text, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        int high = text[at] == '%' && size - at > 2 ? digit_of(text[at + 1]) : -1;
        int low = high >= 0 ? digit_of(text[at + 2]) : -1;
        char byte = (char)(low >= 0 ? high << 4 | low : text[at]);
        at += low >= 0 ? 2 : 0;
        *out++ = (char)(byte == '\0' ? '\1' : byte);
    }
    *out = '\0';
}

static bool may_stand_in_name(uint32_t character, bool first)
{
    if (first && (character == '.' || character == '-' || character == '~'))
        return false;
    return character != '/' && !harmless_is_control(character);
}

/* Appends one part of a name; what must not stand in it becomes "_". Returns behind its last byte.
 * */
static char *append_clean(char *out, const char *text)
{
    size_t used = 0;
    while (*text != '\0') {
        uint32_t character = 0;
        size_t length = utf8_read(text, &character);
        bool keep = length > 0 && may_stand_in_name(character, used == 0);
        size_t room = keep ? length : 1;
        if (used + room > LONGEST_PART)
            break;
        if (keep)
            memcpy(out + used, text, length);
        else
            out[used] = '_';
        used += room;
        text += length > 0 ? length : 1;
    }
    out[used] = '\0';
    return out + used;
}

/* Both have room for all of the path. */
static char *append_part(char *out, const char *text, size_t size, char *scratch)
{
    decode(scratch, text, size);
    return append_clean(out, scratch);
}

char *name_of_url(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash != NULL ? slash + 1 : path;
    if (*last == '\0')
        return strdup(no_name);
    size_t size = strlen(last);
    char *scratch = malloc(size + 1), *name = malloc(size + 1);
    if (scratch != NULL && name != NULL) {
        (void)append_part(name, last, size, scratch);
    } else {
        free(name);
        name = NULL;
    }
    free(scratch);
    return name;
}

char *name_of_tree(const char *host, const char *path)
{
    size_t room = strlen(host) + strlen(path) + sizeof(no_name) + 2;
    char *scratch = malloc(room), *name = malloc(room);
    if (scratch == NULL || name == NULL) {
        free(scratch);
        free(name);
        return NULL;
    }
    char *end = append_part(name, host, strlen(host), scratch);
    size_t size = 0;
    bool is_folder = true;
    for (; *path != '\0'; path += size) {
        size = strcspn(path, "/");
        is_folder = size == 0;
        if (is_folder) {
            size = 1;
            continue;
        }
        *end++ = '/';
        end = append_part(end, path, size, scratch);
    }
    if (is_folder) {
        *end++ = '/';
        memcpy(end, no_name, sizeof(no_name));
    }
    free(scratch);
    return name;
}

/* --- of lists -------------------------------------------------------------------------------- */

static bool has_control(const char *text)
{
    while (*text != '\0') {
        uint32_t character = 0;
        size_t length = utf8_read(text, &character);
        if (length > 0 ? harmless_is_control(character) : (unsigned char)*text < 0x20)
            return true;
        text += length > 0 ? length : 1;
    }
    return false;
}

const char *name_trouble(const char *text)
{
    size_t size = strlen(text);
    if (size == 0)
        return "a name that is empty";
    if (text[0] == '/')
        return "an absolute name: it must stay in the folder";
    if (text[size - 1] == '/')
        return "a name that ends in a slash";
    if (has_control(text))
        return "control characters in a name";
    for (const char *part = text; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return "\"..\" in a name: it must stay in the folder";
    }
    while (text[0] == '.' && text[1] == '/')
        text += 1 + strspn(text + 1, "/");
    if (strcmp(text, ".") == 0 || *text == '\0')
        return "a name that is empty";
    return strcmp(text, "-") == 0 ? "\"-\" means standard output, not a file" : NULL;
}

char *name_given(const char *text)
{
    if (name_trouble(text) != NULL)
        return NULL;
    char *name = malloc(strlen(text) + 1), *end = name;
    if (name == NULL)
        return NULL;
    for (size_t size; *text != '\0'; text += size + (text[size] == '/')) {
        size = strcspn(text, "/");
        if (size == 0 || (size == 1 && text[0] == '.'))
            continue;
        if (end != name)
            *end++ = '/';
        memcpy(end, text, size);
        end += size;
    }
    *end = '\0';
    return name;
}
