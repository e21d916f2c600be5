/* SPDX-License-Identifier: MIT */
/*
 * A store over a folder of its own, and downloads without a network, for its tests.
 */
#ifndef TESTS_UNIT_CLI_STORE_RIG_H
#define TESTS_UNIT_CLI_STORE_RIG_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get/hasher.h"
#include "get/store.h"
#include "support/test.h"
#include "unit/cli/fake_screen.h"
#include "unit/coro/scenario.h"

#define RIG_URL "https://example.org/file"
#define RIG_OLD_DATE "Sun, 06 Nov 1994 08:49:37 GMT"

enum { RIG_SIZE = 700000 };

static char rig_folder[64];
static char rig_bytes[RIG_SIZE]; /* a file on a server */
static struct get_options rig_options;
static struct store *rig_store;
static struct screen *rig_screen;

static const struct digest rig_no_digest;

static inline void rig_fill(char *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (char)(seed >> 24);
    }
}

static inline void rig_remove(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char *inner;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            asprintf(&inner, "%s/%s", path, entry->d_name) < 0)
            continue;
        if (unlink(inner) != 0)
            rig_remove(inner);
        free(inner);
    }
    if (folder != NULL)
        (void)closedir(folder);
    (void)rmdir(path);
}

/* For cmocka: a fresh folder for each test. */
static inline int rig_begin(void **state)
{
    (void)snprintf(rig_folder, sizeof rig_folder, "/tmp/sillon-test-get-XXXXXX");
    if (mkdtemp(rig_folder) == NULL)
        return -1;
    rig_fill(rig_bytes, sizeof rig_bytes, 7);
    rig_options = (struct get_options){.folder = rig_folder};
    return test_begin(state);
}

static inline int rig_end(void **state)
{
    rig_remove(rig_folder);
    return test_end(state);
}

#define RIG_TEST(function) cmocka_unit_test_setup_teardown(function, rig_begin, rig_end)

/* In a coroutine. */
static inline bool rig_open(void)
{
    rig_screen = screen_create(NULL);
    rig_store = store_create(&rig_options, rig_screen);
    return rig_store != NULL;
}

static inline void rig_close(void)
{
    store_destroy(rig_store);
    screen_destroy(rig_screen);
}

/* Runs in a coroutine, with the store open: a scenario. */
#define STORE_SCENARIO(name)                 \
    static int name##_body(void);            \
    static int name(void *arg, void *result) \
    {                                        \
        (void)arg, (void)result;             \
        EXPECT(rig_open());                  \
        int code = name##_body();            \
        rig_close();                         \
        return code;                         \
    }                                        \
    static void test_##name(void **state)    \
    {                                        \
        (void)state;                         \
        run_scenario(name);                  \
    }                                        \
    static int name##_body(void)

/* --- downloads ------------------------------------------------------------------------------- */

/* Append bytes, a chunk as far as it goes. */
static inline int rig_feed(struct part *part, const char *bytes, size_t size)
{
    while (size > 0) {
        struct chunk *chunk = part_chunk(part);
        if (chunk == NULL)
            return sil_error_code(sil_last_error());
        chunk->size = size < chunk->room ? size : chunk->room;
        memcpy(chunk->bytes, bytes, chunk->size);
        bytes += chunk->size;
        size -= chunk->size;
        int code = part_append(part, chunk);
        if (code != 0)
            return code;
    }
    return 0;
}

static inline int rig_begin_part(const char *name, struct part **out, struct store_found *found)
{
    return part_begin(rig_store, name, RIG_URL, &rig_no_digest, false, out, found);
}

/* Leave the first bytes of a file with an ETag as an interrupted run does. */
static inline int rig_interrupted(const char *name, size_t size, const char *etag,
                                  const char *modified)
{
    struct part *part;
    struct store_found found;
    int code = rig_begin_part(name, &part, &found);
    if (code != 0)
        return code;
    code = part_head(part, 0, RIG_SIZE, etag, modified);
    if (code == 0)
        code = rig_feed(part, rig_bytes, size);
    part_abandon(part, true);
    return code;
}

/* --- what is there --------------------------------------------------------------------------- */

static inline const char *rig_path(const char *name)
{
    static char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", rig_folder, name);
    return path;
}

static inline bool rig_exists(const char *name)
{
    struct stat status;
    return lstat(rig_path(name), &status) == 0;
}

/* free(); NULL: there is none. */
static inline char *rig_read(const char *name, size_t *out_size)
{
    struct stat status;
    int fd = open(rig_path(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *bytes = fstat(fd, &status) == 0 ? malloc((size_t)status.st_size + 1) : NULL;
    ssize_t got = bytes == NULL ? -1 : read(fd, bytes, (size_t)status.st_size + 1);
    (void)close(fd);
    *out_size = got < 0 ? 0 : (size_t)got;
    return bytes;
}

static inline bool rig_holds(const char *name, const char *bytes, size_t size)
{
    size_t got = 0;
    char *has = rig_read(name, &got);
    bool same = has != NULL && got == size && memcmp(has, bytes, size) == 0;
    free(has);
    return same;
}

static inline void rig_write(const char *name, const char *bytes, size_t size)
{
    int fd = open(rig_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    (void)close(fd);
}

/* How many names are in the folder. */
static inline unsigned rig_count(void)
{
    unsigned count = 0;
    DIR *folder = opendir(rig_folder);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        (void)closedir(folder);
    return count;
}

static inline struct digest rig_digest(enum digest_kind kind, const char *bytes, size_t size)
{
    struct digest digest = {.kind = DIGEST_NONE};
    struct hasher *hasher = hasher_create(kind);
    if (hasher == NULL || !hasher_feed(hasher, bytes, size) || !hasher_end(hasher, &digest))
        abort();
    hasher_destroy(hasher);
    return digest;
}

#endif
