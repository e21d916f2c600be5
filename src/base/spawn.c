/* SPDX-License-Identifier: MIT */
/*
 * Starting a thread, see spawn.h.
 */
#include "base/spawn.h"

#include <signal.h>

#include "base/fault.h"

#define MIN_STACK_SIZE ((size_t)64 * 1024)

/* Signals go to the program's own threads; faults cannot be sent elsewhere. */
static void block_signals(sigset_t *out_former)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, out_former);
}

bool sil__spawn(pthread_t *thread, size_t stack_size, void *(*main)(void *), void *argument)
{
    if (sil__fault(SIL__FAULT_THREAD))
        return false;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    if (stack_size > 0 && stack_size < MIN_STACK_SIZE)
        stack_size = MIN_STACK_SIZE;
    bool started = false;
    if (stack_size == 0 || pthread_attr_setstacksize(&attributes, stack_size) == 0) {
        sigset_t signals;
        block_signals(&signals);
        started = pthread_create(thread, &attributes, main, argument) == 0;
        pthread_sigmask(SIG_SETMASK, &signals, NULL);
    }
    pthread_attr_destroy(&attributes);
    return started;
}
