/* SPDX-License-Identifier: MIT */
/*
 * A trace as a test sees it: its text, whether that is JSON, and how many events say something.
 */
#ifndef TESTS_SUPPORT_TRACE_TEXT_H
#define TESTS_SUPPORT_TRACE_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** All of a file, terminated; owned: free. NULL: it cannot be read. */
static inline char *trace_read(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    while (text) {
        size += fread(text + size, 1, room - size - 1, file);
        if (size < room - 1)
            break;
        char *grown = realloc(text, room *= 2);
        if (!grown)
            free(text);
        text = grown;
    }
    if (text)
        text[size] = '\0';
    (void)fclose(file);
    return text;
}

/** How many lines hold both texts. */
static inline size_t trace_count(const char *text, const char *one, const char *other)
{
    size_t count = 0;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        count +=
            memmem(line, length, one, strlen(one)) && memmem(line, length, other, strlen(other));
        line += length + (line[length] == '\n');
    }
    return count;
}

/* --- is it JSON? A reader that knows nothing else: it returns what follows a value, or NULL --- */

static inline const char *json_skip(const char *at)
{
    return at + strspn(at, " \n\t\r");
}

static inline const char *json_string(const char *at)
{
    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\' && !strchr("\"\\/bfnrtu", *++at))
            return NULL;
    }
    return at + 1;
}

static inline const char *json_word(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    char *end;
    if (!isdigit((unsigned char)*at) && *at != '-')
        return NULL;
    (void)strtod(at, &end);
    return end;
}

// NOLINTNEXTLINE(misc-no-recursion): values lie in each other
static inline const char *json_value(const char *at)
{
    at = json_skip(at);
    char close = *at == '[' ? ']' : *at == '{' ? '}' : '\0';
    if (!close)
        return *at == '"' ? json_string(at) : json_word(at);
    at = json_skip(at + 1);
    while (at && *at != close) {
        if (close == '}') {
            at = json_string(at);
            at = at ? json_skip(at) : at;
            if (!at || *at++ != ':')
                return NULL;
        }
        at = json_value(at);
        at = at ? json_skip(at) : at;
        if (at && *at == ',' && *json_skip(at + 1) != close)
            at = json_skip(at + 1);
        else if (at && *at != close)
            return NULL;
    }
    return at ? at + 1 : NULL;
}

static inline bool json_is_whole(const char *text)
{
    const char *end = json_value(text);
    return end && *json_skip(end) == '\0';
}

#endif
