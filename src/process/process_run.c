/* SPDX-License-Identifier: MIT */
/*
 * Running a program: sil_process_run.
 *
 * As posix_spawn does, the new process borrows our memory, with us standing still, until it
 * executes the program; so it costs the same in a process of any size, and what went wrong is
 * simply written down. posix_spawn itself cannot have it die with us, cannot close what it was not
 * told of in older C libraries, and gives no pidfd.
 *
 * I1: between clone and execve only what stands below "in the new process" runs. It calls the
 *     kernel and nothing that keeps state: sanitizers' wrappers, locks and malloc are the parent's.
 */
#include <sillon/process.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "core/context.h"
#include "process/environment.h"
#include "process/process_object.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define STACK_SIZE ((size_t)64 * 1024)
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
    char *const *arguments;
    char *const *environment;
    const char *directory; /* NULL: ours */
    const char *path;      /* where to look for arguments[0]; NULL: nowhere else */
    char *candidate;       /* room for any file of the path */
    int standard[3];       /* negative: ours */
    int *kept;             /* ascending */
    size_t kept_count;
    bool dies_with_us;
    pid_t us;

    /* Written by the new process. */
    int error;
    const char *step; /* what failed */
};

/* --- in the new process -------------------------------------------------------------------- */

/* As it would be without us: nothing ignored, nothing blocked. What is caught, execve resets. */
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

IN_NEW_PROCESS static bool place_descriptors(struct plan *plan)
{
    /* Out of the way, so that none is lost while the others are put in place. */
    for (int i = 0; i < 3; i++)
        if (plan->standard[i] >= 0 && plan->standard[i] < 3) {
            plan->standard[i] = (int)syscall(SYS_fcntl, plan->standard[i], F_DUPFD, 3);
            if (plan->standard[i] < 0)
                return false;
        }
    for (int i = 0; i < 3; i++)
        if (plan->standard[i] < 0)
            (void)syscall(SYS_fcntl, i, F_SETFD, 0); /* ours may be closed, too */
        else if (syscall(SYS_dup3, plan->standard[i], i, 0) < 0)
            return false;
    for (size_t i = 0; i < plan->kept_count; i++)
        if (syscall(SYS_fcntl, plan->kept[i], F_SETFD, 0) < 0)
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
IN_NEW_PROCESS static bool close_listed(unsigned first, unsigned last)
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
                if (number >= first && number <= last && number != (unsigned)folder)
                    again = syscall(SYS_close, number) == 0 || again;
            }
        }
    }
    return folder >= 0 && syscall(SYS_close, folder) == 0;
}

IN_NEW_PROCESS static bool close_range_of(unsigned first, unsigned last)
{
    return first > last || syscall(SYS_close_range, first, last, 0) == 0 ||
           (errno == ENOSYS && close_listed(first, last));
}

/* All but 0, 1, 2 and those to be kept. */
IN_NEW_PROCESS static bool close_others(const struct plan *plan)
{
    unsigned first = 3;
    for (size_t i = 0; i < plan->kept_count; i++) {
        unsigned kept = (unsigned)plan->kept[i];
        if (kept < first)
            continue;
        if (!close_range_of(first, kept - 1))
            return false;
        first = kept + 1;
    }
    return close_range_of(first, ~0U);
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
    for (const char *name = plan->arguments[0]; *name != '\0';)
        *to++ = *name++;
    *to = '\0';
    plan->path = *from == ':' ? from + 1 : NULL;
    return true;
}

