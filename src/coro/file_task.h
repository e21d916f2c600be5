/* SPDX-License-Identifier: MIT */
/*
 * Work that blocks, for whoever calls: in a coroutine by a thread, elsewhere here and now.
 */
#ifndef SIL__CORO_FILE_TASK_H
#define SIL__CORO_FILE_TASK_H

#include <sillon/deadline.h>
#include <stdbool.h>
#include <sys/types.h>

/* Set up by the caller, on its stack; what work leaves is read when sil__file_do has returned. */
struct sil__file_task {
    void (*work)(struct sil__file_task *task);
    bool ran;
    int code; /* of the work: 0, SIL_ECANCELLED it saw sil_cancelled(), or what there was to say */
};

/*
 * Do it. A deadline or a cancel gives it up before it has begun; then, and if it cannot begin: a
 * code, with the last error set. Else 0, or SIL_ETIMEDOUT or SIL_ECANCELLED if that made the work
 * stop (code SIL_ECANCELLED), with the last error set; the work's other codes are the caller's to
 * tell.
 */
int sil__file_do(struct sil__file_task *task, const char *what, sil_deadline until);

/* The same whatever happens: cancelled, late, or with no thread to be had. */
void sil__file_do_always(struct sil__file_task *task);

/*
 * Open for such work, closed by an exec: 0, or an errno value. What may keep one waiting for ever,
 * a pipe or a terminal, is opened with O_NONBLOCK: eight threads that wait for the other ends of
 * pipes would hold up all files.
 */
int sil__file_open(const char *path, int flags, mode_t mode, int *out_fd);

#endif
