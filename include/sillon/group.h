/* SPDX-License-Identifier: MIT */
/*
 * Groups: tasks that end before the scope that started them does.
 *
 *     sil_group *group = sil_group_open("fetch");
 *     sil_future *a = sil_group_go(group, employees, NULL, 0, sizeof(int));
 *     sil_future *b = sil_group_go(group, projects, NULL, 0, sizeof(int));
 *     int code = sil_group_wait(group, sil_in(10));   // both have ended now, whatever happened
 *     ... sil_future_result(a, NULL) ...
 *     sil_group_close(group);
 *
 * The first task that fails cancels the others, and ends the wait its opener is in meanwhile, if that
 * is a coroutine: with SIL_ECANCELLED, as if it had been cancelled, until it gets to sil_group_wait.
 * Groups work from threads and coroutines alike, over tasks of any executor.
 *
 * gather and shield are what asyncio has by these names, await_or_cancel is its wait_for.
 */
#ifndef SILLON_GROUP_H
#define SILLON_GROUP_H

#include <sillon/executor.h>

typedef struct sil_group sil_group;

/** What sil_gather does when one fails. */
typedef enum sil_gather_how {
    /** Cancel the rest, wait for them, return its code. */
    SIL_GATHER_FIRST_ERROR,
    /** Let the others go on: only when all have ended, the code of the first in the order given that
     *  failed. */
    SIL_GATHER_ALL,
} sil_gather_how;

SIL_BEGIN_DECLS

/**
 * Open a group. Whoever opens it waits for it and closes it.
 *
 * @param name  for messages and dumps; copied; NULL allowed.
 * @return returns owned: sil_group_close. NULL with sil_last_error: SIL_ENOMEM.
 * @threads any
 */
SIL_API sil_group *sil_group_open(const char *name);

/**
 * Start a coroutine of the calling one's loop in the group.
 *
 * @return returns borrowed; valid until sil_group_close. Never NULL: it has failed already as sil_go
 *         says, or with SIL_ECLOSED when the group has ended or was cancelled.
 * @threads coroutine: any in the group, and its opener
 */
SIL_API sil_future *sil_group_go(sil_group *group, sil_task_fn fn, const void *arg, size_t arg_size,
                                 size_t result_size);

/**
 * Submit a task to any executor, in the group.
 *
 * @param options  borrows; NULL for the defaults.
 * @return as sil_group_go.
 * @threads any: tasks of the group, and its opener
 */
SIL_API sil_future *sil_group_submit(sil_group *group, sil_executor *executor,
                                     const sil_submit_options *options, sil_task_fn fn,
                                     const void *arg, size_t arg_size, size_t result_size);

/**
 * Make any future part of the group. Unlike the two above it lets go of those that have ended well, so
 * a group may live as long as a server: sil_group_add(group, sil_go(serve, ...)).
 *
 * @param future  takes, also on failure, and then cancels it.
 * @return 0; SIL_ECLOSED; SIL_ENOMEM; SIL_EINVAL; SIL_EFORKED.
 * @threads any: tasks of the group, and its opener
 */
SIL_API int sil_group_add(sil_group *group, sil_future *future);

/**
 * Cancel all that are in it; nothing can be added any more. That is no failure of the group.
 *
 * @return 0; SIL_EINVAL.
 * @threads any
 */
SIL_API int sil_group_cancel(sil_group *group);

/**
 * Wait until all have ended, those included that they add meanwhile. When a task has failed, when the
 * deadline comes, or when the caller is cancelled, the rest are cancelled, and still waited for.
 *
 * @return 0 all ended well, or were cancelled; the code of the first that failed, with its error as
 *         the last error; SIL_ETIMEDOUT the deadline came before any had failed; SIL_ECANCELLED the
 *         caller was cancelled, whatever else happened; SIL_EFORKED; SIL_EINVAL. SIL_EDEADLK, before
 *         all others, one that waits for the caller would have been waited for: then, alone, tasks
 *         may outlive the group, cancelled; the rest have ended.
 * @threads one: its opener
 * @blocks  until all have ended
 */
SIL_API int sil_group_wait(sil_group *group, sil_deadline until);

/**
 * The errors of all that failed, in the order in which they did; not of those cancelled.
 *
 * @param index  from 0.
 * @return returns borrowed; valid until sil_group_close. NULL when there are no more.
 * @threads one, after sil_group_wait
 */
SIL_API const sil_error *sil_group_error(const sil_group *group, size_t index);

/**
 * End a group. If nobody has waited for it, its tasks are cancelled and waited for; but for those that
 * in turn wait for the caller (SIL_EDEADLK in sil_group_wait). They are let go: the group's memory is
 * there, and takes nothing, until the last of them has ended.
 *
 * @param group  takes; NULL allowed.
 * @threads one: its opener
 * @blocks  until all have ended
 */
SIL_API void sil_group_close(sil_group *group);

/**
 * Wait for all, and leave nothing behind: at the deadline, or when the caller is cancelled, those that
 * go on are cancelled and waited for.
 *
 * @param futures  borrows.
 * @return 0 all succeeded; the code of the first that failed, or was cancelled, with its error as the
 *         last error; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ENOMEM all were cancelled, and have ended;
 *         SIL_EDEADLK, before all others, one that waits for the caller was cancelled, and may go on;
 *         SIL_EINVAL, SIL_EFORKED nothing was done.
 * @threads any
 * @blocks  until all have ended
 */
SIL_API int sil_gather(sil_future *const *futures, size_t count, sil_gather_how how,
                       sil_deadline until);

/**
 * Await, and at the deadline, or when the caller is cancelled, cancel the future and wait until it has
 * ended: it does not go on unseen. If it has ended well or failed in spite of the deadline, that is
 * the outcome; but a cancel of the caller is never hidden by it.
 *
 * @param future  borrows.
 * @return as sil_await. SIL_EDEADLK, before all others: it waits for the caller, was cancelled, and may
 *         go on.
 * @threads any
 * @blocks  until it has ended
 */
SIL_API int sil_await_or_cancel(sil_future *future, sil_deadline until);

/**
 * A future that ends as source does, but whose cancelling leaves source alone.
 *
 * @param source  borrows.
 * @return returns owned; never NULL.
 * @threads any
 */
SIL_API sil_future *sil_shield(sil_future *source);

SIL_END_DECLS

#endif
