/* SPDX-License-Identifier: MIT */
/*
 * A new process that executes a program, see execute.h.
 *
 * I1  Between clone and execve only what stands below "in the new process" runs. It calls the
 *     kernel and nothing that keeps state: sanitizers' wrappers, locks and malloc are the parent's.
 * I2  All signals are blocked there until none has a handler any more: one of ours must not run.
 */
#include "base/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define STANDARD 3 /* descriptors 0, 1 and 2 */
#define STACK_SIZE ((size_t)16 * 1024)
#define DEFAULT_PATH "/bin:/usr/bin"

/* ThreadSanitizer takes clone for fork, and marks the memory of both as the child's. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
extern __typeof__(clone) __clone;
#define clone __clone
#endif

/* Sanitizers' checks keep state of the thread they run in, and the thread stands still. */
#define IN_NEW_PROCESS __attribute__((no_sanitize("address", "thread", "undefined")))

struct plan {
    const struct sil__execution *wanted;
    const char *const *environment;
    const char *path; /* what is left of where to look for it; NULL: nowhere else */
    char *candidate;  /* room for any file of the path */
    int standard[STANDARD];

    /* Written by the new process. */
    int error;
    enum sil__execute_step step;
};

/* --- in the new process -------------------------------------------------------------------- */

/* Nothing ignored, nothing blocked. To ask first what is ignored would cost as much. */
IN_NEW_PROCESS static void reset_signals(void)
{
    const struct {
        unsigned long words[8]; /* at least the kernel's struct sigaction: SIG_DFL, no flags */
    } nothing = {{0}};
    const size_t mask_size = (NSIG - 1) / 8;
    for (int signal = 1; signal < NSIG; signal++)
        (void)syscall(SYS_rt_sigaction, signal, &nothing, NULL, mask_size);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, NULL, mask_size);
}

IN_NEW_PROCESS static bool place_one(const struct plan *plan, int number)
{
    int from = plan->standard[number];
    switch (from) {
    case SIL__EXECUTE_OURS:
        (void)syscall(SYS_fcntl, number, F_SETFD, 0); /* it may be closed, too */
        return true;
    case SIL__EXECUTE_NULL:
        from = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
        return from == number || syscall(SYS_dup3, from, number, 0) >= 0;
    case SIL__EXECUTE_MERGE:
        return syscall(SYS_dup3, STDOUT_FILENO, number, 0) >= 0;
    default:
        return syscall(SYS_dup3, from, number, 0) >= 0;
    }
}

