/* SPDX-License-Identifier: MIT */
/*
 * Processes: waiting for them, signalling them, letting go of them. See process_object.h.
 */
#include <sillon/process.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fork.h"
#include "core/context.h"
#include "core/error.h"
#include "process/process_object.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* How often a join looks at the fake clock. */
#define FAKE_CLOCK_LOOK (SIL__SECOND / 1000)

/* Those let go of while they ran, which outlive us: somebody must take their status when they end,
 * or they stay as zombies as long as we live. */
static _Atomic(sil_process *) orphans;

static bool is_ours(const sil_process *process)
{
    return process->generation == sil__fork_generation();
}

static int forked(void)
{
    return sil__fail(SIL_EFORKED, "the process is a child of the one we were forked from");
}

/* --- its end ------------------------------------------------------------------------------- */

/* Take its status if it has ended. options: 0 to wait until it has, or WNOHANG. */
static void reap_locked(sil_process *process, int options)
{
    if (process->over)
        return;
    siginfo_t info = {.si_pid = 0};
    int result;
    do {
        result = waitid((idtype_t)P_PIDFD, (id_t)process->descriptor, &info, WEXITED | options);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0)
        return;
    process->over = true;
    if (result != 0) /* ECHILD: somebody else took it */
        process->code = SIL_EALREADY;
    else
        process->code = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

/* Has it ended? */
static bool look(sil_process *process)
{
    sil__lock_take(&process->lock);
    reap_locked(process, WNOHANG);
    bool over = process->over;
    sil__lock_drop(&process->lock);
    return over;
}

/* False: the deadline has come. May return early. */
static bool wait_for_end(const sil_process *process, sil_deadline until)
{
    struct timespec time = {0};
    struct timespec *limit = NULL;
    if (until != SIL_FOREVER) {
        int64_t left = until - sil__clock_now();
        if (left <= 0)
            return false;
        if (sil__clock_is_fake())
            left = FAKE_CLOCK_LOOK;
        time = (struct timespec){.tv_sec = left / SIL__SECOND, .tv_nsec = left % SIL__SECOND};
        limit = &time;
    }
    struct pollfd poll = {.fd = process->descriptor, .events = POLLIN};
    (void)ppoll(&poll, 1, limit, NULL); /* EINTR is an early return */
    return true;
}

int sil_process_join(sil_process *process, sil_deadline until)
{
    if (!process)
        return sil__fail(SIL_EINVAL, "sil_process_join: the process is NULL");
    if (!is_ours(process))
        return forked();
    while (!look(process)) {
        if (until <= SIL_NOW) {
            sil__context_set_error(sil__error_fixed(SIL_ETIMEDOUT)); /* as sil_await */
            return SIL_ETIMEDOUT;
        }
        if (!wait_for_end(process, until) && !look(process))
            return sil__fail(SIL_ETIMEDOUT, "the deadline came before process %d ended",
                             (int)process->pid);
    }
    return 0;
}

int sil_process_exit_code(sil_process *process)
{
    if (!process)
        return sil__fail(SIL_EINVAL, "sil_process_exit_code: the process is NULL");
    if (!is_ours(process))
        return forked();
    if (!look(process))
        return SIL_EINPROGRESS;
    /* Written before over was set under the lock, and never again. */
    return process->code;
}

int64_t sil_process_pid(const sil_process *process)
{
    return process ? process->pid : 0;
}

int sil_process_descriptor(const sil_process *process)
{
    return process ? process->descriptor : -1;
}

/* --- signals ------------------------------------------------------------------------------- */

static int send(const sil_process *process, int signal)
{
    return syscall(SYS_pidfd_send_signal, process->descriptor, signal, NULL, 0) == 0 ? 0 : errno;
}

int sil_process_signal(sil_process *process, int signal)
{
    if (!process)
        return sil__fail(SIL_EINVAL, "sil_process_signal: the process is NULL");
    if (!is_ours(process))
        return forked();
    if (signal < 0 || signal >= NSIG)
        return sil__fail(SIL_EINVAL, "sil_process_signal: there is no signal %d", signal);
    int error = look(process) ? ESRCH : send(process, signal);
    if (error == ESRCH)
        return sil__fail(SIL_EALREADY, "process %d has ended", (int)process->pid);
    if (error != 0)
        return sil__fail(error, "process %d: cannot send signal %d", (int)process->pid, signal);
    return 0;
}

int sil_process_terminate(sil_process *process)
{
    return sil_process_signal(process, SIGTERM);
}

int sil_process_kill(sil_process *process)
{
    return sil_process_signal(process, SIGKILL);
}

/* --- the end of the object ----------------------------------------------------------------- */

static void give_up(sil_process *process)
{
    if (process->kept && is_ours(process))
        (void)pthread_join(process->keeper, NULL);
    (void)close(process->descriptor);
    sil__free(process);
}

static void add_orphans(sil_process *first, sil_process *last)
{
    sil_process *head = atomic_load_explicit(&orphans, memory_order_relaxed);
    do {
        last->next = head;
        /* Release pairs with the acquire in reap_orphans. */
    } while (!atomic_compare_exchange_weak_explicit(&orphans, &head, first, memory_order_release,
                                                    memory_order_relaxed));
}

/* Let the dead rest. Whoever takes the list has it alone; those that still run go back. */
static void reap_orphans(void)
{
    if (!atomic_load_explicit(&orphans, memory_order_relaxed))
        return;
    sil_process *list = atomic_exchange_explicit(&orphans, NULL, memory_order_acquire);
    sil_process *first = NULL;
    sil_process *last = NULL;
    while (list) {
        sil_process *process = list;
        list = process->next;
        if (!is_ours(process) || look(process)) {
            give_up(process);
            continue;
        }
        process->next = first;
        first = process;
        last = last ? last : process;
    }
    if (first)
        add_orphans(first, last);
}

void sil_process_destroy(sil_process *process)
{
    reap_orphans();
    if (!process)
        return;
    if (is_ours(process) && !look(process)) {
        /* EPERM: it has become another user's. */
        if (process->outlives_us || send(process, SIGKILL) == EPERM) {
            add_orphans(process, process);
            return;
        }
        reap_locked(process, 0); /* nobody else may be using it */
    }
    give_up(process);
}
