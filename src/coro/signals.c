/* SPDX-License-Identifier: MIT */
/*
 * Signals for coroutines: each watched one is counted when it comes, and wakes who waits; next
 * takes from the counts. Of several numbers that have come the one is next that has been left
 * longest.
 */
#include <sillon/signals.h>

#include <signal.h>

#include "base/alloc.h"
#include "coro/enter.h"
#include "loop/signal.h"

struct watched {
    struct sil__signal *signal;
    sil_signals *all;
    int number;
    unsigned count; /* how often it has come and was not told */
    uint64_t since; /* when count left 0, or it was last told: the lowest is next */
};

/* Who waits; lies in its frame. */
struct listener {
    struct sil__waiter waiter;
    bool told; /* it is woken, and not ours any more */
};

/* I1: one coroutine at a time is in next, also between being told and running. */
struct sil_signals {
    sil_executor *loop;
    bool is_taken;             /* I1 */
    struct listener *listener; /* who waits and was not told, or NULL */
    uint64_t moment;           /* counts up */
    size_t count;
    struct watched watched[];
};

static void on_signal(void *user, int number)
{
    (void)number;
    struct watched *watched = user;
    sil_signals *signals = watched->all;
    if (watched->count++ == 0)
        watched->since = signals->moment++;
    struct listener *listener = signals->listener;
    if (!listener)
        return;
    signals->listener = NULL;
    listener->told = true;
    sil__waiter_wake(&listener->waiter);
}

/* --- open and close ------------------------------------------------------------------------ */

static int check(const int *numbers, size_t count)
{
    if (!numbers || count == 0)
        return sil__fail(SIL_EINVAL, "sil_signals_open: no signals");
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == SIGSEGV || numbers[i] == SIGBUS || numbers[i] == SIGFPE ||
            numbers[i] == SIGILL)
            return sil__fail(SIL_EINVAL, "sil_signals_open: signal %d is raised by faults",
                             numbers[i]);
    return 0;
}

sil_signals *sil_signals_open(const int *numbers, size_t count)
{
    size_t size;
    if (check(numbers, count) != 0 || sil__enter(sil_loop_current(), "sil_signals_open") != 0)
        return NULL;
    sil_signals *signals = sil__size_mul(count, sizeof signals->watched[0], &size)
                               ? sil__alloc(sizeof *signals + size)
                               : NULL;
    if (!signals) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    signals->loop = sil_loop_current();
    for (; signals->count < count; signals->count++) {
        struct watched *watched = &signals->watched[signals->count];
        watched->all = signals;
        watched->number = numbers[signals->count];
        watched->signal = sil__signal_open(watched->number, on_signal, watched);
        if (!watched->signal) {
            sil_signals_close(signals);
            return NULL;
        }
    }
    return signals;
}

void sil_signals_close(sil_signals *signals)
{
    if (!signals)
        return;
    for (size_t i = 0; i < signals->count; i++)
        sil__signal_close(signals->watched[i].signal);
    sil__free(signals);
}

/* --- next ---------------------------------------------------------------------------------- */

static bool take(sil_signals *signals, int *out_number)
{
    struct watched *next = NULL;
    for (size_t i = 0; i < signals->count; i++) {
        struct watched *watched = &signals->watched[i];
        if (watched->count > 0 && (!next || watched->since < next->since))
            next = watched;
    }
    if (!next)
        return false;
    next->count--;
    next->since = signals->moment++;
    *out_number = next->number;
    return true;
}

/* As the wait of sil__park_ops. */
static int wait_for_one(sil_signals *signals, struct sil__context *context, sil_deadline until)
{
    struct listener listener = {.told = false};
    static const struct sil__purpose purpose = {.text = "a signal"};
    sil__waiter_init(&listener.waiter, context);
    listener.waiter.purpose = &purpose;
    signals->listener = &listener;
    int code = context->ops->wait(context, &listener.waiter, sil__context_until(context, until));
    if (!listener.told)
        signals->listener = NULL;
    else if (code != 0)
        sil__waiter_settle(&listener.waiter);
    return code;
}

static int wait_and_take(sil_signals *signals, int *out_number, sil_deadline until)
{
    struct sil__context *context = sil__context();
    int code = 0;
    while (!take(signals, out_number)) {
        if (code == SIL_ECANCELLED)
            return sil__context_deliver_cancel(context, "sil_signals_next");
        if (code != 0)
            return sil__fail(code, "sil_signals_next: no signal came before the deadline");
        code = wait_for_one(signals, context, until);
    }
    return 0;
}

int sil_signals_next(sil_signals *signals, int *out_number, sil_deadline until)
{
    if (!signals || !out_number)
        return sil__fail(SIL_EINVAL, "sil_signals_next: NULL");
    int code = sil__enter(signals->loop, "sil_signals_next");
    if (code != 0)
        return code;
    if (signals->is_taken)
        return sil__fail(SIL_EBUSY, "sil_signals_next: another coroutine waits for these signals");
    signals->is_taken = true;
    code = wait_and_take(signals, out_number, until);
    signals->is_taken = false;
    return code;
}
