/* SPDX-License-Identifier: MIT */
/*
 * Mutex, condition, event, semaphore, barrier and queue, between any mix of threads and coroutines.
 *
 * Waiting blocks a thread, and suspends a coroutine while its loop goes on. Everything that waits
 * takes a deadline, and serves those who wait in the order in which they came. In a coroutine that is
 * cancelled the wait ends with SIL_ECANCELLED: then it has not happened; a lock is not held, nothing
 * was taken. A wait that could never end is answered with SIL_EDEADLK, as sil_await does: a circle of
 * tasks and threads that each wait for a mutex another holds, or for another's end.
 *
 * Objects are made by create and given back by destroy, when nobody uses them any more. Names are for
 * messages and dumps; copied; NULL allowed. What is used on one thread only (by the coroutines of one
 * loop, say) needs no locked instruction.
 */
#ifndef SILLON_SYNC_H
#define SILLON_SYNC_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct sil_mutex sil_mutex;
typedef struct sil_condition sil_condition;
typedef struct sil_event sil_event;
typedef struct sil_semaphore sil_semaphore;
typedef struct sil_barrier sil_barrier;
typedef struct sil_queue sil_queue;

SIL_BEGIN_DECLS

/* --- mutex: one holder at a time ------------------------------------------------------------- */

/**
 * Make a mutex. It belongs to whoever locked it: a thread, or a coroutine.
 *
 * @return returns owned: sil_mutex_destroy. NULL with sil_last_error: SIL_ENOMEM.
 * @threads any
 */
SIL_API sil_mutex *sil_mutex_create(const char *name);

/**
 * Lock. It is handed on in the order of those who wait: nobody overtakes them.
 *
 * @return 0 it is yours; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EDEADLK you hold it already, or a circle of
 *         waits would close (its message names them), or whoever locked it has ended without
 *         unlocking: then it stays locked for ever; SIL_EINVAL NULL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_mutex_lock(sil_mutex *mutex, sil_deadline until);

/**
 * Unlock.
 *
 * @return 0; SIL_EINVAL you do not hold it.
 * @threads the holder
 */
SIL_API int sil_mutex_unlock(sil_mutex *mutex);

/**
 * Is it held by anybody now?
 *
 * @threads any
 */
SIL_API bool sil_mutex_locked(const sil_mutex *mutex);

/**
 * Give it back. Nobody holds it or waits for it.
 *
 * @param mutex  takes; NULL allowed. So do those below.
 * @threads one
 */
SIL_API void sil_mutex_destroy(sil_mutex *mutex);

/* --- condition: until somebody says that something has changed ------------------------------- */

/**
 * Make a condition.
 *
 * @return returns owned: sil_condition_destroy. NULL with sil_last_error: SIL_ENOMEM.
 * @threads any
 */
SIL_API sil_condition *sil_condition_create(const char *name);

/**
 * Unlock the mutex, wait to be notified, lock it again. The mutex is held whenever this returns, but
 * for SIL_EINVAL and SIL_EDEADLK: also after a timeout and a cancel, which do not disturb the locking.
 *
 * @return 0 notified; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EINVAL the caller does not hold the mutex;
 *         SIL_EDEADLK it cannot be locked again, and is not held: its holder has ended without
 *         unlocking it.
 * @threads the holder of the mutex
 * @blocks  as sil_mutex_lock
 */
SIL_API int sil_condition_wait(sil_condition *condition, sil_mutex *mutex, sil_deadline until);

/**
 * Wait until predicate(user) is true; it is called with the mutex held, first at once.
 *
 * @return as sil_condition_wait; 0: it is true.
 * @threads the holder of the mutex
 * @blocks  as sil_mutex_lock
 */
SIL_API int sil_condition_wait_for(sil_condition *condition, sil_mutex *mutex,
                                   bool (*predicate)(void *user), void *user, sil_deadline until);

/**
 * Wake so many of those who wait, those first who came first. A notification that reaches one who is
 * cancelled or times out at that moment is passed on to the next.
 *
 * @param count  SIZE_MAX for all.
 * @return 0; SIL_EINVAL.
 * @threads any, with the mutex held or without
 */
SIL_API int sil_condition_notify(sil_condition *condition, size_t count);

/** Give it back. @threads one */
SIL_API void sil_condition_destroy(sil_condition *condition);

/* --- event: a flag to wait for --------------------------------------------------------------- */

/**
 * Make an event, not set.
 *
 * @return returns owned: sil_event_destroy. NULL with sil_last_error: SIL_ENOMEM.
 * @threads any
 */
SIL_API sil_event *sil_event_create(const char *name);

/**
 * Set it: all who wait go on, also if it is cleared before they get there.
 *
 * @return 0; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_event_set(sil_event *event);

/**
 * Clear it: whoever waits from now on, waits for the next set.
 *
 * @return 0; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_event_clear(sil_event *event);

/**
 * Is it set?
 *
 * @threads any
 */
SIL_API bool sil_event_is_set(const sil_event *event);

/**
 * Wait until it is set.
 *
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EINVAL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_event_wait(sil_event *event, sil_deadline until);

/** Give it back. @threads one */
SIL_API void sil_event_destroy(sil_event *event);

/* --- semaphore: so many at a time ------------------------------------------------------------ */

