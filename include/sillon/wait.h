/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many futures: any number, from any mix of executors, duplicates allowed.
 *
 * The cost of a whole wait is linear in the futures: each future that ends costs constant work,
 * whatever the number of the others, and only the one that completes the wait wakes the waiter.
 */
#ifndef SILLON_WAIT_H
#define SILLON_WAIT_H

#include <sillon/future.h>

typedef enum sil_wait_for {
    SIL_ALL_COMPLETED,   /**< every one is final */
    SIL_FIRST_COMPLETED, /**< at least one is final */
    SIL_FIRST_EXCEPTION, /**< one has failed (cancelled does not count), or all are final */
} sil_wait_for;

/** Yields futures in the order in which they end. */
typedef struct sil_as_completed sil_as_completed;

SIL_BEGIN_DECLS

/**
 * Wait for many futures. Afterwards sil_future_done tells which are final. Waiting for none
 * returns 0 at once.
 *
 * @param futures   borrows; none NULL. Once the wait has begun, others may release theirs.
 * @param out_done  receives how many are final now, also after a timeout; NULL allowed.
 * @return 0 the condition holds; SIL_ETIMEDOUT; SIL_EDEADLK the condition can never hold;
 *         SIL_EFORKED; SIL_ECANCELLED the calling coroutine was cancelled; SIL_ENOMEM; SIL_EINVAL. The
 *         outcomes of the futures do not matter.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_wait(sil_future *const *futures, size_t count, sil_wait_for what,
                     sil_deadline until, size_t *out_done);

/**
 * Start to iterate over futures as they end.
 *
 *     sil_as_completed *it = sil_as_completed_create(futures, n);
 *     while (sil_as_completed_next(it, &f, SIL_FOREVER) == 0)
 *         use(f);
 *     sil_as_completed_destroy(it);
 *
 * Those that are final already come first, in the order given. A future given twice comes twice.
 *
 * @param futures  keeps each of them until it is yielded or the iterator destroyed.
 * @return returns owned: sil_as_completed_destroy. NULL with sil_last_error: SIL_ENOMEM,
 *         SIL_EINVAL.
 * @threads any
 */
SIL_API sil_as_completed *sil_as_completed_create(sil_future *const *futures, size_t count);

/**
 * The next future that has ended.
 *
 * @param out_future  receives it; returns borrowed, valid until the next call or destroy.
 * @return 0; SIL_EEND all have been yielded; SIL_ETIMEDOUT; SIL_EDEADLK; SIL_EFORKED; SIL_ECANCELLED the
 *         calling coroutine was cancelled; SIL_EINVAL.
 * @threads one
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_as_completed_next(sil_as_completed *iterator, sil_future **out_future,
                                  sil_deadline until);

/**
 * How many have not been yielded yet.
 *
 * @threads one
 */
SIL_API size_t sil_as_completed_left(const sil_as_completed *iterator);

/**
 * End the iteration, finished or not. The futures go on.
 *
 * @param iterator  takes; NULL allowed.
 * @threads one
 */
SIL_API void sil_as_completed_destroy(sil_as_completed *iterator);

SIL_END_DECLS

#endif
