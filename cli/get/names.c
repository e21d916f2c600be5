/* SPDX-License-Identifier: MIT */
/*
 * Who has which name, see names.h: a table of all that were taken, and of the folders they are in.
 */
#include "get/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char meta_suffix[] = ".meta";

struct claim {
    uint32_t hash;
    bool folder; /**< of a file that was claimed */
    size_t url;  /**< where in text it begins */
    char text[]; /**< name, url */
};

struct names {
    struct claim **slots; /**< open addressing; NULL: free */
    size_t room, count;   /**< room: a power of two */
    const char *suffix;
};

struct names *names_create(void)
{
    struct names *names = calloc(1, sizeof(*names));
    if (names != NULL)
        names->suffix = ".part";
    return names;
}

void names_destroy(struct names *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->room; i++)
        free(names->slots[i]);
    free(names->slots);
    free(names);
}

void names_set_suffix(struct names *names, const char *suffix)
{
    names->suffix = suffix;
}

/* --- the table ------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *name, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
    return (uint32_t)(hash ^ hash >> 32);
}

/* Where it stands, or would. */
static struct claim **slot_of(const struct names *names, const char *name, size_t size)
{
    uint32_t hash = hash_of(name, size);
    size_t at = hash & (names->room - 1);
    for (; names->slots[at] != NULL; at = (at + 1) & (names->room - 1)) {
        const struct claim *claim = names->slots[at];
        if (claim->hash == hash && strncmp(claim->text, name, size) == 0 &&
            claim->text[size] == '\0')
            break;
    }
    return &names->slots[at];
}

static const struct claim *find(const struct names *names, const char *name, size_t size)
{
    return names->room == 0 ? NULL : *slot_of(names, name, size);
}

static bool grow(struct names *names)
{
    if (names->count + 1 <= names->room / 4 * 3)
        return true;
    struct names larger = {.room = names->room == 0 ? 64 : 2 * names->room};
    larger.slots = calloc(larger.room, sizeof(struct claim *));
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < names->room; i++)
        if (names->slots[i] != NULL)
            *slot_of(&larger, names->slots[i]->text, strlen(names->slots[i]->text)) =
                names->slots[i];
    free(names->slots);
    names->slots = larger.slots;
    names->room = larger.room;
    return true;
}

static bool add(struct names *names, const char *name, size_t size, const char *url, bool folder)
{
    size_t url_size = strlen(url) + 1;
    struct claim *claim = malloc(sizeof(*claim) + size + 1 + url_size);
    if (claim == NULL || !grow(names)) {
        free(claim);
        return false;
    }
    *claim = (struct claim){.hash = hash_of(name, size), .folder = folder, .url = size + 1};
    memcpy(claim->text, name, size);
    claim->text[size] = '\0';
    memcpy(claim->text + claim->url, url, url_size);
    *slot_of(names, name, size) = claim;
    names->count++;
    return true;
}

/* --- what stands in a name's way ------------------------------------------------------------- */

static bool ends_with(const char *name, size_t size, const char *end)
{
    size_t end_size = strlen(end);
    return size > end_size && memcmp(name + size - end_size, end, end_size) == 0;
}

/* Whose .part or .part.meta that name would be. */
static const struct claim *find_main(const struct names *names, const char *name)
{
    size_t size = strlen(name);
    if (ends_with(name, size, meta_suffix) &&
        ends_with(name, size - strlen(meta_suffix), names->suffix))
        size -= strlen(meta_suffix);
    if (!ends_with(name, size, names->suffix))
        return NULL;
    return find(names, name, size - strlen(names->suffix));
}

/* Who has what the store would put beside that name. false: out of memory. */
static bool find_beside(const struct names *names, const char *name, const struct claim **out)
{
    char *beside = NULL;
    int size = asprintf(&beside, "%s%s%s", name, names->suffix, meta_suffix);
    if (size < 0)
        return false;
    *out = find(names, beside, (size_t)size);
    if (*out == NULL)
        *out = find(names, beside, (size_t)size - strlen(meta_suffix));
    free(beside);
    return true;
}

static const struct claim *find_file_above(const struct names *names, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const struct claim *above = find(names, name, (size_t)(slash - name));
        if (above != NULL && !above->folder)
            return above;
    }
    return NULL;
}

/* false: out of memory. */
static bool find_owner_of(const struct names *names, const char *name, const struct claim **out)
{
    *out = find(names, name, strlen(name));
    if (*out == NULL)
        *out = find_main(names, name);
    if (*out == NULL)
        *out = find_file_above(names, name);
    return *out != NULL || find_beside(names, name, out);
}

/* --- claims ---------------------------------------------------------------------------------- */

bool names_claim(struct names *names, const char *name, const char *url, const char **out_owner)
{
    const struct claim *owner = NULL;
    *out_owner = NULL;
    if (!find_owner_of(names, name, &owner))
        return false;
    if (owner != NULL) {
        *out_owner = owner->text + owner->url;
        return false;
    }
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t size = (size_t)(slash - name);
        if (size > 0 && find(names, name, size) == NULL && !add(names, name, size, url, true))
            return false;
    }
    return add(names, name, strlen(name), url, false);
}

char *names_claim_numbered(struct names *names, const char *name, const char *url)
{
    char *numbered = strdup(name);
    for (unsigned long number = 1; numbered != NULL; number++) {
        const char *owner;
        if (names_claim(names, numbered, url, &owner))
            return numbered;
        free(numbered);
        numbered = NULL;
        if (owner == NULL || asprintf(&numbered, "%s.%lu", name, number) < 0)
            return NULL;
    }
    return NULL;
}
