/* SPDX-License-Identifier: MIT */
/*
 * The queue of shared.h: a ring behind a robust lock, all in one block of shared memory.
 *
 * The two ends are positions from 0 to twice the capacity, so that a full ring and an empty one
 * differ; the slot of a position is what is left after taking the capacity away.
 *
 * I1: an item is in from the moment back is stored, and out from the moment front is: each is one
 *     store, made when the bytes have been copied. So whoever is killed while it holds the lock
 *     leaves a whole queue, and the next one to lock only has to say so.
 * I2: no byte of an item in the queue is written to: front and back are stored under the lock.
 *
 * The lock is held for the time of a copy; even SIL_NOW waits for it.
 */
#include <sillon/shared.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "core/context.h"
#include "core/error.h"
#include "process/shared_event.h"

struct sil_shared_queue {
    /* Read-only after create. */
    size_t item_size;
    size_t capacity;

    /* Guarded by lock. */
    _Alignas(64) pthread_mutex_t lock;
    size_t front; /* position of the oldest item */
    size_t back;  /* position of the next one */
    bool closed;

    struct sil__event item; /* there is an item, or will never be one */
    struct sil__event room; /* there is room, or it is closed */

    _Alignas(64) unsigned char slots[];
};

/* One push or pop. */
struct transfer {
    sil_shared_queue *queue;
    void *bytes; /* a push only reads them */
};

static bool init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0)
        return false;
    bool made = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                pthread_mutex_init(lock, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return made;
}

static void lock_queue(sil_shared_queue *queue)
{
    int error = pthread_mutex_lock(&queue->lock);
    if (error == EOWNERDEAD) /* I1 */
        error = pthread_mutex_consistent(&queue->lock);
    SIL_ASSERT(error == 0);
    (void)error;
}

static void unlock_queue(sil_shared_queue *queue)
{
    (void)pthread_mutex_unlock(&queue->lock);
}

static size_t length_locked(const sil_shared_queue *queue)
{
    return queue->back >= queue->front ? queue->back - queue->front
                                       : queue->back + 2 * queue->capacity - queue->front;
}

static unsigned char *slot_locked(sil_shared_queue *queue, size_t position)
{
    size_t index = position < queue->capacity ? position : position - queue->capacity;
    return queue->slots + index * queue->item_size;
}

/* The bytes, in whichever direction, are copied before the end moves past them, also for a
 * process that looks at the memory of one killed here. */
static void advance_locked(const sil_shared_queue *queue, size_t *end)
{
    size_t next = *end + 1 < 2 * queue->capacity ? *end + 1 : 0;
    atomic_signal_fence(memory_order_seq_cst); /* for the compiler; the lock is for the others */
    *(volatile size_t *)end = next;
    atomic_signal_fence(memory_order_seq_cst);
}

static int put_in(void *arg)
{
    const struct transfer *push = arg;
    sil_shared_queue *queue = push->queue;
    lock_queue(queue);
    int code = SIL_EAGAIN;
    if (queue->closed) {
        code = SIL_ESHUTDOWN;
    } else if (length_locked(queue) < queue->capacity) {
        memcpy(slot_locked(queue, queue->back), push->bytes, queue->item_size);
        advance_locked(queue, &queue->back);
        code = 0;
    }
    unlock_queue(queue);
    return code;
}

static int take_out(void *arg)
{
    const struct transfer *pop = arg;
    sil_shared_queue *queue = pop->queue;
    lock_queue(queue);
    int code = SIL_EAGAIN;
    if (queue->front != queue->back) {
        memcpy(pop->bytes, slot_locked(queue, queue->front), queue->item_size);
        advance_locked(queue, &queue->front);
        code = 0;
    } else if (queue->closed) {
        code = SIL_EEND;
    }
    unlock_queue(queue);
    return code;
}

sil_shared_queue *sil_shared_queue_create(size_t item_size, size_t capacity)
{
    size_t bytes;
    if (item_size == 0 || capacity == 0 || !sil__size_mul(item_size, capacity, &bytes)) {
        sil__fail(SIL_EINVAL, "sil_shared_queue_create: %zu items of %zu bytes", capacity,
                  item_size);
        return NULL;
    }
    sil_shared_queue *queue = sil_shared_alloc(sizeof *queue + bytes);
    if (!queue)
        return NULL;
    memset(queue, 0, sizeof *queue);
    queue->item_size = item_size;
    queue->capacity = capacity;
    if (!init_lock(&queue->lock)) {
        sil_shared_free(queue);
        sil__fail(SIL_ENOMEM, "sil_shared_queue_create: no memory for a lock");
        return NULL;
    }
    return queue;
}

/* Those who poll are not made to wait for the text of an error. */
static int outcome(int code)
{
    if (code == SIL_ESHUTDOWN)
        return sil__fail(code, "the queue was closed");
    if (code == SIL_ETIMEDOUT)
        sil__context_set_error(sil__error_fixed(code));
    return code;
}

int sil_shared_queue_push(sil_shared_queue *queue, const void *item, sil_deadline until)
{
    if (!queue || !item)
        return sil__fail(SIL_EINVAL, "sil_shared_queue_push: an argument is NULL");
    struct transfer push = {queue, (void *)item};
    int code = sil__event_await(&queue->room, put_in, &push, until);
    if (code == 0)
        sil__event_wake(&queue->item, 1);
    return outcome(code);
}

int sil_shared_queue_pop(sil_shared_queue *queue, void *out_item, sil_deadline until)
{
    if (!queue || !out_item)
        return sil__fail(SIL_EINVAL, "sil_shared_queue_pop: an argument is NULL");
    struct transfer pop = {queue, out_item};
    int code = sil__event_await(&queue->item, take_out, &pop, until);
    if (code == 0)
        sil__event_wake(&queue->room, 1);
    return outcome(code);
}

void sil_shared_queue_close(sil_shared_queue *queue)
{
    if (!queue)
        return;
    lock_queue(queue);
    queue->closed = true;
    unlock_queue(queue);
    sil__event_wake(&queue->item, UINT32_MAX);
    sil__event_wake(&queue->room, UINT32_MAX);
}

size_t sil_shared_queue_length(sil_shared_queue *queue)
{
    if (!queue)
        return 0;
    lock_queue(queue);
    size_t length = length_locked(queue);
    unlock_queue(queue);
    return length;
}

void sil_shared_queue_destroy(sil_shared_queue *queue)
{
    if (queue)
        (void)pthread_mutex_destroy(&queue->lock);
    sil_shared_free(queue);
}
