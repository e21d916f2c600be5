/* SPDX-License-Identifier: MIT */
/*
 * A part's tasks on the store's threads, see part.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/error.h>

#include "get/part.h"
#include "text/harmless.h"

/* How long a device may be full before we look whether anybody still wants it to have our bytes. */
enum { DEVICE_PATIENCE_MS = 100 };

void part_release(struct part *part)
{
    if (atomic_fetch_sub_explicit(&part->references, 1, memory_order_acq_rel) != 1)
        return;
    store_give_event(part->store, part->event);
    hasher_destroy(part->hasher);
    free(part->final_name);
    (void)pthread_mutex_destroy(&part->lock);
    free(part);
}

/* --- failures -------------------------------------------------------------------------------- */

void part_set_error(struct part *part, int error, enum part_step step)
{
    (void)pthread_mutex_lock(&part->lock);
    if (part->error == 0) {
        part->error = error;
        part->step = step;
    }
    (void)pthread_mutex_unlock(&part->lock);
}

int part_error(struct part *part)
{
    (void)pthread_mutex_lock(&part->lock);
    int error = part->error;
    (void)pthread_mutex_unlock(&part->lock);
    return error;
}

int part_fail(struct part *part)
{
    char name[512];
    int error = part_error(part);
    if (error == 0)
        return 0;
    (void)harmless(name, sizeof(name), part->kind == PART_OUTPUT ? "standard output" : part->name);
    if (part->step == STEP_LOCK && error == EBUSY)
        return sil_fail(error, "%s is being written by another run or another URL", name);
    if (part->step == STEP_NAME && error == EEXIST)
        return sil_fail(error, "%s is there already", name);
    if (part->step == STEP_FOLDER)
        return sil_fail(error, "%s is a folder", name);
    if (part->step == STEP_DIGEST)
        return sil_fail(error, "%s: no %s digest can be made here", name,
                        digest_name(part->hashes));
    return sil_fail(error, "cannot %s %s: %s", part->step == STEP_READ ? "read" : "write", name,
                    sil_strerror(error));
}

static bool is_dropping(struct part *part)
{
    return atomic_load_explicit(&part->dropping, memory_order_relaxed);
}

/* --- lane: write ----------------------------------------------------------------------------- */

