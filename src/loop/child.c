/* SPDX-License-Identifier: MIT */
/*
 * Child processes, see child.h: by posix_spawn and a pidfd.
 *
 * Not by uv_spawn, for what its users have asked for longest: it takes SIGCHLD over from the
 * program we are part of; it forks, which costs the more the larger we are, and runs the handlers
 * of pthread_atfork; it cannot start a process group; and it leaves the child what others have
 * opened without O_CLOEXEC. posix_spawn borrows our memory until the program begins, and by a
 * pidfd a child's end is one more thing that becomes readable.
 */
#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
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

#define STANDARD 3 /* descriptors 0, 1 and 2 */

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM 1
#endif
#endif

/* --- what is to happen in the child before the program ------------------------------------ */

static bool is_source(const struct sil__child_plan *plan, int number)
{
    for (int i = 0; i < STANDARD; i++)
        if (plan->standard[i] == number)
            return true;
    return false;
}

/* First out of the way: any of them may have a number that another one is to get. */
static int add_copies(posix_spawn_file_actions_t *actions, const struct sil__child_plan *plan,
                      int copies[STANDARD])
{
    int error = 0;
    for (int i = 0, next = STANDARD; !error && i < STANDARD; i++, next++) {
        if (plan->standard[i] < 0)
            continue;
        while (is_source(plan, next))
            next++;
        copies[i] = next;
        error = posix_spawn_file_actions_adddup2(actions, plan->standard[i], next);
    }
    return error;
}

static int add_standard(posix_spawn_file_actions_t *actions, int from, int copy, int number)
{
    switch (from) {
    case SIL__CHILD_OURS:
        return 0;
    case SIL__CHILD_NULL:
        return posix_spawn_file_actions_addopen(actions, number, "/dev/null", O_RDWR, 0);
    case SIL__CHILD_MERGE:
        return posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, number);
    default:
        return posix_spawn_file_actions_adddup2(actions, copy, number);
    }
}

static int add_actions(posix_spawn_file_actions_t *actions, const struct sil__child_plan *plan)
{
    int copies[STANDARD] = {0};
    int error = add_copies(actions, plan, copies);
    for (int i = 0; !error && i < STANDARD; i++)
        error = add_standard(actions, plan->standard[i], copies[i], i);
    if (!error && plan->directory)
        error = posix_spawn_file_actions_addchdir_np(actions, plan->directory);
#ifdef HAVE_CLOSEFROM
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, STANDARD);
#endif
    return error;
}

/* Signals as a program expects them, whatever the calling thread has blocked or ignores. */
static int set_attributes(posix_spawnattr_t *attributes, const struct sil__child_plan *plan)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (plan->new_session)
        flags |= POSIX_SPAWN_SETSID;
    else if (plan->new_group)
        flags |= POSIX_SPAWN_SETPGROUP; /* of its own: 0 is what a new attribute says */
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error = posix_spawnattr_setflags(attributes, (short)flags);
    return error;
}

/* --- starting ------------------------------------------------------------------------------ */

static int spawn(const struct sil__child_plan *plan, pid_t *out_pid)
{
    char *const *environment = plan->environment ? (char *const *)plan->environment : environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error)
        goto fail_attributes;
    error = set_attributes(&attributes, plan);
    if (!error)
        error = add_actions(&actions, plan);
    if (!error && sil__fault(SIL__FAULT_PROCESS))
        error = EAGAIN;
    if (!error)
        error = posix_spawnp(out_pid, plan->program, &actions, &attributes,
                             (char *const *)plan->arguments, environment);
    (void)posix_spawnattr_destroy(&attributes);
fail_attributes:
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Why a directory cannot be entered; 0: it can. */
static int directory_error(const char *directory)
{
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    (void)close(fd);
    return faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

static int explain(int error, const struct sil__child_plan *plan)
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
    case EBADF:
        return sil__fail(SIL_EINVAL, "a descriptor that is meant for '%s' is not open",
                         plan->program);
    default:
        break;
    }
    if (plan->directory && error == directory_error(plan->directory))
        return sil__fail(error, "'%s' cannot enter the directory '%s': %s", plan->program,
                         plan->directory, strerror(error));
    return sil__fail(error, "cannot execute '%s': %s", plan->program, strerror(error));
}

int sil__child_start(struct sil__child *child, const struct sil__child_plan *plan)
{
    *child = (struct sil__child){.descriptor = -1, .leads = plan->new_group || plan->new_session};
    int error = spawn(plan, &child->pid);
    if (error)
        return explain(error, plan);
    error = EMFILE;
    if (!sil__fault(SIL__FAULT_SYSTEM)) {
        child->descriptor = (int)syscall(SYS_pidfd_open, child->pid, 0);
        error = child->descriptor >= 0 ? 0 : errno;
    }
    /* Gone already, since somebody here takes the status of any child. */
    if (error == ESRCH) {
        child->over = true;
        child->status = SIL_EALREADY;
        error = 0;
    }
    if (error) {
        sil__child_end(child);
        return explain(error, plan);
    }
    return 0;
}

/* --- its end ------------------------------------------------------------------------------- */

static bool take_status(struct sil__child *child, int options)
{
    if (child->over)
        return true;
    siginfo_t info = {.si_pid = 0};
    idtype_t type = child->descriptor >= 0 ? (idtype_t)P_PIDFD : P_PID;
    id_t id = child->descriptor >= 0 ? (id_t)child->descriptor : (id_t)child->pid;
    int result;
    do
        result = waitid(type, id, &info, WEXITED | options);
    while (result < 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0)
        return false;
    child->over = true;
    child->status = result < 0                   ? SIL_EALREADY
                    : info.si_code == CLD_EXITED ? info.si_status
                                                 : -info.si_status;
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
