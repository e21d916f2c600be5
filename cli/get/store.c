/* SPDX-License-Identifier: MIT */
/*
 * The store, and the beginning and the end of its parts: see store.h and part.h.
 */
#include "get/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/thread_pool.h>

#include "get/part.h"
#include "text/harmless.h"

/* Not in that header. */
#define MAGIC_ZFS 0x2fc12fc1

static const char meta_suffix[] = ".meta";

/* --- the store ------------------------------------------------------------------------------- */

/* Names in a folder that no network is behind are in the kernel's memory, or soon: looking one up
 * takes a microsecond, telling a thread to do it several. Elsewhere it may take for ever. */
static bool is_quick(int folder)
{
    struct statfs status;
    if (fstatfs(folder, &status) != 0)
        return false;
    switch ((unsigned long)status.f_type) {
    case TMPFS_MAGIC:
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case MAGIC_ZFS:
        return true;
    default:
        return false;
    }
}

static int fail_folder(const char *folder, int error)
{
    char text[512];
    return sil_fail(error, "cannot use the folder %s: %s", harmless(text, sizeof(text), folder),
                    sil_strerror(error));
}

static int open_folder(const char *name, bool sync)
{
    int error = folders_make(AT_FDCWD, name);
    bool made = error == 0 && mkdir(name, 0777) == 0;
    if (error == 0 && !made && errno != EEXIST)
        error = errno;
    int folder = error == 0 ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder < 0) {
        (void)fail_folder(name, error != 0 ? error : errno);
        return -1;
    }
    if (made && sync) {
        struct part_file itself = {.folder = AT_FDCWD};
        error = part_file_sync_folders(&itself, name);
        if (error != 0) {
            (void)close(folder);
            (void)fail_folder(name, error);
            return -1;
        }
    }
    return folder;
}

static unsigned worker_count(void)
{
    unsigned count = sil_process_cpu_count();
    return count < 2 ? 2 : count > 4 ? 4 : count;
}