/* Returns if it cannot be executed, with errno. */
IN_NEW_PROCESS static void execute(struct plan *plan)
{
    if (!plan->path) {
        (void)syscall(SYS_execve, plan->arguments[0], plan->arguments, plan->environment);
        return;
    }
    bool forbidden = false;
    while (next_candidate(plan)) {
        (void)syscall(SYS_execve, plan->candidate, plan->arguments, plan->environment);
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
    if (plan->dies_with_us) {
        (void)syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        /* In another pid namespace than we (unshare) it cannot know us. */
        long parent = syscall(SYS_getppid);
        if (parent != plan->us && parent != 0)
            (void)syscall(SYS_exit_group, 127); /* we ended before that */
    }
    reset_signals();
    plan->step = "give descriptors to";
    if (place_descriptors(plan) && close_others(plan)) {
        plan->step = "enter the directory of";
        if (!plan->directory || syscall(SYS_chdir, plan->directory) == 0) {
            plan->step = "execute";
            execute(plan);
        }
    }
    plan->error = errno;
    (void)syscall(SYS_exit_group, 127);
    return 0;
}

/* --- in ours ------------------------------------------------------------------------------- */

/* With all signals blocked: a handler of ours must not run in there. -1 with errno. */
static pid_t clone_blocked(struct plan *plan, char *stack, int *out_descriptor)
{
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    sigset_t all;
    sigset_t former;
    int state;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    pid_t pid = clone(new_process, stack + STACK_SIZE, flags, plan, out_descriptor);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    (void)pthread_setcancelstate(state, NULL);
    errno = error;
    return pid;
}

static int run(void *argument, pid_t *out_pid, int *out_descriptor)
{
    struct plan *plan = argument;
    plan->us = getpid();
    char *stack = sil__alloc_lines(STACK_SIZE);
    if (!stack)
        return sil__fail(SIL_ENOMEM, NULL);
    errno = EAGAIN;
    int descriptor = -1;
    pid_t pid = sil__fault(SIL__FAULT_PROCESS) ? -1 : clone_blocked(plan, stack, &descriptor);
    int error = errno;
    sil__free(stack);
    if (pid < 0)
        return sil__fail_system(error, "no process could be started");
    if (plan->error != 0) {
        siginfo_t info;
        while (waitid((idtype_t)P_PIDFD, (id_t)descriptor, &info, WEXITED) < 0 && errno == EINTR)
            continue;
        (void)close(descriptor);
        return sil__fail(plan->error, "cannot %s '%s': %s", plan->step, plan->arguments[0],
                         sil_strerror(plan->error));
    }
    *out_pid = pid;
    *out_descriptor = descriptor;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const int *left = a;
    const int *right = b;
    return (*left > *right) - (*left < *right);
}

/* The plan's own memory: the path, then the descriptors. */
static int fill(struct plan *plan, const sil_process_options *options)
{
    const char *program = plan->arguments[0];
    size_t count = options->descriptor_count;
    if (!strchr(program, '/') && *program != '\0') {
        plan->path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
        if (!plan->path)
            plan->path = DEFAULT_PATH;
        plan->candidate = sil__alloc_raw(strlen(plan->path) + strlen(program) + 2);
        if (!plan->candidate)
            return sil__fail(SIL_ENOMEM, NULL);
    }
    plan->kept = sil__alloc_array(count, sizeof *plan->kept);
    if (!plan->kept)
        return sil__fail(SIL_ENOMEM, NULL);
    if (count > 0) {
        memcpy(plan->kept, options->descriptors, count * sizeof *plan->kept);
        qsort(plan->kept, count, sizeof *plan->kept, compare);
    }
    plan->kept_count = count;
    plan->environment = sil__environment_create(options->environment);
    return plan->environment ? 0 : sil__fail(SIL_ENOMEM, NULL);
}

sil_process *sil_process_run(const sil_process_options *options, const char *const *arguments)
{
    if (!arguments || !arguments[0]) {
        sil__fail(SIL_EINVAL, "sil_process_run: no program");
        return NULL;
    }
    if (sil__process_check(options, "sil_process_run") != 0)
        return NULL;
    const sil_process_options defaults = {.name = NULL};
    options = options ? options : &defaults;
    struct plan plan = {
        .arguments = (char *const *)arguments,
        .directory = options->directory,
        .dies_with_us = !options->outlives_us,
    };
    sil__process_standard(options, plan.standard);
    sil_process *process =
        fill(&plan, options) == 0 ? sil__process_create(run, &plan, options->outlives_us) : NULL;
    sil__free((void *)plan.environment);
    sil__free(plan.kept);
    sil__free(plan.candidate);
    return process;
}
