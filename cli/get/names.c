/* SPDX-License-Identifier: MIT */
/*
 * File names, see names.h: a tree of all names given away.
 */
#include "get/names.h"

#include <curl/curl.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/harmless.h"
#include "text/utf8.h"

/* File systems take 255 bytes; the rest is for ".1234" and for what a part file adds. */
enum { LONGEST_ASKED_FOR = 200, LONGEST = LONGEST_ASKED_FOR + 24 };

/* A name given away. */
struct claim {
    unsigned long asked_again; /**< the last number put behind it */
    char name[];
};

struct names {
    void *tree; /**< of struct claim, by name: tsearch */
};

struct names *names_create(void)
{
    return calloc(1, sizeof(struct names));
}

void names_destroy(struct names *names)
{
    if (names == NULL)
        return;
    tdestroy(names->tree, free);
    free(names);
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* The claim of a name, new or old. NULL: out of memory. */
static struct claim *find_or_add(struct names *names, const char *name, bool *out_new)
{
    size_t size = strlen(name) + 1;
    struct claim *fresh = malloc(sizeof(*fresh) + size);
    if (fresh == NULL)
        return NULL;
    fresh->asked_again = 0;
    memcpy(fresh->name, name, size);

    struct claim **found = tsearch(fresh, &names->tree, compare_claims);
    *out_new = found != NULL && *found == fresh;
    if (!*out_new)
        free(fresh);
    return found == NULL ? NULL : *found;
}

static bool may_stand_in_name(uint32_t character, bool first)
{
    if (first && (character == '.' || character == '-' || character == '~'))
        return false;
    return character != '/' && !harmless_is_control(character);
}

/* What must not stand in a name becomes "_". */
static void copy_clean(char out[LONGEST_ASKED_FOR + 1], const char *bytes, size_t count)
{
    size_t used = 0;
    for (size_t at = 0; at < count;) {
        uint32_t character = 0;
        size_t length = utf8_read(bytes + at, &character);
        bool keep = length > 0 && may_stand_in_name(character, used == 0);
        size_t room = keep ? length : 1;
        if (used + room > LONGEST_ASKED_FOR)
            break;
        if (keep)
            memcpy(out + used, bytes + at, length);
        else
            out[used] = '_';
        used += room;
        at += length > 0 ? length : 1;
    }
    out[used] = '\0';
}

static bool asked_for(const char *last_part, char out[LONGEST_ASKED_FOR + 1])
{
    int count = 0;
    char *decoded = curl_easy_unescape(NULL, last_part, 0, &count);
    if (decoded == NULL)
        return false;
    copy_clean(out, decoded, (size_t)count);
    curl_free(decoded);
    if (out[0] == '\0')
        (void)snprintf(out, LONGEST_ASKED_FOR + 1, "index.html");
    return true;
}

const char *names_claim(struct names *names, const char *last_part)
{
    char wanted[LONGEST_ASKED_FOR + 1];
    bool is_new;
    if (!asked_for(last_part, wanted))
        return NULL;
    struct claim *first = find_or_add(names, wanted, &is_new);
    if (first == NULL || is_new)
        return first == NULL ? NULL : first->name;

    /* "a.1" may be some URL's own name: then the next number. */
    for (;;) {
        char numbered[LONGEST + 1];
        (void)snprintf(numbered, sizeof(numbered), "%s.%lu", wanted, ++first->asked_again);
        struct claim *claim = find_or_add(names, numbered, &is_new);
        if (claim == NULL || is_new)
            return claim == NULL ? NULL : claim->name;
    }
}
