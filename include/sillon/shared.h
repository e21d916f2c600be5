/* SPDX-License-Identifier: MIT */
/*
 * Memory shared between this process and the workers of its process pools, and two things to put
 * into it: a queue and a semaphore.
 *
 * A block lies at the same address in this process, in every worker of its process pools, in
 * processes of sil_process_start, and in workers' own workers. So a pointer to it can be passed as
 * it is, by value in an argument or a result, however large the block. It has no name in any file
 * system and is gone with the last process that has it.
 *
 *     float *pixels = sil_shared_alloc(width * height * sizeof *pixels);
 *     struct band band = {pixels, 0, height / 2};
 *     sil_submit(pool, blur, &band, sizeof band, 0);
 *
 * Sandboxed workers see none of it.
 */
#ifndef SILLON_SHARED_H
#define SILLON_SHARED_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sil_shared_queue sil_shared_queue;
typedef struct sil_shared_semaphore sil_shared_semaphore;

SIL_BEGIN_DECLS

/**
 * A block of shared memory. Blocks given back are used again, so a block seldom has to be touched
 * for the first time, which is what costs.
 *
 * In a task of a process pool the block becomes the program's when the task succeeds, so a pointer
 * to it may be the result; if the task fails, it is freed. What an initializer allocates is kept.
 *
 * @param size  bytes; 0 counts as 1.
 * @return returns owned: sil_shared_free. Its contents are undefined; it begins at a cache line.
 *         NULL with sil_last_error: SIL_ENOMEM, SIL_EINVAL an absurd size, SIL_ENOTSUP in a
 *         sandbox.
 * @threads any
 * @blocks  in a worker, until the pool's process has answered
 */
SIL_API void *sil_shared_alloc(size_t size);

/**
 * Give a block back, in whichever process.
 *
 * @param block  takes; NULL allowed.
 * @threads any
 */
SIL_API void sil_shared_free(void *block);

/**
 * A bounded first-in-first-out queue of items of one size, for any number of processes and threads.
 * A process that is killed in the middle of a push or a pop leaves it usable: the item is in, or
 * not. At worst somebody who waits notices what it did a tenth of a second later.
 *
 * @param item_size  bytes of one item, at least 1.
 * @param capacity   most items in it, at least 1.
 * @return returns owned: sil_shared_queue_destroy. It lies in shared memory: pass the pointer. NULL
 *         with sil_last_error: SIL_EINVAL, SIL_ENOMEM, SIL_ENOTSUP.
 * @threads any
 */
SIL_API sil_shared_queue *sil_shared_queue_create(size_t item_size, size_t capacity);

/**
 * Put an item in, waiting for room.
 *
 * @param item   borrows; item_size bytes are copied.
 * @param until  SIL_NOW never blocks, but for the time another one copies an item.
 * @return 0; SIL_ETIMEDOUT it stayed full; SIL_ESHUTDOWN it was closed; SIL_EINVAL.
 * @threads any, in any process
 * @blocks  until the deadline
 */
SIL_API int sil_shared_queue_push(sil_shared_queue *queue, const void *item, sil_deadline until);

/**
 * Take the oldest item out, waiting for one.
 *
 * @param out_item  receives item_size bytes.
 * @return 0; SIL_ETIMEDOUT it stayed empty; SIL_EEND it was closed and is empty; SIL_EINVAL.
 * @threads any, in any process
 * @blocks  until the deadline
 */
SIL_API int sil_shared_queue_pop(sil_shared_queue *queue, void *out_item, sil_deadline until);

/**
 * No more items: whoever waits is woken, what is in it can still be taken out.
 *
 * @threads any, in any process
 */
SIL_API void sil_shared_queue_close(sil_shared_queue *queue);

/**
 * How many items are in it now; 0 for NULL.
 *
 * @threads any, in any process
 */
SIL_API size_t sil_shared_queue_length(sil_shared_queue *queue);

/**
 * Free it. Nobody may be using it.
 *
 * @param queue  takes; NULL allowed.
 * @threads one
 */
SIL_API void sil_shared_queue_destroy(sil_shared_queue *queue);

/**
 * A counting semaphore for any number of processes and threads. What a process took and did not
 * give back before it was killed is lost.
 *
 * @param count  to begin with.
 * @return returns owned: sil_shared_semaphore_destroy. It lies in shared memory: pass the pointer.
 *         NULL with sil_last_error: SIL_EINVAL (more than 2^31 - 1), SIL_ENOMEM, SIL_ENOTSUP.
 * @threads any
 */
SIL_API sil_shared_semaphore *sil_shared_semaphore_create(unsigned count);

/**
 * Take one, waiting until there is one.
 *
 * @param until  SIL_NOW never blocks.
 * @return 0; SIL_ETIMEDOUT; SIL_EINVAL.
 * @threads any, in any process
 * @blocks  until the deadline
 */
SIL_API int sil_shared_semaphore_acquire(sil_shared_semaphore *semaphore, sil_deadline until);

/**
 * Give so many back.
 *
 * @return 0; SIL_EINVAL it would count past 2^31 - 1, and stays as it was.
 * @threads any, in any process
 */
SIL_API int sil_shared_semaphore_release(sil_shared_semaphore *semaphore, unsigned count);

/**
 * How many could be taken now; 0 for NULL.
 *
 * @threads any, in any process
 */
SIL_API unsigned sil_shared_semaphore_value(const sil_shared_semaphore *semaphore);

/**
 * Free it. Nobody may be using it.
 *
 * @param semaphore  takes; NULL allowed.
 * @threads one
 */
SIL_API void sil_shared_semaphore_destroy(sil_shared_semaphore *semaphore);

SIL_END_DECLS

#endif
