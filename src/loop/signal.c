/* SPDX-License-Identifier: MIT */
/*
 * Watched signals, see signal.h.
 *
 * I1: former is what the signal did before the first of ours; written when count leaves 0.
 * I2: it is put back only where libuv has just put the default action: else somebody still
 *     watches, or has installed another handler since.
 * I3: all open ones are in the thread's list, so that the reactor's end finds them.
 */
#include "loop/signal.h"

#include <signal.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/lock.h"
#include "core/context.h"

struct sil__signal {
    uv_signal_t handle;           /* first */
    struct sil__reactor *reactor; /* NULL: it was abandoned */
    struct sil__signal *next;
    struct sil__signal *prev;
    sil__signal_fn on_signal;
    void *user;
    int number;
    bool gone;     /* libuv is done with it */
    bool released; /* so is its owner */
};

static _Thread_local struct sil__signal *open_signals;

/* --- what they do while nobody watches ----------------------------------------------------- */

struct action {
    unsigned count; /* of ours that watch it */
    struct sigaction former;
};

static struct sil__lock lock;
static struct action actions[NSIG]; /* guarded by lock */

static bool is_default(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

/* Who used libuv's handler before us may stop meanwhile: it must not come back without a user. */
static struct sigaction unless_present(int number, struct sigaction before)
{
    struct sigaction present;
    if (sigaction(number, NULL, &present) == 0 && present.sa_handler == before.sa_handler)
        return (struct sigaction){.sa_handler = SIG_DFL};
    return before;
}

static void on_uv_signal(uv_signal_t *handle, int number)
{
    struct sil__signal *signal = (struct sil__signal *)handle;
    signal->on_signal(signal->user, number);
}

/* 0, or an error of libuv's. */
static int start(struct sil__signal *signal)
{
    int number = signal->number;
    sil__lock_take(&lock);
    struct sigaction before;
    int error = sigaction(number, NULL, &before) == 0 ? 0 : UV_EINVAL;
    if (error == 0)
        error = uv_signal_start(&signal->handle, on_uv_signal, number);
    if (error == 0 && actions[number].count++ == 0)
        actions[number].former = unless_present(number, before);
    sil__lock_drop(&lock);
    return error;
}

static void stop(struct sil__signal *signal)
{
    int number = signal->number;
    sil__lock_take(&lock);
    (void)uv_signal_stop(&signal->handle);
    struct sigaction present;
    if (--actions[number].count == 0 && sigaction(number, NULL, &present) == 0 &&
        is_default(&present))
        (void)sigaction(number, &actions[number].former, NULL); /* I2 */
    sil__lock_drop(&lock);
}

/* --- life ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct sil__signal *signal = (struct sil__signal *)handle;
    ((struct sil__reactor *)handle->data)->handles--;
    signal->gone = true;
    if (signal->released)
        sil__free(signal);
}

/* libuv is to be done with it: an initialized handle that does not watch. */
static void close_handle(struct sil__signal *signal)
{
    signal->handle.data = signal->reactor;
    signal->reactor->handles++;
    signal->reactor = NULL;
    uv_close((uv_handle_t *)&signal->handle, on_closed);
}

static void retire(struct sil__signal *signal)
{
    stop(signal);
    if (signal->next)
        signal->next->prev = signal->prev;
    if (signal->prev)
        signal->prev->next = signal->next;
    else
        open_signals = signal->next;
    close_handle(signal);
}

static int fail(int error, int number)
{
    int code = error == UV_EINVAL ? SIL_EINVAL : error == UV_ENOMEM ? SIL_ENOMEM : SIL_EAGAIN;
    return sil__fail(code, "signal %d cannot be watched: %s", number, uv_strerror(error));
}

/* 0, or an error of libuv's; then signal (takes) is gone, or will be. */
static int begin(struct sil__signal *signal)
{
    int error = sil__fault(SIL__FAULT_SYSTEM)
                    ? UV_EMFILE
                    : uv_signal_init(signal->reactor->uv, &signal->handle);
    if (error != 0) {
        sil__free(signal);
        return error;
    }
    uv_unref((uv_handle_t *)&signal->handle);
    error = start(signal);
    if (error != 0) {
        signal->released = true;
        close_handle(signal);
    }
    return error;
}

struct sil__signal *sil__signal_open(int number, sil__signal_fn on_signal, void *user)
{
    struct sil__reactor *reactor = sil__reactor_current();
    if (!reactor) {
        sil__fail(SIL_ENOTASK, "no loop runs here");
        return NULL;
    }
    struct sil__signal *signal = NULL;
    int error = UV_EINVAL;
    if (number > 0 && number < NSIG) {
        error = UV_ENOMEM;
        signal = sil__alloc(sizeof *signal);
    }
    if (signal) {
        signal->reactor = reactor;
        signal->on_signal = on_signal;
        signal->user = user;
        signal->number = number;
        error = begin(signal);
    }
    if (error != 0) {
        fail(error, number);
        return NULL;
    }
    signal->next = open_signals;
    if (open_signals)
        open_signals->prev = signal;
    open_signals = signal;
    return signal;
}

void sil__signal_close(struct sil__signal *signal)
{
    if (!signal)
        return;
    signal->released = true;
    if (signal->reactor)
        retire(signal);
    else if (signal->gone)
        sil__free(signal);
}

void sil__signal_abandon_all(struct sil__reactor *reactor)
{
    struct sil__signal *signal = open_signals;
    while (signal) {
        struct sil__signal *next = signal->next;
        if (signal->reactor == reactor)
            retire(signal);
        signal = next;
    }
}
