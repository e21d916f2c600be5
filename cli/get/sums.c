/* SPDX-License-Identifier: MIT */
/*
 * A file of checksums, see sums.h.
 */
#include "get/sums.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sillon/error.h>

#include "get/hasher.h"
#include "text/harmless.h"

struct sum {
    struct digest digest;
    char *name; /**< owned; without "./" before it */
};

struct sums {
    struct sum *list; /**< by name, the strongest first */
    size_t count, room;
    size_t *by_last; /**< indices, by the last part of the name */
};

void sums_destroy(struct sums *sums)
{
    if (sums == NULL)
        return;
    for (size_t i = 0; i < sums->count; i++)
        free(sums->list[i].name);
    free(sums->list);
    free(sums->by_last);
    free(sums);
}

static const char *without_dot(const char *name)
{
    while (name[0] == '.' && name[1] == '/')
        for (name += 2; *name == '/';)
            name++;
    return name;
}

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

/* --- lines ----------------------------------------------------------------------------------- */

enum line { LINE_SUM, LINE_SKIPPED, LINE_WRONG, LINE_NO_MEMORY };

static enum line add(struct sums *sums, const struct digest *digest, const char *name, size_t size)
{
    if (sums->count == sums->room) {
        size_t room = sums->room == 0 ? 64 : 2 * sums->room;
        struct sum *list = reallocarray(sums->list, room, sizeof(*list));
        if (list == NULL)
            return LINE_NO_MEMORY;
        sums->list = list;
        sums->room = room;
    }
    char *copy = strndup(name, size);
    if (copy == NULL)
        return LINE_NO_MEMORY;
    const char *bare = without_dot(copy);
    memmove(copy, bare, strlen(bare) + 1);
    if (*copy == '\0') {
        free(copy);
        return LINE_WRONG;
    }
    sums->list[sums->count++] = (struct sum){.digest = *digest, .name = copy};
    return LINE_SUM;
}

/* "\n" and "\\" in a name, of a line that begins with a backslash. */
static void unescape(char *text)
{
    char *out = text;
    for (; *text != '\0'; text++) {
        char c = *text;
        if (c == '\\' && (text[1] == 'n' || text[1] == 'r' || text[1] == '\\')) {
            text++;
            c = *text == 'n' ? '\n' : *text == 'r' ? '\r' : '\\';
        }
        *out++ = c;
    }
    *out = '\0';
}

/* "SHA256 (name) = HEX" */
static enum line read_bsd(struct sums *sums, const char *line)
{
    const char *open = strstr(line, " ("), *close = NULL;
    for (const char *at = open; at != NULL && (at = strstr(at, ") = ")) != NULL; at++)
        close = at; /* the last one: a name may have that in it */
    if (close == NULL)
        return LINE_WRONG;
    size_t word = (size_t)(open - line);
    enum digest_kind kind = digest_kind_of(line, word);
    if (word == 0 || strcspn(line, " ") != word)
        return LINE_WRONG;
    if (kind == DIGEST_NONE) /* SHA384 and so on: another line may have what we know */
        return LINE_SKIPPED;
    struct digest digest;
    const char *digits = close + strlen(") = ");
    if (!digest_set(&digest, kind, digits, strlen(digits)))
        return LINE_WRONG;
    return add(sums, &digest, open + 2, (size_t)(close - open) - 2);
}