IN_NEW_PROCESS static bool place_descriptors(struct plan *plan)
{
    /* Out of the way, so that none is lost while the others are put in place. */
    for (int i = 0; i < STANDARD; i++)
        if (plan->standard[i] >= 0 && plan->standard[i] < STANDARD) {
            plan->standard[i] = (int)syscall(SYS_fcntl, plan->standard[i], F_DUPFD, STANDARD);
            if (plan->standard[i] < 0)
                return false;
        }
    for (int i = 0; i < STANDARD; i++)
        if (!place_one(plan, i))
            return false;
    return true;
}

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* For kernels before 5.9. Closing while reading may make the kernel skip some: again until none. */
IN_NEW_PROCESS static bool close_listed(unsigned first)
{
    _Alignas(struct entry) char buffer[2048];
    int folder = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
    bool again = folder >= 0;
    while (again) {
        again = false;
        (void)syscall(SYS_lseek, folder, 0, SEEK_SET);
        long got;
        while ((got = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
            for (long at = 0; at < got;) {
                const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
                at += entry->size;
                unsigned number = 0;
                for (const char *digit = entry->name; *digit >= '0' && *digit <= '9'; digit++)
                    number = number * 10 + (unsigned)(*digit - '0');
                if (number >= first && number != (unsigned)folder)
                    again = syscall(SYS_close, number) == 0 || again;
            }
        }
    }
    return folder >= 0 && syscall(SYS_close, folder) == 0;
}

/* By execve if possible: whoever sees the end of a pipe of ours then knows that it executes. */
IN_NEW_PROCESS static bool close_others(void)
{
    return syscall(SYS_close_range, STANDARD, ~0U, CLOSE_RANGE_CLOEXEC) == 0 ||
           syscall(SYS_close_range, STANDARD, ~0U, 0) == 0 || close_listed(STANDARD);
}

/* Write the next file to try; false: there is none. */
IN_NEW_PROCESS static bool next_candidate(struct plan *plan)
{
    const char *from = plan->path;
    char *to = plan->candidate;
    if (!from)
        return false;
    while (*from != '\0' && *from != ':')
        *to++ = *from++;
    if (from != plan->path) /* an empty part is the directory it starts in */
        *to++ = '/';
    for (const char *name = plan->wanted->program; *name != '\0';)
        *to++ = *name++;
    *to = '\0';
    plan->path = *from == ':' ? from + 1 : NULL;
    return true;
}

/* Returns if it cannot be executed, with errno. */
IN_NEW_PROCESS static void execute(struct plan *plan)
{
    const char *const *arguments = plan->wanted->arguments;
    if (!plan->path) {
        (void)syscall(SYS_execve, plan->wanted->program, arguments, plan->environment);
        return;
    }
    bool forbidden = false;
    while (next_candidate(plan)) {
        (void)syscall(SYS_execve, plan->candidate, arguments, plan->environment);
        forbidden = forbidden || errno == EACCES;
        if (errno != EACCES && errno != ENOENT && errno != ENOTDIR && errno != ESTALE &&
            errno != ENODEV && errno != ETIMEDOUT)
            return;
    }
    errno = forbidden ? EACCES : ENOENT;
}

IN_NEW_PROCESS static int new_process(void *argument)
{
    struct plan *plan = argument;
    const struct sil__execution *wanted = plan->wanted;
    if (wanted->new_session)
        (void)syscall(SYS_setsid);
    else if (wanted->new_group)
        (void)syscall(SYS_setpgid, 0, 0);
    reset_signals();
    plan->step = SIL__EXECUTE_DESCRIPTORS;
    if (place_descriptors(plan) && close_others()) {
        plan->step = SIL__EXECUTE_DIRECTORY;
        if (!wanted->directory || syscall(SYS_chdir, wanted->directory) == 0) {
            plan->step = SIL__EXECUTE_PROGRAM;
            execute(plan);
        }
    }
    plan->error = errno;
    (void)syscall(SYS_exit_group, 127);
    return 0;
}

/* --- in ours ------------------------------------------------------------------------------- */

/* I2. -1 with errno. */
static pid_t clone_blocked(struct plan *plan, char *stack, int *out_pidfd)
{
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    sigset_t all;
    sigset_t former;
    int state;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    pid_t pid = clone(new_process, stack + STACK_SIZE, flags, plan, out_pidfd);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    (void)pthread_setcancelstate(state, NULL);
    errno = error;
    return pid;
}

/* It did not become the program. */
static void forget(pid_t pid, int pidfd)
{
    idtype_t type = pidfd >= 0 ? (idtype_t)P_PIDFD : P_PID;
    id_t id = pidfd >= 0 ? (id_t)pidfd : (id_t)pid;
    siginfo_t info;
    while (waitid(type, id, &info, WEXITED) < 0 && errno == EINTR)
        continue;
    if (pidfd >= 0)
        (void)close(pidfd);
}

static int start(struct plan *plan, pid_t *out_pid, int *out_pidfd)
{
    char *stack = sil__alloc_raw(STACK_SIZE);
    if (!stack)
        return ENOMEM;
    errno = EAGAIN;
    int pidfd = -1;
    pid_t pid = sil__fault(SIL__FAULT_PROCESS) ? -1 : clone_blocked(plan, stack, &pidfd);
    int error = errno;
    sil__free(stack);
    if (pid < 0)
        return error;
    if (plan->error != 0) {
        forget(pid, pidfd);
        return plan->error;
    }
    *out_pid = pid;
    *out_pidfd = pidfd;
    return 0;
}

int sil__execute(const struct sil__execution *execution, pid_t *out_pid, int *out_pidfd,
                 enum sil__execute_step *out_step)
{
    struct plan plan = {.wanted = execution, .step = SIL__EXECUTE_PROCESS};
    plan.environment = execution->environment;
    if (!plan.environment)
        plan.environment = (const char *const *)environ;
    for (int i = 0; i < STANDARD; i++)
        plan.standard[i] = execution->standard[i];
    int error = 0;
    if (!strchr(execution->program, '/')) {
        plan.path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
        if (!plan.path)
            plan.path = DEFAULT_PATH;
        plan.candidate = sil__alloc_raw(strlen(plan.path) + strlen(execution->program) + 2);
        if (!plan.candidate)
            error = ENOMEM;
    }
    if (error == 0)
        error = start(&plan, out_pid, out_pidfd);
    sil__free(plan.candidate);
    *out_step = plan.step;
    return error;
}
