/* SPDX-License-Identifier: MIT */
/*
 * The reactor, see reactor.h.
 *
 * One turn of libuv's loop: prepare decides whether the poll may block, and until when; the poll calls
 * the watches' callbacks, which only mark who is ready; check fires the timers and runs them, all in
 * one go. Running them after the poll, and not inside its callbacks, is measurably faster with many
 * connections, and keeps coroutines out of libuv's own bookkeeping.
 *
 * I1: asleep is set before awaited is asked, and whoever leaves something looks at asleep after leaving
 *     it, both sequentially consistent: so either the reactor sees what was left, or it is woken.
 * I2: libuv's timer may be set earlier than anything is due, never later: so a deadline that is set and
 *     cancelled again and again does not touch it.
 */
#include "loop/reactor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fork.h"
#include "core/context.h"
#include "loop/signal.h"
#include "loop/watch.h"

#define MILLISECOND INT64_C(1000000)

static _Thread_local struct sil__reactor *running;

/* What runs in the parent does not in the child. */
static void in_child(void)
{
    running = NULL;
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(in_child);
}

struct sil__reactor *sil__reactor_current(void)
{
    return running;
}

/*
 * A pipe whose reader is gone must not end the program: writing to it is answered with EPIPE. Sockets
 * are told with each write, pipes cannot be.
 */
static bool block_sigpipe(void)
{
    sigset_t pipe_only, former;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &former);
    return !sigismember(&former, SIGPIPE);
}

static void unblock_sigpipe(void)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    while (sigtimedwait(&pipe_only, NULL, &(struct timespec){0}) > 0)
        ;
    (void)pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

/* --- one turn ------------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
    ((struct sil__reactor *)timer->data)->armed = INT64_MAX; /* what is due is fired in check */
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* that it is active is all: the poll does not block */
}

static void on_async(uv_async_t *async)
{
    (void)async;
}

static void set_idling(struct sil__reactor *reactor, bool idling)
{
    if (idling == reactor->idling)
        return;
    reactor->idling = idling;
    if (idling)
        (void)uv_idle_start(&reactor->idle, on_idle);
    else
        (void)uv_idle_stop(&reactor->idle);
}

static void arm(struct sil__reactor *reactor)
{
    if (reactor->timers.count == 0)
        return;
    int64_t next = sil__timers_next(&reactor->timers);
    if (next >= reactor->armed)
        return; /* I2 */
    uint64_t timeout;
    if (sil__clock_is_fake()) {
        timeout = 1; /* to look at the clock of a test */
    } else {
        int64_t due = next / MILLISECOND + 1;
        int64_t now = (int64_t)uv_now(reactor->uv);
        timeout = due > now ? (uint64_t)(due - now) : 0;
    }
    reactor->armed = next;
    (void)uv_timer_start(&reactor->timer, on_timer, timeout, 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct sil__reactor *reactor = prepare->data;
    arm(reactor);
    /* From here to the end of check: what the poll's callbacks wake is woken from within. */
    reactor->outer = running;
    running = reactor;
    atomic_store_explicit(&reactor->asleep, 1, memory_order_seq_cst); /* I1 */
    set_idling(reactor, reactor->kicked || reactor->driver->awaited(reactor));
}

/* Two on one loop of libuv end in the order in which they began, not in the reverse. */
static void step_out(const struct sil__reactor *reactor)
{
    for (struct sil__reactor **at = &running; *at; at = &(*at)->outer) {
        if (*at == reactor) {
            *at = reactor->outer;
            return;
        }
    }
}

static void on_check(uv_check_t *check)
{
    struct sil__reactor *reactor = check->data;
    step_out(reactor);
    struct sil__reactor *others = running;
    running = reactor;
    atomic_store_explicit(&reactor->asleep, 0, memory_order_relaxed);
    reactor->kicked = false;
    reactor->now = sil__clock_now();
    if (reactor->timers.count > 0)
        sil__timers_run(&reactor->timers, reactor->now);
    /* Our own loop is run with SIGPIPE blocked; in its user's, coroutines still must not die of it. */
    bool blocked = reactor->uv != &reactor->own && block_sigpipe();
    if (reactor->driver->turn(reactor))
        reactor->kicked = true;
    if (blocked)
        unblock_sigpipe();
    running = others;
}

void sil__reactor_kick(struct sil__reactor *reactor)
{
    reactor->kicked = true;
    set_idling(reactor, true); /* prepare may be over */
}

/* --- from other threads -------------------------------------------------------------------- */

void sil__reactor_wake_end(struct sil__reactor *reactor)
{
    /* I1. Whoever takes the flag wakes; the others need not. */
    if (atomic_load_explicit(&reactor->asleep, memory_order_seq_cst) &&
        atomic_exchange_explicit(&reactor->asleep, 0, memory_order_relaxed))
        (void)uv_async_send(&reactor->async);
    /* Release pairs with the acquire in fini: the reactor is not touched any more. */
    atomic_fetch_sub_explicit(&reactor->wakers, 1, memory_order_release);
}

/* --- life ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    ((struct sil__reactor *)handle->data)->handles--;
}

static void add(struct sil__reactor *reactor, void *handle)
{
    ((uv_handle_t *)handle)->data = reactor;
    uv_unref(handle);
    reactor->handles++;
}

static int init_handles(struct sil__reactor *reactor)
{
    uv_loop_t *uv = reactor->uv;
    int error = uv_async_init(uv, &reactor->async, on_async);
    if (error != 0)
        return error;
    add(reactor, &reactor->async);
    (void)uv_prepare_init(uv, &reactor->prepare);
    add(reactor, &reactor->prepare);
    (void)uv_check_init(uv, &reactor->check);
    add(reactor, &reactor->check);
    (void)uv_idle_init(uv, &reactor->idle);
    add(reactor, &reactor->idle);
    (void)uv_timer_init(uv, &reactor->timer);
    add(reactor, &reactor->timer);
    (void)uv_prepare_start(&reactor->prepare, on_prepare);
    (void)uv_check_start(&reactor->check, on_check);
    return 0;
}

/*
 * libuv takes 0, 1 and 2 for what they are in any program, and ends the program when it has to close a
 * descriptor of its own that got such a number. Where they are closed they are put out of its reach.
 */
static bool occupy_standard(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
            return false;
        if (null > STDERR_FILENO)
            (void)close(null); /* another thread was faster */
    }
    return true;
}