static int write_to_device(struct part *part, const char *bytes, size_t size)
{
    while (size > 0 && !is_dropping(part)) {
        ssize_t written = write(part->file.fd, bytes, size);
        if (written < 0 && errno == EAGAIN)
            (void)poll(&(struct pollfd){.fd = part->file.fd, .events = POLLOUT}, 1,
                       DEVICE_PATIENCE_MS);
        else if (written < 0 && errno != EINTR)
            return errno;
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

static bool wants_meta(const struct part *part, bool all_is_here)
{
    return !part->file.has_meta && !all_is_here && part_can_resume(part) &&
           part->length >= SMALLEST_WITH_META; /* STORE_UNKNOWN too */
}

int part_prepare(struct part *part, bool all_is_here)
{
    struct part_file *file = &part->file;
    if (part->kind != PART_FILE)
        return 0;
    int error = file->fd < 0 ? part_file_create(file) : 0;
    if (error != 0) {
        part_set_error(part, error, error == EBUSY ? STEP_LOCK : STEP_WRITE);
        return error;
    }
    if (part->cut)
        error = part_file_cut(file, part->from);
    part->cut = false;
    if (error == 0 && wants_meta(part, all_is_here)) {
        struct part_meta meta = {.url = part->url, .length = part->length};
        memcpy(meta.etag, part->etag, sizeof(meta.etag));
        memcpy(meta.modified, part->modified, sizeof(meta.modified));
        error = part_file_write_meta(file, &meta);
    }
    if (error != 0)
        part_set_error(part, error, STEP_WRITE);
    return error;
}

static void write_piece(struct part *part, const struct piece *piece, bool all_is_here)
{
    if (part_error(part) != 0 || part_prepare(part, all_is_here) != 0)
        return;
    int error = part->kind == PART_DEVICE
                    ? write_to_device(part, piece->chunk.bytes, piece->chunk.size)
                    : part_file_write(&part->file, piece->chunk.bytes, piece->chunk.size);
    if (error != 0)
        part_set_error(part, error, STEP_WRITE);
}

/* --- lane: hash ------------------------------------------------------------------------------ */

static void hash_file(struct part *part, uint64_t size)
{
    part->hashed = 0;
    if (!hasher_restart(part->hasher)) {
        part_set_error(part, ENOTSUP, STEP_DIGEST);
        return;
    }
    int error = hasher_feed_file(part->hasher, part->file.fd, size);
    if (error != 0)
        part_set_error(part, error, STEP_READ);
    part->hashed = size;
}

static void hash_piece(struct part *part, const struct piece *piece)
{
    bool good = part->hashed > 0 || hasher_restart(part->hasher);
    if (!good || !hasher_feed(part->hasher, piece->chunk.bytes, piece->chunk.size))
        part_set_error(part, ENOTSUP, STEP_DIGEST);
    part->hashed += piece->chunk.size;
}

/* --- hands ----------------------------------------------------------------------------------- */

static bool has_work_locked(const struct part *part, enum lane_kind kind)
{
    return part->lanes[kind].first != NULL || (kind == LANE_HASH && part->hash_first > 0);
}

/* LANES: none has anything to do and nobody at it. */
static enum lane_kind free_lane_locked(const struct part *part)
{
    for (int i = 0; i < LANES; i++)
        if (!part->lanes[i].running && has_work_locked(part, (enum lane_kind)i))
            return (enum lane_kind)i;
    return LANES;
}

static void piece_done(struct part *part, struct piece *piece)
{
    (void)pthread_mutex_lock(&part->lock);
    bool last = --piece->lanes_left == 0;
    (void)pthread_mutex_unlock(&part->lock);
    if (last)
        chunks_give(&part->store->chunks, &part->chunk_user, piece);
}

/* All that the lane has now. The lock is held before and after. */
static void run_lane_locked(struct part *part, enum lane_kind kind)
{
    struct lane *lane = &part->lanes[kind];
    struct piece *piece = lane->first;
    uint64_t hash_first = part->hash_first;
    bool all_is_here = part->job == part_finish;
    lane->first = lane->last = NULL;
    lane->running = true;
    if (kind == LANE_HASH)
        part->hash_first = 0;
    (void)pthread_mutex_unlock(&part->lock);

    if (kind == LANE_HASH && hash_first > 0 && !is_dropping(part))
        hash_file(part, hash_first);
    while (piece != NULL) {
        struct piece *next = piece->next[kind];
        if (is_dropping(part))
            ;
        else if (kind == LANE_WRITE)
            write_piece(part, piece, all_is_here);
        else
            hash_piece(part, piece);
        piece_done(part, piece);
        piece = next;
    }
    (void)pthread_mutex_lock(&part->lock);
    lane->running = false;
}

static int work(void *arg, void *result)
{
    (void)result;
    struct part *part = *(struct part **)arg;
    (void)pthread_mutex_lock(&part->lock);
    for (;;) {
        enum lane_kind kind = free_lane_locked(part);
        if (kind != LANES) {
            run_lane_locked(part, kind);
        } else if (part->tasks == 1 && part->job != NULL) {
            part_job job = part->job;
            (void)pthread_mutex_unlock(&part->lock);
            job(part);
            (void)pthread_mutex_lock(&part->lock);
            part->job = NULL;
        } else {
            break;
        }
    }
    part->tasks--;
    bool tell = part->tasks == 0 && part->waiting;
    if (tell)
        part->waiting = false;
    (void)pthread_mutex_unlock(&part->lock);
    if (tell)
        (void)sil_event_set(part->event);
    part_release(part);
    return 0;
}

void part_post(struct part *part, unsigned most)
{
    (void)pthread_mutex_lock(&part->lock);
    unsigned wanted = part->job != NULL;
    for (int i = 0, busy = 0; i < LANES; i++) {
        busy += part->lanes[i].running || has_work_locked(part, (enum lane_kind)i);
        wanted = (unsigned)busy > wanted ? (unsigned)busy : wanted;
    }
    wanted = wanted < most ? wanted : most;
    unsigned more = wanted > part->tasks ? wanted - part->tasks : 0;
    part->tasks += more;
    (void)pthread_mutex_unlock(&part->lock);

    atomic_fetch_add_explicit(&part->references, more, memory_order_relaxed);
    for (; more > 0; more--)
        if (sil_post(part->store->threads, work, (void *)&part, sizeof(part)) != 0)
            (void)work((void *)&part, NULL); /* no memory for a task: then here */
}

/* --- small files, many at once --------------------------------------------------------------- */

/* One thread at a time: in one folder two would only wait for each other. */
static int work_batch(void *arg, void *result)
{
    struct store *store = *(struct store **)arg;
    for (;;) {
        (void)pthread_mutex_lock(&store->lock);
        struct part *part = store->batch;
        store->batch = NULL;
        store->batch_runs = part != NULL;
        (void)pthread_mutex_unlock(&store->lock);
        if (part == NULL)
            return 0;
        while (part != NULL) {
            struct part *next = part->next_in_batch;
            (void)work((void *)&part, result);
            part = next;
        }
    }
}

static int post_batch(void *arg, void *result)
{
    struct store *store = *(struct store **)arg;
    if (sil_post(store->threads, work_batch, (void *)&store, sizeof(store)) != 0)
        (void)work_batch((void *)&store, result); /* no memory for a task: then here */
    return 0;
}

/*
 * A wake-up of a thread costs as much as all that it does to a small file. So what is finished in one
 * turn of the loop is handed over at once: by a coroutine that begins behind all that are ready now.
 */
static void add_to_batch(struct part *part)
{
    struct store *store = part->store;
    atomic_fetch_add_explicit(&part->references, 1, memory_order_relaxed);
    part->next_in_batch = NULL;
    (void)pthread_mutex_lock(&store->lock);
    *(store->batch == NULL ? &store->batch : store->batch_end) = part;
    store->batch_end = &part->next_in_batch;
    bool runs = store->batch_runs;
    store->batch_runs = true;
    (void)pthread_mutex_unlock(&store->lock);
    if (runs)
        return;
    sil_future *future = sil_go(post_batch, (void *)&store, sizeof(store), 0);
    if (sil_future_done(future)) /* it could not be made */
        (void)post_batch((void *)&store, NULL);
    sil_future_release(future);
}

static void push_locked(struct part *part, enum lane_kind kind, struct piece *piece)
{
    struct lane *lane = &part->lanes[kind];
    piece->next[kind] = NULL;
    if (lane->last != NULL)
        lane->last->next[kind] = piece;
    else
        lane->first = piece;
    lane->last = piece;
    piece->lanes_left++;
}

void part_queue(struct part *part, struct piece *piece, bool write, bool hash)
{
    piece->lanes_left = 0;
    (void)pthread_mutex_lock(&part->lock);
    if (write)
        push_locked(part, LANE_WRITE, piece);
    if (hash)
        push_locked(part, LANE_HASH, piece);
    (void)pthread_mutex_unlock(&part->lock);
}

int part_wait(struct part *part, bool for_cancel)
{
    for (;;) {
        (void)pthread_mutex_lock(&part->lock);
        part->waiting = part->tasks > 0;
        bool waiting = part->waiting;
        if (waiting)
            (void)sil_event_clear(part->event);
        (void)pthread_mutex_unlock(&part->lock);
        if (!waiting)
            return 0;
        int code = sil_event_wait(part->event, SIL_FOREVER);
        if (code == SIL_ETIMEDOUT && !for_cancel)
            (void)sil_yield(); /* the caller's time is up, all waits end at once; but tasks go on */
        if (code != 0 && for_cancel)
            return code;
    }
}

/* So that nobody in a batch waits for long. */
static bool is_quick_locked(const struct part *part)
{
    const struct store *store = part->store;
    return part->tasks == 0 && part->job == part_finish && part->size <= CHUNK_LARGEST &&
           part->hash_first == 0 && store->looks_here && !store->options->fsync;
}

void part_do(struct part *part, part_job job)
{
    (void)pthread_mutex_lock(&part->lock);
    part->job = job;
    bool quick = is_quick_locked(part);
    unsigned most = part->tasks > 0 ? 2 : 1; /* a small file: one task does it all */
    part->tasks += quick;
    (void)pthread_mutex_unlock(&part->lock);
    if (quick)
        add_to_batch(part);
    else
        part_post(part, most);
    (void)part_wait(part, false);
}
