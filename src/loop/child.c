/* SPDX-License-Identifier: MIT */
/*
 * Child processes, see child.h: by base/execute.h and a pidfd.
 *
 * Not by uv_spawn, for what its users have asked for longest: it takes SIGCHLD over from the
 * program we are part of; it forks, which costs the more the larger we are, and runs the handlers
 * of pthread_atfork; it cannot start a process group; and it leaves the child what others have
 * opened without O_CLOEXEC. By a pidfd a child's end is one more thing that becomes readable.
 */
#include "loop/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/fault.h"
#include "core/context.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* --- starting ------------------------------------------------------------------------------ */

static int explain(int error, enum sil__execute_step step, const struct sil__execution *plan)
{
    switch (error) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        return sil__fail(SIL_EAGAIN, "'%s' could not be started: %s", plan->program,
                         strerror(error));
    case ENOMEM:
        return sil__fail(SIL_ENOMEM, "'%s' could not be started: %s", plan->program,
                         strerror(error));
    default:
        break;
    }
    if (step == SIL__EXECUTE_DESCRIPTORS && error == EBADF)
        return sil__fail(SIL_EINVAL, "a descriptor that is meant for '%s' is not open",
                         plan->program);
    if (step == SIL__EXECUTE_DIRECTORY)
        return sil__fail(error, "'%s' cannot enter the directory '%s': %s", plan->program,
                         plan->directory, strerror(error));
    return sil__fail(error, "cannot execute '%s': %s", plan->program, strerror(error));
}

/* For where the kernel has not given one with the process (valgrind hides that). */
static int open_pidfd(struct sil__child *child)
{
    if (child->descriptor >= 0)
        return 0;
    child->descriptor = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->descriptor >= 0)
        return 0;
    if (errno != ESRCH)
        return errno;
    /* Gone already, since somebody here takes the status of any child. */
    child->over = true;
    child->status = SIL_EALREADY;
    return 0;
}

int sil__child_start(struct sil__child *child, const struct sil__execution *plan)
{
    *child = (struct sil__child){.descriptor = -1, .leads = plan->new_group || plan->new_session};
    enum sil__execute_step step = SIL__EXECUTE_PROCESS;
    if (sil__fault(SIL__FAULT_SYSTEM))
        return explain(EMFILE, step, plan);
    int error = sil__execute(plan, &child->pid, &child->descriptor, &step);
    if (error)
        return explain(error, step, plan);
    error = open_pidfd(child);
    if (error)
        sil__child_end(child);
    return error ? explain(error, SIL__EXECUTE_PROCESS, plan) : 0;
}

/* --- its end ------------------------------------------------------------------------------- */

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static bool take_status(struct sil__child *child, int options)
{
    if (child->over)
        return true;
    siginfo_t info = {.si_pid = 0};
    struct rusage usage;
    idtype_t type = child->descriptor >= 0 ? (idtype_t)P_PIDFD : P_PID;
    id_t id = child->descriptor >= 0 ? (id_t)child->descriptor : (id_t)child->pid;
    long result;
    do /* the C library's own keeps the usage from us */
        result = syscall(SYS_waitid, type, id, &info, WEXITED | options, &usage);
    while (result < 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0)
        return false;
    child->over = true;
    child->status = result < 0                   ? SIL_EALREADY
                    : info.si_code == CLD_EXITED ? info.si_status
                                                 : -info.si_status;
    if (result == 0)
        child->usage = (struct sil__child_usage){
            .user_seconds = seconds(usage.ru_utime),
            .system_seconds = seconds(usage.ru_stime),
            .peak_memory = (uint64_t)usage.ru_maxrss * 1024,
        };
    return true;
}

bool sil__child_poll(struct sil__child *child)
{
    return take_status(child, WNOHANG);
}

int sil__child_signal(struct sil__child *child, int signal)
{
    if (signal < 0 || signal >= NSIG)
        return SIL_EINVAL;
    if (sil__child_poll(child))
        return SIL_EALREADY;
    /* I1. It may have gone to another group since, but not from SIGKILL. */
    if (child->leads && kill(-child->pid, signal) == 0 && signal != SIGKILL)
        return 0;
    if (syscall(SYS_pidfd_send_signal, child->descriptor, signal, NULL, 0) == 0)
        return 0;
    return errno == ESRCH ? SIL_EALREADY : errno == EINVAL ? SIL_EINVAL : errno;
}

void sil__child_end(struct sil__child *child)
{
    if (child->over)
        return;
    if (child->leads)
        (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, SIGKILL);
    if (child->descriptor < 0)
        (void)take_status(child, 0);
    /* Not by waitid: with a pidfd that does not block it would not. */
    while (!sil__child_poll(child))
        (void)poll(&(struct pollfd){.fd = child->descriptor, .events = POLLIN}, 1, -1);
}

void sil__child_fini(struct sil__child *child)
{
    if (child->descriptor >= 0)
        (void)close(child->descriptor);
}