/**
 * Make a semaphore.
 *
 * @param value  how many may acquire before anybody has to wait.
 * @param limit  the most it may ever be: a release beyond is an error (a bounded semaphore). 0: none.
 * @return returns owned: sil_semaphore_destroy. NULL with sil_last_error: SIL_ENOMEM, SIL_EINVAL value
 *         is above the limit.
 * @threads any
 */
SIL_API sil_semaphore *sil_semaphore_create(const char *name, size_t value, size_t limit);

/**
 * Take one, in the order of those who wait.
 *
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EINVAL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_semaphore_acquire(sil_semaphore *semaphore, sil_deadline until);

/**
 * Give so many back: anybody may.
 *
 * @return 0; SIL_EINVAL that is beyond its limit, and nothing was done.
 * @threads any
 */
SIL_API int sil_semaphore_release(sil_semaphore *semaphore, size_t count);

/**
 * How many could be acquired now without waiting.
 *
 * @threads any
 */
SIL_API size_t sil_semaphore_value(const sil_semaphore *semaphore);

/** Give it back. @threads one */
SIL_API void sil_semaphore_destroy(sil_semaphore *semaphore);

/* --- barrier: until so many are there -------------------------------------------------------- */

/**
 * Make a barrier for so many parties; it can be used again and again.
 *
 * @return returns owned: sil_barrier_destroy. NULL with sil_last_error: SIL_ENOMEM, SIL_EINVAL 0 parties.
 * @threads any
 */
SIL_API sil_barrier *sil_barrier_create(const char *name, size_t parties);

/**
 * Wait until all parties wait. One that gives up (a deadline, a cancel, a poll by another than the last)
 * breaks the barrier for all.
 *
 * @param out_index  receives a number from 0 to parties - 1, another for each; NULL allowed.
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EBROKEN it is broken, or was broken or reset meanwhile;
 *         SIL_EINVAL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_barrier_wait(sil_barrier *barrier, size_t *out_index, sil_deadline until);

/**
 * Break it: all who wait, and all who come, get SIL_EBROKEN until it is reset.
 *
 * @return 0; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_barrier_abort(sil_barrier *barrier);

/**
 * As new; whoever waits gets SIL_EBROKEN.
 *
 * @return 0; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_barrier_reset(sil_barrier *barrier);

/**
 * How many wait now.
 *
 * @threads any
 */
SIL_API size_t sil_barrier_waiting(const sil_barrier *barrier);

/**
 * Is it broken?
 *
 * @threads any
 */
SIL_API bool sil_barrier_broken(const sil_barrier *barrier);

/** Give it back. @threads one */
SIL_API void sil_barrier_destroy(sil_barrier *barrier);

/* --- queue: items from those who put to those who get ------------------------------------------- */

typedef enum sil_queue_order {
    SIL_QUEUE_FIFO,     /**< in the order they were put */
    SIL_QUEUE_LIFO,     /**< the last one first */
    SIL_QUEUE_PRIORITY, /**< the least one first, by compare; equal ones in the order they were put */
} sil_queue_order;

/** All zero but item_size is the default. */
typedef struct sil_queue_options {
    const char *name;
    size_t item_size; /**< bytes of an item; > 0 */
    size_t max_items; /**< put waits when there are so many; 0: no limit */
    sil_queue_order order;
    /** For SIL_QUEUE_PRIORITY: < 0 a comes before b, 0 equal, > 0 after; as qsort's. It must not call
     *  the queue. */
    int (*compare)(const void *a, const void *b);
} sil_queue_options;

/**
 * Make a queue.
 *
 * @param options  borrows.
 * @return returns owned: sil_queue_destroy. NULL with sil_last_error: SIL_ENOMEM, SIL_EINVAL.
 * @threads any
 */
SIL_API sil_queue *sil_queue_create(const sil_queue_options *options);

/**
 * Put an item, when there is room.
 *
 * @param item   borrows item_size bytes, which are copied.
 * @param until  SIL_NOW: do not wait.
 * @return 0; SIL_EFULL until was SIL_NOW and there is no room; SIL_ETIMEDOUT; SIL_ECANCELLED;
 *         SIL_ECLOSED; SIL_ENOMEM; SIL_EINVAL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_queue_put(sil_queue *queue, const void *item, sil_deadline until);

/**
 * Get an item, when there is one.
 *
 * @param out_item  receives item_size bytes.
 * @param until     SIL_NOW: do not wait.
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EEND it was closed, and is empty; SIL_EINVAL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_queue_get(sil_queue *queue, void *out_item, sil_deadline until);

/**
 * What was got before has been dealt with: for sil_queue_join.
 *
 * @return 0; SIL_EINVAL more often than items were put.
 * @threads any
 */
SIL_API int sil_queue_task_done(sil_queue *queue);

/**
 * Wait until all items that were put have been dealt with.
 *
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_EINVAL.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_queue_join(sil_queue *queue, sil_deadline until);

/**
 * No more items: whoever waits to put gets SIL_ECLOSED, and whoever gets, SIL_EEND once it is empty.
 *
 * @return 0; SIL_EALREADY; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_queue_close(sil_queue *queue);

/**
 * How many items are in it now.
 *
 * @threads any
 */
SIL_API size_t sil_queue_size(const sil_queue *queue);

/** Give it back, with the items in it. @threads one */
SIL_API void sil_queue_destroy(sil_queue *queue);

SIL_END_DECLS

#endif
