/* SPDX-License-Identifier: MIT */
/*
 * The system calls that a sandbox lets through.
 *
 * What is here must not reach beyond the process and what it has open already: no other process, no
 * name of a file (but for reading, in READ_ONLY), no new descriptor for anything outside, no
 * privilege. Where a call does that and other things too, its arguments decide; what they point to
 * cannot be looked at, for another thread could change it between our look and the kernel's. So:
 *
 * - newfstatat(2) takes a path, and is not in COMPUTE. glibc 2.33 to 2.38 use it for fstat, which
 *   fails there with EPERM; stdio manages without.
 * - sendmsg(2) may name an address, and is not here; sendto(2) is, without one, which is send(2).
 * - recvmsg(2) is here: what it may bring in, descriptors, the other end wanted to give.
 * - Raising a signal is tgkill(2) with our own pid: any of our threads. musl uses tkill(2), which
 *   names a thread only, and gets it for the main thread. There abort(3) of another one ends in
 *   SIGSEGV, and pthread_kill(3) of one fails.
 * - Another limit of processor time can be set, for sil__limits_begin_task must: whoever wants more
 *   of it takes it. That limit is for what gets out of hand; sil_submit's timeout is for the rest.
 * - Making memory executable is allowed: programs that compile for themselves do it, and who runs
 *   code of his own choice in here already gains nothing.
 */
#include "process/sandbox_filter.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifdef __x86_64__
#include <asm/prctl.h>
#endif

/* Numbers from 424 on are the same everywhere; headers may be older than the kernel that runs. */
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif

/* What the kernel calls it: glibc's is 0, since it need not be passed; musl passes it. */
#ifdef __aarch64__
#define LARGEFILE 0400000
#else
#define LARGEFILE 0100000
#endif
/* _IOR('T', 0x2A, struct termios2), which only the kernel's headers have: isatty from glibc 2.42 */
#define GET_TERMIOS2 0x802c542aU

/* A thread: what both C libraries ask for. Whatever else may be in the flags is not let through: a
 * process, name spaces, being traced. */
#define THREAD_FLAGS \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define THREAD_EXTRAS                                                                 \
    (CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | \
     CLONE_DETACHED)

/* Every flag that neither writes nor creates. */
#define READING_FLAGS \
    (O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME | O_PATH | LARGEFILE)

#define BITS(number, set, wanted)                                      \
    {                                                                  \
        SIL__CHECK_BITS, (number), (uint32_t)(set), (uint32_t)(wanted) \
    }
#define EQUAL(number, wanted) BITS(number, UINT32_MAX, wanted)
#define NONE_BUT(number, allowed) BITS(number, ~(uint32_t)(allowed), 0)
#define IS_NULL(number)                 \
    {                                   \
        SIL__CHECK_NULL, (number), 0, 0 \
    }
#define OWN_PID(number)                \
    {                                  \
        SIL__CHECK_PID, (number), 0, 0 \
    }

#define ALLOW(name)         \
    {                       \
        .call = __NR_##name \
    }
#define ALLOW_IF(name, ...)                           \
    {                                                 \
        .call = __NR_##name, .tests = { __VA_ARGS__ } \
    }
#define REFUSE(name, code)                   \
    {                                        \
        .call = __NR_##name, .error = (code) \
    }

