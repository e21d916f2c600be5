/* SPDX-License-Identifier: MIT */
/*
 * Interrupts, see interrupt.h: a thread that reads a signalfd, and a promise it resolves.
 */
#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/promise.h>
#include <sillon/status.h>
#include <sillon/thread.h>

struct interrupt {
    /* Read-only after create. */
    sigset_t signals;
    int signal_fd;
    int stop_fd;
    sil_promise *promise;
    sil_future *future;
    sil_future *listener;
    /* Atomic. */
    atomic_int signal;
};

void interrupt_raise(struct interrupt *interrupt, int signal)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&interrupt->signal, &none, signal))
        return;
    (void)sil_promise_resolve(interrupt->promise, NULL);
    (void)!write(interrupt->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
}

/* A task on a thread of its own, which alone lets the signals through after the first. */
static int listen_task(void *arg, void *result)
{
    (void)result;
    struct interrupt *interrupt = *(struct interrupt **)arg;
    struct pollfd fds[] = {
        {.fd = interrupt->signal_fd, .events = POLLIN},
        {.fd = interrupt->stop_fd, .events = POLLIN},
    };
    while (poll(fds, 2, -1) < 0)
        continue;
    struct signalfd_siginfo info;
    if (fds[0].revents != 0 && read(interrupt->signal_fd, &info, sizeof(info)) == sizeof(info))
        interrupt_raise(interrupt, (int)info.ssi_signo);
    pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
    return sil_sleep(SIL_FOREVER); /* until interrupt_destroy cancels it */
}

/* Those that nohup or a shell's "&" have switched off are left alone. */
static void choose_signals(sigset_t *out)
{
    static const int candidates[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(out);
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        struct sigaction action;
        if (sigaction(candidates[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(out, candidates[i]);
    }
}

struct interrupt *interrupt_create(void)
{
    struct interrupt *interrupt = calloc(1, sizeof(*interrupt));
    if (interrupt == NULL) {
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return NULL;
    }
    choose_signals(&interrupt->signals);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    interrupt->signal_fd = signalfd(-1, &interrupt->signals, SFD_CLOEXEC);
    interrupt->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (interrupt->signal_fd < 0 || interrupt->stop_fd < 0) {
        (void)sil_fail(errno, "%s", sil_strerror(errno));
        goto fail;
    }
    interrupt->promise = sil_promise_create("interrupt", 0);
    if (interrupt->promise == NULL)
        goto fail;
    interrupt->future = sil_promise_future(interrupt->promise);
    interrupt->listener = sil_thread_start(&(sil_thread_options){.name = "interrupt"}, listen_task,
                                           &interrupt, sizeof(interrupt), 0);
    if (sil_future_done(interrupt->listener))
        goto fail;
    return interrupt;

fail:
    interrupt_destroy(interrupt);
    return NULL;
}

void interrupt_destroy(struct interrupt *interrupt)
{
    if (interrupt == NULL)
        return;
    if (interrupt->listener != NULL) {
        (void)!write(interrupt->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
        (void)sil_future_cancel(interrupt->listener);
        (void)sil_take(interrupt->listener, NULL, SIL_FOREVER);
    }
    sil_promise_destroy(interrupt->promise);
    sil_future_release(interrupt->future);
    if (interrupt->signal_fd >= 0)
        close(interrupt->signal_fd);
    if (interrupt->stop_fd >= 0)
        close(interrupt->stop_fd);
    free(interrupt);
}

sil_future *interrupt_future(const struct interrupt *interrupt)
{
    return interrupt->future;
}

int interrupt_signal(const struct interrupt *interrupt)
{
    return interrupt->signal;
}

int interrupt_fd(const struct interrupt *interrupt)
{
    return interrupt->stop_fd;
}

void interrupt_die(int signal_number)
{
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    _exit(128 + signal_number); /* not reached: all of ours end a process */
}