/* Its first loop aborts the program, and each later one leaks, for want of descriptors: so we look first
 * whether there are as many as it takes. */
static bool has_descriptors(void)
{
    enum { WANTED = 8 };
    int fds[WANTED];
    int count = 0;
    /* Not duplicates: ThreadSanitizer does not see those made, and takes their close for another's. */
    while (count < WANTED && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        (void)close(fds[i]);
    return count == WANTED;
}

static int init_loop(uv_loop_t *loop)
{
    return occupy_standard() && has_descriptors() ? uv_loop_init(loop) : UV_EMFILE;
}

int sil__reactor_init(struct sil__reactor *reactor, uv_loop_t *uv,
                      const struct sil__reactor_driver *driver)
{
    reactor->driver = driver;
    reactor->armed = INT64_MAX;
    reactor->now = sil__clock_now();
    reactor->uv = uv ? uv : &reactor->own;
    sil__timers_init(&reactor->timers, reactor->now);
    int error = sil__fault(SIL__FAULT_SYSTEM) ? UV_EMFILE : uv ? 0 : init_loop(&reactor->own);
    if (error == 0) {
        error = init_handles(reactor);
        if (error != 0 && !uv)
            (void)uv_loop_close(&reactor->own);
    }
    if (error == 0)
        return 0;
    int code = error == UV_ENOMEM ? SIL_ENOMEM : SIL_EAGAIN;
    return sil__fail(code, "no loop could be made: %s", uv_strerror(error));
}

void sil__reactor_fini(struct sil__reactor *reactor)
{
    /* Acquire: see wake_end. They are between two steps, and need no more than a CPU. */
    while (atomic_load_explicit(&reactor->wakers, memory_order_acquire) > 0)
        sched_yield();
    sil__watch_abandon_all(reactor);
    sil__signal_abandon_all(reactor);
    uv_close((uv_handle_t *)&reactor->async, on_closed);
    uv_close((uv_handle_t *)&reactor->prepare, on_closed);
    uv_close((uv_handle_t *)&reactor->check, on_closed);
    uv_close((uv_handle_t *)&reactor->idle, on_closed);
    uv_close((uv_handle_t *)&reactor->timer, on_closed);
    while (reactor->handles > 0)
        (void)uv_run(reactor->uv, UV_RUN_NOWAIT);
    if (reactor->uv == &reactor->own)
        (void)uv_loop_close(&reactor->own);
}

void sil__reactor_keep(struct sil__reactor *reactor)
{
    if (reactor->keepers++ == 0)
        uv_ref((uv_handle_t *)&reactor->async);
}

void sil__reactor_let_go(struct sil__reactor *reactor)
{
    if (--reactor->keepers == 0)
        uv_unref((uv_handle_t *)&reactor->async);
}

void sil__reactor_run(struct sil__reactor *reactor)
{
    bool blocked = block_sigpipe();
    sil__reactor_keep(reactor);
    (void)uv_run(reactor->uv, UV_RUN_DEFAULT);
    sil__reactor_let_go(reactor);
    if (blocked)
        unblock_sigpipe();
}

void sil__reactor_stop(struct sil__reactor *reactor)
{
    uv_stop(reactor->uv);
}