/* Nothing in it: then there is no need to look for each file. */
static bool is_empty(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    bool empty = true;
    for (const struct dirent *entry; empty && (entry = readdir(entries)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    (void)closedir(entries);
    return empty;
}

struct store *store_create(const struct get_options *options, struct screen *screen)
{
    const char *suffix = options->part_suffix != NULL ? options->part_suffix : ".part";
    if (suffix[0] == '\0' || strchr(suffix, '/') != NULL) {
        (void)sil_fail(SIL_EINVAL, "a part suffix cannot be empty or have a slash");
        return NULL;
    }
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        (void)sil_fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    store->options = options;
    store->screen = screen;
    store->suffix = suffix;
    store->folder = open_folder(options->folder != NULL ? options->folder : ".", options->fsync);
    if (store->folder < 0)
        goto fail_store;
    store->looks_here = is_quick(store->folder);
    store->was_empty = options->output == NULL && is_empty(store->folder);
    sil_thread_pool_options pool = {.workers = worker_count(), .name = "store"};
    store->threads = sil_thread_pool(&pool);
    if (store->threads == NULL)
        goto fail_folder;
    chunks_init(&store->chunks, CHUNKS_LIMIT);
    (void)pthread_mutex_init(&store->lock, NULL);
    return store;

fail_folder:
    (void)close(store->folder);
fail_store:
    free(store);
    return NULL;
}

void store_destroy(struct store *store)
{
    if (store == NULL)
        return;
    (void)sil_executor_close(store->threads);
    chunks_fini(&store->chunks);
    while (store->event_count > 0)
        sil_event_destroy(store->events[--store->event_count]);
    free(store->events);
    (void)pthread_mutex_destroy(&store->lock);
    (void)close(store->folder);
    free(store);
}

sil_event *store_take_event(struct store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    sil_event *event = store->event_count > 0 ? store->events[--store->event_count] : NULL;
    (void)pthread_mutex_unlock(&store->lock);
    return event != NULL ? event : sil_event_create(NULL);
}

void store_give_event(struct store *store, sil_event *event)
{
    (void)pthread_mutex_lock(&store->lock);
    if (store->event_count == store->event_room) {
        size_t room = store->event_room == 0 ? 64 : 2 * store->event_room;
        sil_event **events = reallocarray(store->events, room, sizeof(sil_event *));
        store->events = events != NULL ? events : store->events;
        store->event_room = events != NULL ? room : store->event_room;
    }
    if (store->event_count < store->event_room) {
        store->events[store->event_count++] = event;
        event = NULL;
    }
    (void)pthread_mutex_unlock(&store->lock);
    sil_event_destroy(event);
}

/* --- the beginning of a part ----------------------------------------------------------------- */

/* NULL: no memory. */
static struct part *make_part(struct store *store, const char *name)
{
    size_t name_size = strlen(name), suffix_size = strlen(store->suffix);
    size_t part_size = name_size + suffix_size + 1;
    struct part *part = calloc(1, sizeof(*part) + 2 * part_size + sizeof(meta_suffix));
    sil_event *event = store_take_event(store);
    if (part == NULL || event == NULL) {
        sil_event_destroy(event);
        free(part);
        return NULL;
    }
    char *part_name = part->names, *meta_name = part->names + part_size;
    memcpy(part_name, name, name_size);
    memcpy(part_name + name_size, store->suffix, suffix_size);
    memcpy(meta_name, part_name, part_size - 1);
    memcpy(meta_name + part_size - 1, meta_suffix, sizeof(meta_suffix));

    part->store = store;
    part->name = name;
    part->event = event;
    part->length = STORE_UNKNOWN;
    part->file = (struct part_file){
        .folder = store->folder, .name = name, .part_name = part_name, .meta_name = meta_name};
    part->file.fd = -1;
    part->file.far = !store->looks_here;
    atomic_init(&part->references, 1);
    atomic_init(&part->dropping, false);
    (void)pthread_mutex_init(&part->lock, NULL);
    chunks_join(&store->chunks, &part->chunk_user, event);
    return part;
}

static void end(struct part *part)
{
    if (part->has_output)
        screen_out_end(part->store->screen);
    chunks_leave(&part->store->chunks, &part->chunk_user);
    part_release(part);
}

static bool is_output(const char *name)
{
    return strcmp(name, "-") == 0 || strcmp(name, "/dev/stdout") == 0 ||
           strcmp(name, "/dev/fd/1") == 0;
}

int part_begin(struct store *store, const char *name, const char *url,
               const struct digest *expected, bool first_try, struct part **out,
               struct store_found *found)
{
    struct part *part = make_part(store, name);
    if (part == NULL)
        return sil_fail(SIL_ENOMEM, NULL);
    bool nothing = store->was_empty && first_try;
    *found = (struct store_found){.length = STORE_UNKNOWN};
    part->url = url;
    part->found = found;
    part->expected = *expected;
    part->hashes = expected->kind;
    if (part->hashes != DIGEST_NONE) {
        part->hasher = hasher_create(part->hashes);
        if (part->hasher == NULL)
            part_set_error(part, ENOTSUP, STEP_DIGEST);
    }
    if (is_output(name))
        part->kind = PART_OUTPUT;
    else if (part_error(part) == 0 && !nothing &&
             !(store->looks_here && part_look_quickly(part, found)))
        part_do(part, part_look);
    int code = part_fail(part);
    if (code != 0) {
        part_file_close(&part->file, false);
        end(part);
        return code;
    }
    *out = part;
    return 0;
}

const char *part_name(const struct part *part)
{
    return part->final_name != NULL ? part->final_name : part->name;
}

/* --- its end --------------------------------------------------------------------------------- */

static void say_why(struct part *part)
{
    char name[512];
    (void)harmless(name, sizeof(name), part->kind == PART_OUTPUT ? "standard output" : part->name);
    if (part->verdict == PART_WRONG_LENGTH)
        (void)sil_fail(EIO, "%s has %" PRIu64 " bytes, not %" PRIu64, name, part->size,
                       part->length);
    else if (part->verdict == PART_WRONG_CHECKSUM)
        (void)sil_fail(EIO, "%s: its %s is %s, not %s", name, digest_name(part->hashes),
                       part->digest.hex, part->expected.hex);
    else if (part->verdict == PART_NOT_WRITTEN)
        (void)part_fail(part);
}

enum part_verdict part_commit_as(struct part *part, int64_t modified, struct digest *digest,
                                 char **out_name)
{
    part->changed = modified;
    if (part->kind == PART_OUTPUT && part->hasher == NULL)
        part_finish(part); /* no tasks, and nothing that blocks */
    else
        part_do(part, part_finish);
    enum part_verdict verdict = part->verdict;
    if (digest != NULL)
        *digest = part->digest;
    if (out_name != NULL)
        *out_name = verdict == PART_GOOD ? strdup(part_name(part)) : NULL;
    say_why(part);
    end(part);
    return verdict;
}

enum part_verdict part_commit(struct part *part, int64_t modified, struct digest *digest)
{
    return part_commit_as(part, modified, digest, NULL);
}

void part_abandon(struct part *part, bool keep)
{
    if (part == NULL)
        return;
    part->keep = keep;
    if (!keep || !part_can_resume(part))
        atomic_store_explicit(&part->dropping, true, memory_order_relaxed);
    (void)pthread_mutex_lock(&part->lock);
    bool idle = part->tasks == 0;
    for (int i = 0; i < LANES; i++)
        idle = idle && part->lanes[i].first == NULL;
    (void)pthread_mutex_unlock(&part->lock);
    if (!idle || part->file.fd >= 0)
        part_do(part, part_clean_up);
    end(part);
}
