/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors of others: a watch for each wait.
 */
#include <sillon/readiness.h>

#include <errno.h>
#include <poll.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "core/context.h"
#include "core/error.h"
#include "coro/loop.h"
#include "loop/watch.h"

int sil_fd_wait(int fd, sil_readiness readiness, sil_deadline until)
{
    if (fd < 0 || readiness < SIL_READABLE || readiness > SIL_WRITABLE)
        return sil__fail(SIL_EINVAL, "sil_fd_wait: no descriptor, or an unknown readiness");
    if (!sil__coroutine_self())
        return sil__fail(SIL_ENOTASK, "sil_fd_wait: only a coroutine may wait like this");
    struct sil__context *context = sil__context();
    if (sil__context_cancel_due(context))
        return sil__context_deliver_cancel(context, "sil_fd_wait");
    struct pollfd now = {.fd = fd, .events = readiness == SIL_READABLE ? POLLIN : POLLOUT};
    if (poll(&now, 1, 0) > 0)
        return now.revents & POLLNVAL ? sil__fail(EBADF, NULL) : 0;
    if (sil__context_until(context, until) <= SIL_NOW) {
        sil__context_set_error(sil__error_fixed(SIL_ETIMEDOUT));
        return SIL_ETIMEDOUT;
    }
    struct sil__watch *watch = sil__watch_open(fd);
    if (!watch)
        return sil_error_code(sil_last_error());
    enum sil__watch_side side = readiness == SIL_READABLE ? SIL__WATCH_READ : SIL__WATCH_WRITE;
    sil__watch_drained(watch, side);
    int code = sil__watch_wait(watch, side, until, "sil_fd_wait");
    sil__watch_close(watch);
    return code;
}
