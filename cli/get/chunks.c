/* SPDX-License-Identifier: MIT */
/*
 * Memory for bodies, see chunks.h. Rooms are powers of two, so that a piece fits the next who asks.
 */
#include "get/chunks.h"

#include <stdlib.h>

#include <sillon/error.h>

void chunks_init(struct chunks *chunks, size_t limit)
{
    *chunks = (struct chunks){.limit = limit};
    (void)pthread_mutex_init(&chunks->lock, NULL);
}

void chunks_fini(struct chunks *chunks)
{
    for (int i = 0; i < CHUNK_SIZES; i++)
        while (chunks->kept[i] != NULL) {
            struct piece *piece = chunks->kept[i];
            chunks->kept[i] = piece->next[0];
            free(piece);
        }
    (void)pthread_mutex_destroy(&chunks->lock);
}

void chunks_join(struct chunks *chunks, struct chunk_user *user, sil_event *event)
{
    *user = (struct chunk_user){.event = event};
    (void)pthread_mutex_lock(&chunks->lock);
    chunks->users++;
    (void)pthread_mutex_unlock(&chunks->lock);
}

void chunks_leave(struct chunks *chunks, struct chunk_user *user)
{
    (void)user;
    (void)pthread_mutex_lock(&chunks->lock);
    chunks->users--;
    (void)pthread_mutex_unlock(&chunks->lock);
}

/* --- who waits ------------------------------------------------------------------------------- */

static void enqueue_locked(struct chunks *chunks, struct chunk_user *user)
{
    user->queued = true;
    user->next = NULL;
    user->previous = chunks->last;
    if (chunks->last != NULL)
        chunks->last->next = user;
    else
        chunks->first = user;
    chunks->last = user;
}

static void dequeue_locked(struct chunks *chunks, struct chunk_user *user)
{
    user->queued = false;
    if (user->previous != NULL)
        user->previous->next = user->next;
    else
        chunks->first = user->next;
    if (user->next != NULL)
        user->next->previous = user->previous;
    else
        chunks->last = user->previous;
}

static void grant_locked(struct chunks *chunks, struct chunk_user *user, size_t room,
                         size_t counted)
{
    user->wanted = room;
    user->counted = counted;
    user->held++;
    chunks->used += counted;
    if (user->queued) {
        dequeue_locked(chunks, user);
        (void)sil_event_set(user->event); /* under the lock: then it is still there */
    }
}

static void serve_locked(struct chunks *chunks)
{
    while (chunks->first != NULL && chunks->used + chunks->first->wanted <= chunks->limit)
        grant_locked(chunks, chunks->first, chunks->first->wanted, chunks->first->wanted);
}

static void take_back_locked(struct chunks *chunks, struct chunk_user *user, size_t counted)
{
    chunks->used -= counted;
    user->held--;
    if (user->queued && user->held == 0)
        grant_locked(chunks, user, CHUNK_SMALLEST, 0);
    serve_locked(chunks);
}

/* --- pieces ---------------------------------------------------------------------------------- */

static int index_of(size_t room)
{
    int index = 0;
    while ((size_t)CHUNK_SMALLEST << index < room)
        index++;
    return index;
}

static size_t fair_room_locked(const struct chunks *chunks, size_t wanted)
{
    size_t share = chunks->limit / 2 / (chunks->users > 0 ? chunks->users : 1);
    size_t room = CHUNK_SMALLEST;
    while (room < wanted && room < CHUNK_LARGEST && 2 * room <= share)
        room *= 2;
    return room;
}

static bool grant_now_locked(struct chunks *chunks, struct chunk_user *user, size_t room)
{
    bool fits = chunks->first == NULL && chunks->used + room <= chunks->limit;
    if (user->held == 0) {
        if (!fits)
            room = CHUNK_SMALLEST;
        grant_locked(chunks, user, room, room - CHUNK_SMALLEST);
        return true;
    }
    if (fits)
        grant_locked(chunks, user, room, room);
    return fits;
}

/* Returns 0, or why it was not granted. The event may be set for another reason, too. */
static int wait_for_grant_locked(struct chunks *chunks, struct chunk_user *user)
{
    int code = 0;
    enqueue_locked(chunks, user);
    while (code == 0 && user->queued) {
        (void)sil_event_clear(user->event);
        (void)pthread_mutex_unlock(&chunks->lock);
        code = sil_event_wait(user->event, SIL_FOREVER);
        (void)pthread_mutex_lock(&chunks->lock);
    }
    if (code != 0 && user->queued) {
        dequeue_locked(chunks, user);
        serve_locked(chunks); /* those behind may want less */
    } else if (code != 0) {
        take_back_locked(chunks, user, user->counted);
    }
    return code;
}

/* What is kept in sizes that nobody wants now counts as well. */
static void drop_kept_locked(struct chunks *chunks)
{
    for (int i = 0; i < CHUNK_SIZES; i++)
        while (chunks->kept[i] != NULL && chunks->used + chunks->kept_size > chunks->limit) {
            struct piece *piece = chunks->kept[i];
            chunks->kept[i] = piece->next[0];
            chunks->kept_size -= piece->chunk.room;
            free(piece);
        }
}

static struct piece *take_kept_locked(struct chunks *chunks, size_t room)
{
    struct piece **kept = &chunks->kept[index_of(room)], *piece = *kept;
    if (piece != NULL) {
        *kept = piece->next[0];
        chunks->kept_size -= room;
    } else {
        drop_kept_locked(chunks);
    }
    return piece;
}

int chunks_take(struct chunks *chunks, struct chunk_user *user, size_t wanted, struct piece **out)
{
    (void)pthread_mutex_lock(&chunks->lock);
    size_t room = fair_room_locked(chunks, wanted);
    user->wanted = room;
    int code = grant_now_locked(chunks, user, room) ? 0 : wait_for_grant_locked(chunks, user);
    room = user->wanted;
    struct piece *piece = code == 0 ? take_kept_locked(chunks, room) : NULL;
    (void)pthread_mutex_unlock(&chunks->lock);
    if (code != 0)
        return code;

    if (piece == NULL)
        piece = malloc(sizeof(*piece) + room);
    if (piece == NULL) {
        (void)pthread_mutex_lock(&chunks->lock);
        take_back_locked(chunks, user, user->counted);
        (void)pthread_mutex_unlock(&chunks->lock);
        return sil_fail(SIL_ENOMEM, NULL);
    }
    *piece = (struct piece){.counted = user->counted, .chunk.room = room};
    piece->chunk.bytes = piece->bytes;
    *out = piece;
    return 0;
}

void chunks_give(struct chunks *chunks, struct chunk_user *user, struct piece *piece)
{
    size_t room = piece->chunk.room;
    (void)pthread_mutex_lock(&chunks->lock);
    take_back_locked(chunks, user, piece->counted);
    if (chunks->used + chunks->kept_size + room <= chunks->limit) {
        struct piece **kept = &chunks->kept[index_of(room)];
        piece->next[0] = *kept;
        *kept = piece;
        chunks->kept_size += room;
        piece = NULL;
    }
    (void)pthread_mutex_unlock(&chunks->lock);
    free(piece);
}
