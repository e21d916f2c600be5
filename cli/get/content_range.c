/* SPDX-License-Identifier: MIT */
/*
 * Parts of files, see content_range.h.
 */
#include "get/content_range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "get/store.h"

/* A number, and what stands behind it; NULL: there is none. */
static const char *read_digits(const char *text, uint64_t *out)
{
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 ? end : NULL;
}

static const char *skip(const char *text, char expected)
{
    return text != NULL && *text == expected ? text + 1 : NULL;
}

bool content_range_read(const char *text, struct content_range *out)
{
    static const char unit[] = "bytes ";
    if (text == NULL || strncasecmp(text, unit, strlen(unit)) != 0)
        return false;
    text = skip(read_digits(text + strlen(unit), &out->from), '-');
    text = skip(read_digits(text, &out->to), '/');
    if (text == NULL || out->to < out->from)
        return false;
    out->length = STORE_UNKNOWN;
    if (strcmp(text, "*") == 0)
        return true;
    text = read_digits(text, &out->length);
    return text != NULL && *text == '\0' && out->to < out->length;
}