/* "HEX  name" */
static enum line read_gnu(struct sums *sums, const char *line)
{
    static const enum digest_kind by_length[] = {DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256,
                                                 DIGEST_SHA512};
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    const char *name = line + digits;
    if (name[0] != ' ' || (name[1] != ' ' && name[1] != '*') || name[2] == '\0')
        return LINE_WRONG;
    if (digits == 56 || digits == 96) /* sha224, sha384 */
        return LINE_SKIPPED;
    struct digest digest;
    for (size_t i = 0; i < sizeof(by_length) / sizeof(by_length[0]); i++)
        if (digest_set(&digest, by_length[i], line, digits))
            return add(sums, &digest, name + 2, strlen(name + 2));
    return LINE_WRONG;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Between the lines of PGP; *in_signature goes from one line to the next. */
static bool is_armor(const char *line, bool *in_signature)
{
    if (has_prefix(line, "-----BEGIN PGP SIGNATURE-----"))
        *in_signature = true;
    else if (has_prefix(line, "-----END PGP SIGNATURE-----"))
        *in_signature = false;
    else
        return *in_signature || has_prefix(line, "-----BEGIN PGP SIGNED MESSAGE-----") ||
               (has_prefix(line, "Hash: ") && strchr(line, '(') == NULL);
    return true;
}

static enum line read_line(struct sums *sums, char *line, bool *in_signature)
{
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#' || is_armor(line, in_signature))
        return LINE_SKIPPED;
    bool escaped = line[0] == '\\';
    if (escaped)
        unescape(++line);
    enum line kind = read_gnu(sums, line);
    return kind == LINE_WRONG ? read_bsd(sums, line) : kind;
}

/* --- the order ------------------------------------------------------------------------------- */

static int strength(enum digest_kind kind)
{
    static const int strengths[] = {[DIGEST_MD5] = 1,
                                    [DIGEST_SHA1] = 2,
                                    [DIGEST_SHA256] = 3,
                                    [DIGEST_BLAKE2B] = 4,
                                    [DIGEST_SHA512] = 5};
    return strengths[kind];
}

static int compare(const void *a, const void *b)
{
    const struct sum *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strength(right->digest.kind) - strength(left->digest.kind);
}

static int compare_last(const void *a, const void *b, void *user)
{
    const struct sums *sums = user;
    const size_t *left = a, *right = b;
    return strcmp(last_part(sums->list[*left].name), last_part(sums->list[*right].name));
}

/* One name with two digests of a kind: NULL, or that name. */
static const char *find_contradiction(const struct sums *sums)
{
    for (size_t i = 1; i < sums->count; i++)
        if (compare(&sums->list[i - 1], &sums->list[i]) == 0 &&
            strcmp(sums->list[i - 1].digest.hex, sums->list[i].digest.hex) != 0)
            return sums->list[i].name;
    return NULL;
}

static int put_in_order(struct sums *sums, const char *file)
{
    char shown[256];
    if (sums->count == 0)
        return sil_fail(EINVAL, "%s: no checksum is in it", file);
    qsort(sums->list, sums->count, sizeof(*sums->list), compare);
    const char *twice = find_contradiction(sums);
    if (twice != NULL)
        return sil_fail(EINVAL, "%s: two different checksums of %s", file,
                        harmless(shown, sizeof(shown), twice));
    sums->by_last = reallocarray(NULL, sums->count, sizeof(*sums->by_last));
    if (sums->by_last == NULL)
        return sil_fail(SIL_ENOMEM, NULL);
    for (size_t i = 0; i < sums->count; i++)
        sums->by_last[i] = i;
    qsort_r(sums->by_last, sums->count, sizeof(*sums->by_last), compare_last, sums);
    return 0;
}

/* --- the file -------------------------------------------------------------------------------- */

static int read_all(struct sums *sums, FILE *stream, const char *file)
{
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t size;
    bool in_signature = false;
    int code = 0;
    while (code == 0 && (size = getline(&line, &room, stream)) >= 0) {
        number++;
        char *text = line;
        if (number == 1 && has_prefix(text, "\xef\xbb\xbf"))
            text += 3;
        enum line kind =
            strlen(line) == (size_t)size ? read_line(sums, text, &in_signature) : LINE_WRONG;
        if (kind == LINE_WRONG)
            code = sil_fail(EINVAL, "%s:%zu: this is no line with a checksum", file, number);
        else if (kind == LINE_NO_MEMORY)
            code = sil_fail(SIL_ENOMEM, NULL);
    }
    if (code == 0 && ferror(stream))
        code = sil_fail(errno, "cannot read %s: %s", file, sil_strerror(errno));
    free(line);
    return code;
}

struct sums *sums_open(const char *file)
{
    char shown[512];
    (void)harmless(shown, sizeof(shown), file);
    struct sums *sums = calloc(1, sizeof(*sums));
    if (sums == NULL) {
        (void)sil_fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    FILE *stream = fopen(file, "re");
    int code = stream == NULL ? sil_fail(errno, "cannot read %s: %s", shown, sil_strerror(errno))
                              : read_all(sums, stream, shown);
    if (stream != NULL)
        (void)fclose(stream);
    if (code == 0)
        code = put_in_order(sums, shown);
    if (code != 0) {
        sums_destroy(sums);
        return NULL;
    }
    return sums;
}

static const struct digest *find_exact(const struct sums *sums, const char *name)
{
    size_t low = 0, high = sums->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sums->list[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < sums->count && strcmp(sums->list[low].name, name) == 0;
    return found ? &sums->list[low].digest : NULL;
}

/* The one name that ends so; several: which of them is meant? */
static const struct digest *find_by_last(const struct sums *sums, const char *last)
{
    size_t low = 0, high = sums->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(last_part(sums->list[sums->by_last[middle]].name), last) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const char *only = NULL;
    for (; low < sums->count; low++) {
        const char *name = sums->list[sums->by_last[low]].name;
        if (strcmp(last_part(name), last) != 0)
            break;
        if (only != NULL && strcmp(only, name) != 0)
            return NULL;
        only = name;
    }
    return only == NULL ? NULL : find_exact(sums, only);
}

bool sums_find(const struct sums *sums, const char *name, struct digest *out)
{
    name = without_dot(name);
    const struct digest *found = find_exact(sums, name);
    if (found == NULL)
        found = find_by_last(sums, last_part(name));
    if (found != NULL)
        *out = *found;
    return found != NULL;
}
