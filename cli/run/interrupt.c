/* SPDX-License-Identifier: MIT */
/*
 * Interrupts, see interrupt.h.
 */
#include "run/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/future.h>
#include <sillon/signals.h>
#include <sillon/status.h>

enum { MOST_SIGNALS = 8 };

struct interrupt {
    const struct interrupt_plan *plan;
    sil_signals *signals;
    sil_future *listener;
    int first;
};

static void unblock(int signal)
{
    sigset_t only;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, signal);
    (void)pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

/* --- what is done about them ---------------------------------------------------------------- */

/*
 * Stop all of the process, as the signal does by itself: a shell says "Stopped", and a process
 * whose group nobody could continue goes on at once, which SIGSTOP would not do.
 */
static void stop_process(void)
{
    struct sigaction watched, usual = {.sa_handler = SIG_DFL};
    if (sigaction(SIGTSTP, &usual, &watched) != 0)
        return;
    unblock(SIGTSTP);
    (void)raise(SIGTSTP);
    (void)sigaction(SIGTSTP, &watched, NULL);
}

static void handle_suspend(const struct interrupt_plan *plan)
{
    if (plan->suspend != NULL)
        plan->suspend(plan->user);
    stop_process();
    if (plan->resume != NULL)
        plan->resume(plan->user);
}

static void handle_stop(struct interrupt *interrupt, int signal)
{
    bool again = interrupt->first != 0;
    if (!again)
        interrupt->first = signal;
    interrupt->plan->stop(interrupt->plan->user, signal, again);
}

static void handle(struct interrupt *interrupt, int signal)
{
    const struct interrupt_plan *plan = interrupt->plan;
    switch (signal) {
    case SIGTSTP:
        handle_suspend(plan);
        break;
    case SIGCONT:
        plan->resume(plan->user);
        break;
    case SIGUSR1:
        plan->jobs(plan->user, 1);
        break;
    case SIGUSR2:
        plan->jobs(plan->user, -1);
        break;
    case SIGQUIT:
        plan->describe(plan->user);
        break;
    default:
        handle_stop(interrupt, signal);
    }
}

static int listen_task(void *arg, void *result)
{
    (void)result;
    struct interrupt *interrupt = *(struct interrupt **)arg;
    int signal, code;
    while ((code = sil_signals_next(interrupt->signals, &signal, SIL_FOREVER)) == 0)
        handle(interrupt, signal);
    return code;
}

/* --- which of them -------------------------------------------------------------------------- */

static void choose(int signal, bool wanted, int *signals, size_t *count)
{
    struct sigaction present;
    if (wanted && sigaction(signal, NULL, &present) == 0 && present.sa_handler != SIG_IGN)
        signals[(*count)++] = signal;
}

static size_t choose_all(const struct interrupt_plan *plan, int signals[MOST_SIGNALS])
{
    size_t count = 0;
    choose(SIGINT, plan->stop != NULL, signals, &count);
    choose(SIGTERM, plan->stop != NULL, signals, &count);
    choose(SIGHUP, plan->stop != NULL, signals, &count);
    choose(SIGTSTP, plan->suspend != NULL || plan->resume != NULL, signals, &count);
    choose(SIGCONT, plan->resume != NULL, signals, &count);
    choose(SIGUSR1, plan->jobs != NULL, signals, &count);
    choose(SIGUSR2, plan->jobs != NULL, signals, &count);
    choose(SIGQUIT, plan->describe != NULL, signals, &count);
    return count;
}

/* --- its life ------------------------------------------------------------------------------- */

static bool listen(struct interrupt *interrupt)
{
    int signals[MOST_SIGNALS];
    size_t count = choose_all(interrupt->plan, signals);
    if (count == 0)
        return true;
    interrupt->signals = sil_signals_open(signals, count);
    if (interrupt->signals == NULL)
        return false;
    sil_future *listener = sil_go_with(&(sil_go_options){.name = "signals"}, listen_task,
                                       (void *)&interrupt, sizeof(interrupt), 0);
    if (sil_future_done(listener)) {
        (void)sil_take(listener, NULL, SIL_NOW); /* whose error is now the last one */
        return false;
    }
    interrupt->listener = listener;
    return true;
}

struct interrupt *interrupt_create(const struct interrupt_plan *plan)
{
    struct interrupt *interrupt = calloc(1, sizeof(*interrupt));
    if (interrupt == NULL) {
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return NULL;
    }
    interrupt->plan = plan;
    if (listen(interrupt))
        return interrupt;
    interrupt_destroy(interrupt);
    return NULL;
}

void interrupt_destroy(struct interrupt *interrupt)
{
    if (interrupt == NULL)
        return;
    if (interrupt->listener != NULL) {
        sil_deadline outer = sil_deadline_current();
        sil_deadline_restore(SIL_FOREVER); /* it ends at once, but not before we wait for it */
        (void)sil_future_cancel(interrupt->listener);
        while (!sil_future_done(interrupt->listener))
            (void)sil_await(interrupt->listener, SIL_FOREVER); /* again if we are cancelled */
        sil_deadline_restore(outer);
        sil_future_release(interrupt->listener);
    }
    sil_signals_close(interrupt->signals);
    free(interrupt);
}

int interrupt_signal(const struct interrupt *interrupt)
{
    return interrupt->first;
}

void interrupt_die(int signal)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    (void)sigaction(signal, &usual, NULL);
    unblock(signal);
    (void)raise(signal);
    _exit(128 + signal); /* the first process of a container does not die of signals */
}
