/* SPDX-License-Identifier: MIT */
/*
 * Work that blocks, see file_task.h.
 *
 * I1: the task lies in the caller's frame, and what it works on is the caller's: so it has ended,
 *     or will never begin, when we return.
 * I2: a cancel is delivered once. If it interrupted our wait, but the work was done all the same,
 *     it is due again: for the next wait of the coroutine.
 */
#include "coro/file_task.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <sillon/executor.h>
#include <sillon/loop.h>
#include <sillon/status.h>

#include "base/fault.h"
#include "core/context.h"
#include "core/error.h"
#include "core/wait.h"
#include "coro/loop.h"

static int run(void *arg, void *result)
{
    (void)result;
    struct sil__file_task *task = *(struct sil__file_task **)arg;
    task->ran = true;
    task->work(task);
    return 0;
}

static int do_here(struct sil__file_task *task, const char *what)
{
    task->work(task);
    return task->code == SIL_ECANCELLED ? sil__fail(SIL_ECANCELLED, "cancelled in %s", what) : 0;
}

/* The wait has failed: give the work up, or wait for it. True: it is done. */
static bool withdraw(struct sil__context *context, struct sil__file_task *task, sil_future *future,
                     int code)
{
    (void)sil_future_cancel(future);
    sil__wait_out(future); /* I1 */
    if (!task->ran || task->code == SIL_ECANCELLED)
        return false;
    if (code == SIL_ECANCELLED)
        context->cancel_due = true; /* I2 */
    return true;
}

static int gave_up(int code, const char *what)
{
    if (code == SIL_ECANCELLED)
        return sil__fail(code, "cancelled in %s", what);
    if (code == SIL_ETIMEDOUT)
        return sil__fail(code, "the deadline came in %s", what);
    return code;
}

static int do_elsewhere(struct sil__context *context, struct sil__file_task *task, const char *what,
                        sil_deadline until)
{
    sil_executor *executor = sil__loop_blocking();
    if (!executor)
        return sil_error_code(sil_last_error());
    const struct sil__purpose purpose = {.text = what};
    struct sil__said said;
    sil_future *future = sil_submit(executor, run, (void *)&task, sizeof task, 0);
    sil__context_say(context, &said, &purpose, NULL);
    int code = sil_await(future, until);
    bool done = code == 0 || withdraw(context, task, future, code);
    sil__context_unsay(context, &said);
    sil_future_release(future);
    return done ? 0 : gave_up(code, what);
}

int sil__file_do(struct sil__file_task *task, const char *what, sil_deadline until)
{
    struct sil__context *context = sil__context();
    if (!sil_loop_current())
        return do_here(task, what);
    if (sil__context_cancel_due(context))
        return sil__context_deliver_cancel(context, what);
    return do_elsewhere(context, task, what, until);
}

void sil__file_do_always(struct sil__file_task *task)
{
    struct sil__context *context = sil__context();
    if (sil_loop_current()) {
        sil_error *error = sil__error_retain(context->last_error);
        sil_deadline scope = context->deadline;
        context->deadline = 0;
        context->shielded++;
        (void)do_elsewhere(context, task, "sil_file_close", SIL_FOREVER);
        context->shielded--;
        context->deadline = scope;
        sil__context_set_error(error);
    }
    if (!task->ran)
        task->work(task);
}

int sil__file_open(const char *path, int flags, mode_t mode, int *out_fd)
{
    if (sil__fault(SIL__FAULT_SYSTEM))
        return EMFILE;
    struct stat status;
    if (stat(path, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        flags |= O_NONBLOCK;
    int fd = -1;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return errno;
    *out_fd = fd;
    return 0;
}
