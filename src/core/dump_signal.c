/* SPDX-License-Identifier: MIT */
/*
 * Dumps by a signal: the handler posts a semaphore, and a thread of ours dumps.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include <sillon/dump.h>
#include <sillon/status.h>

#include "base/lock.h"
#include "base/spawn.h"
#include "core/context.h"
#include "core/dump_thread.h"

static struct {
    struct sil__lock lock;
    /* Guarded by lock. */
    int number; /* the signal; 0: none */
    struct sigaction former;
    pthread_t thread;

    bool made; /* calls, for good: a handler may be late */
    sem_t calls;
    _Atomic bool ends;
} dumper;

static void on_signal(int number)
{
    (void)number;
    int saved = errno;
    (void)sem_post(&dumper.calls);
    errno = saved;
}

static void *dumper_main(void *argument)
{
    (void)argument;
    for (;;) {
        while (sem_wait(&dumper.calls) != 0)
            ; /* interrupted */
        if (atomic_load_explicit(&dumper.ends, memory_order_acquire))
            return NULL;
        (void)sil_dump(stderr);
    }
}

static void end_thread_locked(void)
{
    atomic_store_explicit(&dumper.ends, true, memory_order_release);
    (void)sem_post(&dumper.calls);
    (void)pthread_join(dumper.thread, NULL);
}

static void stop_locked(void)
{
    if (dumper.number == 0)
        return;
    (void)sigaction(dumper.number, &dumper.former, NULL);
    dumper.number = 0;
    end_thread_locked();
}

static int start_locked(int number)
{
    atomic_store_explicit(&dumper.ends, false, memory_order_relaxed);
    if (!dumper.made)
        (void)sem_init(&dumper.calls, 0, 0);
    dumper.made = true;
    while (sem_trywait(&dumper.calls) == 0)
        ; /* of handlers that were late */
    if (!sil__spawn(&dumper.thread, 0, dumper_main, NULL))
        return sil__fail(SIL_EAGAIN, "sil_dump_on_signal: no thread could be started");
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, &dumper.former) == 0) {
        dumper.number = number;
        return 0;
    }
    end_thread_locked();
    return sil__fail(SIL_EINVAL, "sil_dump_on_signal: %d is no signal to be handled", number);
}

int sil_dump_on_signal(int signal_number)
{
    sil__lock_take(&dumper.lock);
    stop_locked();
    int code = signal_number != 0 ? start_locked(signal_number) : 0;
    sil__lock_drop(&dumper.lock);
    return code;
}

void sil__dump_signal_in_child(void)
{
    dumper.lock = (struct sil__lock){0};
    if (dumper.number != 0)
        (void)sigaction(dumper.number, &dumper.former, NULL);
    dumper.number = 0;
}
