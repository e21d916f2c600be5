/* SPDX-License-Identifier: MIT */
/*
 * Futures: whatever ends later.
 *
 *     PENDING --> RUNNING --> FINISHED      a value, or an error
 *        |           |
 *        +-----------+------> CANCELLED     an error too: SIL_ECANCELLED
 *
 * FINISHED and CANCELLED are final: a final future never changes again. A future is counted:
 * whoever gets one ("returns owned") releases it once. Releasing never stops the work; a task
 * whose future nobody holds still runs.
 *
 * Every function here may be called from any thread and from inside tasks and callbacks.
 */
#ifndef SILLON_FUTURE_H
#define SILLON_FUTURE_H

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sil_future sil_future;

typedef enum sil_state {
    SIL_PENDING,
    SIL_RUNNING,
    SIL_FINISHED,
    SIL_CANCELLED,
} sil_state;

/**
 * Told that a future is final. Runs once, on the thread that made the future final (or on the
 * adding thread if it was final already), with no lock held. It may call anything, also release
 * the future it is told of.
 *
 * @param future  borrows.
 */
typedef void (*sil_done_fn)(sil_future *future, void *user);

SIL_BEGIN_DECLS

/**
 * Wait until the future is final, or until the deadline.
 *
 * In a pool's task, waiting never starves the pool: a task nobody has started is run at once by
 * the waiter itself, and while the waiter blocks a spare worker takes its place.
 *
 * @param future  borrows; once the wait has begun, others may release theirs.
 * @param until   SIL_NOW never blocks.
 * @return the task's own code (0 on success); SIL_ECANCELLED it was cancelled, or the calling coroutine
 *         was;
 *         SIL_ETIMEDOUT the deadline came first, and the task goes on;
 *         SIL_EDEADLK the wait could never end: its message names the cycle;
 *         SIL_EFORKED made before a fork, and its worker is not in this process;
 *         SIL_EINVAL future is NULL. sil_last_error has the error. A task may have failed with
 *         one of these codes itself: sil_future_done tells whether the wait or the task ended.
 * @threads any
 * @blocks  until the deadline; in a coroutine only the coroutine waits
 */
SIL_API int sil_await(sil_future *future, sil_deadline until);

/**
 * Await, copy the value out, and release: the short way to use a future once.
 *
 * @param future  takes, whatever happens: also when the wait itself fails (SIL_ETIMEDOUT, say) it
 *                is released, and the task goes on unheld. To try again, use sil_await first. But
 *                when the calling task or coroutine is cancelled (SIL_ECANCELLED), so is the future,
 *                even if others hold it.
 * @param out     receives the value if the code is 0: as many bytes as the submit asked for
 *                (result_size); untouched otherwise. NULL: not wanted.
 * @return as sil_await.
 * @threads any
 * @blocks  as sil_await
 */
SIL_API int sil_take(sil_future *future, void *out, sil_deadline until);

/**
 * Add a reference.
 *
 * @param future  NULL allowed.
 * @return future, now owned once more.
 * @threads any
 */
SIL_API sil_future *sil_future_retain(sil_future *future);

/**
 * Drop a reference; the last one frees the future. The work goes on regardless.
 *
 * @param future  takes; NULL allowed.
 * @threads any
 */
SIL_API void sil_future_release(sil_future *future);

/**
 * The state now; it may have moved on when you look at it, unless it is final.
 *
 * @param future  borrows; NULL counts as SIL_CANCELLED.
 * @threads any
 */
SIL_API sil_state sil_future_state(const sil_future *future);

/**
 * Is it final?
 *
 * @threads any
 */
SIL_API bool sil_future_done(const sil_future *future);

/**
 * The outcome of a final future: 0 or its code. SIL_EINPROGRESS while it is not final.
 *
 * @param future  borrows; NULL gives SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_future_code(const sil_future *future);

/**
 * The value of a future that succeeded.
 *
 * @param future    borrows.
 * @param out_size  receives its size in bytes; NULL allowed. 0 when there is none.
 * @return returns borrowed; valid while you hold the future. NULL while it is not final, after a
 *         failure, and for an empty value.
 * @threads any
 */
SIL_API const void *sil_future_result(const sil_future *future, size_t *out_size);

/**
 * The error of a future that failed or was cancelled.
 *
 * @param future  borrows.
 * @return returns borrowed; valid while you hold the future. NULL while it is not final, and
 *         after success.
 * @threads any
 */
SIL_API const sil_error *sil_future_error(const sil_future *future);

/**
 * The name given at submit; NULL if none was.
 *
 * @return returns borrowed; valid while you hold the future.
 * @threads any
 */
SIL_API const char *sil_future_name(const sil_future *future);

/**
 * How far the task says it is (sil_progress); both 0 before it said anything.
 *
 * @param out_done, out_total  NULL allowed.
 * @threads any
 */
SIL_API void sil_future_progress(const sil_future *future, uint64_t *out_done, uint64_t *out_total);

/**
 * Ask to stop. What is pending never runs; what runs is asked, and sees it in sil_cancelled().
 * Cancelling a combined future (combine.h) asks its inputs too.
 *
 * @param future  borrows.
 * @return 0 it is cancelled, now or before; SIL_EINPROGRESS it runs, and was asked;
 *         SIL_EALREADY too late, it has finished; SIL_EINVAL NULL.
 * @threads any
 */
SIL_API int sil_future_cancel(sil_future *future);

/**
 * Cancel, and if it runs in a process of its own, end that process: the future is then cancelled
 * soon, whatever the task does.
 *
 * @param future  borrows.
 * @return 0 it is cancelled; SIL_EINPROGRESS its process was told to end, or, where it has none, the
 *         task was asked to stop; SIL_EALREADY it had ended; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_future_kill(sil_future *future);

/**
 * Have a function called when the future is final. Callbacks run once each, in the order added,
 * after waiters were woken: an await may return first. One added to a future that is final
 * already runs at once, even if earlier ones are still running on another thread.
 *
 * @param user  handed to fn; keep it valid until then.
 * @return 0; or fn will not be called: SIL_EINVAL; SIL_ENOMEM; SIL_EFORKED.
 * @threads any
 */
SIL_API int sil_future_add_done_callback(sil_future *future, sil_done_fn fn, void *user);

/**
 * One line for people, as Python's repr: state, name and outcome.
 *
 *     <sil_future 'decode' running 3/10>
 *     <sil_future 'decode' failed: ERANGE (99 is too large)>
 *
 * @param buffer  receives at most size bytes, always terminated when size > 0.
 * @return the length of the whole line without its end, which may exceed size, as snprintf.
 * @threads any
 */
SIL_API int sil_future_describe(const sil_future *future, char *buffer, size_t size);

SIL_END_DECLS

#endif
