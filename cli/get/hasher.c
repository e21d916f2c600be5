/* SPDX-License-Identifier: MIT */
/*
 * Digests, see hasher.h.
 */
#include "get/hasher.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { READ_AT_ONCE = 256 * 1024 };

struct hasher {
    EVP_MD_CTX *context;
    const EVP_MD *algorithm;
    enum digest_kind kind;
};

static const struct {
    const char *name;
    size_t digits;
    const EVP_MD *(*algorithm)(void);
} kinds[] = {
    [DIGEST_NONE] = {"none", 0, NULL},
    [DIGEST_SHA256] = {"sha256", 64, EVP_sha256},
    [DIGEST_SHA512] = {"sha512", 128, EVP_sha512},
    [DIGEST_SHA1] = {"sha1", 40, EVP_sha1},
    [DIGEST_MD5] = {"md5", 32, EVP_md5},
    [DIGEST_BLAKE2B] = {"blake2b", 128, EVP_blake2b512},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- texts ---------------------------------------------------------------------------------- */

const char *digest_name(enum digest_kind kind)
{
    return kinds[kind].name;
}

size_t digest_digits(enum digest_kind kind)
{
    return kinds[kind].digits;
}

enum digest_kind digest_kind_of(const char *name, size_t size)
{
    for (int kind = DIGEST_NONE + 1; kind < KINDS; kind++)
        if (strlen(kinds[kind].name) == size && strncasecmp(name, kinds[kind].name, size) == 0)
            return (enum digest_kind)kind;
    return DIGEST_NONE;
}

bool digest_set(struct digest *out, enum digest_kind kind, const char *digits, size_t size)
{
    if (kind == DIGEST_NONE || size != kinds[kind].digits)
        return false;
    struct digest made = {.kind = kind};
    for (size_t i = 0; i < size; i++) {
        static const char from[] = "0123456789abcdefABCDEF";
        const char *found = memchr(from, digits[i], sizeof(from) - 1);
        if (found == NULL)
            return false;
        made.hex[i] = found - from < 16 ? *found : from[found - from - 6];
    }
    *out = made;
    return true;
}

bool digest_read(const char *text, struct digest *out)
{
    size_t size = strcspn(text, ":=");
    if (text[size] == '\0')
        return false;
    const char *digits = text + size + 1;
    return digest_set(out, digest_kind_of(text, size), digits, strlen(digits));
}

/* --- bytes ---------------------------------------------------------------------------------- */

struct hasher *hasher_create(enum digest_kind kind)
{
    struct hasher *hasher = calloc(1, sizeof(*hasher));
    if (hasher == NULL)
        return NULL;
    hasher->kind = kind;
    hasher->algorithm = kinds[kind].algorithm();
    hasher->context = EVP_MD_CTX_new();
    if (hasher->context == NULL || !hasher_restart(hasher)) {
        hasher_destroy(hasher);
        return NULL;
    }
    return hasher;
}

void hasher_destroy(struct hasher *hasher)
{
    if (hasher == NULL)
        return;
    EVP_MD_CTX_free(hasher->context);
    free(hasher);
}

bool hasher_restart(struct hasher *hasher)
{
    return EVP_DigestInit_ex(hasher->context, hasher->algorithm, NULL) == 1;
}

bool hasher_feed(struct hasher *hasher, const void *bytes, size_t size)
{
    return EVP_DigestUpdate(hasher->context, bytes, size) == 1;
}

int hasher_feed_file(struct hasher *hasher, int fd, uint64_t size)
{
    char *buffer = malloc(READ_AT_ONCE);
    if (buffer == NULL)
        return ENOMEM;
    int error = 0;
    for (uint64_t at = 0; at < size && error == 0;) {
        size_t wanted = size - at < READ_AT_ONCE ? (size_t)(size - at) : READ_AT_ONCE;
        ssize_t got = pread(fd, buffer, wanted, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = errno;
        else if (got == 0 || !hasher_feed(hasher, buffer, (size_t)got))
            error = EIO;
        else
            at += (uint64_t)got;
    }
    free(buffer);
    return error;
}

bool hasher_end(struct hasher *hasher, struct digest *out)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(hasher->context, bytes, &size) != 1)
        return false;
    *out = (struct digest){.kind = hasher->kind};
    for (size_t i = 0; i < size && 2 * i + 1 < STORE_DIGEST_TEXT; i++) {
        out->hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out->hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return true;
}
