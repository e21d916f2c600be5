/* SPDX-License-Identifier: MIT */
/*
 * Lines out of bytes, see lines.h.
 */
#include "input/lines.h"

#include <stdlib.h>
#include <string.h>

static const char white_space[] = " \t\r\v\f";

void lines_fini(struct lines *lines)
{
    free(lines->bytes);
    *lines = (struct lines){0};
}

bool lines_feed(struct lines *lines, const char *bytes, size_t count)
{
    size_t left = lines->used - lines->at;
    if (left > 0)
        memmove(lines->bytes, lines->bytes + lines->at, left);
    lines->at = 0;
    lines->used = left;

    char *grown = realloc(lines->bytes, left + count + 1); /* 1: to terminate the last line */
    if (grown == NULL)
        return false;
    memcpy(grown + left, bytes, count);
    lines->bytes = grown;
    lines->used = left + count;
    return true;
}

/* The next line with its end cut off; NULL when there is none yet. */
static char *cut_line(struct lines *lines, bool ended, size_t *out_length)
{
    size_t left = lines->used - lines->at;
    if (left == 0)
        return NULL;
    char *line = lines->bytes + lines->at;
    char *end = memchr(line, '\n', left);
    if (end == NULL && !ended && left <= LINE_LONGEST)
        return NULL;
    *out_length = end != NULL ? (size_t)(end - line) : left;
    lines->at += *out_length + (end != NULL);
    bool was_skipping = lines->skipping;
    lines->skipping = end == NULL;
    if (was_skipping)
        *out_length = 0; /* the rest of one that was reported already */
    line[*out_length] = '\0';
    return line;
}

static char *trim(char *line)
{
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3; /* some editors begin a file with this mark */
    line += strspn(line, white_space);
    size_t length = strlen(line);
    while (length > 0 && strchr(white_space, line[length - 1]) != NULL)
        length--;
    line[length] = '\0';
    return line;
}

char *lines_next(struct lines *lines, bool ended, const char **out_reason)
{
    char *line;
    size_t length;
    while ((line = cut_line(lines, ended, &length)) != NULL) {
        *out_reason = NULL;
        if (strlen(line) != length)
            *out_reason = "the line has a zero byte";
        else if (length > LINE_LONGEST)
            *out_reason = "the line is too long for a URL";
        char *word = trim(line);
        if (*out_reason != NULL || (word[0] != '\0' && word[0] != '#'))
            return word;
    }
    return NULL;
}

size_t lines_count(const struct lines *lines)
{
    /* Yielding a line cuts it, so this is done to a copy. */
    struct lines copy = {.skipping = lines->skipping};
    size_t count = 0;
    const char *reason;
    if (lines->used > lines->at &&
        lines_feed(&copy, lines->bytes + lines->at, lines->used - lines->at)) {
        while (lines_next(&copy, true, &reason) != NULL)
            count++;
    }
    lines_fini(&copy);
    return count;
}
