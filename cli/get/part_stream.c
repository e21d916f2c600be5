/* SPDX-License-Identifier: MIT */
/*
 * A part's bytes on their way from the coroutine to the threads, see part.h.
 *
 * A piece that is not full waits for what comes next (another piece, the end), so that a small
 * file is one message to one thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <sillon/error.h>

#include "get/part.h"
#include "text/harmless.h"

/* Is the answer of another file than the bytes that are there? */
static bool has_changed(const struct part *part, uint64_t length, const char *etag)
{
    if (length != STORE_UNKNOWN && part->length != STORE_UNKNOWN && length != part->length)
        return true;
    return etag != NULL && etag[0] != '\0' && part->etag[0] != '\0' &&
           strcmp(etag, part->etag) != 0;
}

static int refuse_head(const struct part *part, uint64_t from, uint64_t length, const char *etag)
{
    char name[512];
    (void)harmless(name, sizeof(name), part->name);
    if (from > part->size)
        return sil_fail(EINVAL, "%s has %" PRIu64 " bytes, but the answer begins at byte %" PRIu64,
                        name, part->size, from);
    if (from > 0 && has_changed(part, length, etag))
        return sil_fail(ESTALE, "%s has changed on the server", name);
    if (part->kind != PART_FILE && from != part->size)
        return sil_fail(ESPIPE, "%s: what was written cannot be taken back",
                        part->kind == PART_OUTPUT ? "standard output" : name);
    return 0;
}

int part_head(struct part *part, uint64_t from, uint64_t length, const char *etag,
              const char *modified)
{
    int code = part_settle(part);
    if (code == 0)
        code = refuse_head(part, from, length, etag);
    if (code != 0)
        return code;

    if (from == 0)
        part_set_validators(part, etag, modified);
    if (from == 0 || length != STORE_UNKNOWN)
        part->length = length;
    if (part->kind == PART_FILE && part->file.fd >= 0 && (from == 0 || from < part->file.size))
        part->cut = true;
    part->from = part->size = from;
    if (part->hasher != NULL && part->hashed != from) {
        part->hashed = 0;
        part->hash_first = from; /* no tasks, no lock */
        part_post(part, 1);
    }
    return 0;
}

static size_t wanted_room(const struct part *part)
{
    /* One byte more, so that the end comes into the same piece. */
    if (part->length == STORE_UNKNOWN)
        return part->size < CHUNK_LARGEST ? (size_t)part->size : CHUNK_LARGEST;
    uint64_t left = part->length > part->size ? part->length - part->size : 0;
    return left < CHUNK_LARGEST ? (size_t)left + 1 : CHUNK_LARGEST;
}

struct chunk *part_chunk(struct part *part)
{
    struct piece *piece;
    if (part_fail(part) != 0)
        return NULL;
    part_post(part, LANES); /* there is more: what waited need not wait longer */
    if (chunks_take(&part->store->chunks, &part->chunk_user, wanted_room(part), &piece) != 0)
        return NULL;
    piece->chunk.part = part;
    return &piece->chunk;
}

void part_give_back(struct part *part, struct chunk *chunk)
{
    if (chunk != NULL)
        chunks_give(&part->store->chunks, &part->chunk_user, (struct piece *)chunk);
}

static int write_output(struct part *part, const struct chunk *chunk)
{
    int error = part->has_output ? 0 : screen_out_begin(part->store->screen);
    if (error != 0)
        return error;
    part->has_output = true;
    return screen_out(part->store->screen, chunk->bytes, chunk->size);
}

int part_append(struct part *part, struct chunk *chunk)
{
    int error = part_error(part);
    if (error == 0 && part->kind == PART_OUTPUT && chunk->size > 0) {
        error = write_output(part, chunk);
        if (error != 0)
            part_set_error(part, error, STEP_WRITE);
    }
    bool write = part->kind != PART_OUTPUT, hash = part->hasher != NULL;
    if (error != 0 || chunk->size == 0 || (!write && !hash)) {
        part->size += error == 0 ? chunk->size : 0;
        part_give_back(part, chunk);
        return part_fail(part);
    }
    part->size += chunk->size;
    bool full = chunk->size == chunk->room;
    part_queue(part, (struct piece *)chunk, write, hash);
    if (full)
        part_post(part, LANES);
    return 0;
}

uint64_t part_size(const struct part *part)
{
    return part->size;
}

int part_settle(struct part *part)
{
    part_post(part, LANES);
    int code = part_wait(part, true);
    return code != 0 ? code : part_fail(part);
}
