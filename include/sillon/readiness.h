/* SPDX-License-Identifier: MIT */
/*
 * Readiness: until a descriptor of somebody else's can be read or written. For libraries that hand out
 * a descriptor and want to be called when it is ready (libpq, libmosquitto, inotify, timerfd ...). For
 * reading and writing bytes of your own there is stream.h.
 */
#ifndef SILLON_READINESS_H
#define SILLON_READINESS_H

#include <sillon/deadline.h>
#include <sillon/export.h>

typedef enum sil_readiness { SIL_READABLE, SIL_WRITABLE } sil_readiness;

SIL_BEGIN_DECLS

/**
 * Wait until a descriptor can be read or written, or has failed or been hung up: then the next read or
 * write tells. It may come back for nothing.
 *
 * @param fd  borrows: a socket, a pipe, a terminal, an eventfd ...; it must stay open until this returns.
 *            It is made non-blocking.
 * @return 0, for a file always; SIL_ETIMEDOUT; SIL_ECANCELLED; EEXIST it is not ready, and another of
 *         this loop waits for it, or it belongs to a stream or the like; EBADF and other errno values;
 *         SIL_ENOMEM; SIL_ENOTASK outside coroutines; SIL_EINVAL.
 * @threads coroutine
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_fd_wait(int fd, sil_readiness readiness, sil_deadline until);

SIL_END_DECLS

#endif