static const struct sil__sandbox_rule compute[] = {
    /* Memory. */
    ALLOW(brk),
    ALLOW(madvise),
    ALLOW(membarrier),
    ALLOW(mmap),
    ALLOW(mprotect),
    ALLOW(mremap),
    ALLOW(munmap),

    /* Threads. clone3 has its flags in memory: C libraries fall back to clone. */
    REFUSE(clone3, ENOSYS),
    ALLOW_IF(clone, BITS(0, ~(uint32_t)THREAD_EXTRAS, THREAD_FLAGS)),
    ALLOW(exit),
    ALLOW(exit_group),
    ALLOW(futex),
    ALLOW(futex_waitv),
    ALLOW(getcpu),
    ALLOW(gettid),
    ALLOW(restart_syscall),
    ALLOW(sched_get_priority_max),
    ALLOW(sched_get_priority_min),
    ALLOW(sched_getaffinity),
    ALLOW(sched_getparam),
    ALLOW(sched_getscheduler),
    ALLOW(sched_yield),
    ALLOW(set_robust_list),
    ALLOW(set_tid_address),
    ALLOW_IF(prctl, EQUAL(0, PR_SET_NAME)),
    ALLOW_IF(prctl, EQUAL(0, PR_GET_NAME)),
#ifdef __NR_rseq
    ALLOW(rseq),
#endif

    /* Time. */
    ALLOW(clock_getres),
    ALLOW(clock_gettime),
    ALLOW(clock_nanosleep),
    ALLOW(gettimeofday),
    ALLOW(nanosleep),
    ALLOW(times),

    /* Signals, to itself. */
    ALLOW(rt_sigaction),
    ALLOW(rt_sigpending),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigsuspend),
    ALLOW(rt_sigtimedwait),
    ALLOW(sigaltstack),
    ALLOW_IF(tgkill, OWN_PID(0)),
    ALLOW_IF(tkill, OWN_PID(0)),

    /* Descriptors that are open. Not F_SETFL, which whoever shares one would see. */
    ALLOW(close),
    ALLOW(dup),
    ALLOW(dup3),
    ALLOW(epoll_pwait),
    ALLOW_IF(fcntl, EQUAL(1, F_DUPFD)),
    ALLOW_IF(fcntl, EQUAL(1, F_DUPFD_CLOEXEC)),
    ALLOW_IF(fcntl, EQUAL(1, F_GETFD)),
    ALLOW_IF(fcntl, EQUAL(1, F_SETFD)),
    ALLOW_IF(fcntl, EQUAL(1, F_GETFL)),
    ALLOW(fstat),
    ALLOW_IF(ioctl, EQUAL(1, FIONREAD)),
    ALLOW_IF(ioctl, EQUAL(1, TCGETS)),
    ALLOW_IF(ioctl, EQUAL(1, GET_TERMIOS2)),
    ALLOW_IF(ioctl, EQUAL(1, TIOCGWINSZ)),
    ALLOW(lseek),
    ALLOW(ppoll),
    ALLOW(pread64),
    ALLOW(preadv),
    ALLOW(pselect6),
    ALLOW(pwrite64),
    ALLOW(pwritev),
    ALLOW(read),
    ALLOW(readv),
    ALLOW(recvfrom),
    ALLOW(recvmsg),
    ALLOW_IF(sendto, IS_NULL(4)),
    ALLOW(write),
    ALLOW(writev),

    /* Who and where we are. */
    ALLOW(getegid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getgroups),
    ALLOW(getpid),
    ALLOW(getppid),
    ALLOW(getrandom),
    ALLOW(getresgid),
    ALLOW(getresuid),
    ALLOW(getrusage),
    ALLOW(getuid),
    ALLOW(sysinfo),
    ALLOW(uname),

    /* Limits of our own. */
    ALLOW(getrlimit),
    ALLOW_IF(setrlimit, EQUAL(0, RLIMIT_CPU)),
    ALLOW_IF(prlimit64, EQUAL(0, 0), IS_NULL(2)),
    ALLOW_IF(prlimit64, EQUAL(0, 0), EQUAL(1, RLIMIT_CPU)),

#ifdef __x86_64__
    /* Those that newer architectures do without. */
    ALLOW_IF(arch_prctl, EQUAL(0, ARCH_GET_FS)),
    ALLOW_IF(arch_prctl, EQUAL(0, ARCH_GET_GS)),
    ALLOW(dup2),
    ALLOW(epoll_wait),
    ALLOW(getpgrp),
    ALLOW(pause),
    ALLOW(poll),
    ALLOW(select),
    ALLOW(time),
#endif
};

static const struct sil__sandbox_rule reading[] = {
    /* As clone3 above. */
    REFUSE(openat2, ENOSYS),
    ALLOW_IF(openat, NONE_BUT(2, READING_FLAGS)),
    ALLOW(faccessat),
    ALLOW(faccessat2),
    ALLOW(fadvise64),
    ALLOW(fstatfs),
    ALLOW(getcwd),
    ALLOW(getdents64),
    ALLOW(newfstatat),
    ALLOW(readlinkat),
    ALLOW(statfs),
#ifdef __NR_statx
    ALLOW(statx),
#endif

#ifdef __x86_64__
    ALLOW_IF(open, NONE_BUT(1, READING_FLAGS)),
    ALLOW(access),
    ALLOW(getdents),
    ALLOW(lstat),
    ALLOW(readlink),
    ALLOW(stat),
#endif
};

const struct sil__sandbox_rule *sil__sandbox_rules(bool of_reading, size_t *out_count)
{
    *out_count = of_reading ? sizeof reading / sizeof *reading : sizeof compute / sizeof *compute;
    return of_reading ? reading : compute;
}
